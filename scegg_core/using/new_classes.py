"""New classes by description: the table that names them, checked, and the index with them at its end."""

import difflib
import unicodedata
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from scegg_core.artifacts.files import write_text
from scegg_core.data.formats.folder import ClassAttributes, read_class_attributes
from scegg_core.data.tables import MISSING, DatasetIndex, class_vectors
from scegg_core.errors import InputError


def extend_index(index: DatasetIndex, table: Path) -> DatasetIndex:
    """Return `index` with the classes described in the CSV `table` at the end, unseen and without images.

    Raises InputError, one sentence, for a header that is not the data set's, a name that is there twice or already in
    the data set, a value out of range, or a class that nothing describes.
    """
    described = read_class_attributes(table)
    order = _columns(table, described.attributes, index)
    _check_names(table, described.classes, index)
    percent = _scaled(table, described, index)[:, order]
    class_vectors(percent, described.classes)  # refuses a class without any attribute above zero
    return replace(
        index,
        classes=(*index.classes, *described.classes),
        seen=np.append(index.seen, np.zeros(len(described.classes), bool)),
        percent=np.concatenate([index.percent, percent]),
    )


def write_template(attributes: tuple[str, ...], path: Path) -> None:
    """Write the header that a table of new classes has, to be filled in."""
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(["class", *attributes])
    write_text(path, text.getvalue())


def plain_name(name: str) -> str:
    """Return a class's name as people write it: no leading number, blanks for `_`, composed letters, lower case."""
    head, dot, tail = unicodedata.normalize("NFC", name).partition(".")
    text = tail if dot and head.strip().isdigit() else name
    return " ".join(unicodedata.normalize("NFC", text).replace("_", " ").split()).casefold()


def _columns(table: Path, columns: tuple[str, ...], index: DatasetIndex) -> list[int]:
    """For each attribute of the index its column in the table; names or their words are accepted, in any order."""
    words = Counter(index.words)
    known = {word: row for row, word in enumerate(index.words) if words[word] == 1}
    known |= {name: row for row, name in enumerate(index.attributes)}
    for name in columns:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = (
                f"did you mean {close[0]!r}?" if close else f"its attributes are {', '.join(index.attributes[:3])}, …"
            )
            raise InputError(f"{table} has a column {name!r}, which is no attribute of the data set; {hint}")
    rows = [known[name] for name in columns]
    for name, row in zip(columns, rows, strict=True):
        if rows.count(row) > 1:
            raise InputError(f"{table} has a column for {name!r} twice; keep one.")
    if missing := [index.attributes[row] for row in range(len(index.attributes)) if row not in rows]:
        raise InputError(
            f"{table} has no column for {len(missing)} of the data set's {len(index.attributes)} attributes, "
            f"{missing[0]!r} first; add them, with empty cells where nothing is known."
        )
    return [rows.index(row) for row in range(len(index.attributes))]


def _check_names(table: Path, names: tuple[str, ...], index: DatasetIndex) -> None:
    known = {plain_name(name): name for name in index.classes}
    taken: set[str] = set()
    for name in names:
        plain = plain_name(name)
        if not plain:
            raise InputError(f"{table} has a row without a class name; give it one.")
        if plain in known:
            raise InputError(f"{table} has the class {name!r}, which the data set has already ({known[plain]}).")
        if plain in taken:
            raise InputError(f"{table} has the class {name!r} twice; keep one row.")
        taken.add(plain)


def _scaled(table: Path, described: ClassAttributes, index: DatasetIndex) -> np.ndarray:
    """The strengths on the scale of the data set, MISSING where the cell is empty.

    A table whose values are all at most 1 holds fractions, any other percent (or the larger scale of the data set).
    """
    highest = float(index.percent.max())
    limit = max(100.0, highest)
    values = described.percent
    for row, column in np.argwhere((values > limit) | ((values < 0) & (values != MISSING))):
        raise InputError(
            f"{table} gives class {described.classes[row]} {values[row, column]:g} for "
            f"{described.attributes[column]!r}; values go from 0 to 1, or from 0 to {limit:g}."
        )
    fractions, wanted = values.max() <= 1, highest <= 1
    factor = 1.0 if fractions == wanted else 100.0 if fractions else 0.01
    return np.where(values == MISSING, MISSING, values * factor).astype(np.float32)
