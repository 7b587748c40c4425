"""From the metrics of a data set's runs to the rows of its tables."""

from pathlib import Path

from scegg_core.predictions import read_metrics
from scegg_core.settings.base import settings
from scegg_core.tables import RunResult


@settings
class TableSettings:
    """What a table says beside the metrics, as `Configuration.table_part` gives it."""

    dataset: str
    published: str | None
    backbone: str
    image_size: int
    titles: dict[str, str]
    selection: dict[str, str]
    runs: tuple[tuple[str, int], ...]


def run_results(paths: list[str], given: TableSettings) -> list[RunResult]:
    """Return one result per run; `paths` are the metrics files in the order of `given.runs`."""
    return [_result(Path(path), given, *run) for path, run in zip(paths, given.runs, strict=True)]


def _result(path: Path, given: TableSettings, variant: str, seed: int) -> RunResult:
    found = read_metrics(path)
    return RunResult(
        dataset=given.dataset,
        variant=variant,
        title=given.titles[variant],
        seed=seed,
        backbone=given.backbone,
        image_size=given.image_size,
        selection=given.selection[variant],
        acc=found.acc,
        u=found.u,
        s=found.s,
        h=found.h,
        ausuc=found.ausuc,
        published=given.published or "",
    )
