"""The files that a finished run consists of, by what they are."""

from dataclasses import dataclass
from pathlib import Path

from scegg_core.artifacts.paths import IndexFiles, SpaceFiles
from scegg_core.data.tasks import TASKS


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
    regions: tuple[Path, ...]  # shards, for what their metadata say of the backbone
    eggn: Path

    @property
    def index(self) -> IndexFiles:
        """Return the tables of the index."""
        return self.space.index

    @property
    def weights(self) -> WeightFiles:
        """Return the files of weights."""
        return WeightFiles(self.name, self.space.scaler, self.space.scen, self.eggn, classifiers_in(self.folder))

    @property
    def synthetic(self) -> Path:
        """Return the features that the final classifiers of the run (of the extension) learned from."""
        return self.folder / "synthetic_unseen.parquet"

    @property
    def name(self) -> str:
        """Return data set, variant and seed (and extension) in one word, without any path of this machine."""
        parts = self.folder.relative_to(self.results.parent).parts
        return "/".join(part for part in parts if part != "variants")


def classifiers_in(folder: Path) -> dict[str, Path]:
    """Return the final classifier of each task in the folder of a run, of an extension or of an exported model."""
    return {task: folder / f"classifier_{task}.safetensors" for task in TASKS}
