"""Methods on several spaces of features: their metrics on each, and whether SCEN's features help them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scegg_core.evaluate.summary import METRICS
from scegg_core.report.paired import paired_differences
from scegg_core.report.results import RunResult, measured
from scegg_core.report.rows import TableSettings
from scegg_core.settings.base import settings

if TYPE_CHECKING:
    from pandas import DataFrame, Series

#: The metrics in print.
SHOWN = ("Acc", "U", "S", "H")


@settings
class Method:
    """A method, and the variant that is it on each space; differences are to the first one."""

    title: str
    variants: dict[str, str]


@settings
class SpacesSettings:
    """What the table says beside the metrics, and the methods that it compares."""

    table: TableSettings
    methods: tuple[Method, ...]
    budget: str  # how long they were trained, a sentence


def spaces_table(results: Sequence[RunResult], methods: Sequence[Method]) -> "DataFrame":
    """Return for each method a row per space, and one per space after the first with the difference to that.

    A row has method, space, reference (the first space in rows of differences, '' in others), variant, seeds, and of each
    metric mean, `_std` and the 95 % interval (h_low, h_high, …), in percent. Rows of differences, which are paired seed by
    seed and image by image, also have h_sign, … and `helps`: whether H is higher there, its interval on one side of 0.
    Methods and spaces without runs are left out.
    """
    from pandas import DataFrame

    rows = []
    for method in methods:
        runs = {space: [run for run in results if run.variant == name] for space, name in method.variants.items()}
        rows += [_own_row(method, space, own) for space, own in runs.items() if own]
        first, *others = method.variants
        rows += [row for space in others for row in _difference_rows(method, space, first, runs)]
    return DataFrame(rows)


def in_print(table: "DataFrame") -> "DataFrame":
    """Return the table as it is read: a metric with its interval in one cell, a difference with its sign."""
    from pandas import DataFrame

    return DataFrame(_printed(row) for _, row in table.iterrows())


def answers(table: "DataFrame") -> list[str]:
    """Return a sentence for each space compared: how many methods it helps."""
    if table.empty:
        return []
    sentences = []
    for space, rows in table[table["reference"] != ""].groupby("space", sort=False):
        found = [int((rows["helps"] == answer).sum()) for answer in ("yes", "no", "not shown")]
        sentences.append(
            f"{space} in place of {rows['reference'].iloc[0]}: of {len(rows)} methods, H is higher for {found[0]} and lower "
            f"for {found[1]}, judged by the 95 % interval of the paired difference; for {found[2]} neither is shown."
        )
    return sentences


def _own_row(method: Method, space: str, runs: Sequence[RunResult]) -> dict:
    values = {name: [run.percent(name) for run in runs] for name in METRICS}
    return _head(method, space, "") | {"seeds": len(runs)} | measured(values, [run.resampled for run in runs])


def _difference_rows(method: Method, space: str, first: str, runs: dict[str, list[RunResult]]) -> list[dict]:
    """The row of a difference; none where the spaces have no seed in common."""
    found = paired_differences([*runs[first], *runs[space]], method.variants[first])
    kept = [
        {name: value for name, value in row.items() if name not in ("dataset", "variant", "title", "reference")}
        for row in found.to_dict("records")
    ]
    return [_head(method, space, first) | row | {"helps": _helps(row)} for row in kept]


def _head(method: Method, space: str, reference: str) -> dict:
    return {"method": method.title, "space": space, "reference": reference, "variant": method.variants[space]}


def _helps(row: dict) -> str:
    if "h_low" not in row:
        return ""
    return "yes" if row["h_low"] > 0 else "no" if row["h_high"] < 0 else "not shown"


def _printed(row: "Series") -> dict:
    form = "+.1f" if row["reference"] else ".1f"
    cells = {name: _with_interval(row, name, form) for name in SHOWN}
    answer = row["helps"] if row["reference"] else ""
    return {**{name: row[name] for name in ("method", "space", "reference", "seeds")}, **cells, "helps": answer}


def _with_interval(row: "Series", name: str, form: str) -> str:
    from pandas import isna

    low, high = (row.get(f"{METRICS[name]}_{end}") for end in ("low", "high"))
    text = f"{row[name]:{form}}"
    return text if low is None or isna(low) else f"{text} ({low:{form}} to {high:{form}})"
