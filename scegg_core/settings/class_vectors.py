"""Settings of class vectors that a file gives, in place of the strengths of attributes."""

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from scegg_core.settings.base import settings
from scegg_core.settings.paths import LocalPath

#: Endings of a file's name, and the kind of file that each stands for.
KIND_OF_ENDING = {
    ".mat": "mat",
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".npy": "npy",
    ".npz": "npz",
    ".safetensors": "safetensors",
}


@settings
class ClassVectorSettings:
    """Class vectors of real numbers, such as sentence embeddings: a(c) of generators and closed-form rows."""

    path: LocalPath = Field(description="the file")
    kind: Literal["mat", "csv", "npy", "npz", "safetensors"] | None = Field(
        None,
        description="mat: MATLAB's (sent_splits.mat); csv: class names in the first column; npy, npz, safetensors: an array; null: what the ending of its name says",
    )
    variable: str | None = Field(
        None, description="mat, npz, safetensors: name of the array; null: att of mat, of others the only one"
    )
    classes: LocalPath | None = Field(
        None,
        description="text file with the class of each vector, one a line; null: as the file names them, else in the order of the data set's classes",
    )

    @model_validator(mode="after")
    def _is_of_a_kind(self) -> "ClassVectorSettings":
        if self.kind is None and self.found_kind is None:
            raise ValueError(
                f"{self.path} has none of the endings {', '.join(KIND_OF_ENDING)}, so say of which kind it is"
            )
        return self

    @model_validator(mode="after")
    def _nothing_is_left_out_unsaid(self) -> "ClassVectorSettings":
        if self.found_kind == "csv" and self.classes is not None:
            raise ValueError("kind csv has the class names in its first column; leave classes out")
        if self.found_kind in ("csv", "npy") and self.variable is not None:
            raise ValueError(f"kind {self.found_kind} holds one table without a name; leave variable out")
        return self

    @property
    def found_kind(self) -> str | None:
        """Return the kind of the file: as it is said, else by the ending; None where that says nothing."""
        return self.kind or KIND_OF_ENDING.get(Path(self.path).suffix.lower())
