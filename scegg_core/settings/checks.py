"""Checks of the whole configuration: names that nothing answers to, and settings that do not fit, before any work."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from scegg_core.errors import InputError
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.downloads import Download, whole
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.names import VALIDATION
from scegg_core.settings.networks import check_network
from scegg_core.settings.readers import check_read, reads
from scegg_core.settings.scen import ScenSettings
from scegg_core.settings.spaces import NETWORKS
from scegg_core.settings.variants import CLOSED_FORM

if TYPE_CHECKING:
    from scegg_core.settings.resolve import Configuration

#: Generators that train Dec: where it has no weight, their classifier may not see its layers.
WITH_DECODER = ("tf-vaegan",)

#: Generators that make something of features for their classifier (`input: transformed`). A new one that does belongs here.
TRANSFORMING = (*WITH_DECODER, "cada-vae", "ce-gzsl", "free")

#: Generators whose synthetic features lie in a space of their own, so that the classifier has to see real ones there.
IN_OWN_SPACE = ("cada-vae",)


def check_dataset(config: "Configuration", name: str) -> None:
    """Refuse a data set's names that nothing answers to, and overrides that do not fit its rows and the grids."""
    dataset = config.dataset(name)
    check_network(f"datasets.{name}.backbone.network", dataset.backbone.network)
    _check_generated(config, name)
    _check_rows(config, name)
    _check_titles(config, dataset.variants, name)
    _check_features(config, name)
    for variant in dataset.variants:
        check_stages(config, name, variant)
        check_selection(config, variant)
    for point in (point for tuned in config.tunings_of(name) for point in config.points_of(tuned)):
        check_stages(config, name, point)
    for download in dataset.all_downloads:
        if download not in config.downloads:
            raise InputError(f"config: datasets.{name} needs {download!r}, which section downloads does not have.")


def _check_generated(config: "Configuration", name: str) -> None:
    """Refuse a data set that is generated into the folder of one that is drawn in another way."""
    own = config.dataset(name)
    for other, given in config.datasets.items():
        shared = given.folder == own.folder and None not in (own.folder, own.generate, given.generate)
        if shared and given.generate != own.generate:
            raise InputError(
                f"config: datasets.{name} and datasets.{other} are both generated into {own.folder}, but their settings in "
                "generate differ; give one another folder below data/, or both the same settings."
            )


def _check_rows(config: "Configuration", name: str) -> None:
    """Refuse rows that a network makes of attributes where class vectors stand in their place."""
    dataset = config.dataset(name)
    kinds = {row: config.space(config.variant(row).space).kind for row in dataset.variants}
    rows = [row for row, kind in kinds.items() if kind in NETWORKS]
    if dataset.class_vectors is not None and rows:
        networks = " or ".join(dict.fromkeys(NETWORKS[kinds[row]] for row in rows))
        raise InputError(
            f"config: datasets.{name}.variants has {', '.join(rows)}, which {networks} makes from the strengths of named "
            f"attributes, and datasets.{name}.class_vectors has numbers without names in their place; name rows on "
            "backbone features (baseline, f-clswgan, f-vaegan, prototype, eszsl …), or leave class_vectors out."
        )


def check_named_attributes(config: "Configuration", dataset: str, asked: str, network: str = "SCEN") -> None:
    """Refuse what needs named attributes for a data set whose class vectors are given."""
    name = dataset.removesuffix(VALIDATION)
    if config.dataset(name).class_vectors is not None:
        raise InputError(
            f"config: datasets.{name}.class_vectors has numbers without names in place of attributes, so there can be no "
            f"{asked}, which {network} makes or needs; ask for rows on backbone features, or leave class_vectors out."
        )


def _check_titles(config: "Configuration", rows: Iterable[str], place: str) -> None:
    """Refuse rows of one table that look the same in it and in pictures."""
    met: dict[str, str] = {}
    for variant in rows:
        title = config.variant(variant).title or variant
        if title in met:
            raise InputError(
                f"config: variants.{met[title]} and variants.{variant} are both called {title!r}, and both are rows of "
                f"{place}; give one another title."
            )
        met[title] = variant


