"""From the predictions of a data set's runs to its table of classes, trade-off curves and confusion matrix."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.data.tables import DatasetIndex
from scegg_core.figures.confusion import confusion_matrix, draw_confusion, order_classes
from scegg_core.figures.tradeoff import VariantCurves
from scegg_core.metrics import mean_class_accuracy, trade_off
from scegg_core.predictions import Predictions, read_predictions
from scegg_core.settings.report import RunNames
from scegg_core.tables import per_class_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


@dataclass(frozen=True)
class VariantRuns:
    """The predictions of one variant, one per seed."""

    variant: str
    title: str
    runs: tuple[Predictions, ...]

    def pooled(self) -> tuple[np.ndarray, np.ndarray]:
        """Return labels and predicted classes of all seeds, one after the other."""
        return (
            np.concatenate([run.labels for run in self.runs]),
            np.concatenate([run.predicted for run in self.runs]),
        )


def read_runs(paths: Sequence[str], given: RunNames) -> Iterator[VariantRuns]:
    """Yield each variant's predictions; `paths` are in the order of `given.runs`. One variant is held at a time."""
    for variant in dict.fromkeys(name for name, _ in given.runs):
        own = [Path(path) for path, (name, _) in zip(paths, given.runs, strict=True) if name == variant]
        yield VariantRuns(variant, given.titles[variant], tuple(map(read_predictions, own)))


def class_rows(variants: Iterator[VariantRuns], index: DatasetIndex, task: str) -> "DataFrame":
    """Return `per_class_table` of every variant, its seeds pooled, with columns variant, title, task, seeds in front.

    `images` counts an image once.
    """
    from pandas import DataFrame, concat

    parts = [DataFrame()]
    for one in variants:
        table = per_class_table(*one.pooled(), index.classes, index.seen)
        table["images"] //= len(one.runs)
        for place, (name, value) in enumerate(
            {"variant": one.variant, "title": one.title, "task": task.upper(), "seeds": len(one.runs)}.items()
        ):
            table.insert(place, name, value)
        parts.append(table)
    return concat(parts, ignore_index=True)


def trade_offs(variants: Iterator[VariantRuns], index: DatasetIndex) -> list[VariantCurves]:
    """Return each variant's seen-unseen curves and operating points, one per seed, of its GZSL predictions."""
    return [
        VariantCurves(
            one.title,
            tuple(trade_off(run.labels, run.scores, index.seen) for run in one.runs),
            tuple(_operating_point(run, index) for run in one.runs),
        )
        for one in variants
    ]


def confusion_picture(runs: VariantRuns, index: DatasetIndex, task: str) -> "Figure":
    """Return the confusion matrix of the unseen classes, similar ones side by side, all seeds pooled."""
    unseen = np.flatnonzero(~index.seen)
    ordered = unseen[order_classes(index.vectors[unseen])]
    matrix = confusion_matrix(*runs.pooled(), ordered)
    seeds = f"{len(runs.runs)} seeds pooled" if len(runs.runs) > 1 else "one seed"
    return draw_confusion(matrix, [index.classes[c] for c in ordered], f"{runs.title}, {task.upper()}, {seeds}")


def _operating_point(run: Predictions, index: DatasetIndex) -> tuple[float, float]:
    """(S, U) of the predictions as they are."""
    kinds = (np.flatnonzero(index.seen), np.flatnonzero(~index.seen))
    present = [kind[np.isin(kind, run.labels)] for kind in kinds]
    return tuple(mean_class_accuracy(run.labels, run.predicted, kind) if len(kind) else 0.0 for kind in present)
