"""Format `folder`: a researcher's own pictures, images/<class>/*, with attributes.csv and maybe splits.csv."""

from pathlib import Path

import numpy as np

from scegg_core.data.attribute_names import to_words
from scegg_core.data.class_table import ClassAttributes, read_class_attributes
from scegg_core.data.folder_splits import hint, split_of
from scegg_core.data.formats.xlsa17 import parts_of, require_folder
from scegg_core.data.names import printable
from scegg_core.data.picture_folders import class_folders, pictures_of
from scegg_core.data.tables import MISSING, DatasetIndex
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings


def load(settings: IndexSettings) -> DatasetIndex:
    """Return the index of a folder of pictures: classes sorted by name, images by class and name.

    Raises InputError for classes without pictures or attributes, and for splits that leave something open.
    """
    root = Path(settings.folder)
    images = require_folder(root / "images", "your pictures, one folder a class,")
    folders = class_folders(images)
    described = _described(settings, root, folders)
    classes = tuple(sorted(folders))
    row = {name: place for place, name in enumerate(described.classes)}
    pictures = pictures_of({name: folders[name] for name in classes})
    paths = tuple(picture.relative_to(root).as_posix() for name in classes for picture in pictures[name])
    labels = np.repeat(np.arange(len(classes), dtype=np.int32), [len(pictures[name]) for name in classes])
    split = split_of(settings, classes, paths, labels)
    unseen = set(labels[np.asarray(split) == "test_unseen"].tolist())
    return DatasetIndex(
        classes=classes,
        seen=np.array([label not in unseen for label in range(len(classes))]),
        percent=described.percent[[row[name] for name in classes]],
        attributes=described.attributes,
        words=to_words(described.attributes, settings.attribute_vectors.names),
        parts=parts_of(root, described.attributes),
        paths=paths,
        labels=labels,
        split=split,
        rows=np.arange(len(paths), dtype=np.int32),
    )


def _described(settings: IndexSettings, root: Path, folders: dict[str, Path]) -> ClassAttributes:
    """The content of attributes.csv, which fits the folders; without attributes where class vectors stand in their place."""
    if settings.class_vectors is not None:
        return ClassAttributes(tuple(folders), (), np.zeros((len(folders), 0), dtype=np.float32))
    described = read_class_attributes(root / "attributes.csv")
    _check_columns(root / "attributes.csv", described)
    _match_classes(described.classes, folders, root)
    return described


def _check_columns(path: Path, described: ClassAttributes) -> None:
    """An attribute that is known of no class says nothing."""
    for name, column in zip(described.attributes, described.percent.T, strict=True):
        if (column == MISSING).all():
            raise InputError(
                f"{printable(path)} gives no class a value for {printable(name)!r}; fill the column, or remove it."
            )


def _match_classes(described: tuple[str, ...], folders: dict[str, Path], root: Path) -> None:
    table, images = printable(root / "attributes.csv"), root / "images"
    for name in described:
        if name.startswith("."):
            raise InputError(
                f"{table} has class {printable(name)}, but folders whose names begin with a dot are the system's; "
                "name the class and its folder otherwise."
            )
        if name not in folders:
            raise InputError(
                f"{table} has class {printable(name)}, but there is no folder "
                f"{printable(images / name)}{hint(name, folders)}; name both alike."
            )
    known = set(described)
    for name in folders:
        if name not in known:
            raise InputError(
                f"{printable(images / name)} is a class without a row in {table}{hint(name, described)}; add the row."
            )
