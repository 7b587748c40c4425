"""Small ready features of each kind: 12 images of 4 classes, of which the last is unseen; 3 attributes, 5 channels."""

from pathlib import Path

import h5py
import numpy as np
from scipy.io import savemat

from scegg_core.settings.base import parse_section
from scegg_core.settings.datasets import DatasetSettings

CLASSES, ATTRIBUTES, IMAGES, CHANNELS = 4, 3, 12, 5
LABELS = np.repeat(np.arange(CLASSES), 3)
TRAINVAL = np.array([0, 1, 3, 4, 6, 7])
TEST_SEEN, TEST_UNSEEN = np.array([2, 5, 8]), np.array([9, 10, 11])
STRENGTHS = np.array([[1, 0, 0.5], [0, 1, 0.5], [1, 1, 0], [0.2, 0, 1]])  # classes x attributes
VECTORS = np.arange(1, 13, dtype=np.float64).reshape(ATTRIBUTES, 4)
SPLIT_OF = {**dict.fromkeys(TRAINVAL.tolist(), "trainval"), **dict.fromkeys(TEST_SEEN.tolist(), "test_seen")}


def pooled() -> np.ndarray:
    """Features (images, channels) float32 that half precision cannot hold."""
    return np.random.default_rng(0).random((IMAGES, CHANNELS), dtype=np.float32) + np.float32(1e-3)


def maps(height: int = 2, width: int = 3) -> np.ndarray:
    """Region maps (images, channels, height, width) float32, with values of half precision."""
    values = np.random.default_rng(1).random((IMAGES, CHANNELS, height, width), dtype=np.float32)
    return values.astype(np.float16).astype(np.float32)


def res101() -> dict:
    """The variables of res101.mat."""
    files = np.array([[f"/authors/images/c{LABELS[n]}/{n}.jpg"] for n in range(IMAGES)], dtype=object)
    return {"features": pooled().T.astype(np.float64), "labels": LABELS[:, None] + 1.0, "image_files": files}


def att_splits() -> dict:
    """The variables of att_splits.mat."""
    names = np.array([[f"class {n}"] for n in range(CLASSES)], dtype=object)
    locations = {"trainval_loc": TRAINVAL, "test_seen_loc": TEST_SEEN, "test_unseen_loc": TEST_UNSEEN}
    shifted = {name: (values[:, None] + 1).astype(np.uint16) for name, values in locations.items()}
    return {"allclasses_names": names, "original_att": STRENGTHS.T, **shifted}


def write_xlsa17(folder: Path, features: dict | None = None, splits: dict | None = None) -> Path:
    """Write res101.mat and att_splits.mat; values of `features` and `splits` take the place of theirs, None none."""
    folder.mkdir(parents=True, exist_ok=True)
    savemat(folder / "res101.mat", _without_none(res101() | (features or {})))
    savemat(folder / "att_splits.mat", _without_none(att_splits() | (splits or {})))
    return folder / "res101.mat"


def write_73(path: Path, variables: dict) -> None:
    """Write what MATLAB's save -v7.3 does of numbers and of a cell array of texts: every array turned round."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, values in variables.items():
            if values.dtype != object:
                file[name] = values.T
                continue
            cells = file.create_dataset(name, values.T.shape, dtype=h5py.ref_dtype)
            for number, text in enumerate(values.ravel()):
                file[f"#refs#/{number}"] = np.frombuffer(text.encode("utf-16-le"), "<u2")[:, None]
                cells[0, number] = file[f"#refs#/{number}"].ref
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64")


def dazle() -> dict:
    """The datasets of DAZLE's file."""
    locations = {"trainval_loc": TRAINVAL, "test_seen_loc": TEST_SEEN, "test_unseen_loc": TEST_UNSEEN}
    return {
        "feature_map": maps(),
        "labels": LABELS,
        **locations,
        "att": STRENGTHS / np.linalg.norm(STRENGTHS, axis=1, keepdims=True),
        "original_att": STRENGTHS,
        "w2v_att": VECTORS,
    }


def write_dazle(folder: Path, changes: dict | None = None, chunks: tuple | None = (5, 2, 1, 2)) -> Path:
    """Write feature_map.hdf5, its maps packed in `chunks`; `changes` as those of `write_xlsa17`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "feature_map.hdf5"
    with h5py.File(path, "w") as file:
        for name, values in _without_none(dazle() | (changes or {})).items():
            packed = (
                {"chunks": chunks, "compression": "gzip"} if chunks and np.ndim(values) == 4 and np.size(values) else {}
            )
            file.create_dataset(name, data=values, **packed)
    return path


def images_csv() -> str:
    """The text of images.csv."""
    rows = [f"{n}.jpg,class {LABELS[n]},{SPLIT_OF.get(n, 'test_unseen')}" for n in range(IMAGES)]
    return "\n".join(["image,label,split", *rows]) + "\n"


def write_arrays(folder: Path, values: np.ndarray | None = None, table: str | None = None) -> Path:
    """Write features.npy with `values`, images.csv with the text `table`, and attributes.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "features.npy", pooled() if values is None else values)
    (folder / "images.csv").write_text(images_csv() if table is None else table)
    rows = [f"class {n}," + ",".join(map(str, row)) for n, row in enumerate(STRENGTHS)]
    (folder / "attributes.csv").write_text("\n".join(["class,striped,long neck,spotted", *rows]) + "\n")
    return folder / "features.npy"


def settings_of(path: Path, kind: str, **further) -> DatasetSettings:
    """Return the settings of a data set of the features at `path`."""
    return parse_section(DatasetSettings, {"features": {"path": str(path), "kind": kind}, **further}, "datasets.ready")


def _without_none(values: dict) -> dict:
    return {name: value for name, value in values.items() if value is not None}
