"""Finds images that are in a data set twice where that spoils its measures: in training and test, or in two classes."""

import hashlib
import os
import stat
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from scegg_core.data.names import printable
from scegg_core.data.tables import DatasetIndex


def said_of_copies(index: DatasetIndex, root: Path) -> str | None:
    """Return a sentence about images with the same bytes, one for training and one for test, or of two classes.

    None where there are none. Published data sets have some, so this is no error.
    """
    paths = [f"{root}/{path}" for path in index.paths]  # paths as objects take longer than all the rest
    same_size = _alike(range(len(paths)), lambda image: _size(paths[image]))
    read: dict[tuple[int, int], bytes] = {}
    groups = [group for images in same_size for group in _alike(images, lambda image: _digest(paths[image], read))]
    return _said(index, groups, "are the same picture, but")


def said_of_equal_features(index: DatasetIndex, digests: Sequence[bytes]) -> str | None:
    """Return what `said_of_copies` says of images whose features have one digest; `digests` are in the index's order."""
    return _said(index, _alike(range(len(digests)), digests.__getitem__), "have the same features, but are")


def _said(index: DatasetIndex, groups: list[list[int]], alike: str) -> str | None:
    found = [(group[0], other) for group in groups for other in group[1:] if _spoils(index, group[0], other)]
    if not found:
        return None
    first, second = (printable(index.paths[image]) for image in found[0])
    more = f", and {len(found) - 1} more" if len(found) > 1 else ""
    return f"{first} and {second} {alike} in training and test, or in two classes{more}"


def _spoils(index: DatasetIndex, first: int, second: int) -> bool:
    trains = [index.split[image] == "trainval" for image in (first, second)]
    return trains[0] != trains[1] or index.labels[first] != index.labels[second]


def _alike(images: Iterable[int], key: Callable[[int], Hashable | None]) -> list[list[int]]:
    """The groups of two images or more whose key is the same, and not None."""
    groups = defaultdict(list)
    for image in images:
        groups[key(image)].append(image)
    return [group for value, group in groups.items() if value is not None and len(group) > 1]


def _size(path: str) -> int | None:
    with suppress(OSError, ValueError):
        found = os.stat(path)  # noqa: PTH116 - see above
        return found.st_size if stat.S_ISREG(found.st_mode) else None
    return None


def _digest(path: str, read: dict[tuple[int, int], bytes]) -> bytes | None:
    """The digest of a file, read once under all its names: `read` holds digests by device and number of the file."""
    with suppress(OSError):
        found = os.stat(path)  # noqa: PTH116 - see above
        place = found.st_dev, found.st_ino
        if place not in read:
            with open(path, "rb") as file:  # noqa: PTH123 - see above
                read[place] = hashlib.file_digest(file, "sha256").digest()
        return read[place]
    return None