def _check_features(config: "Configuration", name: str) -> None:
    """Refuse rows that need region maps where files of the features' kind are always pooled; of other kinds the file tells."""
    own = config.dataset(name)
    kinds = {row: config.space(config.variant(row).space).kind for row in (*own.variants, *config.variants)}
    on_maps = [row for row in own.variants if kinds[row] in NETWORKS]
    if own.features is not None and own.features.pooled and on_maps:
        others = ", ".join([row for row, kind in kinds.items() if kind == "backbone"][:5])
        raise InputError(
            f"config: datasets.{name} has the row {on_maps[0]!r}, which needs region maps, but features of kind "
            f"{own.features.kind} are one vector an image; set its variants to others, such as [{others}]."
        )


def check_pictures(config: "Configuration") -> None:
    """Refuse names in the sections of tables and pictures that nothing answers to."""
    titles = [config.shown_name(name) for name in config.tables.summary]
    for name, title in zip(config.tables.summary, titles, strict=True):
        if titles.count(title) > 1:
            raise InputError(
                f"config: datasets.{name}.title is {title!r} as that of another one in tables.summary; change it."
            )
    rows = dict.fromkeys(row for name in config.tables.summary for row in config.dataset(name).variants)
    _check_titles(config, rows, "tables.summary")
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
        _check_drawn(config, name)


def _check_drawn(config: "Configuration", name: str) -> None:
    """Refuse a variant in the t-SNE picture whose synthetic features are none, or none of its space."""
    own = config.variant(name)
    if own.predict_by != "generation":
        raise InputError(f"config: tsne.variants names {name!r}, which generates no features.")
    _check_space_drawn(config, name, own.eggn.get("generator", config.eggn.generator))


def _check_space_drawn(config: "Configuration", name: str, generator: str) -> None:
    if name in config.tsne.variants and generator in IN_OWN_SPACE:
        raise InputError(
            f"config: tsne.variants names {name!r}, whose generator {generator} makes latent features, which cannot be drawn "
            "beside images' features; take it out."
        )


def check_downloads(config: "Configuration") -> None:
    """Refuse archives of one name for one folder, where each would pass for another version of the other."""
    met: dict[tuple[str, Path], tuple[str, Download]] = {}
    for name, own in config.downloads.items():
        if own.unpack_to is None:
            continue
        other, given = met.setdefault((Path(own.file).name, whole(own.unpack_to)), (name, own))
        if whole(given.file) != whole(own.file):
            raise InputError(
                f"config: downloads.{other} and downloads.{name} are both called {Path(own.file).name} and unpacked into "
                f"{own.unpack_to}, where each would take the place of the other; give one another file name."
            )


def check_tuning(config: "Configuration") -> None:
    """Refuse grids of variants that cannot be tuned, and rows that stand for no grid."""
    for name, variant in config.variants.items():
        if variant.tuned is not None and variant.tuned not in config.tuning:
            raise InputError(f"config: variants.{name}.tuned is {variant.tuned!r}, which section tuning does not have.")
    for name in config.tuning:
        own = config.variants.get(name)
        if own is None or own.tuned is not None or own.predict_by in CLOSED_FORM:
            raise InputError(
                f"config: tuning.{name} tunes no variant that generates features or predicts by embedding and is not tuned "
                "itself."
            )
        for stage in dict.fromkeys(key.partition(".")[0] for key in config.tuning[name].grid):
            _check_stage_of_grid(config, name, stage)


def _check_stage_of_grid(config: "Configuration", name: str, stage: str) -> None:
    own = config.variants[name]
    if stage in NETWORKS and config.space(own.space).kind != stage:
        raise InputError(
            f"config: tuning.{name}.grid has settings of {stage}, but space {own.space!r} has no {NETWORKS[stage]}."
        )
    if stage not in NETWORKS and own.predict_by != "generation":
        raise InputError(
            f"config: tuning.{name}.grid has settings of {stage}, but {name} predicts by {own.predict_by} and has no such "
            "stage."
        )


def check_variant(config: "Configuration", name: str) -> None:
    """Refuse a variant whose space does not exist or has not what the variant needs, also if no table has it."""
    variant = config.variant(name)
    space = config.space(variant.space)
    if variant.predict_by == "embedding" and not space.on_maps:
        raise InputError(
            f"config: variants.{name} predicts by embedding, but space {variant.space!r} has no SCEN and no DAZLE."
        )
    if variant.predict_by != "embedding" and space.kind == "dazle":
        raise InputError(
            f"config: variants.{name} works on features, but space {variant.space!r} has none: DAZLE predicts by "
            "embedding; set predict_by: embedding, or another space."
        )
    if "generator" in variant.eggn:  # else a data set names it
        check_read(config, variant.eggn["generator"], name)


