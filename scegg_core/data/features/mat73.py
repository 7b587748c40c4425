"""Texts in MATLAB files of version 7.3, which are HDF5: a cell array is a dataset of references to character arrays."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.data.features.hdf5 import LARGEST, find, whole
from scegg_core.data.names import printable
from scegg_core.errors import InputError

if TYPE_CHECKING:
    from h5py import File

LONGEST = 4096  # characters of a text


def texts(file: "File", path: Path, name: str) -> tuple[str, ...]:
    """Return the texts of the cell array `name`, () where there is none; raises InputError for cells of anything else."""
    import h5py

    found = find(file, path, name)
    if found is None:
        return ()
    if h5py.check_ref_dtype(found.dtype) is not h5py.Reference or found.size * found.dtype.itemsize > LARGEST:
        raise _strange(path, name)
    with whole(path):
        return tuple(_text(file[cell], path, name) for cell in found[()].ravel())


def _text(cell: object, path: Path, name: str) -> str:
    import h5py

    kind = cell.dtype.kind if isinstance(cell, h5py.Dataset) else ""
    if kind != "u" or cell.dtype.itemsize > 2 or cell.size > LONGEST:
        raise _strange(path, name)
    return np.asarray(cell[()], dtype="<u2").tobytes().decode("utf-16-le", "replace").strip()


def _strange(path: Path, name: str) -> InputError:
    return InputError(f"{printable(path)} holds something else than texts in {name}; save a cell array of texts there.")
