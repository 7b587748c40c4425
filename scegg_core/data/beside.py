"""What a file of features itself says of its rows, beside the features: which image each one is of, its label and split."""

import contextlib
from pathlib import Path

import numpy as np

from scegg_core.data.array_files import INDEX, LABELS, SPLITS, array_names, open_array, read_array, readable, the_one
from scegg_core.errors import InputError

#: What arrays and columns are called that say it, in small letters.
NAMES = {
    "image": ("image", "images", "path", "paths", "file", "files", "filename", "filenames", "image_files"),
    "label": (*LABELS, "y", "y_true", "label_id", "label_ids", "class_id", "class_ids"),
    "split": SPLITS,
}
MEANING = {name: what for what, names in NAMES.items() for name in names}

#: What arrays and columns are called that say which rows are of which splits, by flags or by their numbers.
PLACES = {f"{split}_loc": (split,) for split in ("trainval", "test_seen", "test_unseen")}
PLACES |= dict.fromkeys(("train", "trainval", "is_train"), ("trainval",))
PLACES |= dict.fromkeys(("test", "is_test"), ("test_seen", "test_unseen"))

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
    arrays = [(MEANING[name.casefold()], name, _texts(read_array(path, name, kind))) for name in known]
    others = [name for name in names if name not in known and name != the_one(path, names)]
    arrays += [("", name, _texts_alone(path, name, kind)) for name in others]
    return [(what, name, texts) for what, name, texts in arrays if texts is not None]


def rows_of_splits(path: Path, kind: str) -> list[tuple[str, tuple[str, ...], list[np.ndarray]]]:
    """Return of each array in PLACES its name, the splits, and the rows (from 0) that it may mean: numbers count from 0 or 1.

    Raises InputError where the file is damaged.
    """
    names = array_names(path, kind)
    named = [name for name in names if name.casefold() in PLACES and name != the_one(path, names)]
    found = [(name, _rows(read_array(path, name, kind))) for name in named]
    return [(name, PLACES[name.casefold()], rows) for name, rows in found if rows]


def _rows(values: np.ndarray) -> list[np.ndarray]:
    """The rows that flags, or whole numbers, may mean; none for anything else."""
    values = values.ravel() if values.ndim == 2 and 1 in values.shape else values
    if values.ndim != 1 or values.dtype.kind not in "biuf" or not (values == np.rint(values)).all():
        return []
    numbers = np.unique(values).astype(np.int64)
    if values.dtype.kind == "b" or (len(values) > 2 and numbers.max() < 2):  # flags, of which whole numbers are some
        return [np.flatnonzero(values)]
    return [numbers, numbers - 1]


def _texts(values: np.ndarray) -> tuple[str, ...] | None:
    """Texts or whole numbers (rows,), (rows, 1) or (1, rows) as texts; None for anything else, as pictures."""
    if values.ndim == 2 and 1 in values.shape:
        values = values.ravel()
    if values.dtype.kind == "f" and np.isfinite(values).all() and (values == np.rint(values)).all():
        values = values.astype(np.int64)  # as MATLAB saves whole numbers
    if values.ndim != 1 or values.dtype.kind not in "USiu":
        return None
    if values.dtype.kind == "S":
        values = [text.decode(errors="backslashreplace") for text in values.tolist()]
    return tuple(map(str, values))


def _texts_alone(path: Path, name: str, kind: str) -> tuple[str, ...] | None:
    """The texts of an array whose name says nothing; None for numbers, and for what cannot be read, which nobody needs."""
    with contextlib.suppress(InputError), open_array(path, name, kind) as array:
        if array.kind not in tuple("fiub") and array.shape:
            values = array.take(0, array.shape[0])
            return _texts(values) if values.dtype.kind in "US" else None
    return None


def _in_table(path: Path) -> list[Said]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    def says(kind, named: bool) -> bool:
        kind = kind.value_type if pa.types.is_dictionary(kind) else kind
        return pa.types.is_string(kind) or pa.types.is_large_string(kind) or (named and pa.types.is_integer(kind))

    with readable(path, "parquet file"):
        schema, found = pq.read_schema(path), []
        for name in schema.names:
            what = "image" if name.startswith(INDEX) else MEANING.get(name.casefold(), "")
            if says(schema.field(name).type, bool(what)):
                texts = pq.read_table(path, columns=[name]).column(0).to_pylist()
                found.append((what, "its index" if name.startswith(INDEX) else name, tuple(map(str, texts))))
        for index in (schema.pandas_metadata or {}).get("index_columns", []):
            if isinstance(index, dict):  # a range, which is no column
                numbers = range(index["start"], index["stop"], index["step"])
                found.append(("image", "its index", tuple(map(str, numbers))))
    return found
