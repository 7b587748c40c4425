"""A small data set in CUB's layout on disk."""

from pathlib import Path

import numpy as np
from PIL import Image
from scipy.io import savemat

from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.settings.datasets import DatasetSettings

CLASSES = ("002.Blue_Tit", "004.Robin", "001.Crow", "003.Swift")


ATTRIBUTES = ("has_bill_shape::hooked", "has_wing_color::blue", "has_size::small_(5_-_9_in)")


PERCENT = np.array([[0, 80, 60], [10, 0, 40], [70, 0, 0], [-1, 30, 40]], dtype=np.float64)


PER_CLASS = 4


def cells(texts) -> np.ndarray:
    """Return a column of MATLAB cells."""
    column = np.empty((len(texts), 1), dtype=object)
    column[:, 0] = list(texts)
    return column


def write_image(path: Path, size=(8, 6), color=(200, 30, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)


def image_names() -> list[str]:
    return [f"{name}/x_{number}.jpg" for name in sorted(CLASSES) for number in range(PER_CLASS)]


def res101() -> dict:
    labels = [CLASSES.index(name.split("/")[0]) + 1 for name in image_names()]
    files = ["/far/CUB_200_2011/CUB_200_2011/images/" + name for name in image_names()]
    return {"image_files": cells(files), "labels": np.array(labels, dtype=float)[:, None]}


def att_splits() -> dict:
    """The content of att_splits.mat: 003.Swift (images 9 to 12) is unseen; a class's last image is for test."""
    return {
        "allclasses_names": cells(CLASSES),
        "original_att": PERCENT.T,
        "att": np.maximum(PERCENT.T, 0) / 100,
        "trainval_loc": np.array([[1, 2, 3, 5, 6, 7, 13, 14, 15]], dtype=np.uint16).T,
        "test_seen_loc": np.array([[4, 8, 16]], dtype=np.uint16).T,
        "test_unseen_loc": np.array([[9, 10, 11, 12]], dtype=np.uint16).T,
        "train_loc": np.array([[1, 4]], dtype=np.uint16).T,
    }


def make_cub(root: Path, splits: dict | None = None, resnet: dict | None = None) -> DatasetSettings:
    """Write a data set of 4 classes (1 unseen), 3 attributes and 16 images in CUB's layout; return its settings."""
    for name in image_names():
        write_image(root / "CUB_200_2011/images" / name)
    (root / "attributes.txt").write_text("".join(f"{n} {name}\n" for n, name in enumerate(ATTRIBUTES, start=1)))
    folder = root / "xlsa17"
    folder.mkdir()
    savemat(folder / "att_splits.mat", splits or att_splits())
    savemat(folder / "res101.mat", resnet or res101())
    (folder / "testclasses.txt").write_text("003.Swift\n")
    words = AttributeVectorSettings(names="cub")
    return DatasetSettings(format="cub", folder=str(root), splits=str(folder), attribute_vectors=words)
