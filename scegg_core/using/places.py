"""What a command is given to read and to write, judged before any work is done."""

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from scegg_core.artifacts.files import input_origin
from scegg_core.artifacts.paths import real_path
from scegg_core.data.names import printable
from scegg_core.data.text_files import stat_kind
from scegg_core.errors import InputError

_INDEX = ("classes.parquet", "images.parquet")
_EXPORTED = ("model.json", "classifier_gzsl.safetensors")


def require_input(path: str | Path, what: str) -> Path:
    """Return `path`; raises InputError unless it is a plain file: pipes and devices can be read only once, or never end."""
    fault = file_fault(path)
    if fault:
        raise InputError(f"{printable(path)} {fault}; name the file that holds {what}.")
    return Path(path)


def file_fault(path: str | Path) -> str:
    """Return why `path` is no plain file that can be read, as the end of a sentence; '' where it is one."""
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        return "is a link to nothing" if Path(path).is_symlink() else "is missing"
    except (OSError, ValueError) as error:
        return f"cannot be read ({_reason(error)})"
    if kind := stat_kind(mode):
        return f"is {'a link to ' if Path(path).is_symlink() else ''}{kind}, not a file"
    return "" if os.access(path, os.R_OK) else "may not be read (permission denied)"


def require_output(path: str | Path, inputs: Iterable[Path] = ()) -> Path:
    """Return `path`, which a command is going to write; raises InputError where that would fail or destroy something.

    That is: one of the command's own `inputs`, a place in the results of a data set or in an exported model, an
    artifact anywhere, and a place that cannot be written.
    """
    path = Path(path)
    _try_name(path)
    if path.exists() and (kind := stat_kind(path.stat().st_mode)):
        raise InputError(f"{printable(path)} is {kind}; name a file to write.")
    if path.exists() and any(_same(path, other) for other in inputs):
        raise InputError(f"{printable(path)} is one of the files to be read; name another file to write.")
    _refuse_kept(path, "file")
    if path.is_file() and input_origin(path) is not None:
        raise InputError(f"{printable(path)} is an artifact of a run, which would be overwritten; name another file.")
    _try_writing(path)
    return path


def require_own_output(path: str | Path, begin: bytes, what: str, inputs: Iterable[Path] = ()) -> Path:
    """Return `path` as `require_output` does; raises InputError also for a file that does not `begin` as `what` do: what is
    replaced is an earlier output or empty."""
    path = require_output(path, inputs)
    if path.is_file():
        with path.open("rb") as file:
            found = file.read(len(begin))
        if found not in (b"", begin):
            raise other_than(path, what)
    return path


def require_marked_output(path: str | Path, mark: bytes, what: str, inputs: Iterable[Path] = ()) -> Path:
    """Return `path` as `require_own_output` does, for outputs that have `mark` somewhere in them."""
    path = require_output(path, inputs)
    if path.is_file() and path.stat().st_size and mark not in path.read_bytes():
        raise other_than(path, what)
    return path


def other_than(path: Path, what: str) -> InputError:
    """Return the error for an output that would replace something else than `what`."""
    return InputError(f"{printable(path)} holds something else than {what}; name another file to write.")


def require_output_folder(path: str | Path) -> Path:
    """Return `path`, a folder that a command is going to write; raises InputError where `require_output` would."""
    path = Path(path)
    _try_name(path)
    _refuse_kept(path, "folder")
    if Path.cwd().is_relative_to(real_path(path)):
        raise InputError(
            f"{printable(path)} is the folder that this runs in, or one around it; name a folder of its own."
        )
    _try_writing(path)
    return path


def require_outside(folder: str | Path, files: Iterable[str | Path]) -> None:
    """Raise InputError for one of `files` in the `folder` that a command writes as a whole: the two cannot be there."""
    for file in files:
        if real_path(file).is_relative_to(real_path(folder)):
            raise InputError(
                f"{printable(file)} lies in {printable(folder)}, which is written as a whole; name another place."
            )


def _refuse_kept(path: Path, what: str) -> None:
    place = real_path(path)
    for parent in (place, *place.parents):
        if all((parent / name).is_file() for name in _INDEX):
            raise InputError(
                f"{printable(path)} lies in {printable(parent)}, the results of a data set; name a {what} outside of them."
            )
        if parent != place and all((parent / name).is_file() for name in _EXPORTED):
            raise InputError(
                f"{printable(path)} lies in {printable(parent)}, an exported model; name a {what} outside of it."
            )


def _try_name(path: Path) -> None:
    """Raise InputError for a name that no file can have, or that lies below a file."""
    try:
        path.stat()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from None


def _try_writing(path: Path) -> None:
    """Make a file of the length of the name that whole sets are built under, in the nearest folder that exists."""
    target = path.absolute()
    folder = next(parent for parent in target.parents if parent.exists())
    try:
        with tempfile.NamedTemporaryFile(prefix=f".{target.name}.", suffix=".part", dir=folder):
            pass
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path: Path, error: Exception) -> InputError:
    return InputError(f"{printable(path)} cannot be written ({_reason(error)}); name another place.")


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)).lower() if isinstance(error, OSError) else str(error)


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except (OSError, ValueError):
        return False
