"""What a data set's own files are at the moment, so that a run sees when they change."""

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from scegg_core.artifacts.files import file_digest, write_json
from scegg_core.artifacts.json_text import parse_json
from scegg_core.training.progress import bar


def raw_digest(places: tuple[str, ...], memory: Path) -> str:
    """Return a digest of the names and contents of all files at and below `places`; hidden ones are left out.

    Where they lie and when they were written does not count: a copy on another disk has the same digest. A file is read
    once: the folder `memory` remembers its content for as long as size and dates stay, the one that programs cannot set
    back among them. Then it takes 0.3 s for 10,000 files. What cannot be read counts as empty.
    """
    memory = memory / f"{sha256(os.fsencode(repr(places))).hexdigest()[:16]}.json"
    known, seen, digest = _remembered(memory), {}, sha256()
    files = [(n, place, path) for n, place in enumerate(places) for path in sorted(_files(place, frozenset()))]
    with bar(len(files), "reading the data set's files", unit="file", delay=2) as progress:
        for number, place, path in files:
            entry = seen[ascii(path)] = _content(path, known.get(ascii(path)))
            digest.update(os.fsencode(f"{number}{path[len(place) :]}\0{entry[-1]}\0"))
            progress.update()
    if seen != known:
        with suppress(OSError):  # a folder that cannot be written: it is read again next time
            write_json(memory, seen)
    return digest.hexdigest()


def _remembered(memory: Path) -> dict:
    try:
        known = parse_json(memory.read_bytes())
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _content(path: str, known: object) -> list:
    """Size, dates and digest of a file, the digest taken from what is known of it if the rest is the same."""
    try:
        found = Path(path).stat()
        is_now = [found.st_size, found.st_mtime_ns, found.st_ctime_ns]
        if isinstance(known, list) and known[:-1] == is_now:
            return known
        return [*is_now, file_digest(path) if stat.S_ISREG(found.st_mode) else ""]
    except OSError:  # a link to nowhere, or another user's
        return [""]


def _files(place: str, above: frozenset) -> Iterator[str]:
    """The paths of the files at and below `place`, through links; a folder that links back to itself is left out."""
    real = os.path.realpath(place)
    if not Path(place).is_dir():
        if os.path.lexists(place):
            yield place
        return
    if real in above:
        return
    with suppress(OSError):
        for entry in Path(place).iterdir():
            if not entry.name.startswith("."):
                yield from _files(f"{place}/{entry.name}", above | {real})
