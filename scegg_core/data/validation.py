"""The validation split: a data set made of the training images alone, in which some seen classes are played as unseen.

Settings are chosen on it, so that nothing is ever chosen on test images.
"""

from dataclasses import replace

import numpy as np

from scegg_core.data.blocks import by_class
from scegg_core.data.splitting import hold_out
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.validation_lists import listed_classes, located_classes
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings


def class_split(index: DatasetIndex, settings: IndexSettings) -> DatasetIndex:
    """Return the data set for selection on validation, made from the trainval images of `index` alone.

    Its unseen classes are those that `validation_list` names (drawn with `split_seed` where there is no list), its
    test_seen images are the fraction `validation_share` of each other seen class. The real unseen classes are left out
    and labels renumbered; `rows` still refers to the images table of the base data set.
    """
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
    if settings.validation_list == "att_splits":
        return located_classes(index, settings)
    listed = None if settings.validation_list == "drawn" else listed_classes(index, settings)
    return _drawn(index, settings.split_seed) if listed is None else listed


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
    for label, images in by_class(labels):
        if seen[label] and len(images) > 1:
            mask[images] = hold_out(len(images), fraction, np.random.default_rng([seed, 2, label]))
    return mask
