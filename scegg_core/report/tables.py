"""Result tables: runs of variants and seeds in; data frames in the shape of the paper's tables out.

Accuracies are in [0, 1] in the results and in percent, rounded to two decimals, in the tables.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.data.blocks import by_class
from scegg_core.evaluate.summary import METRICS, moments
from scegg_core.report.published import PublishedRow, find_published
from scegg_core.report.results import DECIDING, WHOLE, RunResult, counts, differences, groups, head, identity, measured

if TYPE_CHECKING:
    from pandas import DataFrame


#: The metrics that the paper reports.
PAPER_METRICS = ("Acc", "U", "S", "H")

#: The paper's Table 2, in its order.
ABLATION = ("baseline", "wo-lce", "wo-gce", "wo-scr", "wo-egs", "sc-egg")


def result_table(results: Sequence[RunResult], published: Sequence[PublishedRow] = ()) -> "DataFrame":
    """Return one row per variant: what decides a comparison, mean, `_std` and interval of each metric, published figures.

    `_std` is the sample standard deviation over seeds (ddof 1), empty for one seed; the interval (h_low, h_high, …) is
    that of docs/statistics.md. `differs` says in what a row is no equal of the others. Published columns are left out if
    no row has a value. Runs of a variant that differ in backbone, weights, image size, selection or calibration stay
    separate rows. Raises ValueError if a run occurs twice.
    """
    from pandas import DataFrame

    found = groups(results)
    rows = [
        head(runs) | _measured(runs) | _oracle(runs) | _published(runs[0], published) | {"differs": text}
        for runs, text in zip(found, differences(found), strict=True)
    ]
    table = DataFrame(rows).astype(dict.fromkeys(WHOLE, "Int64")) if rows else DataFrame()
    printed = [name for name in table if name.startswith("published_")]
    return table.drop(columns=printed) if printed and table[printed].isna().all(axis=None) else table


def ablation_table(results: Sequence[RunResult], published: Sequence[PublishedRow] = ()) -> "DataFrame":
    """Return `result_table` of the variants in the paper's Table 2, in its order; absent ones are left out."""
    kept = [result for result in results if result.variant in ABLATION]
    return result_table(sorted(kept, key=lambda result: ABLATION.index(result.variant)), published)


def seed_rows(results: Sequence[RunResult]) -> "DataFrame":
    """Return one row per run: data set, variant, settings, seed, the metrics in percent, and `computed`."""
    from pandas import DataFrame

    return DataFrame(
        head([run])
        | {"seed": run.seed}
        | {name: round(run.percent(name), 2) for name in METRICS}
        | {"computed": run.computed}
        for run in results
    )


def summary_table(results: Sequence[RunResult], published: Sequence[PublishedRow] = ()) -> "DataFrame":
    """Return Table 1 over the data sets of `results`: published methods by family, then our rows.

    Columns: family, method, what decides a comparison (ours only), then `<data set> <metric>` in percent, with `_std` for
    ours, `<data set> differs` for rows of ours that are no equals of the others there, `remark` for printed figures that do
    not add up, and `differs`, all of the former in one. Ours are one row per variant and setting.
    """
    from pandas import DataFrame

    names = dict.fromkeys((run.dataset, run.published) for run in results)
    rows: dict[tuple, dict] = {}
    for family in ("embedding", "generative"):
        for row in (row for row in published if row.family == family):
            _add_published(rows, row, [shown for shown, printed in names if printed == row.dataset])
    found = groups(results)
    for runs, text in zip(found, differences(found), strict=True):
        _add_ours(rows, runs, text)
    cells = [f"{shown} {metric}{tail}" for shown, _ in names for metric in PAPER_METRICS for tail in ("", "_std")]
    apart = [f"{shown} differs" for shown, _ in names]
    values = [dict.fromkeys(apart, "") | row for row in rows.values()]
    table = DataFrame(values, columns=["family", "method", *DECIDING, *cells, *apart, "remark", "differs"])
    return table.astype(dict.fromkeys(WHOLE, "Int64"))


