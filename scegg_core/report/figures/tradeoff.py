"""Seen-unseen trade-off of several variants, with their operating points and AUSUC."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.classify.predictions import Predictions
from scegg_core.data.tables import DatasetIndex
from scegg_core.evaluate.metrics import TradeOff, mean_class_accuracy, trade_off
from scegg_core.report.runs import VariantRuns
from scegg_core.report.style import PALETTE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


MARKERS = "osD^vPX*<>"

LINES = ("-", "--", "-.", ":")

LEVELS = (20, 40, 60, 80)  # percent: harmonic means whose lines are drawn for orientation


@dataclass(frozen=True)
class VariantCurves:
    """One variant's trade-offs, one per seed, and where each seed's predictions lie on it: (S, U) in [0, 1]."""

    title: str
    curves: tuple[TradeOff, ...]
    points: tuple[tuple[float, float], ...]

    @property
    def label(self) -> str:
        """Return the title with AUSUC in percent, mean ± standard deviation over seeds."""
        areas = [100 * curve.area for curve in self.curves]
        spread = f" ± {stdev(areas):.1f}" if len(areas) > 1 else ""
        return f"{self.title}: AUSUC {fmean(areas):.1f}{spread} %"


@styled
def draw_trade_off(variants: Sequence[VariantCurves], title: str = "") -> "Figure":
    """Return the curves of all variants, a line per seed, markers at the operating points, AUSUC in the legend."""
    figure = new_figure(5.6, 4.6 + 0.17 * len(variants))
    axes = figure.subplots()
    axes.set(xlabel="accuracy on unseen classes, U (%)", ylabel="accuracy on seen classes, S (%)", title=title)
    axes.set(xlim=(0, _limit(variants, "unseen")), ylim=(0, _limit(variants, "seen")))
    _draw_levels(axes)
    handles = [_draw_variant(axes, variant, place) for place, variant in enumerate(variants)]
    reading = "lines: seeds; markers: operating points; grey: equal H"
    figure.legend(handles=handles, loc="outside lower center", frameon=False, title=reading)
    return figure


def _draw_variant(axes: "Axes", variant: VariantCurves, place: int) -> "Artist":
    """Draw the variant; return what stands for it in the legend."""
    colour, marker = PALETTE[place % len(PALETTE)], MARKERS[place % len(MARKERS)]
    for curve in variant.curves:
        alpha = 0.9 if len(variant.curves) == 1 else 0.55
        line = LINES[place // len(PALETTE) % len(LINES)]
        axes.plot(100 * curve.unseen, 100 * curve.seen, line, color=colour, linewidth=1.1, alpha=alpha)
    points = 100 * np.array(variant.points).reshape(-1, 2)
    look = {"color": colour, "edgecolors": "white", "linewidths": 0.7, "s": 45, "zorder": 3}
    return axes.scatter(points[:, 1], points[:, 0], marker=marker, label=variant.label, **look)


def _draw_levels(axes: "Axes") -> None:
    """Thin lines of equal harmonic mean, named at the right edge or, where they leave at the top, left out."""
    right, top = axes.get_xlim()[1], axes.get_ylim()[1]
    for level in LEVELS:
        unseen = np.linspace(level / 2 + 1e-3, 105, 400)
        axes.plot(unseen, level * unseen / (2 * unseen - level), color="0.85", linewidth=0.7, zorder=0)
        height = level * right / (2 * right - level) if 2 * right > level else np.inf
        if height < top:
            axes.text(right, height, f" H {level}", fontsize=7, color="0.5", va="center")


def _limit(variants: Sequence[VariantCurves], side: str) -> float:
    """Upper end of an axis in percent: the curves' highest value and a little air."""
    highest = max((100 * float(getattr(curve, side).max()) for one in variants for curve in one.curves), default=100)
    return min(105.0, 1.06 * highest + 1)


def trade_offs(variants: Iterator[VariantRuns], index: DatasetIndex) -> list[VariantCurves]:
    """Return each variant's seen-unseen curves and operating points, one per seed, of its GZSL predictions."""
    found = []
    for one in variants:
        pairs = [(trade_off(run.labels, run.scores, index.seen), _operating_point(run, index)) for run in one.runs]
        found.append(VariantCurves(one.title, *zip(*pairs, strict=True)))
    return found


def _operating_point(run: Predictions, index: DatasetIndex) -> tuple[float, float]:
    """(S, U) of the predictions as they are."""
    kinds = (np.flatnonzero(index.seen), np.flatnonzero(~index.seen))
    return tuple(mean_class_accuracy(run.labels, run.predicted, kind) for kind in kinds)
