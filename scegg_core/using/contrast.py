"""Which attributes tell two classes apart, by their descriptions or in one image, and the chart of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.data.names import printable
from scegg_core.data.tables import MISSING
from scegg_core.errors import InputError
from scegg_core.report.figures.attention import attribute_title
from scegg_core.report.style import PALETTE, new_figure, short_names, styled
from scegg_core.using.model import Model, contributions, find_class
from scegg_core.using.places import require_input
from scegg_core.using.predict import predict

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


#: In the metadata of a chart, and of no other picture.
TITLE = "scegg explain"


@dataclass(frozen=True)
class Contrast:
    """Two classes, and how much each attribute speaks for one of them.

    `contribution` (A,) is above 0 where the attribute speaks for the first class, below 0 where for the second.
    `strength` (2, A) is what the classes' descriptions say, NaN for what they leave open.
    """

    title: str
    first: str
    second: str
    attributes: tuple[str, ...]
    contribution: np.ndarray
    strength: np.ndarray

    def frame(self) -> "DataFrame":
        """Return a row per attribute, those that tell most first."""
        from pandas import DataFrame

        order = np.argsort(-np.abs(self.contribution), kind="stable")
        names = [attribute_title(self.attributes[row]) for row in order]
        strength = {name: values[order] for name, values in zip((self.first, self.second), self.strength, strict=True)}
        return DataFrame({"attribute": names, "speaks_for_first": self.contribution[order], **strength})


def contrast_classes(model: Model, first: str, second: str) -> Contrast:
    """Return which attributes tell two classes apart by their descriptions: a(first) - a(second), (A,).

    Classes are named as `find_class` takes them. Raises InputError for a name that is none, for one class twice, and for
    a model whose class vectors have no named attributes.
    """
    rows = find_class(model, first), find_class(model, second)
    if model.classes.given_vectors:
        raise InputError(
            f"{model.name} knows its classes by vectors without named attributes, so nothing tells them apart in words."
        )
    if rows[0] == rows[1]:
        raise InputError(f"{first!r} and {second!r} are the same class; name two.")
    vectors = model.classes.vectors
    return _contrast(model, rows, vectors[rows[0]] - vectors[rows[1]], "by their descriptions")


def contrast_image(model: Model, image: str | Path, task: str = "gzsl", against: str | None = None) -> Contrast:
    """Return which attributes speak for the image's first class of `task`, against its second one or the class `against`:
    e_l · (a(first) - a(against)), (A,), whose sum is the lead in p_l (Eq. 3).

    Raises InputError for a model without SCEN or backbone, a picture that cannot be used, another task, and for `against`
    that is no class, or the first one itself.
    """
    if model.scen is None:
        raise InputError(f"{model.name} has no SCEN, so nothing tells which attributes it sees in an image.")
    answers = predict(model, [require_input(image, "the picture")], task)
    order = answers.classes[np.argsort(-answers.scores[0], kind="stable")].tolist()
    first, second = order[0], find_class(model, against) if against is not None else order[min(1, len(order) - 1)]
    if first == second:
        raise InputError(
            f"{printable(image)} is taken for {model.classes.names[first]}; name another class to tell it apart from (--against)."
        )
    vectors = model.classes.vectors
    contribution = contributions(answers.semantics[0], vectors[first], vectors[second])
    return _contrast(model, (first, second), contribution, f"in {printable(Path(image).name)}")


def _contrast(model: Model, rows: tuple[int, int], contribution: np.ndarray, where: str) -> Contrast:
    first, second = (model.classes.names[row] for row in rows)
    percent = model.classes.percent[list(rows)]
    strength = np.where(percent == MISSING, np.nan, percent)
    title = f"{' or '.join(short_names((first, second)))}, {where}"
    return Contrast(title, first, second, model.attributes, contribution, strength)


@styled
def draw_contrast(contrast: Contrast, top: int = 12) -> "Figure":
    """Return a bar per attribute, those that tell most: to the right for the first class, to the left for the second."""
    order = np.argsort(-np.abs(contrast.contribution), kind="stable")[:top][::-1]
    values = contrast.contribution[order]
    figure = new_figure(6.4, 0.27 * len(order) + 1.5)
    axes = figure.subplots()
    axes.barh(range(len(order)), values, color=[PALETTE[0] if value > 0 else PALETTE[1] for value in values])
    axes.set_yticks(range(len(order)), [attribute_title(contrast.attributes[row]) for row in order])
    axes.axvline(0, color="0.3", linewidth=0.8)
    first, second = short_names((contrast.first, contrast.second))
    axes.set_xlabel(f"← speaks for {second}        speaks for {first} →")
    axes.set_title(contrast.title)
    return figure
