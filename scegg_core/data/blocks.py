"""Walks over images that need neither a loop over all images for every class, nor memory for images × classes at once."""

from collections.abc import Iterator

import numpy as np

NUMBERS = 1 << 24  # of a matrix that are in memory at a time, beside the matrix itself


def by_class(labels: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each class in `labels` (images,), ascending, with the positions of its images, ascending."""
    order = np.argsort(labels, kind="stable")
    classes, starts = np.unique(labels[order], return_index=True)
    return zip(classes.tolist(), np.split(order, starts[1:]), strict=False)  # of nothing, split makes one empty part


def blocks(rows: int, columns: int) -> Iterator[slice]:
    """Yield slices of `rows`, in order, in which a matrix of so many columns has at most NUMBERS numbers, or one row."""
    size = max(1, NUMBERS // max(1, columns))
    return (slice(start, min(start + size, rows)) for start in range(0, rows, size))
