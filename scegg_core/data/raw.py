"""What a data set's own files are at the moment, so that a run sees when they change."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from scegg_core.artifacts.files import file_digest, write_json
from scegg_core.artifacts.json_text import parse_json
from scegg_core.settings.existing import is_folder
from scegg_core.training.progress import bar

#: A file that tells its size and dates: one found in a folder has them at hand, which a path of every file would not.
Entry = os.DirEntry | Path
WHOLE = "whole"  # the digest of all files among those that are remembered; their names are written in quotes


def raw_digest(places: tuple[str, ...], memory: Path) -> str:
    """Return a digest of the names and contents of all files at and below `places`; hidden ones are left out.

    Where they lie and when they were written does not count: a copy on another disk has the same digest. A file is read
    once: the folder `memory` remembers its content for as long as size and dates stay, the one that programs cannot set
    back among them. Then it takes 0.3 s for 10,000 files. What cannot be read counts as empty; a data set that is gone
    as a whole, as after its regions were made, is what it was.
    """
    memory = memory / f"{sha256(os.fsencode(repr(places))).hexdigest()[:16]}.json"
    known, seen, digest = _remembered(memory), {}, sha256()
    found = ((number, place, *file) for number, place in enumerate(places) for file in _files(place))
    files = sorted(found, key=lambda file: (file[0], file[2]))
    if not files and isinstance(known.get(WHOLE), str):
        return known[WHOLE]
    with bar(len(files), "reading the data set's files", unit="file", delay=2) as progress:
        for number, place, path, entry in files:
            now = seen[ascii(path)] = _content(entry, known.get(ascii(path)))
            digest.update(os.fsencode(f"{number}{path[len(place) :]}\0{now[-1]}\0"))
            progress.update()
    seen[WHOLE] = digest.hexdigest()
    if files and seen != known:
        with suppress(OSError):  # a folder that cannot be written: it is read again next time
            write_json(memory, seen)
    return seen[WHOLE]


def _remembered(memory: Path) -> dict:
    try:
        known = parse_json(memory.read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _content(file: Entry, known: object) -> list:
    """Size, dates and digest of a file, the digest taken from what is known of it if the rest is the same."""
    try:
        found = file.stat()
        is_now = [found.st_size, found.st_mtime_ns, found.st_ctime_ns]
        if isinstance(known, list) and known[:-1] == is_now:
            return known
        return [*is_now, file_digest(os.fspath(file)) if stat.S_ISREG(found.st_mode) else ""]
    except OSError:  # a link to nowhere, or another user's
        return [""]


def _files(place: str) -> Iterator[tuple[str, Entry]]:
    """The files at and below `place`, each by its path and as what tells its size and dates."""
    if is_folder(place):
        yield from _below(place, frozenset())
    elif os.path.lexists(place):
        yield place, Path(place)


def _below(folder: str, above: frozenset) -> Iterator[tuple[str, Entry]]:
    """The files in a folder, through links; a folder that links back to one `above` is left out."""
    real = os.path.realpath(folder)
    if real in above:
        return
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            path = f"{folder}/{entry.name}"
            if _is_folder(entry):
                yield from _below(path, above | {real})
            else:
                yield path, entry


def _is_folder(entry: os.DirEntry) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False
