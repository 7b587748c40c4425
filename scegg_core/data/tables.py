"""The index of a data set and its attribute vectors: what they hold, and their tables on disk."""

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scegg_core.artifacts.files import Provenance, matrix, read_description, read_table, write_table
from scegg_core.artifacts.paths import IndexFiles
from scegg_core.data.names import printable
from scegg_core.errors import InputError

#: The attribute value that stands for "not known".
MISSING = -1.0
#: Vectors whose distance is at most this share of their length are the same in single precision.
SAME = 1e-6
SPLITS = ("trainval", "test_seen", "test_unseen")
#: The label of a test image in an index that was read without the labels of test images.
NO_LABEL = -1


@dataclass(frozen=True)
class DatasetIndex:
    """Classes (C), attributes (A) and images (N) of a data set.

    `percent` is (C, A) float32 as in the source (MISSING: not known); `words` are the words that an attribute's name
    is turned into; `parts` the body part it is bound to, or ''. `paths` are relative to the data set's folder, POSIX;
    `labels` are 0-based rows of `classes`; `rows` are rows of the base data set's images table (identity for the base);
    `skipped` holds (path, reason) of the images left out. With `given_vectors`, `percent` are class vectors as a file
    gives them, real numbers of any sign, and the attributes have names of no meaning. Stages before prediction read the index without the labels
    of test images, which then are NO_LABEL.
    """

    classes: tuple[str, ...]
    seen: np.ndarray
    percent: np.ndarray
    attributes: tuple[str, ...]
    words: tuple[str, ...]
    parts: tuple[str, ...]
    paths: tuple[str, ...]
    labels: np.ndarray
    split: tuple[str, ...]
    rows: np.ndarray
    skipped: tuple[tuple[str, str], ...] = ()
    class_norm: str = "l2"
    given_vectors: bool = False

    @property
    def vectors(self) -> np.ndarray:
        """Class vectors a(c), (C, A) float32; see `class_vectors`."""
        return class_vectors(self.percent, self.classes, self.class_norm, self.given_vectors)

    def in_split(self, split: str) -> np.ndarray:
        """Return the positions of the images in `split` (one of SPLITS), int64, ascending."""
        return np.flatnonzero(np.asarray(self.split) == split)

    @property
    def test_images(self) -> np.ndarray:
        """Positions of the test images of seen and unseen classes, int64, ascending."""
        return np.flatnonzero(np.asarray(self.split) != "trainval")


@dataclass(frozen=True)
class AttributeVectors:
    """Word vectors of the attributes: `vectors` (A, d) float32, and per attribute the words used and not known."""

    vectors: np.ndarray
    used: tuple[str, ...]
    unknown: tuple[str, ...]


def class_vectors(
    percent: np.ndarray, classes: tuple[str, ...] = (), norm: str = "l2", given: bool = False
) -> np.ndarray:
    """Return a(c): `percent` (C, A) with L2-normalized rows, or with `norm` none as it is, as float32.

    Values below zero count as 0, unless the vectors are `given`, of any sign.

    Raises InputError for a class whose attributes are all zero or missing; `classes` name it.
    """
    # ASSUME: an entry of -1 means "not known" and counts as 0 (AWA2 has 4 of them); rows are L2-normalized.
    values = np.asarray(percent, dtype=np.float64)
    values = values if given else np.maximum(values, 0)
    length = np.linalg.norm(values, axis=1, keepdims=True)
    empty = np.flatnonzero(length[:, 0] == 0)
    if empty.size:
        name = printable(classes[empty[0]]) if classes else f"number {empty[0]}"
        raise InputError(f"class {name} has no attribute above zero, so nothing describes it; give it at least one.")
    return (values / length if norm == "l2" else values).astype(np.float32)


def scale_of(percent: np.ndarray) -> float:
    """Return the upper end of the scale that a data set's strengths are on: 1, the next whole number up to 50, or 100.

    Above 100 it is the highest strength itself. Percent have a strength above 50 somewhere.
    """
    highest = float(percent.max())
    return max(1.0, math.ceil(highest)) if highest <= 50 else max(100.0, highest)


def check_vectors_differ(index: DatasetIndex) -> None:
    """Raise InputError for two classes of one vector a(c), but for the last digits: nothing could tell them apart."""
    pair = _first_equal_rows(index.vectors.astype(np.float64))
    if pair:
        first, second = (index.classes[label] for label in pair)
        how = "equal or proportional" if index.class_norm == "l2" else "equal"
        names = f"classes {printable(first)} and {printable(second)}"
        if index.given_vectors:
            raise InputError(
                f"{names} have {how} class vectors, so nothing can tell them apart; give them other vectors."
            )
        raise InputError(
            f"{names} have {how} attributes, so nothing can tell them apart; change a value of one, or add an "
            "attribute in which they differ."
        )


