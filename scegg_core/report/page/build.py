"""The whole page from its files: every section that they allow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scegg_core.artifacts.paths import IndexFiles
from scegg_core.data.tables import DatasetIndex, read_index
from scegg_core.regions.store import RegionStore
from scegg_core.report.figures.attention import AttentionSheet, attention_sheets
from scegg_core.report.figures.curves import read_curves
from scegg_core.report.figures.tradeoff import trade_offs
from scegg_core.report.page import gather
from scegg_core.report.page.model import Confusion, Page, PageSettings, VariantLines, VariantPanels
from scegg_core.report.page.pictures import choose_pictures, read_pictures
from scegg_core.report.published import read_published
from scegg_core.report.rows import remarks, run_results, with_alarms
from scegg_core.report.runs import read_runs
from scegg_core.scen.files import read_scen
from scegg_core.settings.tables import RunNames


@dataclass(frozen=True)
class PageFiles:
    """What the page is made from; lists are in the order of the runs in `PageSettings`. None: the data set has none."""

    index: IndexFiles
    folder: str | None  # of the pictures
    table: str
    per_class: str
    metrics: Sequence[str]
    gzsl: Sequence[str]
    confused: Sequence[str]
    curves: Sequence[str]
    epochs: Sequence[str]
    published: Sequence[str]
    points: str | None = None
    regions: Sequence[str] = ()
    shown_scen: str | None = None
    semantics: str | None = None

    @property
    def artifacts(self) -> tuple[str, ...]:
        """Return the files that say what made them."""
        index = (self.index.classes, self.index.images, self.index.attributes)
        return (
            *map(str, index),
            *filter(None, (self.shown_scen, self.semantics)),
            *self.metrics,
            *self.gzsl,
            *self.curves,
        )


def build_page(files: PageFiles, given: PageSettings, versions: Mapping[str, str], commit: str | None = None) -> Page:
    """Return all sections of a data set's page; `versions` are those of the libraries, `commit` is that of the code."""
    index = read_index(files.index)
    results = with_alarms(run_results(files.metrics, given.metrics, given.table), files.curves, given.trained)
    points = gather.read_points(files.points)
    place = {path: number for number, path in enumerate(index.paths)}
    chosen = choose_pictures(index, [place[path] for path in points["image"].unique() if path])
    pictures = read_pictures(index, chosen, files.folder)
    notes, code = remarks(results, given.table), gather.code_of(files.artifacts)
    return Page(
        facts=gather.facts_of(given, index, versions, notes, code, commit),
        tables=gather.tables_of(files.table, read_published(*files.published), given.table.published),
        classes=gather.class_names(index),
        pictures=pictures,
        trade_offs=_trade_offs(files, given, index),
        spaces=gather.space_points(points, index, pictures.paths),
        sheets=gather.shown_sheets(_sheets(files, given, index)),
        confusions=_confusions(files, given, index, chosen),
        per_class=gather.class_table(files.per_class),
        training=_training(files, given),
        description=gather.description_of(files.semantics, index, chosen) if files.semantics else None,
    )


def _trade_offs(files: PageFiles, given: PageSettings, index: DatasetIndex) -> tuple[VariantLines, ...]:
    curves = trade_offs(read_runs(files.gzsl, RunNames(runs=given.gzsl, titles=given.table.titles)), index)
    seeds = [[given.gzsl[place][1] for place in places] for _, places in gather.by_variant(given.gzsl)]
    return gather.trade_off_lines(curves, seeds)


def _sheets(files: PageFiles, given: PageSettings, index: DatasetIndex) -> list[AttentionSheet]:
    if files.shown_scen is None:
        return []
    return attention_sheets(
        index, RegionStore(files.regions), read_scen(Path(files.shown_scen)), files.folder, given.sheets
    )


def _confusions(
    files: PageFiles, given: PageSettings, index: DatasetIndex, chosen: np.ndarray
) -> tuple[Confusion, ...]:
    runs = read_runs(files.confused, RunNames(runs=given.confused, titles=given.table.titles))
    return tuple(gather.confusion_of(variant, index, chosen, given.task) for variant in runs)


def _training(files: PageFiles, given: PageSettings) -> tuple[VariantPanels, ...]:
    scored, found = dict(gather.by_variant(given.scored)), []
    for variant, places in gather.by_variant(given.trained):
        also = scored.get(variant, [])
        curves = read_curves(
            [files.curves[place] for place in places],
            [given.trained[place][1] for place in places],
            [files.epochs[place] for place in also],
            [given.scored[place][1] for place in also],
        )
        found.append(gather.training_panels(curves, given.table.titles[variant]))
    return tuple(variant for variant in found if variant.panels)  # none where no stage has an epoch