def per_class_table(labels: np.ndarray, predicted: np.ndarray, names: Sequence[str], seen: np.ndarray) -> "DataFrame":
    """Return one row per class that has images: seen, images, accuracy in percent, and its commonest confusion.

    `labels`, `predicted` (images,) are positions in `names` and `seen` (classes,) bool. `most_often_taken_for` is the
    class that most of its misclassified images go to ('' if none), `taken_for` the percentage of its images that go there.
    """
    from pandas import DataFrame

    return DataFrame(_class_row(label, predicted[own], names, seen) for label, own in by_class(labels))


def missing_remarks(results: Sequence[RunResult], variants: Sequence[str], seeds: Sequence[int] = ()) -> list[str]:
    """Return a sentence for each of `variants` that has no result, or lacks some of `seeds`."""
    remarks = []
    for variant in variants:
        finished = {run.seed for run in results if run.variant == variant}
        lacking = [str(seed) for seed in seeds if seed not in finished]
        if not finished:
            remarks.append(f"Missing: {variant} has no results yet.")
        elif lacking:
            remarks.append(f"Missing: {variant} lacks seed {', '.join(lacking)}.")
    return remarks


def _percents(runs: Sequence[RunResult], names: Iterable[str] = METRICS) -> dict[str, list[float]]:
    return {name: [run.percent(name) for run in runs] for name in names}


def _measured(runs: Sequence[RunResult]) -> dict:
    return measured(_percents(runs), [run.resampled for run in runs])


def _oracle(runs: Sequence[RunResult]) -> dict:
    """Columns oracle_* of runs that all know their best epochs on test."""
    if any(run.oracle is None for run in runs):
        return {}
    return moments({f"oracle_{name}": [100 * run.oracle[name] for run in runs] for name in PAPER_METRICS})


def _published(run: RunResult, published: Sequence[PublishedRow]) -> dict:
    row = find_published(published, run.published, run.variant)
    return {f"published_{name}": getattr(row, METRICS[name]) if row else np.nan for name in PAPER_METRICS}


def _add_published(rows: dict[tuple, dict], row: PublishedRow, datasets: Sequence[str]) -> None:
    if not datasets:
        return
    cells = rows.setdefault(
        (row.family, row.method), {"family": row.family, "method": row.method, "remark": "", "differs": ""}
    )
    for dataset in datasets:
        cells |= {f"{dataset} {name}": getattr(row, METRICS[name]) for name in PAPER_METRICS}
        if row.flag:
            cells["remark"] = "; ".join(filter(None, (cells.get("remark"), f"{dataset}: {row.flag}")))


def _add_ours(rows: dict[tuple, dict], runs: Sequence[RunResult], differs: str) -> None:
    common = identity(runs[0]) | counts(runs)
    own = {name: common[name] for name in DECIDING if name != "weights_digest"}
    own["selection"] += "; tuned" if common["tuned"] else ""
    own["weights_digest"] = head(runs)["weights_digest"]
    cells = rows.setdefault(
        ("ours", runs[0].variant, *own.values()),
        {"family": "ours", "method": runs[0].title, "remark": "", "differs": ""} | own,
    )
    cells |= {f"{runs[0].dataset} {name}": value for name, value in moments(_percents(runs, PAPER_METRICS)).items()}
    if differs:
        cells[f"{runs[0].dataset} differs"] = differs
        cells["differs"] = "; ".join(filter(None, (cells["differs"], f"{runs[0].dataset}: {differs}")))


def _class_row(label: int, predicted: np.ndarray, names: Sequence[str], seen: np.ndarray) -> dict:
    """The row of a class whose images were `predicted` (images,) as these."""
    taken, counts = np.unique(predicted, return_counts=True)
    wrong = np.where(taken == label, 0, counts)
    images, worst = len(predicted), wrong.argmax()
    return {
        "class": names[label],
        "seen": bool(seen[label]),
        "images": images,
        "accuracy": round(100 * (images - wrong.sum()) / images, 2),
        "most_often_taken_for": names[taken[worst]] if wrong[worst] else "",
        "taken_for": round(100 * wrong[worst] / images, 2),
    }
