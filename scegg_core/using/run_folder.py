"""From the folder of a finished run to every file it consists of, by the digests in the artifacts' metadata.

No configuration is needed: a classifier's metadata hold the digests of the space it was trained on, and the regions'
metadata hold the backbone's settings and the digest of its weights.
"""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from scegg_core.artifacts.files import input_digest, read_description
from scegg_core.artifacts.paths import IndexFiles, SpaceFiles, real_path
from scegg_core.artifacts.sets import refuse_mixture, settle_folder
from scegg_core.errors import InputError
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.base import parse_section
from scegg_core.using.mixed_runs import again, refuse_mixed_classifiers, refuse_mixed_space
from scegg_core.using.places import require_input
from scegg_core.using.run_files import RunFiles, classifiers_in

EXTENDED = "extended"  # folder of a run that holds its extensions by new classes
DESCRIPTION = "model.json"  # file that makes a folder an exported model
LAYOUT = "results/<data set>/variants/<variant>/seed<k>"


@dataclass(frozen=True)
class BackboneOrigin:
    """What the regions say of the network that made them; `digest` of its weight file, None where they were random."""

    settings: BackboneSettings
    digest: str | None


def is_exported(folder: str | Path) -> bool:
    """Return whether `folder` is an exported model."""
    settle_folder(folder)
    return (Path(folder) / DESCRIPTION).is_file()


def find_run(folder: str | Path) -> RunFiles:
    """Return the files of the run in `folder`: results/<data set>/variants/<variant>/seed<k>, or an extension of it.

    Raises InputError where that is not the folder of a finished run that predicts by generation, or where its files
    were not made from each other.
    """
    settle_folder(folder)
    folder = real_path(folder)
    _refuse_other_folders(folder)
    run = folder.parents[1] if folder.parent.name == EXTENDED else folder
    dataset = _dataset_of(run)
    results = dataset.parent if dataset.name == "validation" else dataset
    index = IndexFiles.in_folder(dataset)
    made_from = read_description(folder / "classifier_gzsl.safetensors", "classifier")["provenance"]["inputs"]
    for path in classifiers_in(run).values():
        _refuse_copy(run, read_description(path, "classifier"))
    space = _find_space(dataset, index, made_from)
    files = RunFiles(folder, run, results, space, _shards(dataset, space.scaler), _find_generator(run, made_from))
    refuse_mixed_space(files)
    if run != folder:
        files = _extended(files)
    refuse_mixed_classifiers(files)
    return files


def refuse_exported(folder: str | Path, what: str) -> None:
    """Raise InputError if `folder` is an exported model, which lacks `what` only a run has."""
    if is_exported(folder):
        raise InputError(f"{folder} is an exported model, which has no {what}; name the folder of the run, {LAYOUT}.")


def from_ready_features(files: RunFiles) -> bool:
    """Return whether the run's regions are ready features, made elsewhere by a backbone that is not known."""
    return read_description(files.regions[0], "regions")["provenance"]["stage"] == "read_features"


def no_backbone(name: str) -> InputError:
    """Return what is said where new pictures are to be turned into features of the run or data set `name`."""
    return InputError(
        f"{name} was made from ready features, so no backbone is known that could turn pictures into such features; "
        "use a run on pictures."
    )


def read_origin(files: RunFiles) -> BackboneOrigin:
    """Return what the run's regions say of their backbone."""
    shard = files.regions[0]
    made_from = read_description(shard, "regions")["provenance"]
    if from_ready_features(files):
        raise no_backbone(files.results.name)
    settings = parse_section(BackboneSettings, made_from["settings"], str(shard))
    return BackboneOrigin(settings, made_from["inputs"].get("weights"))


def find_weights(files: RunFiles, origin: BackboneOrigin, named: str | Path | None = None) -> Path | None:
    """Return the weight file whose digest the regions recorded: `named`, or one at its usual path; None if random.

    Raises InputError if it is not found, if `named` is another file, or if there is none to name.
    """
    if origin.digest is None:
        if named is not None:
            raise InputError(f"the backbone of {files.results.name} has random weights; leave the weights out.")
        return None
    if named is not None:
        require_input(named, "the backbone's weights (--weights)")
        if input_digest(named) == origin.digest:
            return Path(named)
        raise InputError(
            f"{named} is not the weight file that the regions of {files.results.name} were made with "
            f"(its digest is not {origin.digest[:12]}…); name that one."
        )
    for path in _usual_paths(files, origin.settings):
        if path.is_file() and input_digest(path) == origin.digest:
            return path
    raise InputError(
        f"the backbone's weight file {origin.settings.weights} (digest {origin.digest[:12]}…) is not at its usual path; "
        "name it with --weights."
    )


