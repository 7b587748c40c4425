"""Region maps of a data set as DAZLE, and code that came after it, reads them: one HDF5 file, all numbers from 0.

HDF5's own library ends the process by a signal where a disk is full. So h5py writes the frame alone, and the maps, which
lie in it as one piece, are written as bytes.
"""

import hashlib
import math
import shutil
from pathlib import Path

import numpy as np

from scegg_core.artifacts.files import Provenance, whole_file, write_record
from scegg_core.data.tables import DatasetIndex
from scegg_core.errors import InputError
from scegg_core.regions.store import RegionStore
from scegg_core.training.progress import bar
from scegg_core.using.exchange import locations

TYPE = np.dtype("<f4")  # DAZLE's loader turns training maps alone to single precision, so test maps have to be it


def write_feature_map(
    path: Path, record: Path, store: RegionStore, index: DatasetIndex, vectors: np.ndarray, provenance: Provenance
) -> None:
    """Write the maps (images, channels, height, width) of `store`, with labels, splits, class vectors and the attribute
    vectors `vectors` (A, d); `record` says what they are made from. In memory is a row group of the store at a time.

    Raises InputError, before any work, where the disk has no room.
    """
    size = store.size
    store.positions(index.rows)  # refuses a store that lacks images
    shape = (len(index.paths), size.channels, size.height, size.width)
    path.parent.mkdir(parents=True, exist_ok=True)
    _check_room(path, TYPE.itemsize * math.prod(shape))
    with whole_file(path) as temporary:
        start = _write_frame(temporary, shape, _beside(index, vectors))
        digest = _write_maps(temporary, start, store)
    write_record(record, "exchange", {"maps": digest, "shape": list(shape)}, provenance)


def _beside(index: DatasetIndex, vectors: np.ndarray) -> dict[str, np.ndarray]:
    """What lies beside the maps; classes × attributes, unlike in xlsa17's files."""
    return {
        "labels": index.labels.astype(np.int64),
        **locations(index),
        "att": index.vectors.astype(np.float64),
        "original_att": index.percent.astype(np.float64),
        "w2v_att": vectors,
    }


def _check_room(path: Path, needed: int) -> None:
    free = shutil.disk_usage(path.parent).free
    if needed > free:
        raise InputError(
            f"{path} takes {needed / 1e9:.3g} GB, but its disk has {free / 1e9:.3g} GB left; "
            "make room, or let the folder be a link to a disk that has it."
        )


def _write_frame(path: Path, shape: tuple[int, ...], beside: dict[str, np.ndarray]) -> int:
    """Write everything but the maps; return where in the file they begin."""
    import h5py  # slow to import, and seldom needed

    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    layout.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    layout.set_obj_track_times(False)  # no time of writing: equal maps are equal bytes
    with h5py.File(path, "w") as file:
        for name, values in beside.items():
            file.create_dataset(name, data=values)
        space = h5py.h5s.create_simple(shape)
        maps = h5py.h5d.create(file.id, b"feature_map", h5py.h5t.IEEE_F32LE, space, layout)
        return maps.get_offset()


def _write_maps(path: Path, start: int, store: RegionStore) -> str:
    """Write all maps from byte `start` on and return their sha256."""
    size, digest = store.size, hashlib.sha256()
    with (
        path.open("r+b") as file,
        bar(sum(len(group.images) for group in store.groups), "maps", unit="image") as progress,
    ):
        file.seek(start)
        for images, block in store.scan():
            regions = block.reshape(len(images), size.height, size.width, size.channels)
            maps = np.ascontiguousarray(regions.transpose(0, 3, 1, 2), dtype=TYPE)
            file.write(maps)
            digest.update(maps)
            progress.update(len(images))
    return digest.hexdigest()
