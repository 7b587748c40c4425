"""Splits of images as people write them in a table, by path or number, and the drawing of images that are held out."""

import difflib
from collections.abc import Collection
from pathlib import Path

import numpy as np

from scegg_core.data.names import likeness, printable, tidy
from scegg_core.data.tables import SPLITS
from scegg_core.data.text_files import read_count
from scegg_core.data.written_tables import Rows, WrittenTable, has_columns, read_written
from scegg_core.errors import InputError

#: Columns of a table of splits that may name the class of each image.
CLASS_COLUMNS = ("class", "class_name", "label", "target")


def read_splits(
    path: Path, paths: tuple[str, ...], root: str = "images", numbered: str | None = None
) -> tuple[str, ...]:
    """Return the split of every image in `paths` from a table with columns path (below the folder `root`) and split.

    Where `numbered` names the file whose order the images are in, the column image with their numbers, from 1 on, may
    stand in the place of path, or beside it. Raises InputError for an image that is not listed, listed twice, or not
    there, where the two columns mean different ones, and where a column class names another class than an image's folder.
    """
    table = read_written(path, "the columns path and split, and a row per image", _has_images)
    places, shown = _images(table, paths, root, numbered)
    _check_classes(table, [paths[place] for place in places])
    split = [""] * len(paths)
    for place, name, kind in zip(places, shown, table.column("split"), strict=True):
        if split[place]:
            raise InputError(f"{printable(path)} lists {name!r} twice; keep one row.")
        if kind not in SPLITS:
            raise InputError(
                f"{printable(path)} gives {name!r} the split {printable(kind)!r}; splits are {', '.join(SPLITS)}."
            )
        split[place] = kind
    if "" in split:
        raise InputError(
            f"{printable(path)} does not list {printable(paths[split.index('')])} "
            f"({split.count('')} images are not listed); give every image a split."
        )
    return tuple(split)


def _has_images(header: tuple[str, ...], rows: Rows) -> bool:
    return any(has_columns(name, "split")(header, rows) for name in ("path", "image"))


def _images(
    table: WrittenTable, paths: tuple[str, ...], root: str, numbered: str | None
) -> tuple[list[int], tuple[str, ...]]:
    """The place of the image in each row, and how the row names it."""
    listed, numbers = table.column("path"), table.column("image")
    if table.column("split") is None or (listed is None and numbers is None):
        raise InputError(
            f"{printable(table.path)} has the header {printable(','.join(table.header))!r}, "
            "but it needs the columns path and split."
        )
    named = None if listed is None else _named(table.path, listed, paths, root)
    if numbers is None:
        return named, tuple(map(printable, listed))
    if numbered is None:
        raise InputError(
            f"{printable(table.path)} numbers its images, but pictures in folders have no order; name them in a column path "
            "alone."
        )
    places = _numbered(table.path, numbers, len(paths), numbered)
    if named is not None:
        _check_agreement(table, named, places)
    return places, numbers


def _check_agreement(table: WrittenTable, named: list[int], numbered: list[int]) -> None:
    for name, number, line, one, other in zip(
        table.column("path"), table.column("image"), table.lines, named, numbered, strict=True
    ):
        if one != other:
            raise InputError(
                f"{printable(table.path)} line {line} names {printable(name)!r} in the column path, but in the column image "
                f"{printable(number)}, which is another one (it is number {one + 1}); correct one, or leave out a column."
            )


def _check_classes(table: WrittenTable, paths: list[str]) -> None:
    """A column that names classes has to name those of the folders; numbers, and names of no folder, say nothing."""
    folders = [tidy(Path(path).parent.name) for path in paths]
    known = set(folders)
    for column in CLASS_COLUMNS:
        for name, folder, path, line in zip(table.column(column) or (), folders, paths, table.lines, strict=False):
            if name in known and name != folder:
                raise InputError(
                    f"{printable(table.path)} line {line} calls {printable(path)!r} {printable(name)!r} in the column "
                    f"{column}, but it lies in the folder {printable(folder)!r}; move the image, or correct the cell."
                )


def _named(path: Path, listed: tuple[str, ...], paths: tuple[str, ...], root: str) -> list[int]:
    position = {tidy(name): place for place, name in enumerate(paths)}
    names = [_meant(file, position, root) for file in listed]
    for name, file in zip(names, listed, strict=True):
        if name not in position:
            raise InputError(
                f"{printable(path)} lists {printable(file)!r}, but there is no such image; correct the path "
                f"(it starts at {root or 'the data set'}/)."
            )
    return [position[name] for name in names]


def _numbered(path: Path, numbers: tuple[str, ...], count: int, source: str) -> list[int]:
    places = []
    for text in numbers:
        try:
            place = read_count(text) - 1
        except ValueError:
            place = -2
        if place == -1:
            raise InputError(
                f"{printable(path)} lists image 0, but the first image of {source} is number 1; add 1 to all."
            )
        if not 0 <= place < count:
            raise InputError(
                f"{printable(path)} lists image {printable(text)!r}, but {source} has the images 1 to {count}; correct "
                "the number."
            )
        places.append(place)
    return places


def _meant(file: str, known: Collection[str], root: str) -> str:
    """Return the path below the data set's folder that a table means: as it stands, or as Windows writes it."""
    windows = file.replace("\\", "/")
    meant = (f"{root}/{file}", file, f"{root}/{windows}", windows)
    return next((name for name in meant if name in known), windows)


def hint(name: str, known: Collection[str]) -> str:
    """Return which of the `known` names may be meant by `name`, in parentheses for a sentence; '' if none is near."""
    same = [other for other in known if likeness(other) == likeness(name)]
    close = same or difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {printable(close[0])}?)" if close else ""


def hold_out(count: int, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Return which of `count` images of a class are held out, bool: the rounded fraction, at least 1, never all."""
    chosen = min(max(1, round(fraction * count)), count - 1)
    mask = np.zeros(count, dtype=bool)
    mask[rng.permutation(count)[:chosen]] = True
    return mask