def _usual_paths(files: RunFiles, settings: BackboneSettings) -> tuple[Path, ...]:
    fetched = [files.results.parents[1] / settings.fetched_to] if settings.fetched_to else []
    trained_here = files.regions[0].parents[1] / "backbone.safetensors"
    return trained_here, *fetched


def _refuse_other_folders(folder: Path) -> None:
    """Raise InputError for what is no folder of a run, with what it is instead."""
    if is_exported(folder):
        refuse_exported(folder, "files of a run")
    if not folder.is_dir():
        fault = "is a file" if folder.exists() else "is missing"
        raise InputError(f"{folder} {fault}; name the folder of a finished run, {LAYOUT}, or an exported one.")
    for path in classifiers_in(folder).values():
        if not path.is_file():
            raise InputError(
                f"{folder} holds no {path.name}; name the folder of a finished run that generates features, "
                f"{LAYOUT}, or an exported one."
            )


def _refuse_copy(run: Path, found: dict) -> None:
    """Raise InputError for the folder of one variant and seed with a classifier of another, which says `found` of itself."""
    seed, variant = found["provenance"]["seed"], found["extra"].get("variant")
    other = [f"variant {variant}"] if variant not in (None, run.parent.name) else []
    if seed is not None and re.fullmatch(r"seed\d+", run.name) and run.name != f"seed{seed}":
        other.append(f"seed {seed}")
    if other:
        raise InputError(
            f"{run} holds the run of {', '.join(other)}, copied; name that one, or let the workflow make this one."
        )


def _dataset_of(run: Path) -> Path:
    """results/<data set>, or the validation split in it: the folder that the run lies in, with its index."""
    dataset = run.parents[2] if len(run.parents) > 2 and run.parents[1].name == "variants" else None
    if dataset is None or not (dataset / "classes.parquet").is_file():
        raise InputError(
            f"{run} does not lie in the results of its data set, whose index and space it needs; "
            f"name it in its place, {LAYOUT}, or export it there and use the exported folder."
        )
    for path in (dataset / "images.parquet", dataset / "attributes.parquet"):
        _require(path)
    return dataset


def _require(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"{path} is missing, so the run is not whole; let the workflow make it again.")


def _extended(files: RunFiles) -> RunFiles:
    """The files with the class table of the extension, refused where it extends another table than the run's."""
    classes = files.folder / "classes.parquet"
    _require(classes)
    refuse_mixture([classes], {"classes": files.index.classes}, again(files))
    return replace(files, space=replace(files.space, index=replace(files.index, classes=classes)))


def _find_generator(run: Path, made_from: dict[str, str]) -> Path:
    """The generator that the run's features came from: its own, or on a validation split one that it shares."""
    own = run / "eggn.safetensors"
    if own.is_file() or "eggn" not in made_from:
        return own
    others = sorted(run.parents[1].glob("*/seed*/eggn.safetensors"))
    return next((path for path in others if input_digest(path) == made_from["eggn"]), own)


def _find_space(dataset: Path, index: IndexFiles, inputs: dict[str, str]) -> SpaceFiles:
    """The space whose scaler and SCEN have the digests in `inputs`."""
    for scaler in sorted((dataset / "spaces").rglob("scaler.safetensors")):
        scen = scaler.with_name("scen.safetensors") if "scen" in inputs else None
        wanted = [(scaler, inputs.get("scaler")), *([(scen, inputs["scen"])] if scen else [])]
        if all(path.is_file() and input_digest(path) == digest for path, digest in wanted):
            return SpaceFiles(index, scaler.with_name("features.parquet"), scaler, scen)
    raise InputError(
        f"no space in {dataset / 'spaces'} is the one that this run's classifier was trained on; "
        "let the workflow bring the run up to date."
    )


def _shards(dataset: Path, scaler: Path) -> tuple[Path, ...]:
    """The shards that the space was made from: as many, in order; an earlier division into more may have left others."""
    recorded = read_description(scaler, "scaler")["provenance"]["inputs"].get("regions", "").split("+")
    found = [sorted((folder / "regions").glob("part-*.parquet")) for folder in _region_folders(dataset)]
    found = [shards for shards in found if shards]
    if not found:
        raise InputError(
            f"{_region_folders(dataset)[-1] / 'regions'} holds no region features, whose metadata name the backbone; "
            "let the workflow make them again, or use a run that was exported before."
        )
    right = (shards for shards in found[:-1] if input_digest(shards[0]) == recorded[0])
    return tuple(next(right, found[-1])[: len(recorded)])


def _region_folders(dataset: Path) -> list[Path]:
    """Where the regions of a run may lie: of its seed's backbone, of its data set or split, of the base data set."""
    own = sorted((dataset / "backbones").glob("seed*"))
    return [*own, dataset, *([dataset.parent] if dataset.name == "validation" else [])]
