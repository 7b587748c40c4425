"""Reading data sets in the layout of xlsa17 (the Proposed Splits): att_splits.mat, res101.mat and class lists."""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from scegg_core.data.attribute_names import read_names, read_parts, to_words
from scegg_core.data.mat import Variables, read_mat
from scegg_core.data.tables import SPLITS, DatasetIndex
from scegg_core.data.text_files import read_text
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings

ADDRESS = "http://datasets.d2.mpi-inf.mpg.de/xian/xlsa17.zip"

AGAIN = f"fetch xlsa17.zip from {ADDRESS} again"

#: Numbers beyond this are not attribute strengths, labels or image numbers; all within it fit into float32 and int64.
LARGEST_NUMBER = 1e15


@dataclass(frozen=True)
class Layout:
    """Where a data set's files lie.

    `root` is the folder in image_files (its last occurrence) after which local paths begin; `prefix` the place of
    those local paths under the data set's folder; `attributes` the candidates for the file of attribute names;
    `images` the folder of the images; `origin` says where the archive comes from.
    """

    root: str
    prefix: str
    images: str
    attributes: tuple[str, ...]
    origin: str
    class_is_folder: bool = False


@dataclass(frozen=True)
class AttSplits:
    """Content of att_splits.mat: class names, `percent` (C, A), and 0-based image numbers of every split."""

    classes: tuple[str, ...]
    percent: np.ndarray
    locations: tuple[np.ndarray, np.ndarray, np.ndarray]


def load(settings: IndexSettings) -> DatasetIndex:
    """Return the index of any data set in xlsa17's layout (aPY, AWA1, FLO …); `image_root` says where paths are cut."""
    if not settings.image_root:
        raise InputError(
            "format xlsa17 needs the setting `image_root`: the folder name in res101.mat's image_files after which "
            "local paths begin."
        )
    layout = Layout(settings.image_root, "", "", ("attributes.txt",), "the data set's own site")
    return load_layout(settings, layout)


def load_layout(settings: IndexSettings, layout: Layout) -> DatasetIndex:
    """Return the index of the data set whose files lie as `layout` says; raises InputError for what does not fit."""
    folder, splits = Path(settings.folder), splits_folder(settings)
    require_folder(folder / layout.images, layout.origin)
    content = read_att_splits(splits / "att_splits.mat")
    files, labels = read_res101(splits / "res101.mat", len(content.classes))
    attributes_file = find_attributes(settings, layout)
    attributes = read_names(attributes_file)
    match_attributes(attributes, content, attributes_file, splits / "att_splits.mat")
    paths = tuple(local_path(file, layout, splits / "res101.mat") for file in files)
    if layout.class_is_folder:
        _match_folders(paths, labels, content.classes, splits / "res101.mat")
    return DatasetIndex(
        classes=content.classes,
        seen=seen_classes(content, labels, splits),
        percent=content.percent,
        attributes=attributes,
        words=to_words(attributes, settings.attribute_vectors.names),
        parts=parts_of(folder, attributes),
        paths=paths,
        labels=labels,
        split=split_names(content, len(files), splits / "att_splits.mat"),
        rows=np.arange(len(files), dtype=np.int32),
    )


def splits_folder(settings: IndexSettings) -> Path:
    """Return the folder of att_splits.mat; raises InputError where the setting is missing or names no folder."""
    if settings.splits is None:
        raise InputError(
            f"format {settings.format} needs the setting `splits`: the folder with att_splits.mat and res101.mat."
        )
    return require_folder(Path(settings.splits), f"xlsa17.zip from {ADDRESS}")


def require_folder(folder: Path, origin: str) -> Path:
    """Return `folder`, refused with a sentence that says where its content comes from if it is missing."""
    if not folder.is_dir():
        raise InputError(
            f"the folder {folder} is missing: unpack {origin} so that it appears, or correct the data set's settings."
        )
    return folder


