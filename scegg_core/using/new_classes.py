"""New classes by description: the table that names them, checked, and the index with them at its end."""

import difflib
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from scegg_core.artifacts.files import write_text
from scegg_core.data.class_table import ClassAttributes, read_class_attributes
from scegg_core.data.class_vectors import read_named_vectors
from scegg_core.data.names import likeness, printable, tidy, without_number
from scegg_core.data.tables import MISSING, DatasetIndex, check_vectors_differ, class_vectors, scale_of
from scegg_core.errors import InputError

#: With class_norm none, vectors this much longer or shorter than all others are on another scale.
OTHER_SCALE = 10


def extend_index(index: DatasetIndex, table: Path) -> DatasetIndex:
    """Return `index` with the classes described in `table` at the end, unseen and without images.

    It is a CSV of attributes' strengths; of a data set whose class vectors are given, any file that names the classes
    of its vectors.

    Raises InputError, one sentence, for a header that is not the data set's, a name that is there twice or already in
    the data set, a value out of range, a class that nothing describes, or two classes of one vector.
    """
    names, percent = _vectors(table, index) if index.given_vectors else _strengths(table, index)
    _check_names(table, names, index)
    extended = replace(
        index,
        classes=(*index.classes, *names),
        seen=np.append(index.seen, np.zeros(len(names), bool)),
        percent=np.concatenate([index.percent, percent]),
    )
    check_vectors_differ(extended)
    return extended


def _strengths(table: Path, index: DatasetIndex) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the new classes, and their strengths in the order and on the scale of the data set's."""
    described = read_class_attributes(table)
    order = _columns(table, described.attributes, index)
    percent = _scaled(table, described, index)[:, order]
    class_vectors(percent, described.classes)  # refuses a class without any attribute above zero
    return described.classes, percent


def _vectors(table: Path, index: DatasetIndex) -> tuple[tuple[str, ...], np.ndarray]:
    """Names of the new classes, and their vectors, which are as long as those of the data set."""
    names, vectors = read_named_vectors(table)
    if vectors.shape[1] != index.percent.shape[1]:
        raise InputError(
            f"{table} gives vectors of {vectors.shape[1]} numbers, but those of the data set have "
            f"{index.percent.shape[1]}; make them by the same model."
        )
    known, lengths = np.linalg.norm(index.percent, axis=1), np.linalg.norm(vectors, axis=1)
    other = (lengths > OTHER_SCALE * known.max()) | (OTHER_SCALE * lengths < known.min())
    for row in np.flatnonzero(other & (index.class_norm == "none"))[:1]:
        raise InputError(
            f"{table} gives class {printable(names[row])} a vector of length {lengths[row]:.3g}, but those of the data "
            f"set are {known.min():.3g} to {known.max():.3g} long, and with class_norm none that counts; give vectors on "
            "the same scale."
        )
    return names, vectors


def write_template(attributes: tuple[str, ...], path: Path) -> None:
    """Write the header that a table of new classes has, to be filled in."""
    import csv
    import io

    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(["class", *attributes])
    write_text(path, text.getvalue())


def plain_name(name: str) -> str:
    """Return a class's name as people write it: without CUB's number, blanks for `_`, composed letters, lower case."""
    return likeness(without_number(tidy(name)).replace("_", " "))


def _columns(table: Path, columns: tuple[str, ...], index: DatasetIndex) -> list[int]:
    """For each attribute of the index its column in the table; names or their words are accepted, in any order."""
    words = Counter(index.words)
    known = {word: row for row, word in enumerate(index.words) if words[word] == 1}
    known |= {tidy(name): row for row, name in enumerate(index.attributes)}
    for name in columns:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]!r}?" if close else f"its first is {index.attributes[0]!r}"
            raise InputError(
                f"{table} has a column {printable(name)!r}, which is no attribute of the data set; "
                f"correct the name ({hint})."
            )
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
    taken: dict[str, str] = {}
    for name in names:
        plain = plain_name(name)
        if plain in known:
            raise InputError(
                f"{table} has the class {printable(name)!r}, which the data set has already "
                f"({printable(known[plain])}); leave it out, or give it another name."
            )
        if taken.setdefault(plain, name) != name:
            raise InputError(
                f"{table} has the classes {printable(taken[plain])!r} and {printable(name)!r}, "
                "which are read as one name; rename one."
            )


def _scaled(table: Path, described: ClassAttributes, index: DatasetIndex) -> np.ndarray:
    """The strengths on the scale of the data set, MISSING where the cell is empty.

    Vectors of length 1 keep proportions alone: values up to 1 may stand for a larger scale, and percent for a smaller
    one. Other vectors keep the values, so these have to be on the scale of the data set itself.
    """
    values, scale = described.percent, scale_of(index.percent)
    lengths_differ = index.class_norm != "l2"
    limit = scale if lengths_differ else max(100.0, scale)
    for row, column in np.argwhere((values > limit) | ((values < 0) & (values != MISSING))):
        spans = "" if lengths_differ else "from 0 to 1, or "
        raise InputError(
            f"{table} gives class {printable(described.classes[row])} {values[row, column]:g} for "
            f"{printable(described.attributes[column])!r}; values go {spans}from 0 to {limit:g}."
        )
    low = np.flatnonzero(values.max(axis=1) <= 1)
    if lengths_differ and scale > 10 and low.size:
        raise InputError(
            f"{table} gives class {printable(described.classes[low[0]])} no value above 1, but those of the data set go from "
            f"0 to {scale:g}, and with class_norm none their size counts; give values on the same scale."
        )
    factor = 1.0 if lengths_differ else _factor(float(values.max()), scale)
    return np.where(values == MISSING, MISSING, values * factor).astype(np.float32)


def _factor(highest: float, scale: float) -> float:
    """From a table whose highest value this is to the scale of the data set: percent, or shares where it has percent."""
    if highest <= 1:
        return min(scale, 100.0) if scale > 10 else 1.0
    return scale / 100 if highest > scale else 1.0
