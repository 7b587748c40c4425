"""The whole configuration: every section validated once, and the settings that each stage of a run really uses.

Layers, later ones winning: the section's defaults, config.yaml's section, the data set's overrides, the preset's or
variant's (or space's) overrides.
"""

import re
from difflib import get_close_matches
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from pydantic import Field

from scegg_core.errors import InputError
from scegg_core.settings.base import deep_merge, parse_section, settings
from scegg_core.settings.data import DatasetSettings, Download
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.final import ClassifierSettings, SynthesisSettings
from scegg_core.settings.report import AttentionSettings, ConfusionSettings, ReportTables, TsneSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.settings.variants import SpaceSettings, VariantSettings

VALIDATION = "/validation"  # suffix of a data set's name: its trainval images split again, to select on


@settings
class RunSettings:
    """How things are computed, without effect on what is computed."""

    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    deterministic: bool = Field(True, description="same bits in every run on the same machine; slower on CUDA")
    checkpoint_interval: float = Field(60.0, ge=1, description="seconds between saved training states")


@settings
class Configuration:
    """Everything that config.yaml and the overlays say."""

    run: RunSettings = Field(default_factory=RunSettings)
    scen: dict = Field(default_factory=dict, description="section of ScenSettings")
    eggn: dict = Field(default_factory=dict, description="section of EggnSettings")
    synthesis: dict = Field(default_factory=dict, description="section of SynthesisSettings")
    classifier: dict = Field(default_factory=dict, description="section of ClassifierSettings")
    tables: ReportTables = Field(default_factory=ReportTables)
    tsne: TsneSettings = Field(default_factory=TsneSettings)
    attention: AttentionSettings = Field(default_factory=AttentionSettings)
    confusion: ConfusionSettings = Field(default_factory=ConfusionSettings)
    spaces: dict[str, SpaceSettings]
    variants: dict[str, VariantSettings]
    downloads: dict[str, Download] = Field(default_factory=dict)
    extensions: dict[str, str] = Field(
        default_factory=dict, description="CSV files of new classes x attributes to add to finished runs, by name"
    )
    datasets: dict[str, DatasetSettings]

    def dataset(self, name: str) -> DatasetSettings:
        """Return the settings of the data set `name`, or of the one that a validation split is made from."""
        return self._named("datasets", name.removesuffix(VALIDATION))

    def download(self, name: str) -> Download:
        """Return the settings of the download `name`."""
        return self._named("downloads", name)

    def extension(self, name: str) -> str:
        """Return the CSV of new classes that the extension `name` stands for."""
        return self._named("extensions", name)

    def generated(self, folder: str) -> dict:
        """Return the generator's settings of the data set that is generated into `folder`."""
        for dataset in self.datasets.values():
            if dataset.folder == folder and dataset.generate is not None:
                return dataset.generate
        raise InputError(f"config: no data set is generated into {folder!r}.")

    def variant(self, name: str) -> VariantSettings:
        """Return the settings of the variant `name`."""
        return self._named("variants", name)

    def space(self, name: str) -> SpaceSettings:
        """Return the settings of the space `name`."""
        return self._named("spaces", name)

    def scen_of(self, dataset: str, space: str) -> ScenSettings:
        """Return SCEN's settings for a space of a data set."""
        return self._stage("scen", ScenSettings, dataset, f"spaces.{space}", self.space(space).scen)

    def eggn_of(self, dataset: str, variant: str) -> EggnSettings:
        """Return EGGN's settings for a variant on a data set."""
        return self._stage("eggn", EggnSettings, dataset, f"variants.{variant}", self.variant(variant).eggn)

    def synthesis_of(self, dataset: str, variant: str) -> SynthesisSettings:
        """Return the synthesis settings for a variant on a data set."""
        return self._stage(
            "synthesis", SynthesisSettings, dataset, f"variants.{variant}", self.variant(variant).synthesis
        )

    def classifier_of(self, dataset: str, variant: str) -> ClassifierSettings:
        """Return the final classifier's settings for a variant on a data set."""
        return self._stage(
            "classifier", ClassifierSettings, dataset, f"variants.{variant}", self.variant(variant).classifier
        )

    def table_part(self, dataset: str) -> dict:
        """Return what a data set's table says beside the metrics: names of rows, backbone, image size, selection."""
        own = self.dataset(dataset)
        variants = {name: self.variant(name) for name in own.variants}
        return {
            "dataset": (own.title or dataset) if not dataset.endswith(VALIDATION) else f"{dataset}",
            "published": own.published,
            "backbone": own.backbone.network,
            "weights": Path(own.backbone.weights).name,
            "image_size": own.backbone.image_size,
            "titles": {name: variant.title or name for name, variant in variants.items()},
            "selection": {name: variant.selection for name, variant in variants.items()},
            "generated": own.generate is not None,
            "reference": self.tables.reference,
            "runs": self.runs(dataset),
        }

    def runs(self, dataset: str) -> list[tuple[str, int]]:
        """Return (variant, seed) of every run in a data set's table."""
        own = self.dataset(dataset)
        return [(name, seed) for name in own.variants for seed in self.variant(name).seeds or own.seeds]

    def sheets_of(self, dataset: str) -> dict:
        """Return what a data set's attention sheets show."""
        given, own = self.attention, self.dataset(dataset)
        names = ("count", "seed", "attributes", "overview_attributes")
        own_part = {"images": given.images.get(dataset, ()), "resize": own.backbone.resize}
        return {name: getattr(given, name) for name in names} | own_part

    def _stage(self, stage: str, kind: type, dataset: str, place: str, overrides: dict):
        own = getattr(self.dataset(dataset), stage)
        return parse_section(
            kind, deep_merge(getattr(self, stage), own, overrides), f"{stage} (with datasets.{dataset} and {place})"
        )

    def _named(self, section: str, name: str):
        known = getattr(self, section)
        if name not in known:
            raise InputError(f"config: {section} has no {name!r}; known: {', '.join(sorted(known))}.")
        return known[name]


