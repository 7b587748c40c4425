"""The validation split: a data set made of the training images alone, in which some seen classes are played as unseen.

Settings are chosen on it, so that nothing is ever chosen on test images.
"""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from scegg_core.data.names import printable, tidy
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.text_files import read_text
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings


def class_split(index: DatasetIndex, settings: IndexSettings) -> DatasetIndex:
    """Return the data set for selection on validation, made from the trainval images of `index` alone.

    Its unseen classes are those of valclasses{validation_list}.txt (drawn with `split_seed` where there is no such
    file), its test_seen images are the fraction `validation_share` of each other seen class. The real unseen classes are
    left out and labels renumbered; `rows` still refers to the images table of the base data set.
    """
    # DEVIATES: train_loc and val_loc of att_splits.mat are not used, their union holds test images.
    played_unseen = validation_classes(index, settings)
    kept = np.flatnonzero(index.seen)
    new_label = np.full(len(index.classes), -1, dtype=np.int32)
    new_label[kept] = np.arange(len(kept))
    images = index.in_split("trainval")
    labels = index.labels[images]
    seen = np.array([name not in played_unseen for name in index.classes])
    held_out = _hold_out(labels, seen, settings.validation_share, settings.split_seed)
    if not held_out.any():
        raise InputError(
            "no class that stays seen in the validation split has 2 training images, so S and H cannot be measured "
            "there; add training images."
        )
    names = np.where(held_out, "test_seen", np.where(seen[labels], "trainval", "test_unseen"))
    return replace(
        index,
        classes=tuple(index.classes[label] for label in kept),
        seen=seen[kept],
        percent=index.percent[kept],
        paths=tuple(index.paths[image] for image in images),
        labels=new_label[labels],
        split=tuple(names.tolist()),
        rows=index.rows[images],
        skipped=(),
    )


def validation_classes(index: DatasetIndex, settings: IndexSettings) -> frozenset[str]:
    """Return the names of the seen classes that are played as unseen; raises InputError for a bad list."""
    if settings.lists is not None:
        file = settings.lists / f"valclasses{settings.validation_list}.txt"
        if os.path.lexists(file):
            return _listed(file, index)
    return _drawn(index, settings.split_seed)


def hold_out(count: int, fraction: float, rng: np.random.Generator) -> np.ndarray:
    """Return which of `count` images of a class are held out, bool: the rounded fraction, at least 1, never all."""
    chosen = min(max(1, round(fraction * count)), count - 1)
    mask = np.zeros(count, dtype=bool)
    mask[rng.permutation(count)[:chosen]] = True
    return mask


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


def _drawn(index: DatasetIndex, seed: int) -> frozenset[str]:
    # ASSUME: without lists, the fraction of seen classes played as unseen is that of the real unseen classes.
    seen = np.flatnonzero(index.seen)
    if len(seen) < 2:
        raise InputError(f"the data set has {len(seen)} seen class; a validation split needs at least 2.")
    count = min(max(1, round(len(seen) * float((~index.seen).mean()))), len(seen) - 1)
    chosen = np.random.default_rng([seed, 1]).permutation(seen)[:count]
    return frozenset(index.classes[label] for label in chosen)


def _hold_out(labels: np.ndarray, seen: np.ndarray, fraction: float, seed: int) -> np.ndarray:
    """Return which images are held out, drawn per class, so independently of the other classes."""
    mask = np.zeros(len(labels), dtype=bool)
    for label in np.flatnonzero(seen):
        images = np.flatnonzero(labels == label)
        if len(images) > 1:
            mask[images] = hold_out(len(images), fraction, np.random.default_rng([seed, 2, int(label)]))
    return mask
