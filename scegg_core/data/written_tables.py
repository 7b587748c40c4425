"""The one reader of tables that people write: CSV as spreadsheets, editors and programs leave it."""

import csv
import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from scegg_core.data.names import alike, printable, tidy
from scegg_core.data.text_files import read_text
from scegg_core.errors import InputError

#: What may part cells. Where several fit, the first: a tab is never, a comma often part of a name.
DELIMITERS = ("\t", ";", ",")

_DECLARED = re.compile(r'"?sep=([\t;,])"?[ \t]*(\r\n|\r|\n)')  # the first line that Excel may write

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")  # Unicode's category Cc


Rows = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class WrittenTable:
    """A table as people wrote it: names of columns, rows of as many cells, and the line where each row ends.

    Names and cells are tidy (see `names.tidy`); no two names of columns look alike, and no row is blank.
    """

    path: Path
    header: tuple[str, ...]
    rows: Rows
    lines: tuple[int, ...]
    delimiter: str

    def column(self, name: str) -> tuple[str, ...] | None:
        """Return the cells of the column of this name, whatever its case; None where there is none."""
        places = [place for place, found in enumerate(self.header) if found.casefold() == name]
        return tuple(row[places[0]] for row in self.rows) if places else None


@dataclass(frozen=True)
class _Reading:
    """The rows (line, cells) that a delimiter gives, without blank ones; `broken` is the line of a wrong quote."""

    rows: tuple[tuple[int, tuple[str, ...]], ...]
    broken: int | None
    delimiter: str

    @property
    def width(self) -> int:
        """Cells of the header, less the blank ones at its end."""
        return _used(self.rows[0][1]) if self.rows else 0

    @property
    def even(self) -> bool:
        """Whether there are columns, and each row has a cell for each, and no more."""
        fits = (len(cells) >= self.width >= _used(cells) for _, cells in self.rows)
        return self.broken is None and self.width > 1 and all(fits)


def read_written(path: Path, content: str, fits: Callable[[tuple[str, ...], Rows], bool]) -> WrittenTable:
    """Return the table at `path`; `content` says what belongs into it.

    Comma, semicolon or tab part the cells, whichever gives every row as many cells as the header has; where several
    do, since names hold them too, the one whose header and rows are such as `fits` wants. Quotes hold cells together,
    also over lines. Blank rows and columns are left out. Raises InputError with the line that is wrong.
    """
    text = read_text(path)
    declared = _DECLARED.match(text)
    delimiters = (declared[1],) if declared else DELIMITERS
    body = text[declared.end() :] if declared else text
    readings = [_read(body, delimiter, 1 if declared else 0) for delimiter in delimiters]
    if any(reading.broken is None and not reading.rows for reading in readings):
        raise InputError(f"{printable(path)} is empty; it needs {content}.")
    even = [reading for reading in readings if reading.even]
    fitting = [reading for reading in even if fits(*_header_and_rows(reading))]
    uneven = max(readings, key=lambda reading: (reading.broken is None, reading.width))
    chosen = [*fitting, *even, uneven][0]
    if chosen.broken is not None:
        raise InputError(
            f'{printable(path)} has a quote (") in line {chosen.broken} that does not end with its cell; '
            "close it, and double the quotes inside a cell."
        )
    return _table(path, chosen)


def has_columns(*names: str) -> Callable[[tuple[str, ...], Rows], bool]:
    """Return whether a header has all these columns, as a function for `read_written`."""
    return lambda header, rows: set(names) <= {name.casefold() for name in header}


def _header_and_rows(reading: _Reading) -> tuple[tuple[str, ...], Rows]:
    header, *rows = (cells for _, cells in reading.rows)
    return header, tuple(rows)


def _read(text: str, delimiter: str, skipped: int) -> _Reading:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, skipinitialspace=True)
    rows, line = [], 0
    try:
        for row in reader:
            line = reader.line_num
            if any(cell.strip() for cell in row):
                rows.append((line + skipped, tuple(map(tidy, row))))
    except csv.Error:
        return _Reading(tuple(rows), line + 1 + skipped, delimiter)
    return _Reading(tuple(rows), None, delimiter)


def _table(path: Path, reading: _Reading) -> WrittenTable:
    """The table without the columns that are blank throughout."""
    width = max(reading.width, 1)
    for line, cells in reading.rows:
        if len(cells) < width or _used(cells) > width:
            raise InputError(
                f"{printable(path)} line {line} ({printable(cells[0])[:40]}) has {_cells(max(_used(cells), 1))}, "
                f"the header names {width}; give every row one for each column, and every column a name."
            )
    cells = [row[:width] for _, row in reading.rows]
    kept = [place for place in range(width) if any(row[place] for row in cells)]
    header, *rows = (tuple(row[place] for place in kept) for row in cells)
    _check_signs(path, reading)
    _check_header(path, header)
    return WrittenTable(path, header, tuple(rows), tuple(line for line, _ in reading.rows[1:]), reading.delimiter)


def _check_header(path: Path, header: tuple[str, ...]) -> None:
    """Only the first column may be without a name, as programs write a table's index."""
    if "" in header[1:]:
        raise InputError(
            f"{printable(path)} has no name above column {header.index('', 1) + 1}, which has values; name it."
        )
    if pair := alike(header):
        raise InputError(f"{printable(path)} has {twice('column', 'columns', pair)}; keep one, or rename it.")


def twice(one: str, several: str, pair: tuple[str, str]) -> str:
    """Return what `alike` found, for a sentence; `one` and `several` say what the names are of."""
    first, second = pair
    if first == second:
        return f"the {one} {printable(first)!r} twice"
    show = ascii if tidy(first) == tidy(second) else lambda name: repr(printable(name))
    return f"the {several} {show(first)} and {show(second)}, which differ in case, blanks or Unicode form alone"


def _check_signs(path: Path, reading: _Reading) -> None:
    for line, cells in reading.rows:
        if sign := _CONTROL.search("".join(cells)):
            raise InputError(f"{printable(path)} line {line} holds the sign U+{ord(sign[0]):04X}; remove it.")


def _used(cells: tuple[str, ...]) -> int:
    """The number of cells without the blank ones at the end."""
    return max((place for place, cell in enumerate(cells, start=1) if cell), default=0)


def _cells(count: int) -> str:
    return f"{count} cell" if count == 1 else f"{count} cells"
