"""Names and seeds: what may become a folder's name and a wildcard of the workflow, and lists that name nothing twice."""

import re
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, WithJsonSchema

from scegg_core.settings.base import problem, shown
from scegg_core.settings.paths import CONTROL

Item = TypeVar("Item")

#: Names become folders and wildcards; those with a dot inside only where no file name is built from them.
NAME = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}"
DOTTED_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}"

#: `validation` is a folder of every data set; `none` is the wildcard that matches no variant.
RESERVED = ("validation", "none")

VALIDATION = "/validation"  # suffix of a data set's name: its trainval images split again, to select on

LARGEST_SEED = 9 * 10**18 - 1  # torch and numpy alike know those below 2^63


def usable_name(name: str) -> str:
    """Return `name`, or refuse one that would not be exactly one folder and one wildcard."""
    return _checked(name, NAME, "letters, digits, '-' and '_'")


def usable_dotted_name(name: str) -> str:
    """Return `name`, or refuse one that would not be exactly one folder and one wildcard; it may have dots inside."""
    return _checked(name, DOTTED_NAME, "letters, digits, '-', '_' and '.'")


def file_names(folder: Path, *besides: str) -> tuple[str, ...]:
    """Return the names of what is a file each in `folder` of the core, but for the files `besides`: "-" for "_".

    They are read off the files: importing those takes seconds.
    """
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", *besides}
    return tuple(sorted(name.replace("_", "-") for name in files))


def printable(title: str) -> str:
    """Return `title`, or refuse one that is not seen or takes more than a line."""
    if not title.strip() or not CONTROL.isdisjoint(title):
        raise problem(f"is {shown(title)}: should be a line of text, or null")
    return title


def distinct(items: tuple[Item, ...] | None) -> tuple[Item, ...] | None:
    """Return `items`, or refuse them where one is named twice."""
    for place, item in enumerate(items or ()):
        if item in items[:place]:
            raise problem(f"names {item!r} twice")
    return items


def _checked(name: str, pattern: str, characters: str) -> str:
    if name in RESERVED:
        raise problem("cannot be used as a name, since it means something else in the workflow's paths")
    if not re.fullmatch(pattern, name):
        raise problem(f"cannot be used as a name; use 1 to 64 of {characters}, the first one neither '-' nor '.'")
    return name


Name = Annotated[str, AfterValidator(usable_name), WithJsonSchema({"type": "string", "pattern": f"^{NAME}$"})]
DottedName = Annotated[
    str, AfterValidator(usable_dotted_name), WithJsonSchema({"type": "string", "pattern": f"^{DOTTED_NAME}$"})
]
Title = Annotated[str, AfterValidator(printable)]
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1), AfterValidator(distinct)]
Distinct = Annotated[tuple[str, ...], AfterValidator(distinct)]
