"""Reading MATLAB files (`save -v7.3`, `-v7`, `-v6`): numbers and texts of the variables that are asked for.

Those of version 7.3 are HDF5 (`mat73.py`), the others of level 5. Of these, scipy's compiled reader believes the sizes
that a file states, so that a flipped bit can end the process by a signal. Here every size is held against the bytes that
are there before anything is made of them.
"""

import math
import re
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from scegg_core.data.mat73 import is_mat73, read_mat73
from scegg_core.errors import InputError

#: No variable that is read is larger than this (bytes, unpacked), unless the reader is asked for one.
LARGEST = 1 << 30

#: The kind, size and name of a variable lie within its first bytes.
_HEAD = 4096

_NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
_TEXTS = {1: "utf-8", 2: "utf-8", 4: "utf-16", 16: "utf-8", 17: "utf-16", 18: "utf-32"}
_INT32, _UINT32, _MATRIX, _COMPRESSED = 5, 6, 14, 15
_CELL, _CHAR, _SPARSE, _OPAQUE = 1, 4, 5, 17
_NUMERIC = range(6, 16)
_CONTROL = re.compile("[\x00-\x1f]")
_COMPLEX = 0x0800
_STRANGE = {2: "a struct", 3: "an object", 16: "a function", _OPAQUE: "an object (as MATLAB's string arrays are)"}

Variables = dict[str, np.ndarray | tuple[str, ...]]


def read_mat(path: Path, names: tuple[str, ...], advice: str, largest: int = LARGEST) -> Variables:
    """Return those of the variables `names` that the file at `path` has: arrays of real numbers in their own shape
    (sparse ones dense), and texts, from a vector of cells or the rows of a character array, without outer blanks. None
    of them may be larger than `largest` bytes.

    Raises InputError with `advice` as the remedy where the file is damaged or of another kind, and for a variable
    that is neither of the two or is there twice.
    """
    try:
        with path.open("rb") as file:
            if not is_mat73(file):
                file.seek(0)
                return _read(file, path.stat().st_size, names, largest)
    except _Foreign as error:
        raise InputError(f"{path} {error}.") from None
    except (ValueError, KeyError, struct.error, zlib.error, OSError):
        raise InputError(f"{path} is not a readable MATLAB file; {advice}.") from None
    return read_mat73(path, names, largest)


class _Foreign(Exception):
    """A file or variable that is whole, but not of a kind that is read; says what and what to do."""


def _read(file: BinaryIO, size: int, names: tuple[str, ...], largest: int) -> Variables:
    order, found, start = _byte_order(file.read(128)), {}, 128
    while start < size:
        file.seek(start)
        kind, length = struct.unpack(order + "II", file.read(8))
        start += 8 + length
        if kind not in (_MATRIX, _COMPRESSED) or start > size:
            raise ValueError("a variable does not end within the file")
        name = _variable(file, kind, length, order, _HEAD).name if length else ""
        if name in found:
            raise _Foreign(f"holds the variable {name!r} twice; save each variable once")
        if name in names:
            file.seek(start - length)
            found[name] = _value(_variable(file, kind, length, order, largest), name)
    return found


def _byte_order(header: bytes) -> str:
    version, order = header[124:126], {b"IM": "<", b"MI": ">"}[header[126:128]]
    if version != struct.pack(order + "H", 0x0100):
        raise ValueError("another version")
    return order


class _Elements:
    """The data elements in `data`, from the first to the last."""

    def __init__(self, data: bytes | memoryview, order: str):
        self.data, self.order, self.at = memoryview(data), order, 0

    def next(self) -> tuple[int, memoryview]:
        """Return the type and the bytes of the next element; ValueError or struct.error where there is none."""
        kind, size = struct.unpack_from(self.order + "II", self.data, self.at)
        start = self.at + 8
        if kind >> 16:  # a small element: its size in the upper half, its bytes in place of the size
            kind, size, start = kind & 0xFFFF, kind >> 16, self.at + 4
            if size > 4:
                raise ValueError("a small element is too large")
        if start + size > len(self.data):
            raise ValueError("an element does not end within its variable")
        self.at = start + size + -(start + size) % 8
        return kind, self.data[start : start + size]

    def numbers(self) -> np.ndarray:
        """Return the numbers of the next element in the machine's byte order."""
        kind, data = self.next()
        values = np.frombuffer(data, dtype=self.order + _NUMBERS[kind])
        return values.astype(values.dtype.newbyteorder("="))


@dataclass(frozen=True)
class _Matrix:
    """A variable or cell: MATLAB's class, whether it is complex, its shape and name, and the elements that follow."""

    kind: int
    is_complex: bool
    shape: tuple[int, ...]
    name: str
    rest: _Elements

    @property
    def count(self) -> int:
        """Return the number of elements."""
        return math.prod(self.shape)


