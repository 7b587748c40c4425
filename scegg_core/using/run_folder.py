"""From the folder of a finished run to every file it consists of, by the digests in the artifacts' own metadata.

No configuration is needed: a classifier's metadata hold the digests of the space it was trained on, and the regions'
metadata hold the backbone's settings and the digest of its weights.
"""

from dataclasses import dataclass
from pathlib import Path

from scegg_core.artifacts.files import input_digest, read_description
from scegg_core.data.tasks import TASKS
from scegg_core.errors import InputError
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.base import parse_section

INDEX = ("classes", "images", "attributes", "test_labels")
EXTENDED = "extended"  # folder of a run that holds its extensions by new classes


@dataclass(frozen=True)
class RunFiles:
    """Where everything lies that a run, or an extension of it by new classes, consists of."""

    folder: Path  # the extension's where it is one
    run: Path  # the run's own
    results: Path  # results/<data set>, of the base data set also for a validation split
    classes: Path
    images: Path
    attributes: Path
    test_labels: Path
    features: Path
    scaler: Path
    scen: Path | None  # None in backbone spaces
    regions: Path  # one shard, for what its metadata say of the backbone

    @property
    def classifiers(self) -> dict[str, Path]:
        """Return the final classifier of each task."""
        return {task: self.folder / f"classifier_{task}.safetensors" for task in TASKS}

    @property
    def eggn(self) -> Path:
        """Return the trained generator."""
        return self.run / "eggn.safetensors"

    @property
    def name(self) -> str:
        """Return data set, variant and seed (and extension) in one word, without the place on this machine."""
        parts = self.folder.relative_to(self.results.parent).parts
        return "/".join(part for part in parts if part != "variants")


@dataclass(frozen=True)
class BackboneOrigin:
    """What the regions say of the network that made them; `digest` of its weight file, None where they were random."""

    settings: BackboneSettings
    digest: str | None


def find_run(folder: str | Path) -> RunFiles:
    """Return the files of the run in `folder`: results/<data set>/variants/<variant>/seed<k>, or an extension of it.

    Raises InputError where that is not the folder of a finished run that predicts by generation.
    """
    folder = Path(folder).resolve()
    if not (folder / "classifier_gzsl.safetensors").is_file():
        raise InputError(
            f"{folder} holds no classifier_gzsl.safetensors; name the folder of a finished run that generates features, "
            "results/<data set>/variants/<variant>/seed<k>, or an exported one."
        )
    run = folder.parents[1] if folder.parent.name == EXTENDED else folder
    dataset = run.parents[2]
    results = dataset.parent if dataset.name == "validation" and not (dataset / "regions").is_dir() else dataset
    space = _find_space(dataset, read_description(folder / "classifier_gzsl.safetensors")["provenance"]["inputs"])
    index = {name: dataset / f"{name}.parquet" for name in INDEX}
    if run != folder:
        index["classes"] = folder / "classes.parquet"
    return RunFiles(folder=folder, run=run, results=results, regions=_any_shard(results), **index, **space)


def read_origin(files: RunFiles) -> BackboneOrigin:
    """Return what the run's regions say of their backbone."""
    made_from = read_description(files.regions)["provenance"]
    settings = parse_section(BackboneSettings, made_from["settings"], str(files.regions))
    return BackboneOrigin(settings, made_from["inputs"].get("weights"))


def find_weights(files: RunFiles, origin: BackboneOrigin, given: str | Path | None = None) -> Path | None:
    """Return the weight file whose digest the regions recorded: `given`, or one in its usual place; None if random.

    Raises InputError if it is not found, or if `given` is another file.
    """
    if origin.digest is None:
        return None
    if given is not None:
        if input_digest(given) == origin.digest:
            return Path(given)
        raise InputError(
            f"{given} is not the weight file that the regions of {files.results.name} were made with "
            f"(its digest is not {origin.digest[:12]}…); name that one."
        )
    for path in _usual_places(files, origin.settings):
        if path.is_file() and input_digest(path) == origin.digest:
            return path
    raise InputError(
        f"the backbone's weight file {origin.settings.weights} (digest {origin.digest[:12]}…) is not in its usual place; "
        "name it with --weights."
    )


def _usual_places(files: RunFiles, settings: BackboneSettings) -> tuple[Path, ...]:
    fetched = [files.results.parents[1] / settings.fetched_to] if settings.fetched_to else []
    return files.results / "backbone.safetensors", *fetched


def _find_space(dataset: Path, inputs: dict[str, str]) -> dict[str, Path | None]:
    """The files of the space whose scaler and SCEN have the digests in `inputs`."""
    for scaler in sorted((dataset / "spaces").rglob("scaler.safetensors")):
        scen = scaler.with_name("scen.safetensors") if "scen" in inputs else None
        wanted = [(scaler, inputs["scaler"]), *([(scen, inputs["scen"])] if scen else [])]
        if all(path.is_file() and input_digest(path) == digest for path, digest in wanted):
            return {"scaler": scaler, "scen": scen, "features": scaler.with_name("features.parquet")}
    raise InputError(
        f"no space in {dataset / 'spaces'} is the one that this run's classifier was trained on; "
        "let the workflow bring the run up to date."
    )


def _any_shard(results: Path) -> Path:
    shards = sorted((results / "regions").glob("part-*.parquet"))
    if not shards:
        raise InputError(
            f"{results / 'regions'} holds no region features, whose metadata name the backbone; "
            "let the workflow make them again, or use a run that was exported before."
        )
    return shards[0]
