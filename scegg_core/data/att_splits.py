"""The files of the Proposed Splits (xlsa17): att_splits.mat, and the image names and labels of res101.mat."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scegg_core.data.mat import Variables, read_mat
from scegg_core.data.names import printable, tidy
from scegg_core.data.splitting import read_splits
from scegg_core.data.tables import MISSING, SPLITS
from scegg_core.data.text_files import is_given, read_text, require_readable
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings
from scegg_core.settings.existing import is_file

ADDRESS = "http://datasets.d2.mpi-inf.mpg.de/xian/xlsa17.zip"

AGAIN = f"fetch xlsa17.zip from {ADDRESS} again"

#: Numbers beyond this are not attribute strengths, labels or image numbers; all within it fit into float32 and int64.
LARGEST_NUMBER = 1e15


@dataclass(frozen=True)
class AttSplits:
    """Content of att_splits.mat: class names, `percent` (C, A), and 0-based image numbers of every split."""

    classes: tuple[str, ...]
    percent: np.ndarray
    locations: tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Images:
    """The images of a data set as its file names them: paths, the folder that tables of splits name them below, 0-based
    labels, and that file."""

    paths: tuple[str, ...]
    root: str
    labels: np.ndarray
    source: Path


def split_of(
    settings: IndexSettings, content: AttSplits, images: Images, file: Path
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return which classes are seen, and the split of every image: as `split_table` says, or else att_splits.mat, `file`.

    Raises InputError for splits that do not fit the images.
    """
    if settings.split_table is not None:
        split = read_splits(Path(settings.split_table), images.paths, images.root, images.source.name)
        return _seen_in(split, images.labels, content), split
    seen = seen_classes(content, images.labels, file.parent)
    return seen, split_names(content, len(images.paths), file, images.source.name)


def splits_name(settings: IndexSettings, splits: Path) -> str:
    """Return the name of the file with the splits: sent_splits.mat where class vectors are given and it stands alone."""
    alone = is_file(splits / "sent_splits.mat") and not is_file(splits / "att_splits.mat")
    return "sent_splits.mat" if settings.class_vectors is not None and alone else "att_splits.mat"


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
        remedy = "transpose it" if percent.shape[0] == len(classes) else "fetch xlsa17.zip again"
        raise InputError(
            f"{path} names {len(classes)} classes but its {name} has {percent.shape[-1]} columns, one a class; {remedy}."
        )
    if np.shape(found.get("att")) == percent.shape:  # sent_splits.mat has sentence vectors there
        match_strengths(percent, found["att"], classes, path)
    locations = tuple(image_numbers(found[f"{split}_loc"], path, f"{split}_loc") - 1 for split in SPLITS)
    return AttSplits(classes, np.ascontiguousarray(percent.T, dtype=np.float32), locations)


def match_strengths(original: np.ndarray, att: np.ndarray, classes: tuple[str, ...], path: Path) -> None:
    """Raise InputError where `original` and `att` (attributes, classes) of the file at `path` describe a class differently."""
    apart = described_otherwise(original, att)
    if apart.any():
        name = classes[int(apart.argmax())]
        raise InputError(
            f"{path} describes class {name} differently in att and original_att ({apart.sum()} of {len(classes)} "
            "classes differ); remove the one that is wrong."
        )


def described_otherwise(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return which classes two matrices (attributes, classes) describe differently: (classes,) bool.

    The Proposed Splits' att is original_att with columns of length 1, so each pair of columns points one way; what is
    not known is 0 there in some files, as in those that are written here.
    """
    first, second = (np.where(values == MISSING, 0, values) for values in (first, second))
    with np.errstate(over="ignore", invalid="ignore"):  # nothing is told apart by what is too large, or no number
        lengths = np.linalg.norm(first, axis=0) * np.linalg.norm(second, axis=0)
        return (first * second).sum(axis=0) < 0.99 * lengths


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


def read_class_list(path: Path) -> tuple[str, ...]:
    """Return the class names of a list such as valclasses1.txt, one a line, tidy."""
    return tuple(tidy(line) for line in read_text(path).splitlines() if line.strip())


def seen_classes(content: AttSplits, labels: np.ndarray, splits: Path) -> np.ndarray:
    """Return which classes are seen: those with no image in test_unseen_loc and no line in testclasses.txt."""
    unseen = set()
    for image in content.locations[2]:
        if 0 <= image < len(labels):
            unseen.add(tidy(content.classes[labels[image]]))
    file = splits / "testclasses.txt"
    if is_given(file):
        listed = set(read_class_list(file))
        unknown = sorted(listed ^ unseen)
        if unknown:
            where = "testclasses.txt only" if unknown[0] in listed else "test_unseen_loc only"
            raise InputError(
                f"{file} and att_splits.mat disagree about the unseen classes: {printable(unknown[0])} is in {where}; "
                "use files of one set."
            )
    return np.array([tidy(name) not in unseen for name in content.classes])


def _seen_in(split: tuple[str, ...], labels: np.ndarray, content: AttSplits) -> np.ndarray:
    unseen = labels[np.array(split) == "test_unseen"]
    return ~np.isin(np.arange(len(content.classes)), unseen)


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


def _read_mat(path: Path, required: tuple[str, ...], optional: tuple[str, ...] = ()) -> Variables:
    require_readable(path, f"{path} is missing: unpack xlsa17.zip from {ADDRESS}, or correct the setting `splits`.")
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
    if isinstance(values, tuple) or not np.isfinite(values.astype(np.float64)).all():
        raise InputError(f"{path} holds values in {name} that are not finite numbers; {again}.")
    if (np.abs(values.astype(np.float64)) > LARGEST_NUMBER).any():
        raise InputError(f"{path} holds values in {name} that are larger than {LARGEST_NUMBER:g}; {again}.")
    return values.astype(np.float64)


def image_numbers(values: np.ndarray | tuple[str, ...], path: Path, name: str, again: str = AGAIN) -> np.ndarray:
    """Return what `whole_numbers` does, refused where it seems to be a flag for each image, not the numbers of some."""
    numbers = whole_numbers(values, path, name, again)
    if len(numbers) > 2 and numbers.min() >= 0 and numbers.max() <= 1:
        raise InputError(
            f"{printable(path)} holds 0 and 1 alone in {name}, as flags of images, where the numbers of images belong; save "
            "the numbers of those with 1."
        )
    return numbers


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
