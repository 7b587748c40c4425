"""Ready features of kind `dazle`: HDF5 as DAZLE writes it, a map of regions an image; all numbers count from 0.

`feature_map` (images, channels, height, width), `labels` and the three `…_loc`, `original_att` or `att` (classes,
attributes), `w2v_att` (attributes, size).
"""

import itertools
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.data.att_splits import (
    AttSplits,
    described_otherwise,
    image_numbers,
    match_attributes,
    match_strengths,
    read_att_splits,
    split_names,
    whole_numbers,
)
from scegg_core.data.attribute_names import read_names, to_words
from scegg_core.data.features.ready import (
    PIECE,
    FeatureSize,
    ReadyFeatures,
    check_agreement,
    check_counting,
    check_range,
    narrowed,
    numbered,
    require_features,
)
from scegg_core.data.formats.xlsa17 import parts_of
from scegg_core.data.hdf5 import find, floats, numbers, opened, require, whole
from scegg_core.data.names import printable
from scegg_core.data.splitting import read_splits
from scegg_core.data.tables import MISSING, SPLITS, DatasetIndex
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings
from scegg_core.settings.features import FeatureSettings

if TYPE_CHECKING:
    from h5py import File

#: Bytes of the images that are put together at once, as they are stored here. Chunks of the file often reach over many
#: images: with fewer of these at once, a chunk would be unpacked several times.
HELD = 1 << 30

#: Chunks are read several at a time up to this size (bytes): a call takes as long as unpacking so much.
SMALL = 64 << 10

AGAIN = "make the file again"

Box = tuple[slice, slice, slice, slice]


class RegionMaps(ReadyFeatures):
    """The region maps of such a file, read chunk by chunk; in memory are up to HELD bytes of images."""

    def __init__(self, path: Path, file: "File"):
        self.file = file
        self.maps = floats(require(file, path, "feature_map"), path, "feature_map")
        if self.maps.ndim != 4:
            raise InputError(
                f"{printable(path)} holds feature_map of shape {self.maps.shape}, expected images × channels × height × width."
            )
        images, channels, height, width = self.maps.shape
        if width > max(channels, height):  # a map is seldom wider than it has channels, unless these come last
            raise InputError(
                f"{printable(path)} holds feature_map of shape {self.maps.shape}, which looks like images × height × width "
                "× channels; transpose it to images × channels × height × width."
            )
        super().__init__(path, FeatureSize(images, channels, height, width))

    def pieces(self, rows: range) -> Iterator[np.ndarray]:
        """Yield the maps of image `rows`, (n, R, channels) of `size.dtype`, in C order of the map's places."""
        step = _images_at_once(self.maps.chunks, self.size)
        for start in range(rows.start, rows.stop, step):
            part = range(start, min(start + step, rows.stop))
            piece = np.empty((len(part), self.size.height, self.size.width, self.size.channels), self.size.dtype)
            for box in _boxes(self.maps.shape, self.maps.chunks, self.maps.dtype.itemsize, part):
                self._copy(box, start, piece)
            yield piece.reshape(len(part), self.size.regions, self.size.channels)

    def _copy(self, box: Box, start: int, piece: np.ndarray) -> None:
        """Copy a box of the file to its place in `piece`, (images from `start` on, height, width, channels)."""
        images, channels, height, width = box
        with whole(self.path):
            values = self.maps[box]
        here = slice(images.start - start, images.stop - start)
        piece[here, height, width, channels] = narrowed(values, piece.dtype, self.path, images.start).transpose(
            0, 2, 3, 1
        )

    def index(self, settings: IndexSettings) -> DatasetIndex:
        """Return the index; names of classes are those of att_splits.mat where `splits` is set, of attributes those of
        the setting `attributes`; what has no name is numbered."""
        content, labels = self._splits(), self._whole("labels")
        classes, count = content.percent.shape
        check_agreement(self.path, self.size.images, len(labels))
        check_range(self.path, "labels", labels, classes, 0)
        check_counting(self.path, "images", np.concatenate(content.locations), len(labels), 0)
        for split, location in zip(SPLITS, content.locations, strict=True):
            check_range(self.path, f"{split}_loc", location, len(labels), 0)
        names = read_names(Path(settings.attributes)) if settings.attributes else numbered("attribute", count)
        match_attributes(names, content, Path(settings.attributes or self.path), self.path)
        paths = numbered("image", len(labels))
        split = split_names(content, len(labels), self.path, "the file", 0)
        if settings.split_table is not None:
            split = read_splits(Path(settings.split_table), paths, "", self.path.name)
        unseen = labels[np.asarray(split) == "test_unseen"]
        return DatasetIndex(
            classes=_class_names(settings, content.percent, self.path),
            seen=~np.isin(np.arange(classes), unseen),
            percent=content.percent,
            attributes=names,
            words=to_words(names, settings.attribute_vectors.names),
            parts=parts_of(settings.home, names),
            paths=paths,
            labels=labels.astype(np.int32),
            split=split,
            rows=np.arange(len(labels), dtype=np.int32),
        )

    def _splits(self) -> AttSplits:
        name = "att" if find(self.file, self.path, "original_att") is None else "original_att"
        percent = numbers(self.file, self.path, name)
        if percent.ndim != 2:
            raise InputError(
                f"{printable(self.path)} holds {name} of shape {percent.shape}, expected classes × attributes."
            )
        labels = np.unique(self._whole("labels"))
        if labels.size and percent.shape[1] == len(labels) != percent.shape[0]:
            raise InputError(
                f"{printable(self.path)} holds {name} of shape {percent.shape}, but its labels name {len(labels)} classes; "
                "transpose it to classes × attributes."
            )
        if name == "original_att" and find(self.file, self.path, "att") is not None:
            self._match_strengths(percent)
        locations = tuple(self._numbers(f"{split}_loc") for split in SPLITS)
        with np.errstate(over="ignore"):  # what becomes infinite is named later
            return AttSplits((), percent.astype(np.float32), locations)

    def _match_strengths(self, percent: np.ndarray) -> None:
        att = numbers(self.file, self.path, "att")
        strengths = ((percent >= 0) | (percent == MISSING)).all()  # else it is said
        if strengths and att.shape == percent.shape:  # else att is something else
            match_strengths(percent.T, att.T, numbered("class", len(percent)), self.path)

    def _numbers(self, name: str) -> np.ndarray:
        return image_numbers(numbers(self.file, self.path, name), self.path, name, AGAIN)

    def _whole(self, name: str) -> np.ndarray:
        return whole_numbers(numbers(self.file, self.path, name), self.path, name, AGAIN)


