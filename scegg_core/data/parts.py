"""Part locations in CUB's files, parts/parts.txt and parts/part_locs.txt beside images.txt."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scegg_core.data.attribute_names import read_text
from scegg_core.errors import InputError

#: The folder of CUB's files in a data set's folder.
ROOT = "CUB_200_2011"


@dataclass(frozen=True)
class PartLocations:
    """Where the parts (P names) are in n images: x, y in pixels of the original (n, P, 2), NaN where not visible."""

    names: tuple[str, ...]
    positions: np.ndarray


def read_part_locations(folder: str | Path, paths: Sequence[str]) -> PartLocations | None:
    """Return the part locations of the images `paths` (relative to the data set's folder), in their order.

    None for a data set without parts/part_locs.txt. Raises InputError for lines that do not fit the format
    `<image> <part> <x> <y> <visible>` and for images that images.txt does not list.
    """
    root = Path(folder) / ROOT
    file = root / "parts" / "part_locs.txt"
    if not file.is_file():
        return None
    names = _numbered(root / "parts" / "parts.txt")
    numbers = {f"{ROOT}/images/{path}": number for number, path in _numbered(root / "images.txt").items()}
    unknown = [path for path in paths if path not in numbers]
    if unknown:
        raise InputError(f"{root / 'images.txt'} does not list the image {unknown[0]}; the data set is incomplete.")
    rows = {numbers[path]: row for row, path in enumerate(paths)}
    columns = {number: column for column, number in enumerate(names)}
    return PartLocations(tuple(names.values()), _positions(file, rows, columns))


def _positions(file: Path, rows: dict[int, int], columns: dict[int, int]) -> np.ndarray:
    positions = np.full((len(rows), len(columns), 2), np.nan)
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        try:
            image, part, x, y, visible = line.split()
            row, column = rows.get(int(image)), columns[int(part)]
            if row is not None and int(visible):
                positions[row, column] = float(x), float(y)
        except (ValueError, KeyError):
            raise InputError(
                f"{file} line {number} is {line[:60]!r}, but it has to be: image part x y visible."
            ) from None
    return positions


def _numbered(file: Path) -> dict[int, str]:
    """Lines `<number> <name>` as number → name; names may contain blanks."""
    names = {}
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        head, _, tail = line.strip().partition(" ")
        if not head.isdecimal() or not tail:
            raise InputError(f"{file} line {number} is {line[:60]!r}, but it has to be: number name.")
        names[int(head)] = tail.strip()
    return names
