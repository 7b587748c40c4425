"""MATLAB files of version 7.3 (`save -v7.3`), which are HDF5: numbers and texts of the variables that are asked for.

Arrays lie there turned round; a cell array is a dataset of references to character arrays.
"""

import math
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from unicodedata import category

import numpy as np

from scegg_core.data.hdf5 import LARGEST, SIGNATURE, find, numbers, opened, whole
from scegg_core.data.names import printable
from scegg_core.errors import InputError

if TYPE_CHECKING:
    from h5py import Dataset, File

LONGEST = 4096  # characters of a text

#: MATLAB's classes whose HDF5 datasets hold the values themselves; those of others (string, table …) hold numbers that
#: mean something else.
_NUMERIC = frozenset(
    ["double", "single", "logical", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
)


def is_mat73(file: BinaryIO) -> bool:
    """Return whether the file, open at its start, is HDF5: MATLAB writes 512 bytes of its own before the signature."""
    start = file.read(512 + len(SIGNATURE))
    return start.startswith((SIGNATURE, b"MATLAB 7.3")) or start.endswith(SIGNATURE)


def read_mat73(path: Path, names: tuple[str, ...], largest: int) -> dict[str, np.ndarray | tuple[str, ...]]:
    """Return those of the variables `names` that the file has: arrays of up to `largest` bytes in MATLAB's shape, and
    cell arrays of texts; raises InputError for a damaged file, and for a variable that is neither of the two."""
    with opened(path) as file:
        found = {name: find(file, path, name) for name in names}
        return {name: _value(file, own, path, name, largest) for name, own in found.items() if own is not None}


def _value(file: "File", found: "Dataset", path: Path, name: str, largest: int) -> np.ndarray | tuple[str, ...]:
    if found.dtype.kind == "O":
        return _texts(file, found, path, name)
    if (kind := _class_of(found)) not in (None, *_NUMERIC):
        raise InputError(
            f"{printable(path)} holds values of MATLAB's class {printable(kind)} in {name}; save plain numbers or a cell "
            "array of texts there."
        )
    values = np.atleast_1d(numbers(file, path, name, largest, "give it as .npy"))
    with whole(path):
        return np.zeros(values.astype(int)) if _is_empty(found) else values.T


def _class_of(found: "Dataset") -> str | None:
    """MATLAB's name of the class of a variable or cell; None where another program wrote it without."""
    name = found.attrs.get("MATLAB_class")
    return name.decode("latin-1") if isinstance(name, bytes) else None if name is None else str(name)


def _is_empty(found: "Dataset") -> bool:
    """Whether the numbers are the sizes of an array without elements, which HDF5 cannot hold as MATLAB has it."""
    if not found.attrs.get("MATLAB_empty"):
        return False
    if math.prod(map(int, found[()].ravel())):
        raise ValueError("an empty array has sizes above 0")
    return True


def _texts(file: "File", found: "Dataset", path: Path, name: str) -> tuple[str, ...]:
    import h5py

    size = found.size * found.dtype.itemsize
    if h5py.check_ref_dtype(found.dtype) is not h5py.Reference or size > LARGEST or not _is_line(found):
        raise _strange(path, name)
    with whole(path):
        return tuple(_text(file[cell], path, name) for cell in found[()].ravel())


def _text(cell: object, path: Path, name: str) -> str:
    import h5py

    kind = cell.dtype.kind if isinstance(cell, h5py.Dataset) else ""
    if kind == "u" and _is_empty(cell):
        return ""
    if kind != "u" or cell.dtype.itemsize > 2 or cell.size > LONGEST or _class_of(cell) not in (None, "char"):
        raise _strange(path, name)
    text = np.asarray(cell[()], dtype="<u2").tobytes().decode("utf-16-le", "surrogatepass")
    if not _is_line(cell) or any(category(sign) in ("Cc", "Cs") for sign in text):
        raise _strange(path, name)
    return text.strip()


def _is_line(found: "Dataset") -> bool:
    """Whether what the dataset holds lies in one row or column: a text of two rows would be read column by column."""
    return found.size in (0, max(found.shape, default=1))


def _strange(path: Path, name: str) -> InputError:
    return InputError(
        f"{printable(path)} holds something else than texts in {name}; save one row or column of cells there, each a line of text."
    )
