"""Features and splits of a data set as other code of the field reads them: xlsa17's files, written as one set.

Such files hold the labels of test images, as the benchmark's own do: nothing of the workflow reads them back.
"""

import re
from pathlib import Path

import numpy as np

from scegg_core.artifacts.files import Provenance, file_digest, write_record
from scegg_core.artifacts.matlab import LIMIT, cells, image_numbers, write_mat
from scegg_core.artifacts.sets import refuse_others, whole_folder
from scegg_core.data.tables import SPLITS, DatasetIndex
from scegg_core.errors import InputError

FEATURES, ATT_SPLITS, RECORD = "res101.mat", "att_splits.mat", "exchange.json"
LISTS = ("allclasses", "trainvalclasses", "testclasses", "trainclasses1", "valclasses1")
#: The files of a set, by name.
FILES = (FEATURES, ATT_SPLITS, RECORD, "attributes.txt", *(f"{name}.txt" for name in LISTS))


def check_exchange(folder: Path, images: int, channels: int) -> None:
    """Raise InputError for features that no MATLAB file of level 5 holds, the only one that scipy reads, and for a
    folder with files that are none of such a set. To be asked before the features are made."""
    size = images * channels * np.dtype(np.float32).itemsize
    if size >= LIMIT:
        raise InputError(
            f"{images} images of {channels} channels are {size / (1 << 30):.1f} GiB, but a variable of a MATLAB file that "
            "scipy.io.loadmat reads has less than 2 GiB; give other code the space's features.parquet, or the feature map."
        )
    refuse_others(folder, FILES, "move them away")


def write_exchange(
    folder: Path, index: DatasetIndex, validation: DatasetIndex, features: np.ndarray, provenance: Provenance
) -> None:
    """Write `features` (images, channels) float32, unscaled, with everything that xlsa17 has beside them.

    `index` has the labels of all images; `validation` is its validation split, which train_loc, val_loc and the lists
    of classes tell. All of it takes the place of an earlier set at once; raises InputError for a folder that holds more.
    """
    check_exchange(folder, *features.shape)
    with whole_folder(folder) as temporary:
        write_mat(temporary / FEATURES, _features(index, features), compress=False)  # zlib gains little on floats
        write_mat(temporary / ATT_SPLITS, _splits(index, validation))
        _write_lists(temporary, index, validation)
        digests = {name: file_digest(temporary / name) for name in FILES if name != RECORD}
        write_record(temporary / RECORD, "exchange", {"files": digests}, provenance)


def map_name(network: str, dataset: str) -> str:
    """Return the name of the file, as DAZLE has it: feature_map_ResNet_101_CUB for resnet101 and cub.

    It is one of letters, digits, "-" and "_", whatever timm calls a network: a file's name has no folder in it.
    """
    written = re.sub(r"[^A-Za-z0-9_-]", "_", re.sub(r"^resnet(\d+)$", r"ResNet_\1", network))
    return f"feature_map_{written}_{dataset.upper()}"


def locations(index: DatasetIndex) -> dict[str, np.ndarray]:
    """Return the 0-based image numbers of each split, int64, by the name that xlsa17 and DAZLE give them."""
    return {f"{split}_loc": index.in_split(split) for split in SPLITS}


def _features(index: DatasetIndex, features: np.ndarray) -> dict[str, np.ndarray]:
    return {
        "features": features.T,  # (channels, images)
        "labels": (index.labels[:, None] + 1).astype(np.float64),
        "image_files": cells(index.paths),
    }


def _splits(index: DatasetIndex, validation: DatasetIndex) -> dict[str, np.ndarray]:
    unseen = np.asarray(validation.split) == "test_unseen"
    # DEVIATES: in xlsa17's own files these two hold the images of test_seen too.
    places = locations(index) | {"train_loc": validation.rows[~unseen], "val_loc": validation.rows[unseen]}
    return {
        "allclasses_names": cells(index.classes),
        "att": index.vectors.T.astype(np.float64),
        "original_att": index.percent.T.astype(np.float64),
        **{name: image_numbers(rows, len(index.paths)) for name, rows in places.items()},
    }


def _write_lists(folder: Path, index: DatasetIndex, validation: DatasetIndex) -> None:
    seen, played = dict(zip(index.classes, index.seen, strict=True)), ~validation.seen
    lists = (
        index.classes,
        [name for name in index.classes if seen[name]],
        [name for name in index.classes if not seen[name]],
        [name for name, unseen in zip(validation.classes, played, strict=True) if not unseen],
        [name for name, unseen in zip(validation.classes, played, strict=True) if unseen],
    )
    for name, classes in zip(LISTS, lists, strict=True):
        _write_lines(folder / f"{name}.txt", classes)
    _write_lines(folder / "attributes.txt", [f"{row} {name}" for row, name in enumerate(index.attributes, start=1)])


def _write_lines(path: Path, lines: list[str] | tuple[str, ...]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
