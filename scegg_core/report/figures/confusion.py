"""Confusion matrix of the unseen classes, similar classes side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.data.tables import DatasetIndex
from scegg_core.report.runs import VariantRuns
from scegg_core.report.style import new_figure, short_names, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


COLOURS = "Blues"

GAMMA = 0.5  # of the colour scale: rare confusions are to be seen too

OTHER = "any seen class"

#: Most classes of a matrix: more cells can be told apart neither on paper nor on a screen.
MOST_CLASSES = 1000

#: Above so many classes only every n-th is named; so many names fit along the largest figure.
MOST_NAMES = 120

LARGEST = 16.0  # inches of the matrix

PITCH = 0.135  # inches a class takes where each is named


def shown_classes(index: DatasetIndex, labels: np.ndarray, most: int = MOST_CLASSES) -> tuple[np.ndarray, str]:
    """Return the unseen classes of a matrix, similar ones side by side, and what its last column is called.

    They are all of them, or the `most` with the most images among `labels` (images,).
    """
    unseen = np.flatnonzero(~index.seen)
    counts = np.bincount(labels, minlength=len(index.classes))[unseen]
    kept = unseen[np.sort(np.argsort(-counts, kind="stable")[:most])]
    return kept[order_classes(index.vectors[kept])], OTHER if len(kept) == len(unseen) else "any other class"


def order_classes(vectors: np.ndarray) -> np.ndarray:
    """Return positions of the rows of `vectors` (classes, attributes) such that neighbours have similar attributes.

    Average linkage on cosine distance, leaves in optimal order.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    if len(vectors) < 3:
        return np.arange(len(vectors))
    return leaves_list(linkage(vectors, "average", metric="cosine", optimal_ordering=True))


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the share of each class's images predicted as each class, (len(classes), len(classes) + 1), in percent.

    Rows and columns follow `classes`; the last column is everything else. Rows of classes without images are NaN.
    """
    place = np.full(int(max(labels.max(), predicted.max(), classes.max())) + 1, len(classes))
    place[classes] = np.arange(len(classes))
    kept = place[labels] < len(classes)
    counts = np.zeros((len(classes), len(classes) + 1))
    np.add.at(counts, (place[labels[kept]], place[predicted[kept]]), 1)
    total = counts.sum(axis=1, keepdims=True)
    return np.divide(100 * counts, total, out=np.full_like(counts, np.nan), where=total > 0)


@styled
def draw_confusion(matrix: np.ndarray, names: Sequence[str], title: str = "", other: str = OTHER) -> "Figure":
    """Return the picture of a `confusion_matrix`; `names` are its classes' in the same order.

    The last column is drawn if anything is in it. Many classes: only every n-th is named, evenly.
    """
    from matplotlib.colors import PowerNorm

    size = float(np.clip(PITCH * len(names), 3.0, LARGEST))
    figure = new_figure(size + 2.9, size + 2.0)
    axes = figure.subplots()
    shown = matrix if np.nansum(matrix[:, -1]) > 0 else matrix[:, :-1]
    picture = axes.imshow(shown, cmap=COLOURS, norm=PowerNorm(GAMMA, 0, 100), interpolation="nearest", aspect="equal")
    _name_classes(axes, short_names(names), other if shown.shape[1] > len(names) else "")
    axes.spines[:].set_visible(True)
    named = f" (one of {_step(names)} named)" if _step(names) > 1 else ""
    axes.set(xlabel=f"predicted class{named}", ylabel=f"true class{named}", title=title)
    scale = figure.colorbar(picture, ax=axes, fraction=0.03, pad=0.02, shrink=min(1.0, 3 / size))
    scale.set_ticks([0, 5, 20, 50, 100])
    scale.set_label("share of the true class's images (%)")
    return figure


def _step(names: Sequence[str]) -> int:
    """Return n where every n-th class is named."""
    return -(-len(names) // MOST_NAMES)


def _name_classes(axes: "Axes", names: Sequence[str], other: str) -> None:
    step = _step(names)
    places = list(range(0, len(names), step))
    size = 8 if len(names) <= 25 else 6
    axes.set_yticks(places, [names[place] for place in places], fontsize=size)
    if other:  # stands off the last named class by at least two names' width
        places = [place for place in places if place < len(names) - step // 2]
        axes.axvline(len(names) - 0.5, color="0.3", linewidth=0.8)
    columns = [*places, len(names)] if other else places
    axes.set_xticks(columns, [*(names[p] for p in places), *([other] if other else [])], fontsize=size, rotation=90)
    axes.tick_params(length=2)


def confusion_picture(runs: VariantRuns, index: DatasetIndex, task: str) -> "Figure":
    """Return the confusion matrix of the unseen classes, similar ones side by side, all seeds pooled."""
    labels, predicted = runs.pooled()
    ordered, other = shown_classes(index, labels)
    matrix = confusion_matrix(labels, predicted, ordered)
    seeds = f"{len(runs.runs)} seeds pooled" if len(runs.runs) > 1 else "one seed"
    title = f"{runs.title}, {task.upper()}, {seeds}"
    title += "" if other == OTHER else f", {len(ordered)} of {(~index.seen).sum()} classes"
    return draw_confusion(matrix, [index.classes[c] for c in ordered], title, other)
