"""Files that hold one array: .npy, .npz, .safetensors and .parquet, read row by row where their layout lets them."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scegg_core.data.names import printable
from scegg_core.data.npy import mapped
from scegg_core.errors import InputError

#: What is read whole (.npz, .parquet) has up to so many bytes; .npy and .safetensors are read piece by piece.
LARGEST = 4 << 30

#: The array that is taken where a file holds several.
NAME = "features"


@dataclass(frozen=True)
class Array:
    """An array of which `take(start, stop)` reads rows; `kind` is that of its numpy type, f for floating-point."""

    shape: tuple[int, ...]
    kind: str
    take: Callable[[int, int], np.ndarray]


@contextmanager
def open_array(path: Path) -> Iterator[Array]:
    """Yield the array in the file; raises InputError where there is none, or it is damaged or cut off."""
    opener = {".npy": _npy, ".npz": _npz, ".safetensors": _safetensors, ".parquet": _parquet}
    with opener[path.suffix.lower()](path) as array:
        yield array


@contextmanager
def _npy(path: Path) -> Iterator[Array]:
    yield _in_memory(mapped(path, "array"))


@contextmanager
def _npz(path: Path) -> Iterator[Array]:
    try:
        with zipfile.ZipFile(path) as archive:
            name = _the_one(path, [name.removesuffix(".npy") for name in archive.namelist()])
            size = archive.getinfo(f"{name}.npy").file_size
        if size > LARGEST:
            raise _too_large(path, size)
        with np.load(path, allow_pickle=False) as arrays:
            values = arrays[name]
    except InputError:
        raise
    except Exception as error:  # an archive, a header that is an expression, packed data: each fails in ways of its own
        raise InputError(
            f"{printable(path)} is no whole archive of plain arrays ({_reason(error)}); save it again."
        ) from None
    yield _in_memory(values)


@contextmanager
def _safetensors(path: Path) -> Iterator[Array]:
    from safetensors import safe_open

    try:
        file = safe_open(path, framework="np")
        part = file.get_slice(_the_one(path, list(file.keys())))
        shape = tuple(part.get_shape())
        kind = part[0:0].dtype.kind if shape else ""
    except InputError:
        raise
    except Exception as error:  # those of its own, and numpy's for types that it lacks, such as bfloat16
        raise InputError(
            f"{printable(path)} is no whole safetensors file of float16, float32 or float64 ({_reason(error)}); save it again."
        ) from None
    yield Array(shape, kind, lambda start, stop: part[start:stop])


@contextmanager
def _parquet(path: Path) -> Iterator[Array]:
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_metadata(path)
        size = sum(metadata.row_group(n).total_byte_size for n in range(metadata.num_row_groups))
        if size > LARGEST:
            raise _too_large(path, size)
        values = _columns(path, pq.read_table(path))
    except InputError:
        raise
    except Exception as error:  # flipped bits in the file's metadata make the reader raise many kinds of errors
        raise InputError(f"{printable(path)} is no whole parquet file ({_reason(error)}); save it again.") from None
    yield _in_memory(values)


def _columns(path: Path, table) -> np.ndarray:
    """The columns of a table side by side: one of lists of equal length, or one of numbers for each channel."""
    import pyarrow as pa

    names = [name for name in table.column_names if not name.startswith("__index_level_")]
    listed = [name for name in names if pa.types.is_nested(table.schema.field(name).type)]
    if listed:
        return _lists(path, table.column(_the_one(path, listed)).combine_chunks())
    for name in names:
        if not pa.types.is_floating(table.schema.field(name).type):
            raise InputError(
                f"{printable(path)} holds the column {printable(name)!r} of type {table.schema.field(name).type}; "
                "keep a column of floating-point numbers for each channel, and nothing else."
            )
    return np.column_stack([table.column(name).to_numpy() for name in names])


def _lists(path: Path, column) -> np.ndarray:
    """The numbers of a column of lists, or of lists of lists, as one array."""
    import pyarrow as pa
    from pyarrow import compute

    shape = [len(column)]
    while pa.types.is_nested(column.type):
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


def _the_one(path: Path, names: list[str]) -> str:
    """The only name, or NAME where there are several."""
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