def read_configuration(values: dict) -> Configuration:
    """Return the validated configuration of the merged config files, or raise InputError with one sentence."""
    config = parse_section(Configuration, values, "config.yaml")
    for section, kind in STAGES.items():
        parse_section(kind, getattr(config, section), section)
    for name in config.datasets:
        _check_dataset(config, name)
    _check_pictures(config)
    return config


STAGES = {"scen": ScenSettings, "eggn": EggnSettings, "synthesis": SynthesisSettings, "classifier": ClassifierSettings}


def _check_dataset(config: Configuration, name: str) -> None:
    """Refuse names that nothing answers to, and overrides that do not fit, before any work."""
    if not name.replace("-", "").replace("_", "").isalnum():
        raise InputError(f"config: datasets.{name} is not a usable name; use letters, digits, '-' and '_'.")
    dataset = config.dataset(name)
    known = torchvision_networks()
    if known and dataset.backbone.network not in known:
        close = get_close_matches(dataset.backbone.network, known, 3)
        hint = f"; did you mean {' or '.join(close)}?" if close else "."
        raise InputError(
            f"config: datasets.{name}.backbone.network is {dataset.backbone.network!r}, which torchvision does not have{hint}"
        )
    for variant in dataset.variants:
        check_variant(config, name, variant)
    for download in dataset.all_downloads:
        if download not in config.downloads:
            raise InputError(f"config: datasets.{name} needs {download!r}, which section downloads does not have.")
    if len(set(dataset.seeds)) != len(dataset.seeds):
        raise InputError(f"config: datasets.{name}.seeds {list(dataset.seeds)} names a seed twice.")


@cache
def torchvision_networks() -> frozenset[str]:
    """Return the names of torchvision's networks, read off its sources: importing it takes seconds."""
    found = find_spec("torchvision")
    if found is None or found.origin is None:
        return frozenset()
    sources = (Path(found.origin).parent / "models").glob("*.py")
    pattern = re.compile(r"^@register_model\(\)\n(?:@.*\n)*def (\w+)\(", re.MULTILINE)
    return frozenset(name for source in sources for name in pattern.findall(source.read_text(encoding="utf-8")))


def _check_pictures(config: Configuration) -> None:
    """Refuse names in the sections of tables and pictures that nothing answers to."""
    for name in config.tables.summary:
        config.dataset(name)
    for name in (config.tables.reference, *config.tsne.variants, *config.confusion.variants):
        config.variant(name)
    for name, images in config.attention.images.items():
        config.dataset(name)
        if len(images) > config.attention.count:
            raise InputError(
                f"config: attention.images names {len(images)} images of {name}, but attention.count is "
                f"{config.attention.count}; raise it."
            )
    if config.space(config.attention.space).kind != "scen":
        raise InputError(f"config: attention.space is {config.attention.space!r}, which has no SCEN.")
    for name in config.tsne.variants:
        if config.variant(name).predict_by != "generation":
            raise InputError(f"config: tsne.variants names {name!r}, which generates no features.")


def check_variant(config: Configuration, dataset: str, name: str) -> None:
    """Raise InputError if the variant, its space or its settings do not exist or do not fit."""
    variant = config.variant(name)
    space = config.space(variant.space)
    if space.kind == "scen":
        config.scen_of(dataset, variant.space)
    elif variant.predict_by == "embedding":
        raise InputError(f"config: variants.{name} predicts by embedding, but space {variant.space!r} has no SCEN.")
    if variant.predict_by == "generation":
        config.eggn_of(dataset, name)
        config.synthesis_of(dataset, name)
        config.classifier_of(dataset, name)
