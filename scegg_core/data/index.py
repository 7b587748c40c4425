"""Indexing a data set: the loader its format names, consistency checks, and the policy for unusable images."""

import logging
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from scegg_core.data.class_vectors import with_class_vectors
from scegg_core.data.copies import said_of_copies, said_of_equal_features
from scegg_core.data.features import open_features
from scegg_core.data.formats import LOADERS
from scegg_core.data.images import probe
from scegg_core.data.names import alike, printable
from scegg_core.data.tables import (
    MISSING,
    SPLITS,
    DatasetIndex,
    check_vectors_differ,
    class_vectors,
    read_index,
    take_images,
    write_index,
)
from scegg_core.data.written_tables import twice
from scegg_core.errors import InputError
from scegg_core.settings.datasets import ImagePolicy, IndexSettings

__all__ = ["DatasetIndex", "check_index", "class_vectors", "index_dataset", "read_index", "write_index"]

log = logging.getLogger(__name__)

#: So many unusable images are named in a message; the others are counted.
SHOWN = 20

#: Images of up to so many bytes in all are decoded by the check: that takes seconds.
WHOLE_BYTES = 100_000_000

#: Images that a thread of the check reads at a time: handing them over one by one takes a tenth longer.
BLOCK = 64

#: Between these lies a class's highest strength where vectors are not brought to length 1.
SIZES = 1e-6, 1e9

Progress = Callable[[int, int], None]


def index_dataset(settings: IndexSettings, progress: Progress | None = None, cores: int | None = None) -> DatasetIndex:
    """Return the checked index of a data set, unusable images handled by the policy `settings.images`.

    `progress(done, total)` is called as images are checked, by `cores` cores (None: all). Raises InputError with one
    sentence for bad input.
    """
    index, said = load_with_copies(settings)
    if settings.features is None:
        index = apply_policy(index, find_bad_images(index, Path(settings.folder), progress, cores), settings.images)
        check_index(index)
        said = said_of_copies(index, Path(settings.folder))
    if said:
        log.warning("%s: they spoil what is measured", said)
    return index


def load_index(settings: IndexSettings) -> DatasetIndex:
    """Return the index of a data set as its format reads it, checked; its images are not looked at, ready features are.

    Raises InputError with one sentence for what does not fit together.
    """
    return load_with_copies(settings)[0]


def load_with_copies(settings: IndexSettings) -> tuple[DatasetIndex, str | None]:
    """Return the index as `load_index` does, and a sentence about ready features that spoil measures (see `copies`)."""
    if settings.features is not None:
        return _load_ready(settings)
    index = replace(LOADERS[settings.format](settings), class_norm=settings.class_norm)
    if settings.class_vectors is not None:
        index = with_class_vectors(index, settings.class_vectors)
    check_index(index)
    return index, None


def _load_ready(settings: IndexSettings) -> tuple[DatasetIndex, str | None]:
    with open_features(settings.features) as features:
        index = replace(features.index(settings), class_norm=settings.class_norm)
        if settings.class_vectors is not None:
            index = with_class_vectors(index, settings.class_vectors)
        try:
            check_index(index)
        except InputError as error:
            raise InputError(f"{printable(features.path)}: {error}") from None
        digests = features.probe()
        return index, said_of_equal_features(index, digests) if features.whole else None


def check_index(index: DatasetIndex) -> None:
    """Raise InputError with one sentence unless classes, attributes, images and splits fit together."""
    _check_classes(index)
    _check_attributes(index)
    _check_images(index)
    _check_splits(index)


def find_bad_images(
    index: DatasetIndex, root: Path, progress: Progress | None = None, cores: int | None = None
) -> dict[int, str]:
    """Return position → reason for the images of `index` that cannot be used; files lie under `root`.

    Where they have WHOLE_BYTES or less in all they are decoded; of more, headers and ends are read. Threads for `cores`
    cores do that (None: for all); their number changes nothing that is found.
    """
    bad, total, base = {}, len(index.paths), str(root)
    whole = _bytes_up_to(WHOLE_BYTES, (f"{base}/{path}" for path in index.paths)) <= WHOLE_BYTES
    workers = min(8, cores or os.cpu_count() or 1)  # more than one a core wait for each other, also to read headers
    blocks = [range(start, min(start + BLOCK, total)) for start in range(0, total, BLOCK)]
    with ThreadPoolExecutor(workers) as pool:
        found = pool.map(lambda block: [probe(f"{base}/{index.paths[place]}", whole) for place in block], blocks)
        for block, reasons in zip(blocks, found, strict=True):
            bad.update((place, reason) for place, reason in zip(block, reasons, strict=True) if reason)
            if progress:
                progress(block.stop, total)
    return bad


def _bytes_up_to(limit: int, paths: Iterable[str]) -> int:
    """Return the size of the files in all, counted until it is above `limit`; files that are missing count nothing."""
    size = 0
    for path in paths:
        with suppress(OSError, ValueError):
            size += Path(path).stat().st_size
        if size > limit:
            break
    return size


def apply_policy(index: DatasetIndex, bad: dict[int, str], policy: ImagePolicy) -> DatasetIndex:
    """Return the index without the images `bad` (recorded in `skipped`), or raise InputError that lists them."""
    if not bad:
        return index
    share = len(bad) / len(index.paths)
    skipped = tuple((index.paths[i], reason) for i, reason in bad.items())
    count = f"{len(bad)} of {len(index.paths)} images cannot be used: {_listed(skipped)}"
    if policy.on_bad_image == "stop":
        raise InputError(f"{count}; replace them, or set images.on_bad_image to skip.")
    if share > policy.max_skipped_share:
        raise InputError(
            f"{count}; that is a share of {share:.3g}, and images.max_skipped_share allows "
            f"{policy.max_skipped_share:g}."
        )
    kept = take_images(index, np.array([i not in bad for i in range(len(index.paths))]))
    return replace(kept, rows=np.arange(len(kept.paths), dtype=np.int32), skipped=skipped)


