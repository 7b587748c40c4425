"""Result tables: runs of variants and seeds in; data frames in the shape of the paper's tables out.

Accuracies are in [0, 1] in the results and in percent, rounded to two decimals, in the tables.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.evaluate.summary import METRICS, moments
from scegg_core.report.published import PublishedRow, find_published

if TYPE_CHECKING:
    from pandas import DataFrame


#: The metrics that the paper reports.
PAPER_METRICS = ("Acc", "U", "S", "H")

#: The paper's Table 2, in its order.
ABLATION = ("baseline", "wo-lce", "wo-gce", "wo-scr", "wo-egs", "sc-egg")


@dataclass(frozen=True)
class RunResult:
    """What one variant reached with one seed; accuracies in [0, 1], NaN where a task was not run.

    `dataset` is the name shown, `published` the data set's name in the published tables ('' for none); `computed` says
    on what it was computed and whether the same bits come out again. `tuned` are the settings that the validation
    split selected ('' for none), `epoch` the epoch (None: the last); `oracle` has the paper's metrics of the best
    epochs on test, where they are to be shown. `without_images` are classes without test images: they do
    not count. `alarms` are what the training curves warn of.
    """

    dataset: str
    variant: str
    title: str
    seed: int
    backbone: str
    weights: str
    image_size: int | None
    selection: str
    acc: float
    u: float
    s: float
    h: float
    ausuc: float
    published: str = ""
    computed: str = ""
    tuned: str = ""
    epoch: int | None = None
    oracle: dict[str, float] | None = None
    without_images: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()

    def percent(self, metric: str) -> float:
        """Return a metric (a key of METRICS) in percent."""
        return 100 * getattr(self, METRICS[metric])


def result_table(results: Sequence[RunResult], published: Sequence[PublishedRow] = ()) -> "DataFrame":
    """Return one row per variant: settings, number of seeds, mean and `_std` of each metric, published figures.

    `_std` is the sample standard deviation over seeds (ddof 1), empty for one seed. Published columns are left out
    if no row has a value. Runs of a variant that differ in backbone, weights, image size or selection stay separate rows.
    Raises ValueError if a run occurs twice.
    """
    from pandas import DataFrame

    rows = [
        _head(runs) | {"seeds": len(runs)} | moments(_percents(runs)) | _oracle(runs) | _published(runs[0], published)
        for runs in _groups(results)
    ]
    table = DataFrame(rows).astype({"seeds": "Int64", "image_size": "Int64"}) if rows else DataFrame()
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
        _head([run])
        | {"seed": run.seed}
        | {name: round(run.percent(name), 2) for name in METRICS}
        | {"computed": run.computed}
        for run in results
    )


def paired_differences(results: Sequence[RunResult], reference: str = "sc-egg") -> "DataFrame":
    """Return per variant the mean and `_std` over common seeds of its difference to `reference`, in points.

    Positive: the variant is above the reference. Compared are runs on the same backbone and image size; `seeds` counts
    the common seeds, and variants without any are left out.
    """
    from pandas import DataFrame

    base = {_pair(run): run for run in results if run.variant == reference}
    rows = []
    for runs in _groups([run for run in results if run.variant != reference and _pair(run) in base]):
        pairs = [(run, base[_pair(run)]) for run in runs]
        differences = {name: [run.percent(name) - other.percent(name) for run, other in pairs] for name in METRICS}
        head = {"dataset": runs[0].dataset, "variant": runs[0].variant, "title": runs[0].title, "reference": reference}
        rows.append(head | {"seeds": len(runs)} | moments(differences))
    return DataFrame(rows)


def summary_table(results: Sequence[RunResult], published: Sequence[PublishedRow] = ()) -> "DataFrame":
    """Return Table 1 over the data sets of `results`: published methods by family, then our rows.

    Columns: family, method, backbone, weights, image_size, selection, seeds (ours only), then `<data set> <metric>` in percent,
    with `_std` for ours, and `remark` for printed figures that do not add up. Ours are one row per variant and setting.
    """
    from pandas import DataFrame

    names = dict.fromkeys((run.dataset, run.published) for run in results)
    rows: dict[tuple, dict] = {}
    for family in ("embedding", "generative"):
        for row in (row for row in published if row.family == family):
            _add_published(rows, row, [shown for shown, printed in names if printed == row.dataset])
    for runs in _groups(results):
        _add_ours(rows, runs)
    cells = [f"{shown} {metric}{tail}" for shown, _ in names for metric in PAPER_METRICS for tail in ("", "_std")]
    head = ["family", "method", "backbone", "weights", "image_size", "selection", "seeds"]
    table = DataFrame(list(rows.values()), columns=[*head, *cells, "remark"])
    return table.astype({"seeds": "Int64", "image_size": "Int64"}).fillna({"remark": ""})


def per_class_table(labels: np.ndarray, predicted: np.ndarray, names: Sequence[str], seen: np.ndarray) -> "DataFrame":
    """Return one row per class that has images: seen, images, accuracy in percent, and its commonest confusion.

    `labels`, `predicted` (images,) are positions in `names` and `seen` (classes,) bool. `most_often_taken_for` is the
    class that most of its misclassified images go to ('' if none), `taken_for` the percentage of its images that go there.
    """
    from pandas import DataFrame

    counts = np.zeros((len(names), len(names)), dtype=np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return DataFrame(_class_row(label, counts[label], names, seen) for label in np.flatnonzero(counts.sum(axis=1)))


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


def _groups(results: Sequence[RunResult]) -> list[list[RunResult]]:
    """Runs that differ in the seed alone, in order of first appearance."""
    groups: dict[tuple, list[RunResult]] = {}
    for run in results:
        group = groups.setdefault(tuple(_identity(run).values()), [])
        if run.seed in {other.seed for other in group}:
            raise ValueError(f"{run.dataset}/{run.variant} has two results of seed {run.seed}")
        group.append(run)
    return list(groups.values())


def _identity(run: RunResult) -> dict:
    names = ("dataset", "variant", "title", "backbone", "weights", "image_size", "selection", "tuned")
    return {name: getattr(run, name) for name in names}


def _head(runs: Sequence[RunResult]) -> dict:
    """What a row says of runs that differ in the seed alone, and maybe in the epoch that was selected."""
    head = _identity(runs[0])
    tuned = head.pop("tuned")
    epochs = sorted({run.epoch for run in runs if run.epoch is not None})
    if epochs:
        span = f"epoch {epochs[0]}" if len(epochs) == 1 else f"epochs {epochs[0]}-{epochs[-1]}"
        head["selection"] += f" ({span})"
    return head | {"selection": head["selection"] + (f"; tuned: {tuned}" if tuned else "")}


def _pair(run: RunResult) -> tuple:
    """What two runs have in common that are compared."""
    return run.dataset, run.backbone, run.weights, run.image_size, run.seed


def _percents(runs: Sequence[RunResult], names: Iterable[str] = METRICS) -> dict[str, list[float]]:
    return {name: [run.percent(name) for run in runs] for name in names}


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
    cells = rows.setdefault((row.family, row.method), {"family": row.family, "method": row.method})
    for dataset in datasets:
        cells |= {f"{dataset} {name}": getattr(row, METRICS[name]) for name in PAPER_METRICS}
        if row.flag:
            cells["remark"] = "; ".join(filter(None, (cells.get("remark"), f"{dataset}: {row.flag}")))


def _add_ours(rows: dict[tuple, dict], runs: Sequence[RunResult]) -> None:
    head = {name: value for name, value in _identity(runs[0]).items() if name not in ("dataset", "variant", "title")}
    head |= {"selection": "; ".join([head["selection"], *(["tuned"] if head.pop("tuned") else [])]), "seeds": len(runs)}
    key = ("ours", runs[0].variant, *head.values())
    cells = rows.setdefault(key, {"family": "ours", "method": runs[0].title} | head)
    cells |= {f"{runs[0].dataset} {name}": value for name, value in moments(_percents(runs, PAPER_METRICS)).items()}


def _class_row(label: int, counts: np.ndarray, names: Sequence[str], seen: np.ndarray) -> dict:
    wrong = np.where(np.arange(len(counts)) == label, 0, counts)
    images, worst = counts.sum(), wrong.argmax()
    return {
        "class": names[label],
        "seen": bool(seen[label]),
        "images": int(images),
        "accuracy": round(100 * counts[label] / images, 2),
        "most_often_taken_for": names[worst] if wrong[worst] else "",
        "taken_for": round(100 * wrong[worst] / images, 2),
    }
