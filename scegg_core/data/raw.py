"""What a data set's own files are at the moment, so that a run sees when they change."""

import hashlib
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path


@cache
def raw_digest(places: tuple[str, ...], dates: bool) -> str:
    """Return a digest of the names and sizes of all files at and below `places`; with `dates`, of their dates too.

    Names and sizes tell that an image was added, removed or exchanged, and stay when the data are copied to another disk;
    dates tell of every edit. Takes 0.1 s for 10,000 files. What cannot be read counts as not there.
    """
    digest = hashlib.sha256()
    for number, place in enumerate(places):
        for path, found in sorted(_files(place)):
            date = found.st_mtime_ns if dates else 0
            digest.update(os.fsencode(f"{number}{path[len(place) :]}\0{found.st_size}\0{date}\0"))
    return digest.hexdigest()


def _files(place: str) -> Iterator[tuple[str, os.stat_result]]:
    """The paths of the files at and below `place`; hidden ones and linked folders left out."""
    try:
        if not Path(place).is_dir():
            yield place, Path(place).stat()
            return
        entries = list(os.scandir(place))
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _files(entry.path)
        else:
            yield entry.path, _stat(entry)


def _stat(entry: os.DirEntry) -> os.stat_result:
    try:
        return entry.stat()
    except OSError:  # a link to nowhere
        return entry.stat(follow_symlinks=False)
