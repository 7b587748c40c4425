"""Reading .npy files without unpickling: the array is mapped, and its header held against the bytes that are there."""

from pathlib import Path

import numpy as np

from scegg_core.errors import InputError


def mapped(path: Path, what: str) -> np.memmap:
    """Return the array in the file at `path`, which is not read yet; `what` says how to save it, for InputError.

    Raises InputError for objects, archives, pickles, and files that are cut off.
    """
    try:
        with path.open("rb") as file:
            np.lib.format.read_magic(file)  # else it may be an archive of arrays, or a pickle
        values = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception:  # the header is an expression, and a damaged one fails in many ways
        raise InputError(f"{path} is not a plain .npy {what}; save it with numpy.save as float32.") from None
    if values.offset + values.nbytes != path.stat().st_size:
        raise InputError(
            f"{path} has {path.stat().st_size} bytes, but its header speaks of {values.offset + values.nbytes}; "
            "save it again with numpy.save."
        )
    return values
