"""What is at a path that a user names, asked without an error.

pathlib's is_file and exists raise where a folder may not be entered or a name is too long; these say no, and whoever
opens the file says why.
"""

import os
from pathlib import Path


def is_file(path: str | Path) -> bool:
    """Return whether a file is at `path`, and may be looked at."""
    return os.path.isfile(path)  # noqa: PTH113


def is_folder(path: str | Path) -> bool:
    """Return whether a folder is at `path`, and may be looked at."""
    return os.path.isdir(path)  # noqa: PTH112


def is_there(path: str | Path) -> bool:
    """Return whether anything is at `path`, and may be looked at."""
    return os.path.exists(path)  # noqa: PTH110