def find_attributes(settings: IndexSettings, layout: Layout) -> Path:
    """Return the file of attribute names: the setting's, else the first of the layout's that exists, else its first."""
    if settings.attributes is not None:
        return Path(settings.attributes)
    candidates = [Path(settings.folder) / name for name in layout.attributes]
    return next((path for path in candidates if path.is_file()), candidates[0])


def parts_of(folder: Path, attributes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the attributes' parts from attribute_parts.csv in `folder`, or '' for all where there is no such file."""
    file = folder / "attribute_parts.csv"
    return read_parts(file, attributes) if os.path.lexists(file) else ("",) * len(attributes)


def read_att_splits(path: Path) -> AttSplits:
    """Return the content of att_splits.mat; the uint16 1-based locations come back as 0-based int64.

    Never reads train_loc and val_loc: their union holds test images.
    """
    found = _read_mat(path, ("allclasses_names", *(f"{name}_loc" for name in SPLITS)), ("original_att", "att"))
    classes = _texts(found["allclasses_names"], path, "allclasses_names")
    name = "original_att" if "original_att" in found else "att"
    if name not in found:
        raise InputError(f"{path} lacks the variable 'original_att'; fetch xlsa17.zip from {ADDRESS} again.")
    percent = _numbers(found[name], path, name)
    if percent.ndim != 2 or percent.shape[1] != len(classes):
        remedy = "transpose it" if len(percent) == len(classes) else "fetch xlsa17.zip again"
        raise InputError(
            f"{path} names {len(classes)} classes but its {name} has {percent.shape[-1]} columns, one a class; {remedy}."
        )
    locations = tuple(whole_numbers(found[f"{split}_loc"], path, f"{split}_loc") - 1 for split in SPLITS)
    return AttSplits(classes, np.ascontiguousarray(percent.T, dtype=np.float32), locations)


def read_res101(path: Path, classes: int) -> tuple[tuple[str, ...], np.ndarray]:
    """Return image_files as they stand and the labels, 0-based int32, of res101.mat (its features are not read)."""
    found = _read_mat(path, ("image_files", "labels"))
    files = _texts(found["image_files"], path, "image_files")
    labels = whole_numbers(found["labels"], path, "labels")
    if len(files) != len(labels):
        raise InputError(
            f"{path} lists {len(files)} image_files but {len(labels)} labels; fetch xlsa17.zip from {ADDRESS} again."
        )
    wrong = labels[(labels < 1) | (labels > classes)]
    if wrong.size:
        raise InputError(
            f"{path} holds the label {wrong[0]}, but labels run from 1 to {classes}, the classes of att_splits.mat; "
            "use files of one set."
        )
    return files, (labels - 1).astype(np.int32)


def local_path(file: str, layout: Layout, source: Path) -> str:
    """Return the path of an entry of image_files relative to the data set's folder, cut after the last root."""
    steps = [step for step in file.replace("\\", "/").split("/") if step not in ("", ".")]
    if layout.root not in steps[:-1] or ".." in steps:
        raise InputError(
            f"{source} lists the image {file!r}, which has no folder {layout.root!r} to cut its path at; "
            "use the files of this data set."
        )
    start = len(steps) - 1 - steps[::-1].index(layout.root)
    return "/".join([*filter(None, [layout.prefix]), *steps[start + 1 :]])


def read_class_list(path: Path) -> tuple[str, ...]:
    """Return the class names of a list such as valclasses1.txt, one a line."""
    return tuple(line.strip() for line in read_text(path).splitlines() if line.strip())


def seen_classes(content: AttSplits, labels: np.ndarray, splits: Path) -> np.ndarray:
    """Return which classes are seen: those with no image in test_unseen_loc and no line in testclasses.txt."""
    unseen = set()
    for image in content.locations[2]:
        if 0 <= image < len(labels):
            unseen.add(content.classes[labels[image]])
    file = splits / "testclasses.txt"
    if os.path.lexists(file):
        listed = set(read_class_list(file))
        unknown = sorted(listed ^ unseen)
        if unknown:
            where = "testclasses.txt only" if unknown[0] in listed else "test_unseen_loc only"
            raise InputError(
                f"{file} and att_splits.mat disagree about the unseen classes: {unknown[0]} is in {where}; "
                "use files of one set."
            )
    return np.array([name not in unseen for name in content.classes])


def split_names(
    content: AttSplits, images: int, path: Path, features: str = "res101.mat", first: int = 1
) -> tuple[str, ...]:
    """Return the split of each of the `images` that the file called `features` lists; `path` numbers them from `first`.

    Raises InputError for an image that is not there, in no split or in two.
    """
    names = [""] * images
    for split, numbers in zip(SPLITS, content.locations, strict=True):
        for number in numbers.tolist():
            if not 0 <= number < images:
                raise InputError(
                    f"{path} puts image {number + first} into {split}_loc, but {features} lists {images} images; "
                    "use files of one set."
                )
            if names[number]:
                where = f"both {names[number]}_loc and {split}_loc" if names[number] != split else f"{split}_loc twice"
                raise InputError(f"{path} puts image {number + first} into {where}; every image has one split.")
            names[number] = split
    if "" in names:
        raise InputError(
            f"{path} puts image {names.index('') + first} into no split; use the att_splits.mat of the Proposed Splits."
        )
    return tuple(names)


def match_attributes(attributes: tuple[str, ...], content: AttSplits, names_file: Path, mat: Path) -> None:
    """Raise InputError unless `names_file` names as many attributes as `mat` has."""
    if len(attributes) != content.percent.shape[1]:
        raise InputError(
            f"{names_file} names {len(attributes)} attributes, but {mat} has {content.percent.shape[1]} of them; "
            "use the names of this data set."
        )


def _match_folders(paths: tuple[str, ...], labels: np.ndarray, classes: tuple[str, ...], source: Path) -> None:
    for path, label in zip(paths, labels.tolist(), strict=True):
        if PurePosixPath(path).parent.name != classes[label]:
            raise InputError(
                f"{source} labels {path} as {classes[label]}, but it lies in another class's folder; "
                "use res101.mat and att_splits.mat of one set."
            )


def _read_mat(path: Path, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Variables:
    if not path.is_file():
        raise InputError(f"{path} is missing: unpack xlsa17.zip from {ADDRESS}, or correct the setting `splits`.")
    found = read_mat(path, (*required, *optional), f"fetch xlsa17.zip from {ADDRESS} again")
    for name in required:
        if name not in found:
            raise InputError(f"{path} lacks the variable {name!r}; fetch xlsa17.zip from {ADDRESS} again.")
    return found


def _texts(values: np.ndarray | tuple[str, ...], path: Path, name: str) -> tuple[str, ...]:
    if not isinstance(values, tuple):
        raise InputError(f"{path} holds numbers in {name}, where texts belong; fetch xlsa17.zip from {ADDRESS} again.")
    return values


def _numbers(values: np.ndarray | tuple[str, ...], path: Path, name: str, again: str = AGAIN) -> np.ndarray:
    if isinstance(values, tuple) or not (np.abs(values.astype(np.float64)) <= LARGEST_NUMBER).all():
        raise InputError(f"{path} holds values in {name} that are not finite numbers; {again}.")
    return values.astype(np.float64)


def whole_numbers(values: np.ndarray | tuple[str, ...], path: Path, name: str, again: str = AGAIN) -> np.ndarray:
    """Return the values as int64 (the files hold uint16 and float64, both unsafe to compute with).

    Raises InputError, with `again` as the remedy, unless they are one row or column of whole numbers.
    """
    numbers = _numbers(values, path, name, again)
    if numbers.size not in (0, max(numbers.shape, default=1)):
        raise InputError(
            f"{path} holds a matrix of {numbers.shape} in {name}, where one row or column belongs; {again}."
        )
    numbers = numbers.ravel()
    if (numbers != np.rint(numbers)).any():
        raise InputError(
            f"{path} holds {numbers[numbers != np.rint(numbers)][0]} in {name}, where whole numbers belong; {again}."
        )
    return numbers.astype(np.int64)
