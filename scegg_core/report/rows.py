"""From the metrics of data sets' runs to the rows of their tables."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from scegg_core.artifacts.files import read_description, read_table
from scegg_core.evaluate.scores import read_metrics
from scegg_core.evaluate.selection import EpochScore, best_epoch, read_epochs
from scegg_core.report.tables import ABLATION, RunResult, missing_remarks
from scegg_core.settings.base import settings
from scegg_core.training.alarms import alarms

Runs = tuple[tuple[str, int], ...]


@settings
class TableSettings:
    """What a table says beside the metrics, as `Configuration.table_part` gives it."""

    dataset: str
    published: str | None
    generated: bool
    backbone: str
    weights: str
    image_size: int
    titles: dict[str, str]
    selection: dict[str, str]
    tuned: dict[str, str]  # of variants that stand for a point of a grid: its settings
    runs: Runs  # that belong into the table
    reference: str


@settings
class SummarySettings:
    """The tables that a summary is made of, and the runs that are there of each."""

    tables: tuple[TableSettings, ...]
    there: tuple[Runs, ...]


def run_results(paths: Sequence[str], there: Sequence[tuple[str, int]], given: TableSettings) -> list[RunResult]:
    """Return one result per run; `paths` are the metrics files of the runs `there`, in their order."""
    return [_result(Path(path), given, *run) for path, run in zip(paths, there, strict=True)]


def with_oracle(results: Sequence[RunResult], paths: Sequence[str], runs: Sequence[tuple[str, int]]) -> list[RunResult]:
    """Return `results` with the best epochs on test of `runs`, whose scores by epoch are at `paths`."""
    best = {tuple(run): best_on_test(read_epochs(path)) for path, run in zip(paths, runs, strict=True)}
    return [replace(result, oracle=best.get((result.variant, result.seed))) for result in results]


def with_alarms(results: Sequence[RunResult], paths: Sequence[str], runs: Sequence[tuple[str, int]]) -> list[RunResult]:
    """Return `results` with what the training curves at `paths` warn of; `runs` names the run of each curve."""
    found: dict[tuple[str, int], list[str]] = {}
    for path, run in zip(paths, runs, strict=True):
        points = zip(*(column.to_pylist() for column in read_table(path, "curve").columns), strict=True)
        found.setdefault(tuple(run), []).extend(alarm.sentence for alarm in alarms(points))
    return [replace(result, alarms=tuple(found.get((result.variant, result.seed), ()))) for result in results]


def best_on_test(scores: Sequence[EpochScore]) -> dict[str, float]:
    """Return what released codes report: Acc of the epoch best in Acc, and U, S, H of the one best in H."""
    best = best_epoch(scores)
    return {"Acc": max(score.acc for score in scores), "U": best.u, "S": best.s, "H": best.h}


def summary_results(paths: Sequence[str], given: SummarySettings) -> list[RunResult]:
    """Return the results of all data sets; `paths` are the metrics files of `given.there`, data set by data set."""
    waiting, found = iter(paths), []
    for table, there in zip(given.tables, given.there, strict=True):
        found += run_results([next(waiting) for _ in there], there, table)
    return found


def remarks(results: Sequence[RunResult], given: TableSettings) -> list[str]:
    """Return what has to be said about a table: whether its data set is generated, on what it was computed and whether
    deterministically, what the training of a run warns of, and which runs are missing."""
    said = [f"{given.dataset} is a generated data set: a demonstration, no benchmark."] if given.generated else []
    said += [f"{given.dataset} was computed on {how}." for how in sorted({run.computed for run in results} - {""})]
    empty = sorted({name for run in results for name in run.without_images})
    if empty:
        said.append(f"Classes without test images do not count: {', '.join(empty)}.")
    if any(run.oracle for run in results):
        said.append("Columns oracle: the best epoch on the test set, as released codes report; never the result.")
    said += [f"Warning: {run.title}, seed {run.seed}: {text}." for run in results for text in run.alarms]
    for variant in given.titles:
        said += missing_remarks(results, [variant], [seed for name, seed in given.runs if name == variant])
    return said


def ablation_remarks(results: Sequence[RunResult], given: TableSettings) -> list[str]:
    """Return `remarks`, and the rows of the paper's Table 2 that the data set's table does not have."""
    left_out = [name for name in ABLATION if name not in given.titles]
    return [*remarks(results, given), *missing_remarks(results, left_out)]


def _result(path: Path, given: TableSettings, variant: str, seed: int) -> RunResult:
    found = read_metrics(path)
    return RunResult(
        dataset=given.dataset,
        variant=variant,
        title=given.titles[variant],
        seed=seed,
        backbone=given.backbone,
        weights=given.weights,
        image_size=given.image_size,
        selection=given.selection[variant],
        acc=found.acc,
        u=found.u,
        s=found.s,
        h=found.h,
        ausuc=found.ausuc,
        published=given.published or "",
        computed="; ".join(read_description(path, "metrics")["provenance"]["computed"]),
        tuned=given.tuned.get(variant, ""),
        epoch=found.selected.epoch if found.selected else None,
        without_images=found.classes_without_images,
    )
