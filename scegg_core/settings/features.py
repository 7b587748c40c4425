"""Settings of ready features: the file that stands in place of a data set's pictures and backbone."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from scegg_core.settings.base import problem, settings
from scegg_core.settings.paths import LocalPath

#: How the names of the files of each kind end.
ENDINGS = {
    "xlsa17": (".mat",),
    "dazle": (".hdf5", ".h5"),
    "arrays": (".npy", ".npz", ".safetensors", ".parquet"),
}


@settings
class FeatureSettings:
    """A file of features that were made elsewhere; what else belongs to the data set lies beside it."""

    path: LocalPath = Field(description="the file: .mat; .hdf5, .h5; .npy, .npz, .safetensors, .parquet")
    kind: Literal["xlsa17", "dazle", "arrays"] = Field(
        description="xlsa17: res101.mat of pooled features, with att_splits.mat; dazle: HDF5 of region maps, with splits and attributes; arrays: an array of pooled or region features, with images.csv and attributes.csv"
    )

    @model_validator(mode="after")
    def _ends_as_its_kind(self) -> "FeatureSettings":
        endings = ENDINGS[self.kind]
        if not self.path.lower().endswith(endings):
            raise problem(
                f"has the path {self.path!r}, but kind {self.kind} reads files whose names end in {', '.join(endings)}"
            )
        return self

    @property
    def folder(self) -> Path:
        """Return the folder of the file."""
        return Path(self.path).parent

    @property
    def beside(self) -> tuple[Path, ...]:
        """Return the files beside it that say what the images and classes are."""
        names = {"xlsa17": ("att_splits.mat", "testclasses.txt"), "arrays": ("images.csv", "attributes.csv")}
        return tuple(self.folder / name for name in names.get(self.kind, ()))

    @property
    def pooled(self) -> bool:
        """Return whether files of this kind have one vector an image, never several regions."""
        return self.kind == "xlsa17"
