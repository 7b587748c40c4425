"""Format `folder`: a researcher's own pictures, images/<class>/*, with attributes.csv and maybe splits.csv."""

import csv
import difflib
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scegg_core.data.attribute_names import read_text, to_words
from scegg_core.data.formats.xlsa17 import parts_of, require_folder
from scegg_core.data.images import NOT_PICTURES
from scegg_core.data.tables import MISSING, SPLITS, DatasetIndex
from scegg_core.data.validation import hold_out
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings


@dataclass(frozen=True)
class ClassAttributes:
    """Content of attributes.csv: class names as they stand, attribute names, and `percent` (C, A) float32."""

    classes: tuple[str, ...]
    attributes: tuple[str, ...]
    percent: np.ndarray


def load(settings: IndexSettings) -> DatasetIndex:
    """Return the index of a folder of pictures: classes sorted by name, images by class and name.

    Raises InputError for classes without pictures or attributes, and for splits that leave something open.
    """
    root = Path(settings.folder)
    images = require_folder(root / "images", "your pictures, one folder a class,")
    described = read_class_attributes(root / "attributes.csv")
    folders = _class_folders(images)
    _match_classes(described.classes, folders, root)
    classes = tuple(sorted(folders))
    rows = [described.classes.index(name) for name in classes]
    pictures = [_pictures(folders[name]) for name in classes]
    paths = tuple(picture.relative_to(root).as_posix() for group in pictures for picture in group)
    labels = np.repeat(np.arange(len(classes), dtype=np.int32), [len(group) for group in pictures])
    split = _split(settings, root, classes, paths, labels)
    unseen = set(labels[np.asarray(split) == "test_unseen"].tolist())
    return DatasetIndex(
        classes=classes,
        seen=np.array([label not in unseen for label in range(len(classes))]),
        percent=described.percent[rows],
        attributes=described.attributes,
        words=to_words(described.attributes, settings.attribute_vectors.names),
        parts=parts_of(root, described.attributes),
        paths=paths,
        labels=labels,
        split=split,
        rows=np.arange(len(paths), dtype=np.int32),
    )


def read_class_attributes(path: Path) -> ClassAttributes:
    """Return the content of attributes.csv: a row per class, a column per attribute, an empty cell for "not known".

    Comma, semicolon or tab part the cells. Raises InputError naming the cell that is wrong.
    """
    lines = read_text(path).splitlines()
    if not lines:
        raise InputError(f"{path} is empty; it needs a header (class and the attribute names) and a row per class.")
    delimiter = max(",;\t", key=lines[0].count)
    header, *rows = (row for row in csv.reader(lines, delimiter=delimiter) if any(cell.strip() for cell in row))
    attributes = tuple(cell.strip() for cell in header[1:])
    if not attributes or not rows:
        raise InputError(
            f"{path} has {len(attributes)} attribute columns and {len(rows)} class rows; it needs at least one of each."
        )
    for number, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise InputError(
                f"{path} row {number} ({row[0]}) has {len(row)} cells, the header has {len(header)}; "
                "give every class one cell an attribute."
            )
    percent = [
        [_value(path, row[0], name, cell) for name, cell in zip(attributes, row[1:], strict=True)] for row in rows
    ]
    return ClassAttributes(
        tuple(_normal(row[0].strip()) for row in rows), attributes, np.array(percent, dtype=np.float32)
    )


def _value(path: Path, name: str, attribute: str, cell: str) -> float:
    try:
        value = float(cell) if cell.strip() else MISSING
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise InputError(
            f"{path} gives class {name} {cell!r} for {attribute!r}; give a number, or nothing where it is not known."
        )
    return value


def _normal(name: str) -> str:
    """Return the name in Unicode's composed form: some systems write folder names decomposed."""
    return unicodedata.normalize("NFC", name)


def _class_folders(images: Path) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for entry in sorted(images.iterdir()):
        if entry.name.startswith(".") or entry.name.lower() in NOT_PICTURES:
            continue
        if not entry.is_dir():
            raise InputError(f"{entry} lies beside the class folders; move it into the folder of its class.")
        found[_normal(entry.name)] = entry
    if not found:
        raise InputError(f"{images} holds no class folders; put every class's pictures into images/<class>/.")
    return found


