"""The confusion matrix of a variant's unseen classes."""

from typing import TYPE_CHECKING

import numpy as np

from scegg_core.data.tables import DatasetIndex
from scegg_core.figures.confusion import confusion_matrix, draw_confusion, order_classes
from scegg_core.run_predictions import VariantRuns

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def confusion_picture(runs: VariantRuns, index: DatasetIndex, task: str) -> "Figure":
    """Return the confusion matrix of the unseen classes, similar ones side by side, all seeds pooled."""
    unseen = np.flatnonzero(~index.seen)
    ordered = unseen[order_classes(index.vectors[unseen])]
    matrix = confusion_matrix(*runs.pooled(), ordered)
    seeds = f"{len(runs.runs)} seeds pooled" if len(runs.runs) > 1 else "one seed"
    return draw_confusion(matrix, [index.classes[c] for c in ordered], f"{runs.title}, {task.upper()}, {seeds}")
