"""Which picture of a data set of format folder is for what: read from splits.csv, or drawn for listed unseen classes."""

import difflib
import os
from collections.abc import Collection
from pathlib import Path

import numpy as np

from scegg_core.data.names import likeness, printable, tidy
from scegg_core.data.tables import SPLITS
from scegg_core.data.validation import hold_out
from scegg_core.data.written_tables import has_columns, read_written
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings

#: Share of a seen class's images that is drawn for the test where the settings say nothing.
TEST_SHARE = 0.2


def split_of(
    settings: IndexSettings, classes: tuple[str, ...], paths: tuple[str, ...], labels: np.ndarray
) -> tuple[str, ...]:
    """Return the split of every image: from splits.csv where there is one, else drawn with `settings.split_seed`.

    Raises InputError where neither says which classes are unseen, or both do and disagree.
    """
    file = Path(settings.folder) / "splits.csv"
    unseen = _listed_unseen(settings, classes)
    if os.path.lexists(file):
        if settings.test_share is not None:
            raise InputError(
                f"{printable(file)} says which images are for the test, but test_share is {settings.test_share:g} too; "
                "leave one of them out."
            )
        split = read_splits(file, paths)
        _check_agreement(file, split, unseen, classes, labels)
        return split
    if not unseen:
        raise InputError(
            f"{printable(file)} is missing and no unseen_classes are set; "
            "write the file (path,split) or list the unseen classes in the settings."
        )
    return _drawn_split(settings, classes, unseen, labels)


def read_splits(path: Path, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return the split of every image in `paths` from a table with columns path (below images/) and split.

    Raises InputError for an image that is not listed, listed twice, or not there.
    """
    table = read_written(path, "the columns path and split, and a row per image", has_columns("path", "split"))
    listed, given = table.column("path"), table.column("split")
    if listed is None or given is None:
        raise InputError(
            f"{printable(path)} has the header {printable(','.join(table.header))!r}, "
            "but it needs the columns path and split."
        )
    position = {tidy(name): place for place, name in enumerate(paths)}
    split = [""] * len(paths)
    for file, kind in zip(listed, given, strict=True):
        name, shown = _place(file, position), printable(file)
        if name not in position:
            raise InputError(
                f"{printable(path)} lists {shown!r}, but there is no such image; correct the path (it starts at images/)."
            )
        if split[position[name]]:
            raise InputError(f"{printable(path)} lists {shown!r} twice; keep one row.")
        if kind not in SPLITS:
            raise InputError(
                f"{printable(path)} gives {shown!r} the split {printable(kind)!r}; splits are {', '.join(SPLITS)}."
            )
        split[position[name]] = kind
    if "" in split:
        raise InputError(
            f"{printable(path)} does not list {printable(paths[split.index('')])} "
            f"({split.count('')} images are not listed); give every image a split."
        )
    return tuple(split)


def _place(file: str, known: Collection[str]) -> str:
    """Return the path below the data set's folder that a table means: as it stands, or as Windows writes it."""
    windows = file.replace("\\", "/")
    meant = (f"images/{file}", file, f"images/{windows}", windows)
    return next((name for name in meant if name in known), windows)


def hint(name: str, known: Collection[str]) -> str:
    """Return which of the `known` names may be meant by `name`, in parentheses for a sentence; '' if none is near."""
    same = [other for other in known if likeness(other) == likeness(name)]
    close = same or difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {printable(close[0])}?)" if close else ""


def _listed_unseen(settings: IndexSettings, classes: tuple[str, ...]) -> frozenset[str]:
    """The classes of the setting unseen_classes, which all have to be there."""
    unseen = frozenset(map(tidy, settings.unseen_classes or ()))
    for name in sorted(unseen - set(classes)):
        folder = printable(Path(settings.folder) / "images" / name)
        raise InputError(
            f"unseen_classes lists {printable(name)!r}, but there is no folder {folder}{hint(name, classes)}; "
            "correct the name."
        )
    return unseen


def _check_agreement(
    file: Path, split: tuple[str, ...], listed: frozenset[str], classes: tuple[str, ...], labels: np.ndarray
) -> None:
    """Two lists of the unseen classes have to be one."""
    unseen = {classes[label] for label in labels[np.asarray(split) == "test_unseen"].tolist()}
    if listed and listed != unseen:
        name = min(listed ^ unseen)
        only = "unseen_classes" if name in listed else "splits.csv"
        raise InputError(
            f"{printable(file)} and the setting unseen_classes disagree: class {printable(name)} is unseen in "
            f"{only} alone; correct one, or leave out the setting."
        )


def _drawn_split(
    settings: IndexSettings, classes: tuple[str, ...], unseen: frozenset[str], labels: np.ndarray
) -> tuple[str, ...]:
    split: list[str] = []
    share = TEST_SHARE if settings.test_share is None else settings.test_share
    for label, name in enumerate(classes):
        count = int((labels == label).sum())
        if name in unseen:
            split += ["test_unseen"] * count
            continue
        if count < 2:
            raise InputError(
                f"seen class {printable(name)} has {count} image; it needs 2, one for training and one for test."
            )
        held_out = hold_out(count, share, np.random.default_rng([settings.split_seed, 0, label]))
        split += ["test_seen" if test else "trainval" for test in held_out]
    return tuple(split)
