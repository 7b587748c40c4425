"""Part locations in CUB's files, parts/parts.txt and parts/part_locs.txt beside images.txt."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scegg_core.data.names import printable, tidy
from scegg_core.data.text_files import is_given, read_count, read_number, read_text
from scegg_core.errors import InputError

#: The folder of CUB's files in a data set's folder.
ROOT = "CUB_200_2011"


@dataclass(frozen=True)
class PartLocations:
    """Where the parts (P names) are in n images: x, y in pixels of the stored file (n, P, 2), NaN where not visible."""

    names: tuple[str, ...]
    positions: np.ndarray


def read_part_locations(folder: str | Path, paths: Sequence[str]) -> PartLocations | None:
    """Return the part locations of the images `paths` (relative to the data set's folder), in their order.

    None for a data set without parts/part_locs.txt. Raises InputError for lines that do not fit the format
    `<image> <part> <x> <y> <visible>` and for images that images.txt does not list.
    """
    root = Path(folder) / ROOT
    file = root / "parts" / "part_locs.txt"
    if not is_given(file):
        return None
    names = read_numbered(root / "parts" / "parts.txt")
    numbers = {f"{ROOT}/images/{path}": number for number, path in read_numbered(root / "images.txt").items()}
    unknown = [path for path in paths if tidy(path) not in numbers]
    if unknown:
        raise InputError(f"{root / 'images.txt'} does not list the image {unknown[0]}; the data set is incomplete.")
    rows = {numbers[tidy(path)]: row for row, path in enumerate(paths)}
    columns = {number: column for column, number in enumerate(names)}
    return PartLocations(tuple(names.values()), _positions(file, rows, columns))


def _positions(file: Path, rows: dict[int, int], columns: dict[int, int]) -> np.ndarray:
    positions = np.full((len(rows), len(columns), 2), np.nan)
    located = set()
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        try:
            image, part, x, y, visible = line.split()
            row, column, place = (
                rows.get(read_count(image)),
                columns[read_count(part)],
                (read_number(x), read_number(y)),
            )
            shown = read_count(visible)
        except (ValueError, KeyError):
            raise InputError(
                f"{printable(file)} line {number} is {printable(line[:60])!r}, "
                "but it has to be: image part x y visible."
            ) from None
        if row is not None and (row, column) in located:
            raise InputError(f"{printable(file)} line {number} locates part {part} of image {image} a second time.")
        if row is not None:
            located.add((row, column))
            positions[row, column] = place if shown else np.nan
    return positions


def read_numbered(file: Path) -> dict[int, str]:
    """Return the lines `<number> <name>` of a file as number → name, names tidy; they may contain blanks.

    Raises InputError for another line, and for a number or name that occurs twice.
    """
    names: dict[int, str] = {}
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        head, _, tail = line.strip().replace("\t", " ").partition(" ")
        if not tail or not re.fullmatch("[0-9]{1,18}", head):
            raise InputError(
                f"{printable(file)} line {number} is {printable(line[:60])!r}, but it has to be: number name."
            )
        if int(head) in names:
            raise InputError(
                f"{printable(file)} line {number} gives the number {head} a second time; number all lines."
            )
        names[int(head)] = tidy(tail)
    if len(set(names.values())) < len(names):
        raise InputError(f"{printable(file)} gives one name two numbers; keep one line of each name.")
    return names
