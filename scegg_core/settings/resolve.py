"""The whole configuration: every section validated once, and the settings that each stage of a run really uses.

Layers, later ones winning: the section's defaults, config.yaml's section, the data set's overrides, the preset's or
variant's (or space's) overrides.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

from pydantic import Field

from scegg_core.errors import InputError
from scegg_core.settings.attention import AttentionSettings
from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.settings.aviary import AviarySettings
from scegg_core.settings.base import laid_over, parse_section, settings
from scegg_core.settings.checks import (
    check_classification,
    check_dataset,
    check_downloads,
    check_guidance,
    check_input,
    check_losses,
    check_named_attributes,
    check_pictures,
    check_snapshots,
    check_tuning,
    check_variant,
)
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.confusion import ConfusionSettings
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.settings.dazle import DazleSettings
from scegg_core.settings.downloads import Download
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.methods import BUDGET, ON, derived, fitted, of_method
from scegg_core.settings.names import VALIDATION, DottedName, Name
from scegg_core.settings.near import check_names, unknown_name
from scegg_core.settings.paths import LocalPath
from scegg_core.settings.places import layers_of, place_of
from scegg_core.settings.readers import check_read
from scegg_core.settings.run import RunSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.settings.spaces import SpaceSettings
from scegg_core.settings.synthesis import SynthesisSettings
from scegg_core.settings.tables import ReportTables
from scegg_core.settings.tsne import TsneSettings
from scegg_core.settings.tuning import POINT, Point, TuningSettings
from scegg_core.settings.variants import CLOSED_FORM, VariantSettings, shown_selection


@settings
class Configuration:
    """Everything that config.yaml and the overlays say."""

    run: RunSettings = Field(default_factory=RunSettings)
    scen: ScenSettings = Field(default_factory=ScenSettings)
    dazle: DazleSettings = Field(default_factory=DazleSettings)
    eggn: EggnSettings = Field(default_factory=EggnSettings)
    synthesis: SynthesisSettings = Field(default_factory=SynthesisSettings)
    classifier: ClassifierSettings = Field(default_factory=ClassifierSettings)
    tables: ReportTables = Field(default_factory=ReportTables)
    tsne: TsneSettings = Field(default_factory=TsneSettings)
    attention: AttentionSettings = Field(default_factory=AttentionSettings)
    confusion: ConfusionSettings = Field(default_factory=ConfusionSettings)
    spaces: dict[DottedName, SpaceSettings] = Field(description="visual feature spaces, by name")
    variants: dict[DottedName, VariantSettings] = Field(description="rows of the tables, by name")
    tuning: dict[str, TuningSettings] = Field(
        default_factory=dict, description="grids compared on validation, by the variant they tune"
    )
    downloads: dict[DottedName, Download] = Field(default_factory=dict, description="what rule fetch brings, by name")
    extensions: dict[Name, LocalPath] = Field(
        default_factory=dict, description="CSV files of new classes x attributes to add to finished runs, by name"
    )
    datasets: dict[Name, DatasetSettings] = Field(description="data sets, by name")

    def dataset(self, name: str) -> DatasetSettings:
        """Return the settings of the data set `name`, or of the one that a validation split is made from."""
        return self._named("datasets", name.removesuffix(VALIDATION))

    def download(self, name: str) -> Download:
        """Return the settings of the download `name`."""
        return self._named("downloads", name)

    def extension(self, name: str) -> str:
        """Return the CSV of new classes that the extension `name` stands for."""
        return self._named("extensions", name)

    def generated(self, folder: str) -> AviarySettings:
        """Return how the data set that is generated into `folder` is drawn."""
        for dataset in self.datasets.values():
            if dataset.folder == folder and dataset.generate is not None:
                return dataset.generate
        raise InputError(f"config: no data set is generated into {folder!r}.")

    def variant(self, name: str) -> VariantSettings:
        """Return the settings of the variant `name`; sc-egg@3 is point 3 of the grid that tunes sc-egg, free~budget
        the variant free with the budget of comparisons, and f-clswgan+sc-egg the method of f-clswgan on the space sc-egg."""
        if ON in name or BUDGET in name:
            return of_method(self, name)
        if POINT in name:
            if name not in self._variants_of_points:
                self._variants_of_points[name] = self._point_variant(name)
            return self._variants_of_points[name]
        own = self._named("variants", name)
        return own if own.tuned is None else replace(self.variant(own.tuned), title=own.title, seeds=own.seeds)

    def space(self, name: str) -> SpaceSettings:
        """Return the settings of the space `name`; sc-egg@3 is the one that point 3 of sc-egg's grid needs."""
        if POINT not in name:
            return self._named("spaces", name)
        own, point = self.space(self.variant(name.partition(POINT)[0]).space), self.point(name)
        return replace(own, scen=own.scen | point.part("scen"), dazle=own.dazle | point.part("dazle"))

    def tuned(self, variant: str) -> str | None:
        """Return the entry of section tuning whose best point the variant stands for, or None."""
        return None if any(mark in variant for mark in (POINT, ON, BUDGET)) else self._named("variants", variant).tuned

    def point(self, name: str) -> Point:
        """Return the point of a grid that is called `name`, such as sc-egg@3."""
        tuned, _, number = name.partition(POINT)
        grid = self._named("tuning", tuned)
        if (found := grid.point(number)) is None:
            raise InputError(
                f"config: the grid tuning.{tuned} has {len(grid.points())} points, so there is no {name!r}."
            )
        return found

    def points_of(self, variant: str) -> list[str]:
        """Return the names of the points of the grid that tunes `variant`."""
        return [f"{variant}{POINT}{point.number}" for point in self._named("tuning", variant).points()]

    def generator_of(self, dataset: str, variant: str) -> str:
        """Return the variant whose generator a run takes: its own, or that of an equal earlier point of its grid.

        Points that differ after stage 3 alone share it on the validation split, where they are compared.
        """
        if POINT not in variant or not dataset.endswith(VALIDATION):
            return variant
        tuned, own = variant.partition(POINT)[0], self.point(variant)
        return f"{tuned}{POINT}{self.tuning[tuned].first_like(own, 'scen', 'eggn').number}"

    def with_points(self) -> dict[str, VariantSettings]:
        """Return every variant that has runs of its own by name: those of the configuration, the grids' points, and
        methods with the budget and on other spaces."""
        names = [name for name, own in self.variants.items() if own.tuned is None]
        names += [point for tuned in self.tuning for point in self.points_of(tuned)]
        names += derived(self)
        names += [name for name in self.named_variants() if ON in name or BUDGET in name]
        return {name: self.variant(name) for name in names}

    def named_variants(self) -> list[str]:
        """Return the variants that rows of data sets and pictures name."""
        return [*(name for own in self.datasets.values() for name in own.variants), *self.tsne.variants]

    def grid_points(self, dataset: str) -> list[dict]:
        """Return the points compared on a data set's validation split: variant, point, values and seeds of each."""
        grids = self.tunings_of(dataset)
        if not grids:
            raise InputError(f"config: section tuning has no grid, so nothing can be compared on {dataset}; add one.")
        return [
            {"variant": tuned, "point": name, "values": self.point(name).values, "seeds": self.tuning[tuned].seeds}
            for tuned in grids
            for name in self.points_of(tuned)
        ]

    def tunings_of(self, dataset: str) -> list[str]:
        """Return the grids that a data set's rows stand for, or all that it can have where none does."""
        found = [tuned for name in self.dataset(dataset).variants if (tuned := self.tuned(name))]
        if found:
            return list(dict.fromkeys(found))
        named = self.dataset(dataset).class_vectors is None
        return [name for name in self.tuning if named or not self.space(self.variants[name].space).on_maps]

    def scen_of(self, dataset: str, space: str) -> ScenSettings:
        """Return SCEN's settings for a space of a data set; raises InputError for one without named attributes."""
        check_named_attributes(self, dataset, f"space {space!r}")
        found = self._stage("scen", dataset, place := place_of("spaces", space), self.space(space).scen)
        check_losses(found, layers_of("scen", dataset, place))
        return found

    def dazle_of(self, dataset: str, space: str) -> DazleSettings:
        """Return DAZLE's settings for a space of a data set; raises InputError for one without named attributes."""
        check_named_attributes(self, dataset, f"space {space!r}", "DAZLE")
        return self._stage("dazle", dataset, place_of("spaces", space), self.space(space).dazle)

    def attribute_vectors_of(self, dataset: str) -> AttributeVectorSettings:
        """Return where a data set's attributes get their word vectors from; raises InputError for one without names."""
        check_named_attributes(self, dataset, "vectors of attributes")
        return self.dataset(dataset).vectors

    def eggn_of(self, dataset: str, variant: str) -> EggnSettings:
        """Return EGGN's settings for a variant on a data set; no snapshots where no epochs are compared."""
        own, place = self.variant(variant), place_of("variants", variant)
        found, layers = self._stage("eggn", dataset, place, own.eggn), layers_of("eggn", dataset, place)
        if BUDGET in variant:
            found = fitted(found, own.eggn, self.eggn_of(dataset, variant.replace(BUDGET, "")))
        if self.space(own.space).kind == "scen":
            check_guidance(found, layers)
        check_classification(found, layers)
        compared = own.selection == "validation" if dataset.endswith(VALIDATION) else self.tables.oracle
        check_snapshots(found, compared, layers)
        check_read(self, found.generator, variant)
        return found if compared else replace(found, snapshots=0)

    def synthesis_of(self, dataset: str, variant: str) -> SynthesisSettings:
        """Return the synthesis settings for a variant on a data set."""
        return self._stage("synthesis", dataset, place_of("variants", variant), self.variant(variant).synthesis)

    def classifier_of(self, dataset: str, variant: str) -> ClassifierSettings:
        """Return the final classifier's settings for a variant on a data set."""
        own, place = self.variant(variant), place_of("variants", variant)
        found = self._stage("classifier", dataset, place, own.classifier)
        eggn = self._stage("eggn", dataset, place, own.eggn)
        check_input(found, eggn, layers_of("classifier", dataset, place))
        return found

    def table_part(self, dataset: str, standing: dict[str, str], rows: Sequence[str] | None = None) -> dict:
        """Return what a data set's table says beside the metrics: names of rows, backbone, image size, selection.

        `standing` has the point of a grid that a tuned variant stands for; `rows` are variants, None: the data set's.
        """
        own = self.dataset(dataset)
        variants = {name: self.variant(name) for name in rows or own.variants}
        return {
            "dataset": self.shown_name(dataset),
            "published": own.published,
            **own.shown_backbone(),
            "titles": {name: variant.title or name for name, variant in variants.items()},
            "selection": {name: shown_selection(self, dataset, standing.get(name, name)) for name in variants},
            "tuned": {name: self.point(point).text() for name, point in standing.items()},
            "generated": own.generate is not None,
            "shared_backbone": own.backbone.trained and own.backbone.seeds == "shared",
            "reference": self.tables.reference,
            "runs": self.runs(dataset, rows),
        }

    def shown_name(self, dataset: str) -> str:
        """Return the name of a data set in tables and pictures."""
        return dataset if dataset.endswith(VALIDATION) else self.dataset(dataset).title or dataset

    def runs(self, dataset: str, rows: Sequence[str] | None = None) -> list[tuple[str, int]]:
        """Return (variant, seed) of every run in a data set's table, or of the variants `rows`."""
        rows = rows or self.dataset(dataset).variants
        return [(name, seed) for name in rows for seed in self.seeds_of(dataset, name)]

    def seeds_of(self, dataset: str, variant: str) -> tuple[int, ...]:
        """Return the seeds of a row: its own or the data set's; of one that draws nothing the first, unless each seed
        has a backbone of its own."""
        given, row = self.dataset(dataset), self.variant(variant)
        alike = row.predict_by in CLOSED_FORM and given.backbone.seeds == "shared"
        return row.seeds or (given.seeds[:1] if alike else given.seeds)

    def sheets_of(self, dataset: str) -> dict:
        """Return what a data set's attention sheets show."""
        given, own = self.attention, self.dataset(dataset)
        names = ("count", "seed", "attributes", "overview_attributes")
        own_part = {"images": given.images.get(dataset, ()), "resize": own.backbone.resize}
        return {name: getattr(given, name) for name in names} | own_part

    @cached_property
    def _variants_of_points(self) -> dict[str, VariantSettings]:
        """Those asked for so far: a grid may have a thousand, and each is asked for by every data set."""
        return {}

    def _point_variant(self, name: str) -> VariantSettings:
        """The tuned variant with the values of a point laid over it."""
        tuned, point = name.partition(POINT)[0], self.point(name)
        own, space = self.variant(tuned), self.variant(tuned).space
        if point.part(kind := self.space(space).kind):  # points that differ in later stages alone share the first one's
            space = f"{tuned}{POINT}{self.tuning[tuned].first_like(point, kind).number}"
        layers = {stage: getattr(own, stage) | point.part(stage) for stage in ("eggn", "synthesis", "classifier")}
        return replace(own, title=f"{own.title or tuned}: {point.text()}", space=space, **layers)

    def _stage(self, stage: str, dataset: str, place: str, overrides: dict):
        own = getattr(self.dataset(dataset), stage)
        return laid_over(getattr(self, stage), own | overrides, layers_of(stage, dataset, place))

    def _named(self, section: str, name: str):
        known = getattr(self, section)
        if name not in known:
            raise InputError(f"config: {section} has {unknown_name(name, known)}.")
        return known[name]


def read_configuration(values: dict) -> Configuration:
    """Return the validated configuration of the merged config files, or raise InputError with one sentence."""
    check_names(values)
    config = parse_section(Configuration, values)
    config = replace(config, datasets={name: own.as_brought(config.downloads) for name, own in config.datasets.items()})
    check_downloads(config)
    check_tuning(config)
    for name in config.variants:
        check_variant(config, name)
    for name in config.datasets:
        check_dataset(config, name)
    check_pictures(config)
    return config
