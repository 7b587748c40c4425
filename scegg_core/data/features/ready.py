"""What all kinds of ready features share: their size, how they are read piece by piece, and what no feature may be."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scegg_core.data.names import printable
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.text_files import stat_kind
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings

#: Bytes that are read at once where a file's own layout does not say otherwise.
PIECE = 64 << 20

#: Features of up to so many bytes, as they are stored here, are read whole by the check: that takes seconds.
WHOLE_BYTES = 1 << 30

#: Pooled features up to this size: of larger ones, the range of a channel may be infinite.
LARGEST = 1e30


@dataclass(frozen=True)
class FeatureSize:
    """Number of images, and the channels and map of each one; a pooled feature is a map of one region."""

    images: int
    channels: int
    height: int = 1
    width: int = 1

    @property
    def regions(self) -> int:
        """Return the number of regions R."""
        return self.height * self.width

    @property
    def dtype(self) -> np.dtype:
        """Return the type that they are stored in here: pooled features as they are, maps as our own ones."""
        # ASSUME: pooled features in double precision are rounded to single, in which the method computes.
        return np.dtype(np.float32 if self.regions == 1 else np.float16)

    @property
    def row_bytes(self) -> int:
        """Return the bytes of one image, as it is stored here."""
        return self.dtype.itemsize * self.regions * self.channels


class ReadyFeatures(ABC):
    """An open file of features; `size` is that of its content."""

    def __init__(self, path: Path, size: FeatureSize):
        self.path, self.size = path, size
        if not min(size.images, size.channels, size.regions):
            raise InputError(
                f"{printable(path)} holds {size.images} images of {size.regions} regions and {size.channels} channels; "
                "there has to be one of each at least."
            )

    @abstractmethod
    def index(self, settings: IndexSettings) -> DatasetIndex:
        """Return the index of the images: classes, attributes and splits as the file and those beside it say."""

    @abstractmethod
    def pieces(self, rows: range) -> Iterator[np.ndarray]:
        """Yield the features of image `rows` in order, (n, R, channels) of `size.dtype`."""

    def blocks(self, rows: range) -> Iterator[np.ndarray]:
        """Yield what `pieces` yields; raises InputError for an image without a value that its precision can tell from 0."""
        start, tiny = rows.start, np.finfo(self.size.dtype).tiny
        for piece in self.pieces(rows):
            largest = _largest(piece)
            weak = np.flatnonzero(largest < tiny)
            if weak.size:
                raise self._too_small(start + weak[0], float(largest[weak[0]]))
            start += len(piece)
            yield piece

    def _too_small(self, image: int, largest: float) -> InputError:
        if largest == 0:
            least = np.finfo(self.size.dtype).smallest_subnormal
            return InputError(
                f"{printable(self.path)} holds only zeros for image {image} (counted from 0), as files do whose making was "
                f"not finished (values below {least:.0g} count as zeros); make it again, or leave the image out."
            )
        kind = "half" if self.size.dtype == np.float16 else "single"
        return InputError(
            f"{printable(self.path)} holds no value beyond {largest:.1g} for image {image} (counted from 0), and of so small "
            f"ones {kind} precision keeps few digits; multiply all features by one number, so that the largest are near 1."
        )

    def probe(self) -> list[bytes]:
        """Return a digest of each image's features; of a large file those of the first, the middle and the last alone.

        Raises InputError for features that cannot be used, of these images.
        """
        rows = range(self.size.images)
        parts = [rows] if self.whole else [rows[:1], rows[len(rows) // 2 :][:1], rows[-1:]]
        return [_digest(image) for part in parts for block in self.blocks(part) for image in block]

    @property
    def whole(self) -> bool:
        """Return whether `probe` looks at all images."""
        return self.size.images * self.size.row_bytes <= WHOLE_BYTES


def _digest(image: np.ndarray) -> bytes:
    return hashlib.sha256(np.ascontiguousarray(image)).digest()


def _largest(piece: np.ndarray) -> np.ndarray:
    """The largest absolute value of each image, (n,), by the order of bits: numpy is slow with half precision."""
    signed, unsigned = (np.dtype(f"{kind}{piece.itemsize}") for kind in "iu")
    rows = np.ascontiguousarray(piece).reshape(len(piece), -1)
    above = np.maximum(rows.view(signed).max(axis=1), 0).astype(unsigned)
    below = rows.view(unsigned).max(axis=1) & unsigned.type(np.iinfo(signed).max)  # their sign bit is the highest
    return np.maximum(above, below).view(piece.dtype)


def narrowed(values: np.ndarray, dtype: np.dtype, path: Path, start: int) -> np.ndarray:
    """Return `values` (images, …), of images from `start` on, in `dtype`; InputError for what that cannot hold."""
    low, high = (float(values.min()), float(values.max())) if values.size else (0, 0)
    most = LARGEST if dtype == np.float32 else float(np.finfo(dtype).max)
    if not (-most <= low and high <= most):  # NaN is in no order
        where = np.argwhere(~(np.abs(values) <= most))[0]
        held = (
            f"is not a finite number of at most {most:g}"
            if dtype == np.float32
            else f"is not finite, or beyond half precision ({most:g})"
        )
        raise InputError(
            f"{printable(path)} holds {values[tuple(where)]:g} for image {start + where[0]} (counted from 0), which {held}; "
            "make these features again."
        )
    return values.astype(dtype)


def require_features(path: Path) -> None:
    """Raise InputError unless `path` is a plain file with something in it."""
    try:
        found = path.stat()
    except OSError as error:
        raise InputError(
            f"the features {printable(path)} cannot be read ({error.strerror}); correct features.path, or put the file there."
        ) from None
    if kind := stat_kind(found.st_mode):
        raise InputError(f"the features {printable(path)} are {kind}, not a file; correct features.path.")
    if not found.st_size:
        raise InputError(f"{printable(path)} is empty; copy it again.")


def check_counting(path: Path, name: str, numbers: np.ndarray, count: int, first: int) -> None:
    """Raise InputError for whole `numbers` that seem to count `count` things from the other of 0 and 1 than `first`."""
    other = 1 - first
    if numbers.size and numbers.min() == other and numbers.max() == other + count - 1:
        raise InputError(
            f"{printable(path)} counts {name} from {other} to {other + count - 1}, but files of this kind count from "
            f"{first}; {'add 1 to' if first else 'subtract 1 from'} each of them."
        )


def check_range(path: Path, name: str, numbers: np.ndarray, count: int, first: int) -> None:
    """Raise InputError for whole `numbers` outside of `count` ones that count from `first`."""
    check_counting(path, name, numbers, count, first)
    wrong = numbers[(numbers < first) | (numbers >= first + count)]
    if wrong.size:
        raise InputError(
            f"{printable(path)} holds {wrong[0]} in {name}, which run from {first} to {first + count - 1} here; "
            "use files of one set."
        )


def check_agreement(path: Path, images: int, labels: int) -> None:
    """Raise InputError where there are features of more or fewer images than labels."""
    if images != labels:
        raise InputError(
            f"{printable(path)} holds features of {images} images but {labels} labels; every image needs one of each."
        )


def numbered(what: str, count: int) -> tuple[str, ...]:
    """Return names for `count` things that have none: what 00, what 01, …"""
    width = len(str(count - 1))
    return tuple(f"{what} {number:0{width}d}" for number in range(count))
