"""Names and seeds: what may become a folder's name and a wildcard of the workflow, and lists that name nothing twice."""

import re
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field, WithJsonSchema

from scegg_core.settings.base import problem

Item = TypeVar("Item")

#: Names become folders and wildcards; those with a dot inside only where no file name is built from them.
NAME = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}"
DOTTED_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}"

#: `validation` is a folder of every data set; `none` is the wildcard that matches no variant.
RESERVED = ("validation", "none")

LARGEST_SEED = 2**63 - 1  # of torch and numpy alike


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
Seed = Annotated[int, Field(ge=0, le=LARGEST_SEED)]
Seeds = Annotated[tuple[Seed, ...], Field(min_length=1), AfterValidator(distinct)]
Distinct = Annotated[tuple[str, ...], AfterValidator(distinct)]
