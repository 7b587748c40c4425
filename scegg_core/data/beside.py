"""What a file of features itself says of its rows, beside the features: which image each one is of, its label and split."""

import contextlib
from collections.abc import Container
from pathlib import Path

import numpy as np

from scegg_core.data.array_files import INDEX, array_names, is_list, open_array, read_array, readable, the_one
from scegg_core.data.names import printable
from scegg_core.data.row_names import MEANING, PLACES
from scegg_core.errors import InputError

#: What each row is said to be: image, label or split, '' where the name of the array or column does not tell; that name;
#: and its text for each row.
Said = tuple[str, str, tuple[str, ...]]


def said_of_rows(path: Path, kind: str) -> list[Said]:
    """Return all that the file of `kind` (see `array_files`) says of its rows in texts or whole numbers, a pandas index too.

    Raises InputError where the file is damaged.
    """
    if kind == "parquet":
        return _in_table(path)
    names = array_names(path, kind)
    known = [name for name in names if name.casefold() in MEANING]
    arrays = [(MEANING[name.casefold()], name, read_array(path, name, kind)) for name in known]
    said = [(what, name, _said(path, what, name, values)) for what, name, values in arrays]
    others = [name for name in names if name not in known and name != the_one(path, names)]
    said += [("", name, texts_of(path, name, kind)) for name in others]
    return [(what, name, texts) for what, name, texts in said if texts is not None]


def rows_of_splits(path: Path, kind: str) -> list[tuple[str, tuple[str, ...], list[np.ndarray]]]:
    """Return of each array in PLACES its name, the splits, and the rows (from 0) that it may mean: numbers count from 0 or 1.

    Raises InputError where the file is damaged.
    """
    if kind == "parquet":
        arrays = [column for column in _columns(path, PLACES) if column[0].casefold() in PLACES]
    else:
        names = array_names(path, kind)
        named = [name for name in names if name.casefold() in PLACES and name != the_one(path, names)]
        arrays = [(name, read_array(path, name, kind)) for name in named]
    found = [(name, _rows(values)) for name, values in arrays]
    return [(name, PLACES[name.casefold()], rows) for name, rows in found if rows]


def _rows(values: np.ndarray) -> list[np.ndarray]:
    """The rows that flags, or whole numbers, may mean; none for anything else."""
    values = values.ravel() if values.ndim == 2 and 1 in values.shape else values
    if values.ndim != 1 or values.dtype.kind not in "biuf" or not _are_whole(values):
        return []
    numbers = np.unique(values).astype(np.int64)
    if values.dtype.kind == "b" or (len(values) > 2 and numbers.max() < 2):  # flags, of which whole numbers are some
        return [np.flatnonzero(values)]
    return [numbers, numbers - 1]


def _are_whole(values: np.ndarray) -> bool:
    """Whether all are whole numbers, none too large for double precision to tell it from the next."""
    return values.dtype.kind != "f" or bool(((values == np.rint(values)) & (np.abs(values) < 2**53)).all())


def _said(path: Path, what: str, name: str, values: np.ndarray) -> tuple[str, ...] | None:
    """The texts of an array that says `what`; raises InputError for labels that say nothing, as shares of classes."""
    if what != "label":
        return _texts(values)
    said = _texts(values.argmax(axis=1) if _marks_classes(values) else values)
    if said is None:
        raise InputError(
            f"{printable(path)} holds {printable(name)!r} of shape {values.shape} and type {values.dtype}, which cannot be "
            "compared with images.csv; save whole numbers or texts there, one a row, or leave it out."
        )
    return said


def _marks_classes(values: np.ndarray) -> bool:
    """Whether each row (rows, classes) has a single 1 among zeros."""
    if values.ndim != 2 or 1 in values.shape or values.dtype.kind not in "biuf":
        return False
    return bool((((values == 0) | (values == 1)).all(axis=1) & (values.sum(axis=1) == 1)).all())


def _texts(values: np.ndarray) -> tuple[str, ...] | None:
    """Texts or whole numbers (rows,), (rows, 1) or (1, rows) as texts; None for anything else, as pictures."""
    if values.ndim == 2 and 1 in values.shape:
        values = values.ravel()
    if values.dtype.kind == "f" and _are_whole(values):
        values = values.astype(np.int64)  # as MATLAB saves whole numbers
    if values.ndim != 1 or values.dtype.kind not in "USiu":
        return None
    if values.dtype.kind == "S":
        values = [text.decode(errors="backslashreplace") for text in values.tolist()]
    return tuple(map(str, values))


def texts_of(path: Path, name: str, kind: str, needed: bool = False) -> tuple[str, ...] | None:
    """Return the texts of an array; None for numbers, and, unless it is `needed`, for what cannot be read."""
    with contextlib.suppress(*() if needed else (InputError,)), open_array(path, name, kind) as array:
        if array.kind not in tuple("fiub") and array.shape:
            values = array.take(0, array.shape[0])
            return _texts(values) if values.dtype.kind in "US" else None
    return None


def _in_table(path: Path) -> list[Said]:
    import pyarrow.parquet as pq

    with readable(path, "parquet file"):
        schema, found = pq.read_schema(path), []
        for index in (schema.pandas_metadata or {}).get("index_columns", []):
            if isinstance(index, dict):  # a range, which is no column
                numbers = range(index["start"], index["stop"], index["step"])
                found.append(("image", "its index", tuple(map(str, numbers))))
    of_channels = not any(map(is_list, schema.types))  # a column of fractions is one, whatever it is called
    for name, values in _columns(path, MEANING):
        what = "image" if name.startswith(INDEX) else MEANING.get(name.casefold(), "")
        texts = _texts(values) if of_channels else _said(path, what, name, values)
        if texts is not None:
            found.append((what, "its index" if name.startswith(INDEX) else name, texts))
    return found


def _columns(path: Path, known: Container[str]) -> list[tuple[str, np.ndarray]]:
    """The columns of a table of texts; of bytes and numbers those that are called so or are an index; and lists of labels."""
    import pyarrow.parquet as pq

    with readable(path, "parquet file"):
        schema = pq.read_schema(path)
        named = {name: name.startswith(INDEX) or name.casefold() in known for name in schema.names}
        chosen = [name for name in named if _may_say(schema.field(name).type, named[name], _labels(name, known))]
        return [(name, _values(pq.read_table(path, columns=[name]).column(0).to_pylist())) for name in chosen]


def _labels(name: str, known: Container[str]) -> bool:
    return name.casefold() in known and MEANING.get(name.casefold()) == "label"


def _may_say(kind, named: bool, labels: bool) -> bool:
    from pyarrow import types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    texts = (types.is_string, types.is_large_string, types.is_string_view)
    others = (
        types.is_integer,
        types.is_floating,
        types.is_boolean,
        types.is_decimal,
        types.is_binary,
        types.is_large_binary,
    )
    chosen = (*texts, *(others if named else ()), *((is_list,) if labels else ()))
    return any(is_such(kind) for is_such in chosen)


def _values(cells: list) -> np.ndarray:
    """Cells as an array; bytes as texts, unless they are none, as those of pictures."""
    if any(isinstance(cell, bytes) for cell in cells):
        with contextlib.suppress(AttributeError, UnicodeDecodeError):
            return np.array([cell.decode() for cell in cells])
        return np.array(cells, dtype=object)
    with contextlib.suppress(ValueError):  # lists of different lengths
        values = np.array(cells)
        if values.dtype != object:
            return values
    return np.array(list(map(str, cells)))
