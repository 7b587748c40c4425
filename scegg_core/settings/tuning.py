"""Settings of tuning: a small grid over a variant's settings, compared on the validation split alone."""

import csv
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from scegg_core.errors import InputError
from scegg_core.settings.base import settings

STAGES = ("scen", "eggn", "synthesis", "classifier")
POINT = "@"  # sc-egg@3 is point 3 of the grid of sc-egg


@dataclass(frozen=True)
class Point:
    """One point of a grid: its number, counted from 1, and its values by 'stage.setting'."""

    number: int
    values: dict[str, Any]

    def part(self, stage: str) -> dict[str, Any]:
        """Return the values of one stage by setting."""
        return {key.split(".")[1]: value for key, value in self.values.items() if key.split(".")[0] == stage}

    def trains_like(self, other: "Point") -> bool:
        """Return whether both have the same values of all stages up to the generator's."""
        return all(self.part(stage) == other.part(stage) for stage in ("scen", "eggn"))

    def text(self) -> str:
        """Return the values in words."""
        return ", ".join(f"{key} {value}" for key, value in self.values.items())


@settings
class TuningSettings:
    """The grid of one variant: every combination of the values is tried."""

    grid: dict[str, tuple[Any, ...]] = Field(
        min_length=1, description="values tried, by setting: eggn.unseen_guidance, scen.learning_rate, …"
    )
    seeds: tuple[int, ...] = Field((0,), min_length=1, description="seeds of every point on the validation split")

    @field_validator("grid")
    @classmethod
    def _stages_and_values(cls, grid: dict) -> dict:
        for key, values in grid.items():
            stage, dot, name = key.partition(".")
            if stage not in STAGES or not dot or not name or "." in name:
                raise ValueError(f"{key!r} has to be a stage and a setting, such as eggn.epochs; stages: {STAGES}")
            if not values:
                raise ValueError(f"{key} has no values")
        return grid

    def points(self) -> list[Point]:
        """Return all combinations, the last setting changing fastest."""
        combinations = product(*self.grid.values())
        return [
            Point(number, dict(zip(self.grid, values, strict=True))) for number, values in enumerate(combinations, 1)
        ]


def winners(table: str | Path) -> dict[str, str]:
    """Return the selected point of each variant in a tuning table, by variant."""
    with Path(table).open(encoding="utf-8", newline="") as file:
        found = {row["variant"]: row["point"] for row in csv.DictReader(file) if row.get("selected") == "True"}
    if not found:
        raise InputError(f"{table} selects no point; delete it to have it made again.")
    return found
