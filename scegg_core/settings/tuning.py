"""Settings of tuning: a small grid over a variant's settings, compared on the validation split alone."""

import csv
import json
import math
from collections.abc import Hashable
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, TypeAdapter, ValidationError, field_validator

from scegg_core.errors import InputError
from scegg_core.settings.base import problem, problem_of, settings, unknown_setting
from scegg_core.settings.names import Seeds, distinct
from scegg_core.settings.overrides import STAGES

POINT = "@"  # sc-egg@3 is point 3 of the grid of sc-egg

#: Each point is trained; far larger grids are mistakes.
MOST_POINTS = 1000


@dataclass(frozen=True)
class Point:
    """One point of a grid: its number, counted from 1, and its values by 'stage.setting'."""

    number: int
    values: dict[str, Any]

    def part(self, stage: str) -> dict[str, Any]:
        """Return the values of one stage by setting."""
        return {key.split(".")[1]: value for key, value in self.values.items() if key.split(".")[0] == stage}

    def values_of(self, *stages: str) -> Hashable:
        """Return the values of these stages, to be compared with those of another point of the grid."""
        return tuple(value for key, value in self.values.items() if key.split(".")[0] in stages)

    def text(self) -> str:
        """Return the values in words."""
        return ", ".join(f"{key} {value}" for key, value in self.values.items())


def known_setting(key: str) -> str:
    """Return `key`, or refuse what is no 'stage.setting'."""
    stage, dot, name = key.partition(".")
    if stage not in STAGES or not dot or not name or "." in name:
        raise problem(f"has to be a stage and a setting, such as eggn.epochs; stages: {', '.join(STAGES)}")
    known = [field.name for field in fields(STAGES[stage])]
    if name not in known:
        raise problem(unknown_setting(name, known))
    return key


Key = Annotated[str, AfterValidator(known_setting)]
Values = Annotated[tuple[Any, ...], AfterValidator(distinct)]


@settings
class TuningSettings:
    """The grid of one variant: every combination of the values is tried."""

    grid: dict[Key, Values] = Field(
        min_length=1, description="values tried, by setting: eggn.unseen_guidance, scen.learning_rate, …"
    )
    seeds: Seeds = Field((0,), description="seeds of every point on the validation split")

    @field_validator("grid")
    @classmethod
    def _values_fit(cls, grid: dict) -> dict:
        for key, values in grid.items():
            if not values:
                raise problem(f"has no values of {key}")
            for value in values:
                _check_value(key, value)
        count = math.prod(map(len, grid.values()))
        if count > MOST_POINTS:
            raise problem(f"has {count} points, each of which is trained; at most {MOST_POINTS} can be compared")
        return grid

    def points(self) -> list[Point]:
        """Return all combinations, the last setting changing fastest."""
        return list(self._points.values())

    def point(self, number: str) -> Point | None:
        """Return the point of this number, written without signs and leading zeros; None where there is none."""
        return self._points.get(number)

    def first_like(self, point: Point, *stages: str) -> Point:
        """Return the first point of the grid with the same values of these stages."""
        if stages not in self._first:
            self._first[stages] = {}
            for other in self._points.values():
                self._first[stages].setdefault(other.values_of(*stages), other)
        return self._first[stages][point.values_of(*stages)]

    @cached_property
    def _points(self) -> dict[str, Point]:
        combinations = enumerate(product(*self.grid.values()), 1)
        return {
            str(number): Point(number, dict(zip(self.grid, values, strict=True))) for number, values in combinations
        }

    @cached_property
    def _first(self) -> dict[tuple[str, ...], dict[Hashable, Point]]:
        return {}


def _check_value(key: str, value: Any) -> None:
    stage, _, name = key.partition(".")
    try:
        TypeAdapter(STAGES[stage]).validate_json(json.dumps({name: value}), strict=True)
    except ValidationError as error:
        wrong = problem(problem_of(error.errors()[0], STAGES[stage]))
        raise ValidationError.from_exception_data(key, [{"type": wrong, "loc": (key,), "input": value}]) from None


def winners(table: str | Path) -> dict[str, str]:
    """Return the selected point of each variant in a tuning table, by variant."""
    with Path(table).open(encoding="utf-8", newline="") as file:
        found = {row["variant"]: row["point"] for row in csv.DictReader(file) if row.get("selected") == "True"}
    if not found:
        raise InputError(f"{table} selects no point; delete it to have it made again.")
    return found
