"""Ready features of kind `arrays`: an array of features, images.csv (image, label, split) and attributes.csv beside it."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import numpy as np

from scegg_core.data.array_files import Array, array_names, open_array, the_one
from scegg_core.data.attribute_names import to_words
from scegg_core.data.beside import rows_of_splits, said_of_rows
from scegg_core.data.class_table import ClassAttributes, read_class_attributes
from scegg_core.data.features.ready import (
    PIECE,
    FeatureSize,
    ReadyFeatures,
    check_agreement,
    narrowed,
    require_features,
)
from scegg_core.data.folder_splits import hint
from scegg_core.data.formats.xlsa17 import parts_of
from scegg_core.data.names import printable, tidy
from scegg_core.data.tables import SPLITS, DatasetIndex
from scegg_core.data.text_files import is_given
from scegg_core.data.written_tables import has_columns, read_written
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings
from scegg_core.settings.features import FeatureSettings

COLUMNS = ("image", "label", "split")


class ArrayFeatures(ReadyFeatures):
    """The features of an array, (images, channels) or (images, regions, channels)."""

    def __init__(self, path: Path, array: Array):
        self.array = array
        if len(array.shape) not in (2, 3):
            raise InputError(
                f"{printable(path)} holds an array of shape {array.shape}, expected images × channels, or images × "
                "regions × channels."
            )
        if array.kind != "f":
            raise InputError(f"{printable(path)} holds values that are no floating-point numbers; save it as float32.")
        if _is_turned(array.shape):
            raise InputError(
                f"{printable(path)} holds an array of shape {array.shape}, which looks like images × channels × regions; "
                "transpose it to images × regions × channels."
            )
        super().__init__(path, _size(array.shape))

    def pieces(self, rows: range) -> Iterator[np.ndarray]:
        """Yield the features of image `rows`, (n, R, channels) of `size.dtype`."""
        step = max(1, PIECE // self.size.row_bytes)
        for start in range(rows.start, rows.stop, step):
            values = self.array.take(start, min(start + step, rows.stop))
            narrow = narrowed(values, self.size.dtype, self.path, start)
            yield narrow.reshape(len(values), self.size.regions, self.size.channels)

    def index(self, settings: IndexSettings) -> DatasetIndex:
        """Return the index of the images in images.csv, in its order; classes are in the order of attributes.csv."""
        source = settings.home / "images.csv"
        paths, names, split = _read_images(source)
        described = _described(settings, names)
        check_agreement(self.path, self.size.images, len(paths))
        _check_rows(self.path, {"image": paths, "label": names, "split": split}, source)
        _check_splits(self.path, split, source)
        labels = np.array([_label(name, described.classes, source) for name in names], dtype=np.int32)
        unseen = labels[np.asarray(split) == "test_unseen"]
        return DatasetIndex(
            classes=described.classes,
            seen=~np.isin(np.arange(len(described.classes)), unseen),
            percent=described.percent,
            attributes=described.attributes,
            words=to_words(described.attributes, settings.attribute_vectors.names),
            parts=parts_of(settings.home, described.attributes),
            paths=paths,
            labels=labels,
            split=split,
            rows=np.arange(len(paths), dtype=np.int32),
        )


@contextmanager
def open_features(settings: FeatureSettings) -> Iterator[ReadyFeatures]:
    """Yield the features of the array in the file."""
    path = Path(settings.path)
    require_features(path)
    kind = kind_of(path)
    with open_array(path, the_one(path, array_names(path, kind)), kind) as array:
        yield ArrayFeatures(path, array)


def _size(shape: tuple[int, ...]) -> FeatureSize:
    """The size of an array; regions that make a square are taken for its rows, others for a row of their own."""
    images, regions, channels = shape if len(shape) == 3 else (shape[0], 1, shape[1])
    # ASSUME: a square number of regions is a square map, row by row; only pictures of attention show it.
    side = math.isqrt(regions)
    height, width = (side, side) if _is_square(regions) else (1, regions)
    return FeatureSize(images, channels, height, width)


def _is_turned(shape: tuple[int, ...]) -> bool:
    """Whether only the last side can be the regions of a map: the smaller one, and of the two the only square number."""
    return len(shape) == 3 and shape[1] > shape[2] > 1 and _is_square(shape[2]) and not _is_square(shape[1])


def _is_square(number: int) -> bool:
    return math.isqrt(number) ** 2 == number


def _read_images(path: Path) -> tuple[tuple[str, ...], ...]:
    table = read_written(path, f"the columns {', '.join(COLUMNS)}, and a row per image", has_columns(*COLUMNS))
    columns = tuple(table.column(name) for name in COLUMNS)
    if None in columns:
        raise InputError(
            f"{printable(path)} has no column {COLUMNS[columns.index(None)]}; it needs {', '.join(COLUMNS)}."
        )
    for image, kind in zip(columns[0], columns[2], strict=True):
        if kind not in SPLITS:
            raise InputError(
                f"{printable(path)} gives {printable(image)!r} the split {printable(kind)!r}; splits are {', '.join(SPLITS)}."
            )
    return columns


def _check_rows(path: Path, columns: dict[str, tuple[str, ...]], source: Path) -> None:
    """What the file of features says of its rows itself has to be what images.csv says of them, in its order."""
    for what, name, texts in said_of_rows(path, kind_of(path)):
        own = tuple(map(tidy, texts))
        what = what or _meant(own, columns)
        if what is None:
            continue
        known = set(columns[what])
        if len(own) != len(columns[what]):
            raise InputError(
                f"{printable(path)} holds {len(own)} entries in {printable(name)}, but features of {len(columns[what])} images; "
                "give every row one, or leave it out."
            )
        if what == "image" and set(own) != known and _count_upwards(own):
            continue
        if what == "image" or known.issuperset(own):
            _check_same(path, name, own, columns[what], source)
        elif what == "label":  # in words or numbers of its own
            _check_alike(path, name, own, columns[what], source)


def _check_splits(path: Path, split: tuple[str, ...], source: Path) -> None:
    """What the file of features itself says of which rows are for training and test has to be what images.csv says."""
    for name, splits, meant in rows_of_splits(path, kind_of(path)):
        own = np.flatnonzero(np.isin(split, splits))
        if not any(np.array_equal(rows, own) for rows in meant):
            raise InputError(
                f"{printable(path)} names in {printable(name)} other rows than the {len(own)} to which {printable(source)} "
                f"gives the split {' or '.join(splits)}; bring both into agreement, or leave {printable(name)} out."
            )


def _meant(own: tuple[str, ...], columns: dict[str, tuple[str, ...]]) -> str | None:
    """Which column of images.csv has the same texts, as many of each; None where none has."""
    return next((what for what, texts in columns.items() if sorted(own) == sorted(texts)), None)


def _check_same(path: Path, name: str, own: tuple[str, ...], others: tuple[str, ...], source: Path) -> None:
    for row, (here, there) in enumerate(zip(own, others, strict=True), start=1):
        if here != there:
            raise InputError(
                f"{printable(path)} calls its row {row} {printable(here)!r} in {printable(name)}, but {printable(source)} has "
                f"{printable(there)!r} there; bring both into one order (pandas: reset_index(drop=True) where its index means "
                "nothing)."
            )


def _check_alike(path: Path, name: str, own: tuple[str, ...], others: tuple[str, ...], source: Path) -> None:
    """Rows of one label are of one class, and rows of one class have one label."""
    for one, other in ((own, others), (others, own)):
        first: dict[str, int] = {}
        for row, label in enumerate(one):
            known = first.setdefault(label, row)
            if other[known] != other[row]:
                raise InputError(
                    f"{printable(path)} gives its rows {known + 1} and {row + 1} the labels {printable(own[known])!r} and "
                    f"{printable(own[row])!r} in {printable(name)}, but {printable(source)} has {printable(others[known])!r} and "
                    f"{printable(others[row])!r} there; bring both into one order."
                )


def _count_upwards(names: tuple[str, ...]) -> bool:
    """Whether the names are whole numbers in their order, as those that nobody gave."""
    if not all(name.isascii() and name.isdigit() for name in names):
        return False
    return all(int(first) < int(second) for first, second in pairwise(names))


def kind_of(path: Path) -> str:
    """Return of which kind of `array_files` a file is, by the ending of its name."""
    return path.suffix.lower().removeprefix(".")


def _described(settings: IndexSettings, labels: tuple[str, ...]) -> ClassAttributes:
    """The content of attributes.csv; without it the classes that images have, where class vectors stand in its place."""
    source = settings.home / "attributes.csv"
    if settings.class_vectors is None or is_given(source):
        return read_class_attributes(source)
    classes = tuple(sorted(set(labels)))
    return ClassAttributes(classes, (), np.zeros((len(classes), 0), dtype=np.float32))


def _label(name: str, classes: tuple[str, ...], source: Path) -> int:
    if name not in classes:
        raise InputError(
            f"{printable(source)} has the label {printable(name)!r}, which attributes.csv does not describe"
            f"{hint(name, classes)}; labels are names of its classes."
        )
    return classes.index(name)
