"""Class vectors that a file gives (`class_vectors` of a data set): real numbers in the place of attributes' strengths."""

import contextlib
import logging
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scegg_core.data.array_files import array_names, read_array
from scegg_core.data.beside import texts_of
from scegg_core.data.class_table import read_class_attributes
from scegg_core.data.mat import read_mat
from scegg_core.data.names import alike, printable, tidy
from scegg_core.data.splitting import hint
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.text_files import is_number, read_text, require_file
from scegg_core.data.written_tables import twice
from scegg_core.errors import InputError
from scegg_core.settings.class_vectors import ClassVectorSettings

log = logging.getLogger(__name__)

_NUMBERS = re.compile(r"([0-9]+)")

#: Between these lies the largest value of a vector: beyond, products of such numbers vanish or become infinite.
SMALLEST, LARGEST = 1e-6, 1e6

#: Where a MATLAB file and an .npz name the classes of their vectors, and what else such a list of texts may be called.
MAT_CLASSES, NPZ_CLASSES = "allclasses_names", "classes"
NAMED = (NPZ_CLASSES, "class", "class_names", "classnames", "names", "labels", "label", MAT_CLASSES)

#: Arrays that number the classes of the vectors where they hold numbers.
NUMBERED = (*NAMED, "ids", "class_id", "class_ids", "label_ids")

AGAIN = "save it again with MATLAB's save(…, '-v7')"


@dataclass(frozen=True)
class _Given:
    """Content of a file: `values` as they stand there, the class of each vector or None, and whether the rows of
    `values` are the classes, None where only their number tells that; `lists` are further lists of texts in the file, and
    `shuffled` is the name of an array that numbers the classes, not one after the other."""

    values: np.ndarray
    classes: tuple[str, ...] | None
    by_rows: bool | None = None
    lists: tuple[tuple[str, ...], ...] = ()
    shuffled: str | None = None


def with_class_vectors(index: DatasetIndex, settings: ClassVectorSettings) -> DatasetIndex:
    """Return `index` described by the class vectors of `settings` alone: `percent` (C, D), no named attributes.

    Raises InputError for a file that is missing or damaged, and for vectors that are not one for each class.
    """
    path, given = Path(settings.path), _with_names(_read(settings), index.classes)
    if given.classes is None:
        _refuse_unclear_order(index.classes, given, path)
        vectors = _class_rows(given, len(index.classes), path)
        log.info("class vectors: the rows of %s are taken in the order of the data set's classes", printable(path))
    else:
        vectors = _class_rows(given, len(given.classes), path)
        known = {tidy(name): row for row, name in enumerate(given.classes)}
        vectors = vectors[[_row_of(name, known, path) for name in index.classes]]
    names = dimension_names(vectors.shape[1])
    return replace(
        index,
        percent=_checked(vectors, index.classes, path),
        attributes=names,
        words=("",) * len(names),
        parts=("",) * len(names),
        given_vectors=True,
    )


def _with_names(given: _Given, classes: tuple[str, ...]) -> _Given:
    """`given` with the class names of a list that is called otherwise, but has those of all `classes`, where there is one."""
    known = set(map(tidy, classes))
    found = next((texts for texts in given.lists if known.issubset(texts) and not alike(texts)), None)
    return given if found is None or given.classes is not None else replace(given, classes=found)


def _refuse_unclear_order(classes: tuple[str, ...], given: _Given, path: Path) -> None:
    """Raise InputError where the file numbers its classes in another order, or the data set's are sorted as texts, and people
    would count: 10 stands before 2."""
    if given.shuffled is not None:
        raise InputError(
            f"{printable(path)} numbers its classes in {printable(given.shuffled)!r}, not one after the other, so nothing tells "
            "which they are; save the class names there."
        )

    def counting(name: str) -> list[str | int]:
        """Return the texts and numbers of a name, which take turns: its key in the order of people."""
        return [int(part) if place % 2 else part for place, part in enumerate(_NUMBERS.split(name))]

    counted = sorted(classes, key=counting)
    if list(classes) == sorted(classes) != counted:
        first, second = next(pair for pair in zip(classes, counted, strict=True) if pair[0] != pair[1])
        raise InputError(
            f"{printable(path)} does not name its classes, and in the data set's order {printable(first)} comes before "
            f"{printable(second)}, as texts are sorted; write the class of each vector into a text file, one a line, and "
            "name it in class_vectors.classes."
        )