def _variable(file: BinaryIO, kind: int, length: int, order: str, most: int) -> _Matrix:
    """Return the variable of `length` bytes at the file's position, with its first `most` bytes at least."""
    if kind == _MATRIX:
        return _matrix(file.read(min(length, most)), order)
    unpacking = zlib.decompressobj()
    data = unpacking.decompress(file.read(length if most > _HEAD else _HEAD), most)
    if most > _HEAD:
        _require(unpacking.eof)  # only then has zlib compared the checksum
    inner, size = struct.unpack_from(order + "II", data)
    _require(inner == _MATRIX and (len(data) == 8 + size or most == _HEAD))
    return _matrix(data[8:], order)


def _matrix(data: bytes | memoryview, order: str) -> _Matrix:
    elements = _Elements(data, order)
    kind, flags = elements.next()
    _require(kind == _UINT32 and len(flags) == 8)
    flag = struct.unpack_from(order + "I", flags)[0]
    if flag & 0xFF == _OPAQUE:  # the one class without a shape
        shape = ()
    else:
        kind, sizes = elements.next()
        _require(kind == _INT32 and len(sizes) % 4 == 0)
        shape = struct.unpack(f"{order}{len(sizes) // 4}i", sizes)
        _require(len(shape) >= 2 and min(shape) >= 0)
    return _Matrix(flag & 0xFF, bool(flag & _COMPLEX), shape, str(elements.next()[1], "latin-1"), elements)


def _require(fits: bool) -> None:
    if not fits:
        raise ValueError("the parts of a variable do not fit each other")


def _value(matrix: _Matrix, name: str) -> np.ndarray | tuple[str, ...]:
    if matrix.kind in _STRANGE:
        raise _Foreign(f"holds {_STRANGE[matrix.kind]} in {name!r}; save plain numbers or a cell array of texts there")
    if matrix.is_complex:
        raise _Foreign(f"holds complex numbers in {name!r}; save real ones")
    if matrix.kind == _CELL:
        return _cells(matrix, name)
    if matrix.kind == _CHAR:
        return _rows(matrix)
    if matrix.kind == _SPARSE:
        return _dense(matrix, name)
    _require(matrix.kind in _NUMERIC)
    values = matrix.rest.numbers()
    _require(values.size == matrix.count)
    return values.reshape(matrix.shape, order="F")


def _dense(matrix: _Matrix, name: str) -> np.ndarray:
    if 8 * matrix.count > LARGEST:
        raise _Foreign(f"holds a sparse matrix of {matrix.shape} in {name!r}, too large for this variable")
    rows, starts, values = (matrix.rest.numbers() for _ in range(3))
    _require(rows.dtype.kind in "iu" and starts.dtype.kind in "iu")
    counts = np.diff(starts.astype(np.int64))
    _require(len(matrix.shape) == 2 and starts.size == matrix.shape[1] + 1 and starts[0] == 0)
    _require(bool((counts >= 0).all()) and starts[-1] <= min(rows.size, values.size))
    stored = int(starts[-1])  # MATLAB keeps room for more
    rows, columns = rows[:stored].astype(np.int64), np.repeat(np.arange(counts.size), counts)
    _require(stored == 0 or 0 <= rows.min() <= rows.max() < matrix.shape[0])
    dense = np.zeros(matrix.shape, dtype=np.float64)
    np.add.at(dense, (rows, columns), values[:stored])
    return dense


def _cells(matrix: _Matrix, name: str) -> tuple[str, ...]:
    if matrix.count not in (0, max(matrix.shape)):
        raise _Foreign(f"holds cells of shape {matrix.shape} in {name!r}; one row or column of them belongs there")
    return tuple(_cell(matrix.rest, name) for _ in range(matrix.count))


def _cell(elements: _Elements, name: str) -> str:
    kind, data = elements.next()
    _require(kind == _MATRIX)
    cell = _matrix(data, elements.order) if data else None
    if cell is None or (cell.kind in _NUMERIC and cell.count == 0):  # [] or {}
        return ""
    if cell.kind != _CHAR or (cell.count and cell.shape[0] != 1):
        raise _Foreign(f"holds a cell in {name!r} that is not one line of text; save a cell array of texts there")
    return "".join(_rows(cell))


def _rows(matrix: _Matrix) -> tuple[str, ...]:
    """Return the texts in the rows of a character array."""
    kind, data = matrix.rest.next()
    text = _decoded(bytes(data), _TEXTS[kind], matrix.rest.order)
    units = (
        len(text) if text.isascii() else len(text.encode("utf-16-le")) // 2
    )  # MATLAB's count; scipy counts letters, Octave bytes
    _require(len(matrix.shape) == 2 and matrix.count in (units, len(text), len(data)))
    if _CONTROL.search(text):
        raise ValueError("control characters in a text")
    rows = matrix.shape[0] if matrix.count else 0
    _require(rows <= 1 or units == len(text) == matrix.count)
    return tuple(text[row::rows].strip() for row in range(rows))


def _decoded(data: bytes, encoding: str, order: str) -> str:
    if encoding != "utf-8":
        return data.decode(f"{encoding}-{'le' if order == '<' else 'be'}")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:  # bytes of one character each
        return data.decode("latin-1")
