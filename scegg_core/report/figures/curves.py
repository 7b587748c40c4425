"""Training curves: the losses of all three stages and the accuracies on validation over epochs, a line per seed."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.artifacts.files import Provenance, read_table, write_table
from scegg_core.artifacts.kinds import KINDS
from scegg_core.report.style import PALETTE, new_figure, styled
from scegg_core.training.alarms import alarms

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame


COLUMNS = 4  # panels in a row
WARNING = "#B00020"
MOST_ALARMS = 4  # that fit into a panel
BOX = {"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1.5}

STAGES = {
    "1": "stage 1",
    "2": "stage 2",
    "3": "stage 3",
    "dazle": "DAZLE",
    "czsl": "CZSL classifier",
    "gzsl": "GZSL classifier",
}

STAGES["validation"] = "validation split"

#: Terms by the name they are recorded under; others are shown as they are.
TERMS = {
    "L_LCE": "$L_{LCE}$ (Eq. 6)",
    "L_GCE": "$L_{GCE}$ (Eq. 7)",
    "L_SCR": "$L_{SCR}$ (Eq. 8)",
    "L_CE": "cross-entropy, DAZLE's",
    "L_cal": "self-calibration loss",
    "wasserstein": "Wasserstein estimate (Eq. 11)",
    "penalty": "gradient penalty (Eq. 11)",
    "KL": "KL (Eq. 10)",
    "BCE": "reconstruction, BCE (Eq. 10)",
    "adversarial": "−critic(synthetic) (Eq. 11)",
    "L_Rec": "$L_{Rec}$ (Eq. 12)",
    "L_SCE": "$L_{SCE}$ (Eq. 14)",
    "L_UCE": "$L_{UCE}$ (Eq. 15)",
    "cross_entropy": "cross-entropy",
    "acc": "Acc, conventional (share)",
    "u": "U, unseen classes (share)",
    "s": "S, seen classes (share)",
    "h": "H, harmonic mean (share)",
    "ausuc": "AUSUC (share)",
}


def gather(seeds: Sequence[int], tables: Sequence["DataFrame"]) -> "DataFrame":
    """Return curve tables (stage, epoch, term, value), each of one seed, as one table with a column `seed` in front.

    A seed may come more than once, with the tables of different stages.
    """
    from pandas import concat

    marked = [table.assign(seed=seed) for seed, table in zip(seeds, tables, strict=True)]
    return concat(marked, ignore_index=True)[["seed", "stage", "epoch", "term", "value"]]


@styled
def draw_curves(curves: "DataFrame", title: str = "") -> "Figure":
    """Return a panel per stage and term of `curves` (seed, stage, epoch, term, value), with a line per seed.

    Without any epoch it is one empty panel that says so.
    """
    if curves.empty:
        return _nothing_trained(title)
    panels = list(curves.sort_values("stage", kind="stable").groupby(["stage", "term"], sort=False))
    seeds = sorted(curves["seed"].unique())
    rows = -(-len(panels) // COLUMNS)
    figure = new_figure(2.6 * COLUMNS, 2.1 * rows + 0.4)
    grid = figure.subplots(rows, COLUMNS, squeeze=False).flat
    for ((stage, term), values), axes in zip(panels, grid, strict=False):
        _draw_panel(axes, f"{STAGES.get(stage, stage)}\n{TERMS.get(term, term.replace('_', ' '))}", values, seeds)
        _mark_alarms(axes, stage, term, values)
    for axes in grid:
        axes.axis("off")
    _add_legend(figure, seeds)
    figure.suptitle(title, fontsize=10)
    figure.supylabel("mean over an epoch (no unit)", fontsize=9)
    return figure


def _nothing_trained(title: str) -> "Figure":
    figure = new_figure(2.6 * COLUMNS, 2.5)
    axes = figure.subplots()
    axes.axis("off")
    axes.text(0.5, 0.5, "nothing was trained: 0 epochs", transform=axes.transAxes, ha="center", va="center")
    figure.suptitle(title, fontsize=10)
    return figure


def _draw_panel(axes: "Axes", title: str, values: "DataFrame", seeds: Sequence[int]) -> None:
    from matplotlib.ticker import MaxNLocator

    for seed, line in values.sort_values("epoch", kind="stable").groupby("seed"):
        marker = "." if len(line) < 3 else ""
        axes.plot(line["epoch"], line["value"], marker=marker, linewidth=1.2, **_look(seeds.index(seed)))
    axes.set_title(title, fontsize=8.5, parse_math=True)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.ticklabel_format(axis="y", scilimits=(-2, 4))


def _mark_alarms(axes: "Axes", stage: str, term: str, values: "DataFrame") -> None:
    """Write into a panel which seeds its term warns of (training/alarms.py)."""
    named = [
        f"seed {seed}: {alarm.reason.split(':')[0]}"
        for seed, line in values.sort_values("epoch", kind="stable").groupby("seed")
        for alarm in alarms((stage, epoch, term, value) for epoch, value in line[["epoch", "value"]].itertuples(False))
    ]
    if named:
        axes.set_title(axes.get_title(), fontsize=8.5, parse_math=True, color=WARNING, weight="bold")
        shown = [*named[:MOST_ALARMS], *([f"and {len(named) - MOST_ALARMS} more"] if len(named) > MOST_ALARMS else [])]
        lines = "\n".join(f"\u26a0 {text}" for text in shown)
        axes.text(
            0.98, 0.97, lines, transform=axes.transAxes, ha="right", va="top", fontsize=6, color=WARNING, bbox=BOX
        )


def _add_legend(figure: "Figure", seeds: Sequence[int]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=f"seed {seed}", **_look(place)) for place, seed in enumerate(seeds)]
    figure.legend(handles=handles, loc="outside lower center", ncols=min(len(handles), 8), frameon=False)


def _look(place: int) -> dict:
    return {"color": PALETTE[place % len(PALETTE)], "linestyle": ("-", "--", "-.", ":")[place % 4]}


def read_curves(
    paths: Sequence[str | Path], seeds: Sequence[int], epochs: Sequence[str | Path] = (), scored: Sequence[int] = ()
) -> "DataFrame":
    """Return the curves at `paths`, each of the seed at the same place of `seeds`: seed, stage, epoch, term, value.

    `epochs` are tables of scores on the validation split, of the seeds `scored`: they become the stage "validation".
    """
    curves = [read_table(path, "curve").to_pandas() for path in paths]
    return gather([*seeds, *scored], [*curves, *map(_validation_curve, epochs)])


def _validation_curve(path: str | Path) -> "DataFrame":
    """The scores of epochs at `path` as a curve; accuracies stay shares in [0, 1]."""
    long = read_table(path, "epochs").to_pandas().drop(columns="constant").melt("epoch", var_name="term")
    return long.assign(stage="validation")


def write_curves(path: str | Path, curves: "DataFrame", provenance: Provenance) -> None:
    """Write the curves of several seeds as a table of kind `curves`."""
    columns = {
        name: list(curves[name]) if curves[name].dtype.kind not in "if" else np.array(curves[name])
        for name in KINDS["curves"].columns
    }
    write_table(path, "curves", columns, provenance)
