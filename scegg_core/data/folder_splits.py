"""Which picture of a data set of format folder is for what: read from splits.csv, or drawn for listed unseen classes."""

from pathlib import Path

import numpy as np

from scegg_core.data.names import printable, tidy
from scegg_core.data.splitting import hint, hold_out, read_splits
from scegg_core.data.text_files import is_given
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings

#: Share of a seen class's images that is drawn for the test where the settings say nothing.
TEST_SHARE = 0.2


def split_of(
    settings: IndexSettings, classes: tuple[str, ...], paths: tuple[str, ...], labels: np.ndarray
) -> tuple[str, ...]:
    """Return the split of every image: from split_table or splits.csv where there is one, else drawn with `settings.split_seed`.

    Raises InputError where neither says which classes are unseen, or both do and disagree.
    """
    file = Path(settings.split_table or Path(settings.folder) / "splits.csv")
    unseen = _listed_unseen(settings, classes)
    if settings.split_table or is_given(file):
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
        only = "unseen_classes" if name in listed else file.name
        raise InputError(
            f"{printable(file)} and the setting unseen_classes disagree: class {printable(name)} is unseen in "
            f"{only} alone; correct one, or leave out the setting."
        )


def _drawn_split(
    settings: IndexSettings, classes: tuple[str, ...], unseen: frozenset[str], labels: np.ndarray
) -> tuple[str, ...]:
    split: list[str] = []
    share = TEST_SHARE if settings.test_share is None else settings.test_share
    counts = np.bincount(labels, minlength=len(classes)).tolist()
    for label, (name, count) in enumerate(zip(classes, counts, strict=True)):
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
