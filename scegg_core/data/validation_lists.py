"""Which seen classes are played as unseen in the validation split, as files say: xlsa17's class lists, or att_splits.mat."""

import os
from pathlib import Path

import numpy as np

from scegg_core.data.att_splits import read_res101, splits_name
from scegg_core.data.features import open_features
from scegg_core.data.mat import read_mat
from scegg_core.data.names import printable, tidy
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.text_files import is_given, read_text
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings

KINDS, NUMBERS = ("train", "val"), (1, 2, 3)

DRAW = "or set validation_list: drawn"


def listed_classes(index: DatasetIndex, settings: IndexSettings) -> frozenset[str] | None:
    """Return the classes of valclassesN.txt, N being `validation_list`, or the seen ones that trainclassesN.txt leaves.

    None where there is neither. Raises InputError for lists that name other than seen classes, overlap or, where both
    are there, leave a seen class out.
    """
    folder, number = settings.lists or settings.home, settings.validation_list
    train, val = (folder / f"{kind}classes{number}.txt" for kind in KINDS)
    trained = _listed(train, index) if is_given(train) else None
    if not is_given(val):
        if trained is None:
            _refuse_others(folder, number)
        return None if trained is None else _seen_names(index) - trained
    played = _listed(val, index)
    if trained is not None:
        _check_both(f"{printable(train)} and {val.name}", trained, played, index)
    return played


def _refuse_others(folder: Path, number: int) -> None:
    """Raise InputError where there are lists of other numbers alone: one of them may be meant."""
    there = [other for other in NUMBERS if any(os.path.lexists(folder / f"{kind}classes{other}.txt") for kind in KINDS)]
    if there:
        raise InputError(
            f"{printable(folder)} has no trainclasses{number}.txt and no valclasses{number}.txt, but those of number "
            f"{' and '.join(map(str, there))}; set validation_list to one that is there, {DRAW}."
        )


def located_classes(index: DatasetIndex, settings: IndexSettings) -> frozenset[str]:
    """Return the classes of the images in val_loc of att_splits.mat; those of train_loc have to be the other seen ones.

    Raises InputError where they are not, or where the file has no such variables.
    """
    # DEVIATES: only the classes of train_loc and val_loc count; images of theirs may be test images (in old copies the
    # union holds all of test_seen), and the validation split is made of trainval images alone.
    if settings.lists is None:
        raise InputError(f"validation_list is att_splits, but there is no att_splits.mat here; set splits, {DRAW}.")
    file = settings.lists / splits_name(settings, settings.lists)
    found = read_mat(file, ("train_loc", "val_loc"), "fetch xlsa17.zip again")
    labels = _labels(index, settings)
    classes = [_classes_of(file, found, name, labels, index) for name in ("train_loc", "val_loc")]
    _check_both(f"train_loc and val_loc of {printable(file)}", *classes, index)
    return classes[1]


def _labels(index: DatasetIndex, settings: IndexSettings) -> np.ndarray:
    """The labels of all images that the locations number, test images too, in the order of the file that numbers them."""
    if settings.features is None:
        return read_res101(settings.lists / "res101.mat", len(index.classes))[1]
    with open_features(settings.features) as features:
        return features.index(settings).labels


def _listed(file: Path, index: DatasetIndex) -> frozenset[str]:
    names = {tidy(line) for line in read_text(file).splitlines() if line.strip()}
    classes = {tidy(name): label for label, name in enumerate(index.classes)}
    for name in sorted(names):
        if name not in classes or not index.seen[classes[name]]:
            kind = "an unseen class" if name in classes else "no class of this data set"
            raise InputError(
                f"{printable(file)} lists {printable(name)!r}, which is {kind}; "
                "validation classes have to be seen classes."
            )
    if not 0 < len(names) < index.seen.sum():
        raise InputError(
            f"{printable(file)} lists {len(names)} of {index.seen.sum()} seen classes; "
            "some, but not all, have to be validation classes."
        )
    return frozenset(index.classes[classes[name]] for name in names)


def _classes_of(file: Path, found: dict, name: str, labels: np.ndarray, index: DatasetIndex) -> frozenset[str]:
    numbers = found.get(name)
    if numbers is None:
        raise InputError(
            f"{printable(file)} has no {name}; set validation_list to 1, 2 or 3 for the class lists, {DRAW}."
        )
    if isinstance(numbers, tuple) or not np.isin(numbers, np.arange(1, len(labels) + 1)).all():
        raise InputError(
            f"{printable(file)} holds in {name} what is no image number from 1 to {len(labels)}; use files of one set, "
            f"{DRAW}."
        )
    found_labels = np.unique(labels[numbers.ravel().astype(np.int64) - 1]).tolist()
    for label in found_labels:
        if not index.seen[label]:
            raise InputError(
                f"{printable(file)} has images of the unseen class {printable(index.classes[label])} in {name}; "
                f"validation classes have to be seen classes: use files of one set, {DRAW}."
            )
    return frozenset(index.classes[label] for label in found_labels)


def _check_both(where: str, trained: frozenset[str], played: frozenset[str], index: DatasetIndex) -> None:
    if both := sorted(trained & played):
        raise InputError(
            f"{where} both have class {printable(both[0])}; validation classes are played as unseen, so take it out of "
            f"one, {DRAW}."
        )
    if neither := sorted(_seen_names(index) - trained - played):
        raise InputError(f"{where} leave out the seen class {printable(neither[0])}; put it into one, {DRAW}.")
    if not trained or not played:
        raise InputError(f"{where} have to have classes both; fill them, {DRAW}.")


def _seen_names(index: DatasetIndex) -> frozenset[str]:
    return frozenset(index.classes[label] for label in np.flatnonzero(index.seen))
