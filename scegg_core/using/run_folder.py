"""From the folder of a finished run to every file it consists of, by the digests in the artifacts' metadata.

No configuration is needed: a classifier's metadata hold the digests of the space it was trained on, and the regions'
metadata hold the backbone's settings and the digest of its weights.
"""

from dataclasses import dataclass, replace
from pathlib import Path

from scegg_core.artifacts.files import input_digest, read_description
from scegg_core.artifacts.paths import IndexFiles, SpaceFiles
from scegg_core.data.tasks import TASKS
from scegg_core.errors import InputError
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.base import parse_section

EXTENDED = "extended"  # folder of a run that holds its extensions by new classes


@dataclass(frozen=True)
class WeightFiles:
    """The name of a model, and its files of weights besides those of the backbone."""

    name: str
    scaler: Path
    scen: Path | None  # None in backbone spaces
    eggn: Path
    classifiers: dict[str, Path]  # by task


@dataclass(frozen=True)
class RunFiles:
    """Every file of a run, or of an extension of it by new classes."""

    folder: Path  # of the extension where it is one
    run: Path
    results: Path  # results/<data set>, of the base data set also for a validation split
    space: SpaceFiles  # with the class table of the extension where it is one
    regions: Path  # one shard, for what its metadata say of the backbone

    @property
    def index(self) -> IndexFiles:
        """Return the tables of the index."""
        return self.space.index

    @property
    def weights(self) -> WeightFiles:
        """Return the files of weights."""
        return WeightFiles(
            self.name, self.space.scaler, self.space.scen, self.run / "eggn.safetensors", classifiers_in(self.folder)
        )

    @property
    def synthetic(self) -> Path:
        """Return the features that the final classifiers of the run (of the extension) learned from."""
        return self.folder / "synthetic_unseen.parquet"

    @property
    def name(self) -> str:
        """Return data set, variant and seed (and extension) in one word, without any path of this machine."""
        parts = self.folder.relative_to(self.results.parent).parts
        return "/".join(part for part in parts if part != "variants")


@dataclass(frozen=True)
class BackboneOrigin:
    """What the regions say of the network that made them; `digest` of its weight file, None where they were random."""

    settings: BackboneSettings
    digest: str | None


def classifiers_in(folder: Path) -> dict[str, Path]:
    """Return the final classifier of each task in the folder of a run, of an extension or of an exported model."""
    return {task: folder / f"classifier_{task}.safetensors" for task in TASKS}


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
    index = IndexFiles.in_folder(dataset)
    if run != folder:
        index = replace(index, classes=folder / "classes.parquet")
    inputs = read_description(folder / "classifier_gzsl.safetensors")["provenance"]["inputs"]
    return RunFiles(folder, run, results, _find_space(dataset, index, inputs), _any_shard(results))


def read_origin(files: RunFiles) -> BackboneOrigin:
    """Return what the run's regions say of their backbone."""
    made_from = read_description(files.regions)["provenance"]
    settings = parse_section(BackboneSettings, made_from["settings"], str(files.regions))
    return BackboneOrigin(settings, made_from["inputs"].get("weights"))


def find_weights(files: RunFiles, origin: BackboneOrigin, named: str | Path | None = None) -> Path | None:
    """Return the weight file whose digest the regions recorded: `named`, or one at its usual path; None if random.

    Raises InputError if it is not found, or if `named` is another file.
    """
    if origin.digest is None:
        return None
    if named is not None:
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
    return files.results / "backbone.safetensors", *fetched


def _find_space(dataset: Path, index: IndexFiles, inputs: dict[str, str]) -> SpaceFiles:
    """The space whose scaler and SCEN have the digests in `inputs`."""
    for scaler in sorted((dataset / "spaces").rglob("scaler.safetensors")):
        scen = scaler.with_name("scen.safetensors") if "scen" in inputs else None
        wanted = [(scaler, inputs["scaler"]), *([(scen, inputs["scen"])] if scen else [])]
        if all(path.is_file() and input_digest(path) == digest for path, digest in wanted):
            return SpaceFiles(index, scaler.with_name("features.parquet"), scaler, scen)
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
