"""The pictures of a data set of format folder: images/<class>/*, each picture once, and plain files alone."""

from dataclasses import dataclass
from pathlib import Path

from scegg_core.data.images import NOT_PICTURES
from scegg_core.data.names import alike, printable, tidy
from scegg_core.data.text_files import stat_kind
from scegg_core.data.written_tables import twice
from scegg_core.errors import InputError


@dataclass(frozen=True)
class _Entry:
    """A file or folder: where it lies, what it is (None: nothing, a link that leads nowhere), and its identity."""

    path: Path
    mode: int | None
    identity: tuple[int, int] | None  # device and number; None where the file system gives none


def class_folders(images: Path) -> dict[str, Path]:
    """Return the folder of each class below `images`, by the class's name.

    Raises InputError for what is no class folder, for names that look alike, and for one folder under two names.
    """
    entries = _entries(images)
    for entry in entries:
        kind = None if entry.mode is None else stat_kind(entry.mode)
        if entry.mode is None:
            raise InputError(f"{printable(entry.path)} is a link that leads nowhere; mend or remove it.")
        if kind != "a folder":
            raise InputError(
                f"{printable(entry.path)} lies beside the class folders; move it into the folder of its class."
            )
    if not entries:
        raise InputError(
            f"{printable(images)} holds no class folders; put every class's pictures into images/<class>/."
        )
    if pair := alike(tuple(entry.path.name for entry in entries)):
        raise InputError(f"{printable(images)} has {twice('folder', 'folders', pair)}; join them, or rename one.")
    _refuse_same(entries, "folder")
    return {tidy(entry.path.name): entry.path for entry in entries}


def pictures_of(folders: dict[str, Path]) -> dict[str, list[Path]]:
    """Return the pictures of each class, sorted by name; what is in them is looked at later.

    Raises InputError for a class without pictures, for what is no file, and for one file that lies in two places.
    """
    entries = {name: _entries(folder) for name, folder in folders.items()}
    for name, members in entries.items():
        _check_pictures(folders[name], members)
    _refuse_same([entry for members in entries.values() for entry in members], "picture")
    return {name: [entry.path for entry in members] for name, members in entries.items()}


def _check_pictures(folder: Path, entries: list[_Entry]) -> None:
    place = f"images/{printable(folder.name)}/"
    for entry in entries:
        kind = entry.mode and stat_kind(entry.mode)
        if kind == "a folder":
            raise InputError(
                f"{printable(entry.path)} is a folder inside a class folder; put the pictures directly into {place}."
            )
        if kind:
            raise InputError(f"{printable(entry.path)} is {kind}, not a picture; remove it.")
    if not entries:
        raise InputError(
            f"{printable(folder)} holds no pictures; put some in, or remove the class from images and attributes.csv."
        )
    by_form: dict[str, str] = {}
    for name in (entry.path.name for entry in entries):
        if by_form.setdefault(tidy(name), name) != name:
            raise InputError(
                f"{place} has two pictures {tidy(name)!r} whose names differ in Unicode form alone; rename one."
            )


def _entries(folder: Path) -> list[_Entry]:
    """What lies in a folder, sorted by name, without files of the system."""
    try:
        paths = [path for path in sorted(folder.iterdir()) if not path.name.startswith(".")]
        found = [_entry(path) for path in paths if path.name.lower() not in NOT_PICTURES]
    except OSError as error:
        raise InputError(f"{printable(folder)} cannot be read ({error.strerror}); allow reading it.") from None
    for entry in found:
        if _undecoded(entry.path.name):
            raise InputError(f"{printable(entry.path)} has a name that is not UTF-8; rename it.")
        if any(sign in entry.path.name for sign in "\n\r"):
            raise InputError(f"{printable(entry.path)} has a line break in its name; rename it.")
    return found


def _undecoded(name: str) -> bool:
    """Whether the bytes of a file's name are not UTF-8: Python then keeps them as lone surrogates."""
    return any("\ud800" <= sign <= "\udfff" for sign in name)


def _entry(path: Path) -> _Entry:
    try:
        status = path.stat()
    except OSError:  # of a link: its target is missing, or it leads to itself
        if not path.is_symlink():
            raise
        return _Entry(path, None, None)
    return _Entry(path, status.st_mode, (status.st_dev, status.st_ino) if status.st_ino else None)


def _refuse_same(entries: list[_Entry], what: str) -> None:
    known: dict[tuple[int, int], Path] = {}
    for entry in entries:
        if entry.identity is None:
            continue
        first = known.setdefault(entry.identity, entry.path)
        if first != entry.path:
            raise InputError(
                f"{printable(first)} and {printable(entry.path)} are one {what} under two names (a link); keep one of them."
            )
