"""Paths of the artifacts that are read together, the tables of an index and the files of a space; and paths without links."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class IndexFiles:
    """The tables of a data set's index; `test_labels` is None for what must not know the labels of test images."""

    classes: Path
    images: Path
    attributes: Path
    test_labels: Path | None = None

    @classmethod
    def in_folder(cls, folder: Path) -> "IndexFiles":
        """Return the tables as they are named in the folder of a data set's results, the test labels among them."""
        return cls(*(folder / f"{name}.parquet" for name in ("classes", "images", "attributes", "test_labels")))


@dataclass(frozen=True)
class SpaceFiles:
    """The files of a feature space and of its data set's index; `scen` is None in backbone spaces."""

    index: IndexFiles
    features: Path
    scaler: Path
    scen: Path | None = None


def real_path(path: str | Path) -> Path:
    """Return the absolute path without links in it; of links that go round in circles what can be followed."""
    return Path(os.path.realpath(path))  # Path.resolve raises RuntimeError for such links
