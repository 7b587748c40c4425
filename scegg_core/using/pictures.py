"""The pictures that a command was given: every one of them is answered or named with the reason why not."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from scegg_core.data.images import NOT_PICTURES
from scegg_core.data.names import as_unicode, printable
from scegg_core.errors import InputError
from scegg_core.using.places import file_fault

T = TypeVar("T")


@dataclass(frozen=True)
class Pictures:
    """Files to be answered by name, sorted by it, and what else was given: its name, and a sentence that says why not."""

    files: dict[str, Path]
    problems: dict[str, str]


def find_pictures(images: str | Path | Iterable[str | Path]) -> Pictures:
    """Return the pictures in a folder by their path below it, or those of several files and folders by the paths that the
    caller named, each of a folder's with the folder before it.

    Of a folder every file is looked at, with any folders in it. Raises InputError where there is nothing to answer, and
    for a path that is named twice.
    """
    paths = [images] if isinstance(images, (str, Path)) else list(images)
    if not paths:
        raise InputError("no pictures are named.")
    return _named(paths[0]) if len(paths) == 1 else _several(sorted(map(str, paths)))


def _named(name: str | Path) -> Pictures:
    """The one file, or what is in the one folder, that was named."""
    path = Path(name)
    if not path.is_dir():
        fault = file_fault(path)
        if fault:
            raise InputError(f"{printable(path)} {fault}; name a folder with pictures, or a picture.")
        return Pictures({str(name): path}, {})
    found = _in_folder(path)
    if not found.files:
        others = list(found.problems.values())
        besides = f"; of {len(others)} other files the first: {others[0]}" if others else "."
        raise InputError(f"{printable(path)} holds no pictures{besides}")
    return found


def _several(names: list[str]) -> Pictures:
    """Files and folders, as a shell makes them of `*`: one that cannot be used does not stop the others."""
    files, problems = [], []
    for name in names:
        if not Path(name).is_dir():
            files.append((name, Path(name)))
            continue
        found = _in_folder(Path(name))
        files += [(f"{Path(name) / below}", path) for below, path in found.files.items()]
        problems += [(f"{Path(name) / below}", problem) for below, problem in found.problems.items()]
        if not found.files and not found.problems:
            problems.append((name, f"{printable(name)} holds no pictures."))
    twice = [name for name, times in Counter(name for name, _ in [*files, *problems]).items() if times > 1]
    if twice:
        raise InputError(f"{printable(twice[0])} is named twice; name each picture once.")
    return _sorted_out(files, problems)


def _in_folder(folder: Path) -> Pictures:
    unread: dict[str, str] = {}

    def note(error: OSError) -> None:
        """Keep the sentence that says which folder cannot be read."""
        place = Path(error.filename)
        unread[place.relative_to(folder).as_posix()] = f"{printable(place)} cannot be read ({error.strerror.lower()})."

    files = [(file.relative_to(folder).as_posix(), file) for file in _files_below(folder, note)]
    return _sorted_out(files, unread.items())


def _files_below(folder: Path, note) -> Iterator[Path]:
    """Every file below `folder`, whatever its name ends in, but for hidden ones and those that systems leave there; links to
    folders are not followed, which could go round in circles."""
    for place, folders, names in os.walk(folder, onerror=note):
        links = [name for name in folders if (Path(place) / name).is_symlink()]
        folders[:] = [name for name in folders if not name.startswith(".")]
        kept = (name for name in [*names, *links] if not name.startswith(".") and name.lower() not in NOT_PICTURES)
        yield from (Path(place) / name for name in kept)


def _sorted_out(files: Iterable[tuple[str, Path]], faults: Iterable[tuple[str, str]]) -> Pictures:
    """Part what can be opened from the rest, and from what has `faults` already."""
    good, problems = [], list(faults)
    for name, path in files:
        fault = file_fault(path)
        if fault:
            problems.append((name, f"{printable(path)} {fault}."))
        else:
            good.append((name, path))
    return Pictures(_by_name(good), _by_name(problems))


def _by_name(named: list[tuple[str, T]]) -> dict[str, T]:
    """In order of the names as they are printed, which all tables, sheets and pages of them have."""
    return dict(sorted(named, key=lambda pair: as_unicode(pair[0])))
