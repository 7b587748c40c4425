"""From the metrics of data sets' runs to the rows of their tables."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scegg_core.artifacts.files import read_description, read_table
from scegg_core.artifacts.provenance import devices_of, threads_of
from scegg_core.evaluate.intervals import resampled_metrics
from scegg_core.evaluate.outcomes import read_outcomes
from scegg_core.evaluate.scores import read_metrics
from scegg_core.evaluate.selection import EpochScore, best_epoch, read_epochs
from scegg_core.report.results import RunResult
from scegg_core.report.tables import ABLATION, missing_remarks
from scegg_core.settings.base import settings
from scegg_core.training.alarms import alarms

Runs = tuple[tuple[str, int], ...]

MOST_NAMED = 100  # classes in a remark


@settings
class TableSettings:
    """What a table says beside the metrics, as `Configuration.table_part` gives it."""

    dataset: str
    published: str | None
    generated: bool
    backbone: str
    weights: str
    image_size: int | None  # None: of ready features
    backbone_state: str
    titles: dict[str, str]
    selection: dict[str, str]
    tuned: dict[str, str]  # of variants that stand for a point of a grid: its settings
    runs: Runs  # that the table should have
    reference: str
    shared_backbone: bool = False  # trained here once, for all seeds


@settings
class SummarySettings:
    """The tables that a summary is made of, and the runs of each whose metrics are read."""

    tables: tuple[TableSettings, ...]
    runs: tuple[Runs, ...]


def run_results(paths: Sequence[str], runs: Sequence[tuple[str, int]], table: TableSettings) -> list[RunResult]:
    """Return one result per run; `paths` are the metrics files of `runs`, in their order."""
    return [_result(Path(path), table, *run) for path, run in zip(paths, runs, strict=True)]


def with_oracle(results: Sequence[RunResult], paths: Sequence[str], runs: Sequence[tuple[str, int]]) -> list[RunResult]:
    """Return `results` with the best epochs on test of `runs`, whose scores by epoch are at `paths`."""
    best = {tuple(run): best_on_test(read_epochs(path)) for path, run in zip(paths, runs, strict=True)}
    return [replace(result, oracle=best.get((result.variant, result.seed))) for result in results]


def with_intervals(
    results: Sequence[RunResult], paths: Sequence[str], runs: Sequence[tuple[str, int]]
) -> list[RunResult]:
    """Return `results` with the metrics of `runs` on resamples of the test images, whose outcomes are at `paths`."""
    found = resampled_metrics([read_outcomes(path) for path in paths])
    of_runs = {tuple(run): values for run, values in zip(runs, found, strict=True)}
    return [replace(result, resampled=of_runs.get((result.variant, result.seed))) for result in results]


def with_alarms(results: Sequence[RunResult], paths: Sequence[str], runs: Sequence[tuple[str, int]]) -> list[RunResult]:
    """Return `results` with what the training curves at `paths` warn of; `runs` names the run of each curve."""
    sentences: dict[tuple[str, int], list[str]] = {}
    for path, run in zip(paths, runs, strict=True):
        points = zip(*(column.to_pylist() for column in read_table(path, "curve").columns), strict=True)
        sentences.setdefault(tuple(run), []).extend(alarm.sentence for alarm in alarms(points))
    return [replace(result, alarms=tuple(sentences.get((result.variant, result.seed), ()))) for result in results]


def best_on_test(scores: Sequence[EpochScore]) -> dict[str, float]:
    """Return what released codes report: Acc of the epoch best in Acc, and U, S, H of the one best in H."""
    best = best_epoch(scores)
    return {"Acc": max(score.acc for score in scores), "U": best.u, "S": best.s, "H": best.h}


def summary_results(paths: Sequence[str], summary: SummarySettings) -> list[RunResult]:
    """Return the results of all data sets; `paths` are the metrics files of `summary.runs`, data set by data set."""
    remaining, results = iter(paths), []
    for table, runs in zip(summary.tables, summary.runs, strict=True):
        results += run_results([next(remaining) for _ in runs], runs, table)
    return results


def remarks(results: Sequence[RunResult], table: TableSettings) -> list[str]:
    """Return the remarks below a table: whether its data set is generated, whether
    seeds share a backbone that was trained here, on what it was computed and whether
    deterministically, what the training of a run warns of, and which runs are missing."""
    sentences = [f"{table.dataset} is a generated data set: a demonstration, no benchmark."] if table.generated else []
    if table.shared_backbone:
        sentences.append(
            f"{table.dataset}: all seeds share one backbone that was trained here, so the spread over seeds leaves out its training."
        )
    sentences += [f"{table.dataset} was computed on {how}." for how in sorted({run.computed for run in results} - {""})]
    empty = sorted({name for run in results for name in run.without_images})
    if empty:
        more = f", and {len(empty) - MOST_NAMED} more" if len(empty) > MOST_NAMED else ""
        sentences.append(f"Classes without test images do not count: {', '.join(empty[:MOST_NAMED])}{more}.")
    if any(run.oracle for run in results):
        sentences.append("Columns oracle: the best epoch on the test set, as released codes report; never the result.")
    sentences += [f"Warning: {run.title}, seed {run.seed}: {text}." for run in results for text in run.alarms]
    for variant in table.titles:
        sentences += missing_remarks(results, [variant], [seed for name, seed in table.runs if name == variant])
    return sentences


def ablation_remarks(results: Sequence[RunResult], table: TableSettings) -> list[str]:
    """Return `remarks`, and the rows of the paper's Table 2 that the data set's table does not have."""
    left_out = [name for name in ABLATION if name not in table.titles]
    return [*remarks(results, table), *missing_remarks(results, left_out)]


def _result(path: Path, table: TableSettings, variant: str, seed: int) -> RunResult:
    metrics, made = read_metrics(path), read_description(path, "metrics")["provenance"]
    return RunResult(
        dataset=table.dataset,
        variant=variant,
        title=table.titles[variant],
        seed=seed,
        backbone=table.backbone,
        weights=table.weights,
        image_size=table.image_size,
        selection=table.selection[variant],
        acc=metrics.acc,
        u=metrics.u,
        s=metrics.s,
        h=metrics.h,
        ausuc=metrics.ausuc,
        published=table.published or "",
        computed="; ".join(made["computed"]),
        devices=devices_of(made["computed"]),
        threads=threads_of(made["computed"]),
        backbone_state=table.backbone_state,
        backbones=tuple(made["backbones"]),
        calibration=metrics.calibration,
        tuned=table.tuned.get(variant, ""),
        epoch=metrics.selected.epoch if metrics.selected else None,
        without_images=metrics.classes_without_images,
    )