def _listed(skipped: tuple[tuple[str, str], ...]) -> str:
    shown = ", ".join(f"{path} {reason}" for path, reason in skipped[:SHOWN])
    return shown + (f", and {len(skipped) - SHOWN} more" if len(skipped) > SHOWN else "")


def _check_classes(index: DatasetIndex) -> None:
    _unique(index.classes, "class")
    if pair := alike(index.classes):
        raise InputError(f"there are {twice('class', 'classes', pair)}; rename one.")
    classes = len(index.classes)
    if len(index.percent) != classes or len(index.seen) != classes:
        raise InputError(
            f"the attribute matrix describes {len(index.percent)} classes, but {classes} are named; "
            "every class needs one row."
        )
    if not index.seen.any() or index.seen.all():
        kind = "seen" if not index.seen.any() else "unseen"
        raise InputError(f"none of the {classes} classes is {kind}; zero-shot learning needs seen and unseen classes.")


def _check_attributes(index: DatasetIndex) -> None:
    _unique(index.attributes, "attribute")
    named, columns = len(index.attributes), index.percent.shape[1]
    if named != columns or len(index.words) != named or len(index.parts) != named:
        raise InputError(
            f"{named} attributes are named, but the attribute matrix has {columns} columns; every attribute needs one."
        )
    if not index.given_vectors:
        _check_strengths(index)
        class_vectors(index.percent, index.classes)
        _check_sizes(index)
    check_vectors_differ(index)


def _check_strengths(index: DatasetIndex) -> None:
    wrong = np.argwhere(~np.isfinite(index.percent) | ((index.percent < 0) & (index.percent != MISSING)))
    if wrong.size:
        row, column = wrong[0]
        raise InputError(
            f"attribute {printable(index.attributes[column])} of class {printable(index.classes[row])} is {index.percent[row, column]:g}; "
            f"give a strength from 0 upwards, or {MISSING:g} where it is not known; class vectors of any sign belong into "
            "class_vectors."
        )


def _check_sizes(index: DatasetIndex) -> None:
    """With vectors as they are in the source, products of too small or too large ones vanish or become infinite."""
    if index.class_norm != "none":
        return
    (low, high), largest = SIZES, index.percent.max(axis=1)
    for row in np.flatnonzero((largest < low) | (largest > high))[:1]:
        raise InputError(
            f"class {printable(index.classes[row])} has strengths of up to {largest[row]:.0e}, and with class_norm none "
            f"their size counts; scale all strengths, so that each class's largest is between {low:g} and {high:g}."
        )


def _check_images(index: DatasetIndex) -> None:
    if not index.paths:
        raise InputError("the data set has no images; put them into its folder.")
    _unique(index.paths, "image")
    sizes = {len(index.paths), len(index.labels), len(index.split), len(index.rows)}
    if len(sizes) > 1:
        raise InputError(
            f"{len(index.paths)} images have {len(index.labels)} labels and {len(index.split)} splits; "
            "every image needs one of each."
        )
    wrong = np.flatnonzero((index.labels < 0) | (index.labels >= len(index.classes)))
    if wrong.size:
        raise InputError(
            f"image {index.paths[wrong[0]]} has label {index.labels[wrong[0]]}, but there are {len(index.classes)} "
            "classes; correct its label."
        )


def _check_splits(index: DatasetIndex) -> None:
    split = np.asarray(index.split)
    unknown = sorted(set(index.split) - set(SPLITS))
    if unknown:
        raise InputError(
            f"image {index.paths[index.split.index(unknown[0])]} has split {unknown[0]!r}; "
            f"splits are {', '.join(SPLITS)}."
        )
    for name, seen, fault in (
        ("trainval", False, "unseen class {} has {} training images; an unseen class must have none."),
        ("test_seen", False, "unseen class {} has {} images in test_seen; its images belong into test_unseen."),
        (
            "test_unseen",
            True,
            "seen class {} has {} images in test_unseen; its images belong into trainval or test_seen.",
        ),
    ):
        counts = np.bincount(index.labels[split == name], minlength=len(index.classes))
        for label in np.flatnonzero((index.seen == seen) & (counts > 0))[:1]:
            raise InputError(fault.format(printable(index.classes[label]), counts[label]))
    for name, seen, kind in (
        ("trainval", True, "seen class {} has no training image"),
        ("test_unseen", False, "unseen class {} has no test image"),
    ):
        counts = np.bincount(index.labels[split == name], minlength=len(index.classes))
        for label in np.flatnonzero((index.seen == seen) & (counts == 0))[:1]:
            raise InputError(kind.format(printable(index.classes[label])) + "; give it one or remove the class.")
    if "test_seen" not in index.split:
        raise InputError(
            "no image is in test_seen, so accuracy on seen classes (S) and H cannot be measured; "
            "put some images of seen classes there."
        )


def _unique(names: tuple[str, ...], what: str) -> None:
    if len(set(names)) < len(names) or "" in names:
        known = set()
        name = next(name for name in names if not name or name in known or known.add(name))
        raise InputError(
            f"{what} {name!r} occurs twice; names must differ." if name else f"one {what} has an empty name; name it."
        )
