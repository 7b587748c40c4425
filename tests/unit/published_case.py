"""The overlays of published rows, and made files at the places that they name: of the sizes of the real ones, with a few images a class."""

from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np
import yaml
from scipy.io import savemat

from scegg_core.settings.resolve import Configuration, read_configuration
from tests.conftest import ROOT

OVERLAYS = sorted((ROOT / "overlays/published").glob("*.yaml"))
#: Classes, attributes, training images.
COUNTS = {"cub": (200, 312, 7057), "sun": (717, 102, 10320), "awa2": (50, 85, 23527)}
UNSEEN = {"cub": 50, "sun": 72, "awa2": 10}
CHANNELS, SIDE, WORDS = 48, 2, 300  # of 2048 channels, 14 x 14 regions and word vectors of 300


def configured(overlay: Path) -> Configuration:
    """Return the settings of config.yaml with the overlay laid over them."""
    values = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
    given = yaml.safe_load(overlay.read_text(encoding="utf-8"))
    return read_configuration(values | given | {"datasets": values["datasets"] | given["datasets"]})


@dataclass(frozen=True)
class Made:
    """What files of a data set hold: labels and split of each image, and strengths (classes, attributes)."""

    labels: np.ndarray
    split: np.ndarray
    strengths: np.ndarray

    @classmethod
    def like(cls, name: str) -> "Made":
        """Return images of the data set `name`: two of each class, one of them for test; unseen classes have one."""
        classes, attributes, _ = COUNTS[name]
        draw, seen = np.random.default_rng(0), np.arange(classes - UNSEEN[name])
        labels = np.concatenate([seen, np.arange(classes)])
        split = np.repeat(["trainval", "test_seen", "test_unseen"], [len(seen), len(seen), UNSEEN[name]])
        return cls(labels, split, draw.random((classes, attributes)))

    def features(self, *places: int) -> np.ndarray:
        """Return features (images, CHANNELS, *places) float32 that differ from class to class."""
        draw = np.random.default_rng(1)
        values = draw.random((len(self.labels), CHANNELS, *places), dtype=np.float32)
        of_class = draw.random((len(self.strengths), CHANNELS), dtype=np.float32)
        return values + of_class[self.labels].reshape(len(values), CHANNELS, *[1 for _ in places])

    def locations(self, first: int) -> dict[str, np.ndarray]:
        """Return the images of each split, counted from `first`."""
        return {f"{name}_loc": first + np.flatnonzero(self.split == name) for name in np.unique(self.split)}


def write_files(overlay: Path, folder: Path) -> None:
    """Write, below `folder`, the files that the overlay reads."""
    own = configured(overlay).dataset(overlay.stem)
    made = Made.like(overlay.stem.rpartition("_")[2])
    path, splits = folder / own.features.path, folder / (own.splits or own.features.folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    splits.mkdir(parents=True, exist_ok=True)
    names = np.array([[f"class {n}"] for n in range(len(made.strengths))], dtype=object)
    at = {name: places[:, None].astype(np.uint16) for name, places in made.locations(1).items()}
    savemat(splits / "att_splits.mat", {"allclasses_names": names, "original_att": made.strengths.T, **at})
    if own.features.kind == "xlsa17":
        savemat(path, {"features": made.features().T, "labels": made.labels[:, None] + 1.0})
        return
    with h5py.File(path, "w") as file:
        words = np.random.default_rng(2).normal(size=(made.strengths.shape[1], WORDS))
        words[88:89] *= overlay.stem != "sc-egg_sun"  # man-made has no vector in DAZLE's file
        file["feature_map"], file["labels"], file["w2v_att"] = made.features(SIDE, SIDE), made.labels, words
        file["original_att"] = made.strengths
        for name, places in made.locations(0).items():
            file[name] = places
