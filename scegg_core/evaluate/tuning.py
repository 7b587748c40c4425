"""Tuning on validation: the scores of a grid's points in one table, the best of each variant marked."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scegg_core.evaluate.scores import read_scores
from scegg_core.evaluate.summary import METRICS, moments
from scegg_core.settings.base import settings

if TYPE_CHECKING:
    from pandas import DataFrame


@settings
class GridPoint:
    """One point of the grid that tunes `variant`, and its seeds."""

    variant: str
    point: str
    values: dict[str, Any]  # by 'stage.setting'
    seeds: tuple[int, ...]


@settings
class TuneSettings:
    """The points compared, as `Configuration.grid_points` gives them."""

    dataset: str
    points: tuple[GridPoint, ...]


def tuning_table(paths: Sequence[str], points: Sequence[GridPoint]) -> "DataFrame":
    """Return one row per point: its settings, seeds, and mean and `_std` of its scores on validation, in percent.

    `paths` are the scores of all seeds, point by point: metrics, or a table of epochs whose best one counts.
    `selected` marks the point of highest mean H of each variant, the first of equal ones.
    """
    from pandas import DataFrame

    waiting = iter(paths)
    rows, means = [], []
    for point in points:
        scores = [read_scores(Path(next(waiting))) for _ in point.seeds]
        percents = {name: [100 * getattr(one, field) for one in scores] for name, field in METRICS.items()}
        means.append(sum(percents["H"]) / len(scores))
        settings = {name: _as_written(value) for name, value in point.values.items()}
        head = {"variant": point.variant, "point": point.point, **settings, "seeds": len(scores)}
        rows.append(head | moments(percents))
    best = {_best(points, means, variant) for variant in {point.variant for point in points}}
    table = DataFrame(rows)
    return table.assign(selected=[row in best for row in range(len(table))])


def _as_written(value: object) -> str:
    """A setting as config.yaml has it: no measurement, so neither rounded nor empty where it is null."""
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


def _best(points: Sequence[GridPoint], means: Sequence[float], variant: str) -> int:
    return max((p for p, point in enumerate(points) if point.variant == variant), key=lambda p: (means[p], -p))
