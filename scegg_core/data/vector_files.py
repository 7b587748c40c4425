"""Reading an array out of .npy, .npz and .safetensors files: what they declare is held against the bytes there are."""

import io
import math
import zipfile
from pathlib import Path

import numpy as np

from scegg_core.data.names import printable
from scegg_core.data.text_files import require_file
from scegg_core.errors import InputError

#: No file of vectors, and no array in it, is larger than this (bytes, unpacked).
LARGEST = 1 << 30

_MAGIC = b"\x93NUMPY"


def read_array_file(path: Path, kind: str) -> dict[str, np.ndarray]:
    """Return the arrays in the file of `kind` npy, npz or safetensors, by name; that of a .npy is called ''.

    Raises InputError where the file is missing, too large, damaged or holds what is neither numbers nor texts.
    """
    data = read_whole(path)
    try:
        return _READERS[kind](data)
    except _Foreign as error:
        raise InputError(f"{printable(path)} {error}.") from None
    except Exception as error:  # headers are expressions, and damaged ones fail in many ways
        raise InputError(
            f"{printable(path)} is not a readable {kind} file ({_reason(error)}); save it again."
        ) from None


def read_whole(path: Path) -> bytes:
    """Return the bytes of a file; raises InputError where it is missing, no plain file or larger than LARGEST."""
    try:
        require_file(path)
        if path.stat().st_size > LARGEST:
            raise InputError(
                f"{printable(path)} has {path.stat().st_size} bytes, more than the {LARGEST} that are read of such a "
                "file; save vectors alone in it."
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{printable(path)} cannot be read ({error.strerror}); put the file there.") from None


class _Foreign(Exception):
    """What is whole, but of a kind that is not read; says what and what to do."""


def _reason(error: Exception) -> str:
    text = str(error).strip().partition("\n")[0][:80]
    return text or type(error).__name__


def npy_array(data: bytes) -> np.ndarray:
    """Return the array in the bytes of a .npy file, read-only; ValueError for other or damaged ones, and for objects."""
    stream = io.BytesIO(data)
    if not data.startswith(_MAGIC):
        raise ValueError("it does not begin as numpy's files do")
    version = np.lib.format.read_magic(stream)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError("its version is for tables of several columns")
    shape, fortran, dtype = readers[version](stream)
    if dtype.hasobject:
        raise _Foreign("holds Python objects, which are never loaded; save an array of plain numbers")
    rest = len(data) - stream.tell()
    if math.prod(shape) * dtype.itemsize != rest or min(shape, default=0) < 0:
        raise ValueError(f"its header speaks of {math.prod(shape) * dtype.itemsize} bytes, {rest} follow")
    return np.frombuffer(data, dtype, offset=stream.tell()).reshape(shape, order="F" if fortran else "C")


def _npz_arrays(data: bytes) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        members = [item for item in archive.infolist() if item.filename.endswith(".npy")]
        if sum(item.file_size for item in members) > LARGEST:
            raise _Foreign(f"unpacks to more than {LARGEST} bytes; save vectors alone in it")
        found = {item.filename.removesuffix(".npy"): npy_array(archive.read(item)) for item in members}
    if len(found) < len(members):
        raise ValueError("a name is there twice")
    return found


def _safetensors_arrays(data: bytes) -> dict[str, np.ndarray]:
    from safetensors.torch import load  # torch knows bfloat16, numpy does not

    return {
        name: (tensor.float() if tensor.is_floating_point() and tensor.itemsize < 4 else tensor).numpy()
        for name, tensor in load(data).items()
    }


_READERS = {"npy": lambda data: {"": npy_array(data)}, "npz": _npz_arrays, "safetensors": _safetensors_arrays}
