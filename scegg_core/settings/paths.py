"""Paths in settings: home folders and environment variables filled in."""

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

CONTROL = frozenset(map(chr, (*range(32), 127)))


def expand(path: str | None) -> str | None:
    """Return `path` with `~` and environment variables filled in.

    An unset variable, an unknown home, no path at all and characters that no path should have are refused.
    """
    if path is None:
        return None
    if not path.strip() or not CONTROL.isdisjoint(path):
        raise ValueError("should be a path: not empty, and without line breaks and the like")
    try:
        full = str(Path(os.path.expandvars(path)).expanduser())
    except RuntimeError:
        raise ValueError(f"the home folder in {path!r} is not known") from None
    if re.search(r"\$(\w|{)", full):  # a lone "$" may be part of a file's name
        raise ValueError(f"the environment variable in {path!r} is not set")
    return full


LocalPath = Annotated[str, AfterValidator(expand)]