def _first_equal_rows(rows: np.ndarray) -> tuple[int, int] | None:
    """Two rows whose distance is within rounding of their length, None where there are none; of several pairs an early one.

    Such rows are near along any direction, so all are sorted along one, and only those near there are compared.
    """
    direction = np.random.default_rng(0).standard_normal(rows.shape[1])
    along = np.einsum("rc,c->r", rows, direction / np.linalg.norm(direction))
    lengths, order = np.linalg.norm(rows, axis=1), np.argsort(along, kind="stable")
    for apart in range(1, len(rows)):  # places in that order
        pairs = np.stack([order[:-apart], order[apart:]], axis=1)
        limit = SAME * lengths[pairs].max(axis=1)
        near = np.flatnonzero(np.diff(along[pairs])[:, 0] <= 2 * limit)
        if not len(near):
            return None
        same = [place for place in near if np.linalg.norm(np.subtract(*rows[pairs[place]])) <= limit[place]]
        if same:
            return min((int(min(pair)), int(max(pair))) for pair in pairs[same])
    return None


def take_images(index: DatasetIndex, keep: np.ndarray) -> DatasetIndex:
    """Return the index with the images `keep` (boolean mask or positions) only; classes and rows as they were."""
    chosen = np.arange(len(index.paths))[keep]
    return replace(
        index,
        paths=tuple(index.paths[i] for i in chosen),
        labels=index.labels[chosen],
        split=tuple(index.split[i] for i in chosen),
        rows=index.rows[chosen],
    )


def write_index(index: DatasetIndex, files: IndexFiles, provenance: Provenance) -> None:
    """Write the index to four tables: the labels of test images to a separate one, which training never reads."""
    test = index.test_images
    training_labels = index.labels.copy()
    training_labels[test] = NO_LABEL
    images_table = {"path": index.paths, "label": training_labels, "split": index.split, "row": index.rows}
    attributes_table = {"name": index.attributes, "words": index.words, "part": index.parts}
    skipped = {"skipped": [list(item) for item in index.skipped]}
    write_classes(index, files.classes, provenance)
    write_table(files.images, "images", images_table, provenance, skipped)
    write_table(files.attributes, "attributes", attributes_table, provenance)
    labels_table = {"image": test.astype(np.int32), "label": index.labels[test]}
    write_table(files.test_labels, "test_labels", labels_table, provenance)


def write_classes(index: DatasetIndex, path: Path, provenance: Provenance) -> None:
    """Write the class table of `index`; its metadata say `IndexSettings.class_norm`, and whether vectors are given."""
    columns = {"name": index.classes, "seen": index.seen, "percent": index.percent, "vector": index.vectors}
    given = {"given_vectors": True} if index.given_vectors else {}
    write_table(path, "classes", columns, provenance, {"class_norm": index.class_norm} | given)


def read_index(files: IndexFiles) -> DatasetIndex:
    """Return the index that `write_index` wrote; without `files.test_labels` the labels of test images are NO_LABEL.

    Raises InputError for a missing or damaged table.
    """
    class_table, image_table = read_table(files.classes, "classes"), read_table(files.images, "images")
    attribute_table = read_table(files.attributes, "attributes")
    skipped = read_description(files.images)["extra"].get("skipped", [])
    labels = image_table["label"].to_numpy().copy()
    if files.test_labels is not None:
        test = read_table(files.test_labels, "test_labels")
        labels[test["image"].to_numpy()] = test["label"].to_numpy()
    return DatasetIndex(
        classes=tuple(class_table["name"].to_pylist()),
        seen=class_table["seen"].to_numpy(),
        percent=matrix(class_table["percent"]),
        attributes=tuple(attribute_table["name"].to_pylist()),
        words=tuple(attribute_table["words"].to_pylist()),
        parts=tuple(attribute_table["part"].to_pylist()),
        paths=tuple(image_table["path"].to_pylist()),
        labels=labels,
        split=tuple(image_table["split"].to_pylist()),
        rows=image_table["row"].to_numpy(),
        skipped=tuple((path, reason) for path, reason in skipped),
        class_norm=class_norm(files.classes),
        given_vectors=has_given_vectors(files.classes),
    )


def class_norm(classes: Path) -> str:
    """Return `IndexSettings.class_norm` of the class table at `classes`: how vectors are made of its percentages."""
    return read_description(classes)["extra"].get("class_norm", "l2")


def has_given_vectors(classes: Path) -> bool:
    """Return whether the class table at `classes` holds class vectors that a file gives, not strengths of attributes."""
    return bool(read_description(classes)["extra"].get("given_vectors", False))


def write_vectors(path: Path, attributes: tuple[str, ...], vectors: AttributeVectors, provenance: Provenance) -> None:
    """Write the vectors of the attributes named `attributes` as a table of kind attribute_vectors."""
    columns = {"attribute": attributes, "used": vectors.used, "unknown": vectors.unknown, "vector": vectors.vectors}
    write_table(path, "attribute_vectors", columns, provenance)


def read_vectors(path: Path) -> AttributeVectors:
    """Return the attribute vectors that `write_vectors` wrote, in the order of the attributes."""
    table = read_table(path, "attribute_vectors")
    return AttributeVectors(
        matrix(table["vector"]), tuple(table["used"].to_pylist()), tuple(table["unknown"].to_pylist())
    )