def check_stages(config: "Configuration", dataset: str, name: str) -> None:
    """Refuse a variant whose settings of the stages do not fit together on a data set."""
    variant = config.variant(name)
    if config.space(variant.space).kind == "scen":
        config.scen_of(dataset, variant.space)
    if config.space(variant.space).kind == "dazle":
        config.dazle_of(dataset, variant.space)
    if variant.predict_by == "generation":
        _check_space_drawn(config, name, config.eggn_of(dataset, name).generator)
        config.eggn_of(dataset + VALIDATION, name)
        config.synthesis_of(dataset, name)
        config.classifier_of(dataset, name)


def check_selection(config: "Configuration", name: str) -> None:
    """Refuse the best epoch on test of a row whose training ends at the epoch that validation selects."""
    if config.tables.oracle and config.variant(name).selection == "validation":
        raise InputError(
            f"config: tables.oracle needs all epochs, but variants.{name} has selection: validation, which ends its "
            "training at the selected one; set oracle: false, or selection: last."
        )


def check_losses(scen: ScenSettings, place: str) -> None:
    """Refuse a stage 1 that would learn nothing."""
    weights = (scen.local_weight, scen.global_weight, scen.calibration_weight)
    if not any(weights) and (scen.stage1_steps or scen.stage1_epochs):
        raise InputError(
            f"config: {place} has weights 0 for L_LCE, L_GCE and L_cal, so stage 1 would learn nothing; set local_weight, "
            "global_weight or calibration_weight above 0, or leave stage 1 out with stage1_epochs: 0 and stage1_steps: null."
        )


def check_snapshots(eggn: EggnSettings, compared: bool, place: str) -> None:
    """Refuse to compare epochs of which none is kept."""
    if compared and eggn.snapshots == 0:
        raise InputError(
            f"config: {place} has snapshots 0, but epochs are compared (selection: validation, or tables.oracle); "
            "set snapshots to 1 or more."
        )


def check_classification(eggn: EggnSettings, place: str) -> None:
    """Refuse a weight of a loss that the generator does not have."""
    if eggn.classification_weight > 0 and not reads(eggn.generator, "classification_weight"):
        raise InputError(
            f"config: {place} has classification_weight {eggn.classification_weight:g}, but generator {eggn.generator} "
            "has no classification loss of its own; set it to 0."
        )


def check_guidance(eggn: EggnSettings, place: str) -> None:
    """Refuse L_EGS where it would be left out unsaid: beside f-CLSWGAN's loss, since the trainer has one guide, and with
    generators that it cannot guide."""
    if eggn.seen_guidance == eggn.unseen_guidance == 0:
        return
    if not reads(eggn.generator, "seen_guidance"):
        raise InputError(
            f"config: {place} has L_EGS, which cannot guide generator {eggn.generator}; set seen_guidance and "
            "unseen_guidance to 0."
        )
    if eggn.classification_weight > 0:
        raise InputError(
            f"config: {place} has f-CLSWGAN's loss (classification_weight {eggn.classification_weight:g}) beside L_EGS; "
            f"set classification_weight, or seen_guidance and unseen_guidance, to 0."
        )


def check_input(classifier: ClassifierSettings, eggn: EggnSettings, place: str) -> None:
    """Refuse a classifier that sees what the generator does not make of features, or not what it does make."""
    if classifier.input == "dense" and eggn.generator in IN_OWN_SPACE:
        raise InputError(
            f"config: {place} has input dense, but eggn's generator {eggn.generator} makes features of a space of its own; "
            "set input: transformed."
        )
    untrained = eggn.generator in WITH_DECODER and eggn.decoder_weight == 0
    if classifier.input == "transformed" and (untrained or eggn.generator not in TRANSFORMING):
        raise InputError(
            f"config: {place} has input transformed, which needs a trained Dec or a generator with a space of its own "
            f"({', '.join(TRANSFORMING)}), but eggn has generator {eggn.generator} and decoder_weight "
            f"{eggn.decoder_weight:g}; set input: dense."
        )
