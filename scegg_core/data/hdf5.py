"""Reading HDF5 files that come from anywhere: plain datasets of numbers that lie in the file itself, nothing else.

Links to other files, storage outside of the file, filters that would have to be loaded, references and objects are
refused.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.data.names import printable
from scegg_core.errors import InputError

if TYPE_CHECKING:
    from h5py import Dataset, File

SIGNATURE = b"\x89HDF\r\n\x1a\n"

#: Numbers of the filters that come with the library: deflate, shuffle, fletcher32, szip, nbit, scaleoffset; h5py's lzf.
FILTERS = (1, 2, 3, 4, 5, 6, 32000)

#: No dataset that is read whole, and no chunk, is larger than this (bytes).
LARGEST = 1 << 30

#: What the library raises for damaged files.
_FAULTS = (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, IndexError)


@contextmanager
def opened(path: Path) -> Iterator["File"]:
    """Yield the open file; raises InputError where it is none, or cut off."""
    import h5py

    with whole(path):
        file = h5py.File(path, "r", locking=False)
    with file:
        yield file


@contextmanager
def whole(path: Path) -> Iterator[None]:
    """Turn what the library raises for a damaged file into InputError."""
    try:
        yield
    except InputError:
        raise
    except _FAULTS as error:
        reason = " ".join(str(error).split())[:150]
        raise InputError(f"{printable(path)} is no whole HDF5 file ({printable(reason)}); copy it again.") from None


def find(file: "File", path: Path, name: str) -> "Dataset | None":
    """Return the dataset `name` of real numbers, which lies in the file itself; None where there is none."""
    import h5py

    with whole(path):
        link = file.get(name, getlink=True) if name.strip("./") else None  # these name the file itself
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            raise _foreign(path, name, "is a link to elsewhere")
        found = file[name]
    if not isinstance(found, h5py.Dataset):
        raise _foreign(path, name, "is no dataset")
    with whole(path):
        _refuse_strange(found, path, name)
    return found


def numbers(
    file: "File", path: Path, name: str, largest: int = LARGEST, advice: str = "make the file again"
) -> np.ndarray:
    """Return the dataset `name` whole; raises InputError where it is missing, no real numbers or, with `advice` as the
    remedy, of more than `largest` bytes."""
    found = require(file, path, name)
    if found.dtype.kind not in "fiu":
        raise _foreign(path, name, f"has values of type {found.dtype}")
    if found.size * found.dtype.itemsize > largest:
        raise InputError(
            f"{printable(path)} holds {name} of shape {found.shape}, more than the {largest >> 30} GiB that are read of "
            f"it; {advice}."
        )
    with whole(path):
        return found[()]


def require(file: "File", path: Path, name: str) -> "Dataset":
    """Return the dataset `name`; raises InputError where it is missing."""
    found = find(file, path, name)
    if found is None:
        with whole(path):
            there = ", ".join(sorted(map(printable, file)))[:150]
        raise InputError(f"{printable(path)} lacks {name!r} (it has: {there or 'nothing'}); make the file with it.")
    return found


def floats(found: "Dataset", path: Path, name: str) -> "Dataset":
    """Return the dataset, refused unless it holds floating-point numbers of 2 to 8 bytes."""
    if found.dtype.kind != "f" or found.dtype.itemsize > 8:
        raise InputError(
            f"{printable(path)} holds {name} of type {found.dtype}, expected floating-point numbers; save it as float32."
        )
    return found


def _refuse_strange(found: "Dataset", path: Path, name: str) -> None:
    if found.dtype.kind not in "fiuO" or found.dtype.subdtype is not None:
        raise _foreign(path, name, f"has values of type {found.dtype}")
    if found.is_virtual or found.external:
        raise _foreign(path, name, "keeps its values in other files")
    if found.shape is None:
        raise _foreign(path, name, "is empty")
    created = found.id.get_create_plist()
    for number in range(created.get_nfilters()):
        code = created.get_filter(number)[0]
        if code not in FILTERS:
            raise _foreign(path, name, f"is packed by filter {code}, which does not come with HDF5")
    if found.chunks and np.prod(found.chunks, dtype=np.float64) * found.dtype.itemsize > LARGEST:
        raise _foreign(path, name, f"has chunks of shape {found.chunks}, which are too large")


def _foreign(path: Path, name: str, what: str) -> InputError:
    return InputError(f"{printable(path)}: {name} {what}; save plain numbers there, plain or packed by gzip.")
