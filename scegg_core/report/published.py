"""The published figures that results are compared with: the paper's Tables 1 and 2, as printed, in percent."""

import csv
from dataclasses import dataclass
from pathlib import Path

from scegg_core.errors import InputError

FAMILIES = ("embedding", "generative", "ablation")

COLUMNS = ("dataset", "method", "family", "variant", "acc", "u", "s", "h", "flag")


@dataclass(frozen=True)
class PublishedRow:
    """One method on one data set; accuracies in percent, NaN where none was reported.

    `family` is embedding, generative or ablation; `variant` names our variants of the same method, parted by blanks; `flag`
    says what is wrong with the printed figures, '' for nothing.
    """

    dataset: str
    method: str
    family: str
    variant: str
    acc: float
    u: float
    s: float
    h: float
    flag: str = ""


def read_published(*paths: str | Path) -> tuple[PublishedRow, ...]:
    """Return the rows of the CSV files `paths` in their order; InputError names a file with other columns or values."""
    return tuple(row for path in paths for row in _read(Path(path)))


def find_published(rows: tuple[PublishedRow, ...], dataset: str, variant: str) -> PublishedRow | None:
    """Return the published row of our `variant` on the data set that the paper calls `dataset`, or None."""
    matches = (row for row in rows if row.dataset == dataset and variant in row.variant.split())
    return next(matches, None) if dataset and variant else None


def _read(path: Path) -> list[PublishedRow]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise InputError(f"{path} has columns {reader.fieldnames}, expected {list(COLUMNS)}.")
        return [_row(path, values) for values in reader]


def _row(path: Path, values: dict[str, str]) -> PublishedRow:
    if None in values or None in values.values():
        raise InputError(
            f"{path}: the row that begins with {values['dataset']!r} has not {len(COLUMNS)} fields; quote what has a comma."
        )
    if values["family"] not in FAMILIES:
        raise InputError(
            f"{path}: {values['dataset']} {values['method']}: family is {values['family']!r}, expected one of {', '.join(FAMILIES)}."
        )
    try:
        numbers = {name: float(values[name] or "nan") for name in ("acc", "u", "s", "h")}
    except ValueError as error:
        raise InputError(f"{path}: {values['dataset']} {values['method']}: {error}.") from None
    return PublishedRow(**{**values, **numbers})
