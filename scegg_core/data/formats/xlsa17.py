"""Reading data sets in the layout of xlsa17 (the Proposed Splits): att_splits.mat, res101.mat and class lists."""

import stat
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from scegg_core.data.att_splits import (
    ADDRESS,
    AttSplits,
    Images,
    match_attributes,
    read_att_splits,
    read_res101,
    split_of,
    splits_name,
)
from scegg_core.data.attribute_names import read_names, read_parts, to_words
from scegg_core.data.names import printable
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.text_files import is_given
from scegg_core.errors import InputError
from scegg_core.settings.datasets import IndexSettings
from scegg_core.settings.existing import is_file


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
    splits_file = splits / splits_name(settings, splits)
    content = read_att_splits(splits_file)
    files, labels = read_res101(splits / "res101.mat", len(content.classes))
    attributes = _attributes(settings, layout, content, splits_file)
    paths = tuple(local_path(file, layout, splits / "res101.mat") for file in files)
    if layout.class_is_folder:
        _match_folders(paths, labels, content.classes, splits / "res101.mat")
    images = Images(paths, layout.images, labels, splits / "res101.mat")
    seen, split = split_of(settings, content, images, splits_file)
    return DatasetIndex(
        classes=content.classes,
        seen=seen,
        percent=content.percent,
        attributes=attributes,
        words=to_words(attributes, settings.attribute_vectors.names),
        parts=parts_of(folder, attributes),
        paths=paths,
        labels=labels,
        split=split,
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
    try:
        there = stat.S_ISDIR(folder.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        there = False
    except OSError as error:
        raise InputError(
            f"the folder {printable(folder)} cannot be read ({error.strerror}); allow reading it, or correct the data "
            "set's settings."
        ) from None
    if not there:
        raise InputError(
            f"the folder {folder} is missing: unpack {origin} so that it appears, or correct the data set's settings."
        )
    return folder


def find_attributes(settings: IndexSettings, layout: Layout) -> Path:
    """Return the file of attribute names: the setting's, else the first of the layout's that exists, else its first."""
    if settings.attributes is not None:
        return Path(settings.attributes)
    candidates = [Path(settings.folder) / name for name in layout.attributes]
    return next((path for path in candidates if is_file(path)), candidates[0])


def parts_of(folder: Path, attributes: tuple[str, ...]) -> tuple[str, ...]:
    """Return the attributes' parts from attribute_parts.csv in `folder`, or '' for all where there is no such file."""
    file = folder / "attribute_parts.csv"
    return read_parts(file, attributes) if attributes and is_given(file) else ("",) * len(attributes)


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


def _attributes(settings: IndexSettings, layout: Layout, content: AttSplits, splits_file: Path) -> tuple[str, ...]:
    """The attributes' names; none where class vectors stand in their place."""
    if settings.class_vectors is not None:
        return ()
    file = find_attributes(settings, layout)
    attributes = read_names(file)
    match_attributes(attributes, content, file, splits_file)
    return attributes


def _match_folders(paths: tuple[str, ...], labels: np.ndarray, classes: tuple[str, ...], source: Path) -> None:
    for path, label in zip(paths, labels.tolist(), strict=True):
        if PurePosixPath(path).parent.name != classes[label]:
            raise InputError(
                f"{source} labels {path} as {classes[label]}, but it lies in another class's folder; "
                "use res101.mat and att_splits.mat of one set."
            )
