"""Files that hold arrays: .npy, .npz, .safetensors and .parquet, read row by row where their layout lets them."""

import math
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scegg_core.data.names import printable
from scegg_core.data.npy import mapped
from scegg_core.data.row_names import LABELS, MEANING, PLACES, SPLITS
from scegg_core.errors import InputError

#: What is read whole (.npz, .parquet) has up to so many bytes; .npy and .safetensors are read piece by piece.
LARGEST = 4 << 30

#: How columns begin that hold an index of pandas.
INDEX = "__index_level_"

#: The array that is taken where a file of features holds several.
NAME = "features"


@dataclass(frozen=True)
class Array:
    """An array of which `take(start, stop)` reads rows; `kind` is that of its numpy type, f for floating-point."""

    shape: tuple[int, ...]
    kind: str
    take: Callable[[int, int], np.ndarray]


@contextmanager
def open_array(path: Path, name: str, kind: str) -> Iterator[Array]:
    """Yield the array `name` of the file of `kind` npy, npz, safetensors or parquet; '' is the only array of a .npy or .parquet.

    Raises InputError where the file is damaged or cut off, or holds Python objects in the array's place.
    """
    with _OPENERS[kind](path, name) as array:
        yield array


def read_array(path: Path, name: str, kind: str) -> np.ndarray:
    """Return the whole array `name`; raises InputError as `open_array` does, and for more than LARGEST bytes."""
    with open_array(path, name, kind) as array:
        if not array.shape:
            where = f" in {printable(name)!r}" if name else ""
            raise InputError(
                f"{printable(path)} holds a single value{where}, where an array is expected; save an array, or leave it out."
            )
        if (size := 8 * math.prod(array.shape)) > LARGEST:
            raise _too_large(path, size)
        return array.take(0, array.shape[0])


def array_names(path: Path, kind: str) -> list[str]:
    """Return the names of the arrays in the file, '' for a .npy or .parquet; raises InputError where it is damaged."""
    if kind == "npz":
        with readable(path, _NPZ), zipfile.ZipFile(path) as archive:
            names = [name.removesuffix(".npy") for name in archive.namelist()]
            if len(set(names)) < len(names):
                raise ValueError("a name is there twice")
            return names
    if kind == "safetensors":
        from safetensors import safe_open

        with readable(path, _SAFETENSORS), safe_open(path, framework="pt") as file:
            return list(file.keys())
    return [""]


_NPZ = "archive of plain arrays"
_SAFETENSORS = "safetensors file"