def _pictures(folder: Path) -> list[Path]:
    entries = [entry for entry in sorted(folder.iterdir()) if not entry.name.startswith(".")]
    entries = [entry for entry in entries if entry.name.lower() not in NOT_PICTURES]
    for entry in entries:
        if entry.is_dir():
            raise InputError(
                f"{entry} is a folder inside a class folder; put the pictures directly into images/{folder.name}/."
            )
    if not entries:
        raise InputError(
            f"{folder} holds no pictures; put some in, or remove the class from images and attributes.csv."
        )
    return entries


def _match_classes(described: tuple[str, ...], folders: dict[str, Path], root: Path) -> None:
    for name in described:
        if described.count(name) > 1:
            raise InputError(f"{root / 'attributes.csv'} has class {name} twice; keep one row.")
        if name not in folders:
            raise InputError(
                f"{root / 'attributes.csv'} has class {name}, but there is no folder "
                f"{root / 'images' / name}{_hint(name, folders)}; name both alike."
            )
    for name in folders:
        if name not in described:
            raise InputError(
                f"{root / 'images' / name} is a class without a row in "
                f"{root / 'attributes.csv'}{_hint(name, described)}; add the row."
            )


def _hint(name: str, known) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {close[0]}?)" if close else ""


def _split(
    settings: IndexSettings, root: Path, classes: tuple[str, ...], paths: tuple[str, ...], labels: np.ndarray
) -> tuple[str, ...]:
    file = root / "splits.csv"
    if file.is_file():
        return read_splits(file, paths)
    if not settings.unseen_classes:
        raise InputError(
            f"{file} is missing and no unseen_classes are set; "
            "write the file (path,split) or list the unseen classes in the settings."
        )
    unseen = {_normal(name) for name in settings.unseen_classes}
    for name in sorted(unseen - set(classes)):
        raise InputError(
            f"unseen_classes lists {name!r}, but there is no folder {root / 'images' / name}{_hint(name, classes)}; "
            "correct the name."
        )
    return _drawn_split(settings, classes, unseen, labels)


def read_splits(path: Path, paths: tuple[str, ...]) -> tuple[str, ...]:
    """Return the split of every image in `paths` from a CSV with columns path (below images/) and split.

    Raises InputError for an image that is not listed, listed twice, or not there.
    """
    table = csv.DictReader(read_text(path).splitlines())
    if not {"path", "split"} <= set(table.fieldnames or ()):
        raise InputError(
            f"{path} has the header {','.join(table.fieldnames or ())!r}, but it needs the columns path and split."
        )
    position = {_normal(name): place for place, name in enumerate(paths)}
    split = [""] * len(paths)
    for row in table:
        name = "images/" + _normal((row["path"] or "").strip().replace("\\", "/")).removeprefix("images/")
        if name not in position:
            raise InputError(
                f"{path} lists {row['path']!r}, but there is no such image; correct the path (it starts at images/)."
            )
        if split[position[name]]:
            raise InputError(f"{path} lists {row['path']!r} twice; keep one row.")
        given = (row["split"] or "").strip()
        if given not in SPLITS:
            raise InputError(f"{path} gives {row['path']!r} the split {given!r}; splits are {', '.join(SPLITS)}.")
        split[position[name]] = given
    if "" in split:
        raise InputError(
            f"{path} does not list {paths[split.index('')]} ({split.count('')} images are not listed); "
            "give every image a split."
        )
    return tuple(split)


def _drawn_split(
    settings: IndexSettings, classes: tuple[str, ...], unseen: set[str], labels: np.ndarray
) -> tuple[str, ...]:
    split: list[str] = []
    for label, name in enumerate(classes):
        count = int((labels == label).sum())
        if name in unseen:
            split += ["test_unseen"] * count
            continue
        if count < 2:
            raise InputError(f"seen class {name} has {count} image; it needs 2, one for training and one for test.")
        held_out = hold_out(count, settings.test_share, np.random.default_rng([settings.split_seed, 0, label]))
        split += ["test_seen" if test else "trainval" for test in held_out]
    return tuple(split)
