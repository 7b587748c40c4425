"""Ready features of kind `xlsa17`: res101.mat, its fine-tuned twins, and att_splits.mat beside it; one vector an image."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scegg_core.data.att_splits import Images, match_attributes, read_att_splits, split_of, splits_name, whole_numbers
from scegg_core.data.attribute_names import read_names, to_words
from scegg_core.data.features.ready import (
    FeatureSize,
    ReadyFeatures,
    check_counting,
    check_range,
    narrowed,
    numbered,
    require_features,
)
from scegg_core.data.formats.xlsa17 import parts_of
from scegg_core.data.mat import read_mat
from scegg_core.data.names import printable
from scegg_core.data.tables import DatasetIndex
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings
from scegg_core.settings.features import FeatureSettings

#: No features of this kind are larger (bytes): they are held whole, in single precision too.
LARGEST = 1 << 32

ADVICE = "copy it again"


@dataclass(frozen=True)
class Content:
    """The variables of such a file: features as they lie there, labels from 1, and names of images, () where it has none."""

    features: np.ndarray
    labels: np.ndarray
    files: tuple[str, ...]


class PooledFeatures(ReadyFeatures):
    """The features of such a file, (images, channels) float32 in memory."""

    def __init__(self, path: Path, content: Content):
        self.content = content
        self.features = narrowed(_by_image(content.features, len(content.labels), path), np.dtype(np.float32), path, 0)
        super().__init__(path, FeatureSize(*self.features.shape))

    def pieces(self, rows: range) -> Iterator[np.ndarray]:
        """Yield the features of image `rows`, (n, 1, channels) float32."""
        if rows:
            yield self.features[rows.start : rows.stop, None]

    def index(self, settings: IndexSettings) -> DatasetIndex:
        """Return the index: classes, attributes and splits of att_splits.mat, images as image_files names them."""
        source = settings.lists / splits_name(settings, settings.lists)
        splits, labels = read_att_splits(source), self.content.labels
        check_range(self.path, "labels", labels, len(splits.classes), 1)
        check_counting(source, "images", 1 + np.concatenate(splits.locations), len(labels), 1)
        count = splits.percent.shape[1]
        names = read_names(Path(settings.attributes)) if settings.attributes else numbered("attribute", count)
        match_attributes(names, splits, Path(settings.attributes or source), source)
        labels = (labels - 1).astype(np.int32)
        paths = _paths(self.content.files) or numbered("image", len(labels))
        seen, split = split_of(settings, splits, Images(paths, "", labels, self.path), source)
        return DatasetIndex(
            classes=splits.classes,
            seen=seen,
            percent=splits.percent,
            attributes=names,
            words=to_words(names, settings.attribute_vectors.names),
            parts=parts_of(settings.home, names),
            paths=paths,
            labels=labels,
            split=split,
            rows=np.arange(len(labels), dtype=np.int32),
        )


@contextmanager
def open_features(settings: FeatureSettings) -> Iterator[ReadyFeatures]:
    """Yield the features of the MATLAB file."""
    path = Path(settings.path)
    require_features(path)
    found = read_mat(path, ("features", "labels", "image_files"), ADVICE, LARGEST)
    for name in ("features", "labels"):
        if name not in found:
            raise InputError(f"{printable(path)} lacks the variable {name!r}; take a file that has it.")
        if isinstance(found[name], tuple):
            raise InputError(f"{printable(path)} holds texts in {name}, where numbers belong; take another file.")
    files = found.get("image_files", ())
    if not isinstance(files, tuple):
        raise InputError(f"{printable(path)} holds numbers in image_files, where texts belong; take another file.")
    yield PooledFeatures(path, _checked(path, found["features"], found["labels"], files))


def _checked(path: Path, features: np.ndarray, labels: np.ndarray, files: tuple[str, ...]) -> Content:
    if features.ndim != 2 or features.dtype.kind not in "fiu":
        raise InputError(
            f"{printable(path)} holds features of shape {features.shape} and type {features.dtype}, "
            "expected real numbers of channels × images."
        )
    labels = whole_numbers(labels, path, "labels", ADVICE)
    if files and len(files) != len(labels):
        raise InputError(f"{printable(path)} lists {len(files)} image_files but {len(labels)} labels; {ADVICE}.")
    return Content(features, labels, files)


def _by_image(features: np.ndarray, images: int, path: Path) -> np.ndarray:
    """The features as (images, channels); which side is which is told by the number of labels."""
    rows, columns = features.shape
    if rows == columns == images:
        raise InputError(
            f"{printable(path)} holds features of shape {features.shape} and as many labels, so that images cannot be told "
            "from channels; save them as .npy of images × channels and use kind arrays."
        )
    if images not in (rows, columns):
        raise InputError(
            f"{printable(path)} holds features of shape {features.shape} but {images} labels; "
            "every image needs one of each."
        )
    return features if rows == images else features.T


def _paths(files: tuple[str, ...]) -> tuple[str, ...]:
    """The names of images without the folders of the authors' machine that all of them lie in."""
    plain = ["/".join(step for step in file.replace("\\", "/").split("/") if step) for file in files]
    common = os.path.commonpath(plain) if len(set(plain)) > 1 and all(plain) else ""
    return tuple(path.removeprefix(f"{common}/") if common else path for path in plain)
