"""Sets of files that change as one: built in a hidden folder beside their place, synced, and renamed as a whole.

What a kill leaves beside a set `<name>` is hidden: `.<name>.<random>.part`, a set that was not finished, and
`.<name>.<random>.old`, one that was being replaced. The next to ask for `<name>` puts an old set back where there is no
other, and the next to write it removes the rest.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Container, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from scegg_core.artifacts.files import current_umask, file_digest, input_digest, input_origin, sync
from scegg_core.artifacts.paths import real_path
from scegg_core.errors import InputError

RECORDS = ".made"  # a folder in which a workflow remembers how the files beside it were made
_PART, _OLD = ".part", ".old"


@contextmanager
def whole_folder(path: str | Path) -> Iterator[Path]:
    """Yield an empty folder beside `path`; on success it takes the place of `path` as a whole, else it is removed.

    Two writers at once each have their own folder; the last one to finish wins. A kill at any moment leaves the set
    that was there or the new one.
    """
    path = real_path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with building_folder(path.parent, path.name) as temporary:
        yield temporary
        sync_all(temporary)
        temporary.chmod(0o777 & ~current_umask())
        with _locked(path.parent):
            _put_in_place(temporary, path)
        sync(path.parent)


@contextmanager
def building_folder(parent: Path, name: str) -> Iterator[Path]:
    """Yield an empty hidden folder in `parent` to build the set `name` in; it is removed at the end, if it still lies there.

    Folders of the same name that a killed process left are removed first.
    """
    with _locked(parent):
        _settle(parent / name)
        _remove_abandoned(parent, name)
        temporary = Path(tempfile.mkdtemp(prefix=_prefix(name), suffix=_PART, dir=parent))
        lock = os.open(temporary, os.O_RDONLY)
        _lock(lock, fcntl.LOCK_EX)
    try:
        yield temporary
    except OSError as error:
        if error.errno and str(error.filename or temporary).startswith(str(temporary)):  # a full disk names no file
            error.filename = str(parent / name)
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        os.close(lock)


def settle_folder(path: str | Path) -> None:
    """Put the set at `path` back if its writer was killed between moving it away and putting the new one in its place."""
    path = real_path(path)
    if not path.exists() and path.parent.is_dir():
        with _locked(path.parent):
            _settle(path)


def refuse_others(folder: Path, known: Container[str], remedy: str) -> None:
    """Raise InputError if `folder` is there and is no folder, or holds what is not in `known`: it would be lost.

    To be asked before `whole_folder` replaces a set.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise InputError(f"{folder} is there already and is not a folder; {remedy}.")
    entries = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    others = sorted(name for name in entries if name not in known and name != RECORDS)
    if others:
        raise InputError(f"{folder} holds other files ({others[0]!r}), which would be lost; {remedy}.")


def refuse_changed(folder: Path, digests: Mapping[str, str], remedy: str) -> None:
    """Raise InputError unless each file of `folder` named in `digests` (name → sha256) is there and unchanged."""
    for name, digest in digests.items():
        if not (folder / name).is_file() or file_digest(folder / name) != digest:
            raise InputError(f"{folder / name} is missing or not the file that belongs to this set; {remedy}.")


def refuse_mixture(made: Iterable[Path], there: Mapping[str, Path | tuple[Path, ...]], remedy: str) -> None:
    """Raise InputError if an artifact in `made` was made from another file than the one `there` is now.

    `there` maps the names of inputs to files; several files, in order, count as one input. Inputs that `there` does not
    name, and those that an artifact does not record, are left alone.
    """
    digests = {
        name: "+".join(map(input_digest, files if isinstance(files, tuple) else (files,)))
        for name, files in there.items()
    }
    for path in made:
        recorded = (input_origin(path) or {"inputs": {}})["inputs"]
        for name, digest in digests.items():
            if recorded.get(name, digest) != digest:
                found = there[name][0].parent if isinstance(there[name], tuple) else there[name]
                raise InputError(f"{path} was made from other {name} than {found}; {remedy}.")


def sync_all(folder: Path) -> None:
    """Wait until all files below `folder`, and the folders, are on the disk."""
    for place, _, names in os.walk(folder):
        for file in (Path(place) / name for name in names):
            if not file.is_symlink():
                sync(file)
        sync(Path(place))


def _settle(path: Path) -> None:
    """Do what `settle_folder` says, the lock of the folder around `path` being held."""
    if not os.path.lexists(path):
        for old in _left(path.parent, path.name, _OLD)[:1]:
            with suppress(OSError):  # a reader that may not write here
                old.rename(path)


def _put_in_place(new: Path, path: Path) -> None:
    """Rename the old set away and `new` to `path`; the old one comes back if that fails."""
    old = new.with_suffix(_OLD)
    if path.is_dir() and any(path.iterdir()):
        path.rename(old)
    try:
        new.rename(path)
    except OSError:
        _settle(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _remove_abandoned(parent: Path, name: str) -> None:
    """Remove unfinished sets whose writer is gone, and old ones: replaced, since the lock of `parent` is held."""
    for folder in _left(parent, name, _PART):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)
    for folder in _left(parent, name, _OLD):
        shutil.rmtree(folder, ignore_errors=True)


def _left(parent: Path, name: str, suffix: str) -> list[Path]:
    """What writers of the set `name` left in `parent`, or are writing."""
    start = _prefix(name)
    length = len(start) + 8 + len(suffix)  # mkdtemp's random part has 8 characters
    found = sorted(parent.iterdir())
    return [it for it in found if it.name.startswith(start) and it.suffix == suffix and len(it.name) == length]


def _prefix(name: str) -> str:
    return f".{name}."


def _is_abandoned(folder: Path) -> bool:
    """Whether no living process has the folder locked; False where the file system has no locks."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return False
    try:
        return _lock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(handle)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder`, waited for; it is free again when the process ends, however that happens."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        _lock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _lock(handle: int, how: int) -> bool:
    try:
        fcntl.flock(handle, how)
    except OSError:  # locked by another, or a file system without locks
        return False
    return True