@contextmanager
def readable(path: Path, what: str) -> Iterator[None]:
    """Say any error within as one sentence: archives, headers that are expressions and packed data fail in many ways."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{printable(path)} is no whole {what} ({_reason(error)}); save it again.") from None


@contextmanager
def _npy(path: Path, name: str) -> Iterator[Array]:
    yield _in_memory(mapped(path, "array"))


@contextmanager
def _npz(path: Path, name: str) -> Iterator[Array]:
    with readable(path, _NPZ):
        with zipfile.ZipFile(path) as archive:
            size = archive.getinfo(f"{name}.npy").file_size
        if size > LARGEST:
            raise _too_large(path, size)
        with np.load(path, allow_pickle=False) as arrays:
            values = _plain(arrays, path, name)
    yield _in_memory(values)


def _plain(arrays: np.lib.npyio.NpzFile, path: Path, name: str) -> np.ndarray:
    try:
        return arrays[name]
    except ValueError as error:
        if "Object arrays" not in str(error):
            raise
        raise InputError(  # texts that pandas gave are such objects
            f"{printable(path)} holds Python objects in {printable(name)!r}, which are never unpickled; save numbers there, "
            "or texts with .astype(str)."
        ) from None


@contextmanager
def _safetensors(path: Path, name: str) -> Iterator[Array]:
    from safetensors import safe_open

    with readable(path, _SAFETENSORS):
        part = safe_open(path, framework="pt").get_slice(name)
        shape = tuple(part.get_shape())
        kind = _as_numpy(part[0:0]).dtype.kind if shape else ""
    yield Array(shape, kind, lambda start, stop: _as_numpy(part[start:stop]))


def _as_numpy(values) -> np.ndarray:
    """A tensor as an array: numpy has no bfloat16, so torch reads it."""
    return (values.float() if values.is_floating_point() and values.itemsize < 4 else values).numpy()


@contextmanager
def _parquet(path: Path, name: str) -> Iterator[Array]:
    import pyarrow.parquet as pq

    with readable(path, "parquet file"):
        metadata = pq.read_metadata(path)
        _refuse_twice(path, metadata.schema.to_arrow_schema().names)
        size = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
        if size > LARGEST:
            raise _too_large(path, size)
        values = _columns(path, pq.read_table(path))
    yield _in_memory(values)


def _refuse_twice(path: Path, names: list[str]) -> None:
    known: set[str] = set()
    for name in names:
        if name in known:
            raise InputError(f"{printable(path)} holds the column {printable(name)!r} twice; keep one, or rename it.")
        known.add(name)


def _columns(path: Path, table) -> np.ndarray:
    """The columns of a table side by side: one of lists of equal length, or one of numbers for each channel."""
    import pyarrow as pa

    texts = {
        field.name for field in table.schema if pa.types.is_string(field.type) or pa.types.is_large_string(field.type)
    }
    indices = (table.schema.pandas_metadata or {}).get("index_columns", [])
    says = {
        name for name in texts if name.casefold() in MEANING or name in indices
    }  # compared with images.csv elsewhere
    names = [name for name in table.column_names if not name.startswith(INDEX) and name not in says]
    if not names:
        raise InputError(f"{printable(path)} holds no column; keep one of floating-point numbers for each channel.")
    listed = [name for name in names if is_list(table.schema.field(name).type)]
    if listed:
        return _lists(path, table.column(the_one(path, listed)).combine_chunks())
    for name in names:
        if name.casefold() in (*LABELS, *SPLITS) or not pa.types.is_floating(table.schema.field(name).type):
            raise InputError(
                f"{printable(path)} holds the column {printable(name)!r} of type {table.schema.field(name).type}; "
                "keep a column of floating-point numbers for each channel, and nothing else."
            )
    columns = {name: table.column(name).to_numpy() for name in names}
    for name, values in columns.items():
        if name.casefold() in (*MEANING, *PLACES) and (values == np.rint(values)).all():
            raise InputError(
                f"{printable(path)} holds whole numbers in the column {printable(name)!r}, which seem to say what its rows are; "
                "keep a column for each channel, and nothing else."
            )
    return np.column_stack(list(columns.values()))


def is_list(kind) -> bool:
    """Return whether a column of this type of Arrow's holds lists."""
    import pyarrow as pa

    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def _lists(path: Path, column) -> np.ndarray:
    """The numbers of a column of lists, or of lists of lists, as one array."""
    from pyarrow import compute

    shape = [len(column)]
    while is_list(column.type):
        widths = compute.unique(compute.list_value_length(column)).to_pylist()
        if len(widths) > 1 or None in widths:
            raise InputError(
                f"{printable(path)} holds lists of {len(widths)} lengths ({', '.join(map(str, widths[:3]))} …); "
                "every image needs as many values."
            )
        shape += widths
        column = column.flatten()
    return column.to_numpy(zero_copy_only=False).reshape(shape)


def _in_memory(values: np.ndarray) -> Array:
    return Array(values.shape, values.dtype.kind if values.dtype.itemsize <= 8 else "", lambda a, b: values[a:b])


def the_one(path: Path, names: list[str]) -> str:
    """Return the only name, or NAME where there are several; raises InputError where neither is there."""
    if len(names) == 1 or NAME in names:
        return NAME if NAME in names else names[0]
    shown = ", ".join(map(printable, names[:5])) or "none"
    raise InputError(f"{printable(path)} holds {len(names)} arrays ({shown}), and none is called {NAME!r}; call it so.")


def _too_large(path: Path, size: int) -> InputError:
    return InputError(
        f"{printable(path)} holds {size / 2**30:.1f} GiB, more than is read whole; save it as .npy or .safetensors."
    )


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return printable(text[:150])


_OPENERS = {"npy": _npy, "npz": _npz, "safetensors": _safetensors, "parquet": _parquet}