def read_named_vectors(path: Path) -> tuple[tuple[str, ...], np.ndarray]:
    """Return class names and their vectors, (C, D) float32, of a file that names them: a CSV, .mat or .npz.

    Raises InputError as `with_class_vectors` does.
    """
    try:
        settings = ClassVectorSettings(path=str(path))
    except ValueError:
        settings = ClassVectorSettings(path=str(path), kind="csv")
    given = _read(settings)
    if given.classes is None:
        raise InputError(
            f"{printable(path)} does not say whose vectors it holds; give a CSV with the class names in its first column."
        )
    return given.classes, _checked(_class_rows(given, len(given.classes), path), given.classes, path)


def dimension_names(count: int) -> tuple[str, ...]:
    """Return what stands in the place of attributes' names where there are none."""
    return tuple(f"dimension {number}" for number in range(1, count + 1))


def _read(settings: ClassVectorSettings) -> _Given:
    path = Path(settings.path)
    try:
        require_file(path)
    except OSError as error:
        raise InputError(
            f"class_vectors.path {printable(path)} cannot be read ({error.strerror}); put the file there or correct the path."
        ) from None
    given = _READERS[settings.found_kind](path, settings.variable)
    if settings.classes is not None:
        if given.classes is not None:
            raise InputError(
                f"{printable(path)} names its classes itself, and class_vectors.classes does, too; leave the setting out."
            )
        given = replace(given, classes=_listed(Path(settings.classes)))
    if given.classes is not None:
        _check_names(given, path, settings)
    return given


def _listed(path: Path) -> tuple[str, ...]:
    return tuple(tidy(line) for line in read_text(path).splitlines() if line.strip())


def _check_names(given: _Given, path: Path, settings: ClassVectorSettings) -> None:
    where = printable(settings.classes or path)
    if not given.classes or "" in given.classes:
        raise InputError(
            f"{where} names {'no class' if not given.classes else 'a class by nothing'}; name every class."
        )
    if pair := alike(given.classes):
        raise InputError(f"{where} has {twice('class', 'classes', pair)}; keep one, or rename it.")


def _read_csv(path: Path, variable: None) -> _Given:
    described = read_class_attributes(path, blanks=False)
    columns = described.attributes
    numbers = [name for name in columns if is_number(name)]
    counted = [str(number) for number in range(len(columns) + 1)]
    if len(numbers) == len(columns) and list(columns) not in (counted[:-1], counted[1:]):
        raise InputError(
            f"{printable(path)} begins with a row of numbers ({printable(columns[0])} …), so its first class would be "
            "taken for the header; put a header above (class,1,2,…)."
        )
    return _Given(described.percent, described.classes, by_rows=True)


def _read_mat(path: Path, variable: str | None) -> _Given:
    name = variable or "att"
    found = read_mat(path, (name, MAT_CLASSES), AGAIN)
    if name not in found:
        raise InputError(f"{printable(path)} has no variable {name!r}; name it in class_vectors.variable.")
    classes = found.get(MAT_CLASSES)
    if isinstance(found[name], tuple) or isinstance(classes, np.ndarray):
        wrong, wanted = (name, "numbers") if isinstance(found[name], tuple) else (MAT_CLASSES, "texts")
        raise InputError(f"{printable(path)} holds no {wanted} in {wrong!r}; save {wanted} there.")
    beside = [(other, value) for other in NUMBERED if (value := _in_mat(path, other, (name, MAT_CLASSES))) is not None]
    lists = tuple(tuple(map(tidy, value)) for _, value in beside if isinstance(value, tuple))
    numbers = [(other, value) for other, value in beside if isinstance(value, np.ndarray)]
    names = classes if classes is None else tuple(map(tidy, classes))
    return _Given(found[name], names, lists=lists, shuffled=_shuffled(numbers, found[name]))


def _in_mat(path: Path, name: str, known: tuple[str, ...]) -> np.ndarray | tuple[str, ...] | None:
    """What is called so beside the `known` variables; None where there is nothing, or what cannot be read, which nobody needs."""
    with contextlib.suppress(InputError):
        return None if name in known else read_mat(path, (name,), AGAIN).get(name)
    return None