@contextmanager
def open_features(settings: FeatureSettings) -> Iterator[ReadyFeatures]:
    """Yield the region maps of the HDF5 file."""
    path = Path(settings.path)
    require_features(path)
    with opened(path) as file:
        yield RegionMaps(path, file)


def read_attribute_vectors(path: Path, attributes: int) -> np.ndarray:
    """Return w2v_att of the file at `path`, (attributes, size) float32; InputError unless it has a vector for each."""
    require_features(path)
    with opened(path) as file:
        vectors = numbers(file, path, "w2v_att")
    if vectors.ndim != 2 or len(vectors) != attributes or not vectors.size:
        raise InputError(
            f"{printable(path)} holds w2v_att of shape {vectors.shape}, but there are {attributes} attributes; "
            "it needs a row for each."
        )
    return vectors.astype(np.float32)


def _class_names(settings: IndexSettings, percent: np.ndarray, path: Path) -> tuple[str, ...]:
    if settings.splits is None:
        return numbered("class", len(percent))
    source = Path(settings.splits) / "att_splits.mat"
    found = read_att_splits(source)
    if len(found.classes) != len(percent):
        raise InputError(
            f"{source} names {len(found.classes)} classes, but {printable(path)} describes {len(percent)}; use files of one set."
        )
    if found.percent.shape == percent.shape and (other := described_otherwise(percent.T, found.percent.T)).any():
        raise InputError(
            f"{source} describes class {printable(found.classes[int(other.argmax())])} differently than {printable(path)} "
            f"({other.sum()} of {len(percent)} classes differ), so its names are of another set or order; use files of one set."
        )
    return found.classes


def _images_at_once(chunks: tuple[int, ...] | None, size: FeatureSize) -> int:
    """How many images are put together at once: as many as a chunk reaches over, but no more than HELD bytes."""
    fits = max(1, HELD // size.row_bytes)
    if chunks is None:
        return min(fits, max(1, PIECE // size.row_bytes))
    return min(fits, chunks[0] * max(1, PIECE // (chunks[0] * size.row_bytes)))


def _boxes(shape: tuple[int, ...], chunks: tuple[int, ...] | None, itemsize: int, rows: range) -> Iterator[Box]:
    """Yield the boxes of the file that hold the image `rows`: chunks, as many small ones as make SMALL bytes together."""
    step = list(chunks or (max(1, PIECE // (itemsize * math.prod(shape[1:]))), *shape[1:]))
    for side in (3, 2, 1):
        bytes_now = itemsize * math.prod(step)
        step[side] *= max(1, min(SMALL // max(1, bytes_now), -(-shape[side] // step[side])))
    starts = [range(rows.start - rows.start % step[0], rows.stop, step[0])]
    starts += [range(0, side, width) for side, width in zip(shape[1:], step[1:], strict=True)]
    for corner in itertools.product(*starts):
        first = slice(max(corner[0], rows.start), min(corner[0] + step[0], rows.stop))
        others = (slice(at, min(at + step[n], shape[n])) for n, at in enumerate(corner[1:], start=1))
        yield (first, *others)
