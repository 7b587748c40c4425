"""Tables of classes × attributes, as people write them: attributes.csv, and the table of new classes."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scegg_core.data.names import alike, printable
from scegg_core.data.tables import MISSING
from scegg_core.data.text_files import is_number, read_number
from scegg_core.data.written_tables import Rows, WrittenTable, read_written, twice
from scegg_core.errors import InputError

#: Strengths above it are refused: in single precision, products of such numbers soon become infinite.
LARGEST = 1e9


@dataclass(frozen=True)
class ClassAttributes:
    """Content of such a table: class names, attribute names, and `percent` (C, A) float32, MISSING where blank."""

    classes: tuple[str, ...]
    attributes: tuple[str, ...]
    percent: np.ndarray


_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}", re.ASCII)


def read_class_attributes(path: Path, blanks: bool = True) -> ClassAttributes:
    """Return the content of the table at `path`: a row per class, a column per attribute, a blank cell for "not known"
    unless `blanks` is false.

    Raises InputError naming the cell or row that is wrong, or the two classes whose names look alike.
    """
    table = read_written(path, "a header (class and the attribute names) and a row per class", _are_strengths)
    attributes = table.header[1:]
    if not attributes or not table.rows:
        raise InputError(
            f"{printable(path)} has {len(attributes)} attribute columns and {len(table.rows)} class rows; "
            "it needs at least one of each, with a comma, semicolon or tab between cells."
        )
    classes = tuple(row[0] for row in table.rows)
    if "" in classes:
        raise InputError(
            f"{printable(path)} has a row without a class name (line {table.lines[classes.index('')]}); give it one."
        )
    if pair := alike(classes):
        raise InputError(f"{printable(path)} has {twice('class', 'classes', pair)}; keep one row, or rename it.")
    if not blanks:
        _refuse_blanks(table)
    return ClassAttributes(classes, attributes, _strengths(table))


def _refuse_blanks(table: WrittenTable) -> None:
    for row, cells in _numbered(table):
        if "" in cells:
            raise InputError(
                f"{printable(table.path)} gives {_where(table, row, cells.index(''))}; a class vector has a number in "
                "every cell."
            )


def _are_strengths(header: tuple[str, ...], rows: Rows) -> bool:
    return all(not cell or is_number(cell) for row in rows for cell in row[1:])


def _strengths(table: WrittenTable) -> np.ndarray:
    values = np.empty((len(table.rows), len(table.header) - 1), dtype=np.float32)
    for row, cells in _numbered(table):
        values[row] = [_strength(table, row, column) for column in range(1, len(cells))]
    point, comma = (next(_cells_with(table, sign), None) for sign in ".,")
    if point and comma:
        raise InputError(
            f"{printable(table.path)} gives {_where(table, *point)} and {_where(table, *comma)}, a decimal point here and "
            "a comma there; write all numbers in one way."
        )
    if point and table.delimiter == ";":
        _refuse_thousands(table)
    return values


def _refuse_thousands(table: WrittenTable) -> None:
    """Refuse 1.000 where no other number shows what the point is: where semicolons part cells it may part thousands."""
    points = list(_cells_with(table, "."))
    if all(_THOUSANDS.fullmatch(table.rows[row][column]) for row, column in points):
        cell = table.rows[points[0][0]][points[0][1]]
        raise InputError(
            f"{printable(table.path)} gives {_where(table, *points[0])}, which may be {read_number(cell):g} or "
            f"{cell.replace('.', '')}; write it without the point, or one of the numbers with other decimals."
        )


def _numbered(table: WrittenTable) -> list[tuple[int, tuple[str, ...]]]:
    return list(enumerate(table.rows))


def _cells_with(table: WrittenTable, sign: str) -> Iterator[tuple[int, int]]:
    rows = _numbered(table)
    return ((row, column) for row, cells in rows for column in range(1, len(cells)) if sign in cells[column])


def _strength(table: WrittenTable, row: int, column: int) -> float:
    cell = table.rows[row][column]
    if not cell:
        return MISSING
    try:
        value = read_number(cell)
    except ValueError as reason:
        raise InputError(
            f"{printable(table.path)} gives {_where(table, row, column)}, {reason}; "
            "give a number such as 0.5, or nothing where it is not known."
        ) from None
    if not abs(value) <= LARGEST:
        raise InputError(
            f"{printable(table.path)} gives {_where(table, row, column)}; give strengths of at most {LARGEST:.0e}."
        )
    return value


def _where(table: WrittenTable, row: int, column: int) -> str:
    cells = table.rows[row]
    return f"class {printable(cells[0])} {printable(cells[column])[:40]!r} for {printable(table.header[column])!r}"
