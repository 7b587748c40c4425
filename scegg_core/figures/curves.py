"""Training curves: the losses of all three stages over epochs, one line per seed, one panel per term."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scegg_core.figures.style import PALETTE, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from pandas import DataFrame

COLUMNS = 4  # panels in a row
HEIGHT = 1.85  # inches of a row of panels
HEADING = 0.35  # inches of a block's title
STAGES = {
    "1": "Stage 1: SCEN, cross-entropies (Eq. 16)",
    "2": "Stage 2: SCEN, semantic consistency (Eq. 17)",
    "3": "Stage 3: EGGN (Eqs. 9–15, 18)",
}
#: Terms by the name they are recorded under; others are shown as they are.
TERMS = {
    "L_LCE": "$L_{LCE}$ (Eq. 6)",
    "L_GCE": "$L_{GCE}$ (Eq. 7)",
    "L_SCR": "$L_{SCR}$ (Eq. 8)",
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
}


def gather(seeds: Sequence[int], tables: Sequence["DataFrame"]) -> "DataFrame":
    """Return curve tables (stage, epoch, term, value), each of one seed, as one table with a column `seed` in front.

    A seed may come more than once, with the tables of different stages.
    """
    from pandas import concat

    marked = [table.assign(seed=seed) for seed, table in zip(seeds, tables, strict=True)]
    return concat(marked, ignore_index=True)[["seed", "stage", "epoch", "term", "value"]]


@styled
def draw_curves(curves: "DataFrame") -> "Figure":
    """Return a block per stage with a panel per term of `curves` (seed, stage, epoch, term, value), a line per seed."""
    stages = [(stage, list(block["term"].unique()), block) for stage, block in curves.groupby("stage")]
    rows = [-(-len(terms) // COLUMNS) for _, terms, _ in stages]
    heights = [HEIGHT * count + HEADING for count in rows]
    figure = new_figure(2.6 * COLUMNS, sum(heights) + HEADING)
    *blocks, foot = figure.subfigures(len(stages) + 1, 1, height_ratios=[*heights, HEADING])
    for block, (stage, terms, values), count in zip(blocks, stages, rows, strict=True):
        block.suptitle(STAGES.get(stage, stage), fontsize=10, fontweight="bold")
        grid = list(block.subplots(count, COLUMNS, squeeze=False).flat)
        for axes in grid[len(terms) :]:
            axes.axis("off")
        for axes, term in zip(grid, terms, strict=False):
            _draw_term(axes, term, values[values["term"] == term], sorted(curves["seed"].unique()))
    _add_legend(foot, sorted(curves["seed"].unique()))
    return figure


def _draw_term(axes: "Axes", term: str, values: "DataFrame", seeds: Sequence[int]) -> None:
    from matplotlib.ticker import MaxNLocator

    for seed, line in values.sort_values("epoch", kind="stable").groupby("seed"):
        look = _look(seeds.index(seed))
        axes.plot(line["epoch"], line["value"], marker="." if len(line) < 3 else "", linewidth=1.2, **look)
    axes.set_title(TERMS.get(term, term.replace("_", " ")), fontsize=8.5)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.ticklabel_format(axis="y", scilimits=(-2, 4))


def _add_legend(figure: "SubFigure", seeds: Sequence[int]) -> None:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], label=f"seed {seed}", **_look(place)) for place, seed in enumerate(seeds)]
    figure.legend(handles=handles, loc="center", ncols=min(len(handles), 8), frameon=False)


def _look(place: int) -> dict:
    return {"color": PALETTE[place % len(PALETTE)], "linestyle": ("-", "--", "-.", ":")[place % 4]}