def _read_array(path: Path, variable: str | None, kind: str) -> _Given:
    texts = _texts_in_npz(path) if kind == "npz" else {}
    listed = {name: found for name, found in texts.items() if name.casefold() in NAMED}
    names = [name for name in array_names(path, kind) if name not in texts]
    if len(set(listed.values())) > 1:
        raise InputError(
            f"{printable(path)} names its classes in {' and '.join(map(printable, listed))}, differently; keep one of them."
        )
    name = variable if variable is not None else next(iter(names), None)
    if name not in names or (variable is None and len(names) > 1):
        held = ", ".join(repr(printable(name)) for name in names) or "none"
        raise InputError(f"{printable(path)} holds the arrays {held}; name one of them in class_vectors.variable.")
    values, lists = read_array(path, name, kind), tuple(texts.values())
    numbers = [
        (other, read_array(path, other, kind)) for other in names if other != name and other.casefold() in NUMBERED
    ]
    return _Given(values, next(iter(listed.values()), None), lists=lists, shuffled=_shuffled(numbers, values))


def _shuffled(numbers: list[tuple[str, np.ndarray]], vectors: np.ndarray) -> str | None:
    """The name of the first array with a number for each class that do not count up; labels of images are as many as these."""
    each = ((name, values) for name, values in numbers if values.size in vectors.shape and values.dtype.kind in "biuf")
    return next((name for name, values in each if (np.diff(values.ravel().astype(np.float64)) != 1).any()), None)


def _texts_in_npz(path: Path) -> dict[str, tuple[str, ...]]:
    """The lists of texts in the archive, by the name of the array."""
    found = {}
    for name in array_names(path, "npz"):
        needed = name.casefold() in NAMED
        if (texts := texts_of(path, name, "npz", needed)) is not None:
            found[name] = tuple(map(tidy, texts))
        elif name == NPZ_CLASSES:
            raise InputError(f"{printable(path)} holds no list of texts in {name!r}; save the class names there.")
    return found


_READERS = {
    "csv": _read_csv,
    "mat": _read_mat,
    "npy": lambda path, variable: _read_array(path, variable, "npy"),
    "npz": lambda path, variable: _read_array(path, variable, "npz"),
    "safetensors": lambda path, variable: _read_array(path, variable, "safetensors"),
}


def _class_rows(given: _Given, classes: int, path: Path) -> np.ndarray:
    """The vectors, (classes, D): which side of the array the classes are on, their number tells."""
    values = given.values
    if values.ndim != 2 or values.dtype.kind not in "fiu":
        raise InputError(
            f"{printable(path)} holds an array of shape {values.shape} and type {values.dtype}; class vectors are a "
            "matrix of real numbers, classes × dimensions."
        )
    if given.by_rows:
        return values
    sides = [side for side in (0, 1) if values.shape[side] == classes]
    if not sides:
        raise InputError(
            f"{printable(path)} holds a matrix of shape {values.shape}, but there are {classes} classes; give one "
            "vector for each class, in its rows or in its columns."
        )
    if len(sides) > 1:
        raise InputError(
            f"{printable(path)} holds a square of {classes} × {classes}, so nothing tells whether rows or columns are "
            "the classes; save it as a CSV with the class names in its first column."
        )
    return values if sides == [0] else values.T


def _row_of(name: str, known: dict[str, int], path: Path) -> int:
    if tidy(name) not in known:
        raise InputError(
            f"{printable(path)} has no vector for class {printable(name)}{hint(name, known)}; add it, or name it alike."
        )
    return known[tidy(name)]


def _checked(vectors: np.ndarray, classes: tuple[str, ...], path: Path) -> np.ndarray:
    """The vectors as float32, each of finite numbers of a size that can be computed with."""
    wide = vectors.astype(np.float64)
    for row in np.flatnonzero(~np.isfinite(wide).all(axis=1))[:1]:
        column = int(np.flatnonzero(~np.isfinite(wide[row]))[0])
        raise InputError(
            f"{printable(path)} gives class {printable(classes[row])} the value {wide[row, column]:g} at dimension "
            f"{column + 1}; give finite numbers."
        )
    largest = np.abs(wide).max(axis=1, initial=0)
    for row in np.flatnonzero(largest == 0)[:1]:
        raise InputError(
            f"{printable(path)} gives class {printable(classes[row])} zeros alone, so nothing describes it; give it a "
            "vector."
        )
    for row in np.flatnonzero((largest < SMALLEST) | (largest > LARGEST))[:1]:
        raise InputError(
            f"{printable(path)} gives class {printable(classes[row])} values of up to {largest[row]:.0e}; scale the "
            f"vectors, so that each one's largest is between {SMALLEST:g} and {LARGEST:g}."
        )
    return np.ascontiguousarray(wide, dtype=np.float32)
