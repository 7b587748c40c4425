"""Writes the aviary's text files in the layout of CUB: image and class lists, boxes, parts, attributes."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from scegg_core.aviary.species import Species
from scegg_core.aviary.traits import PARTS, attribute_names, attribute_parts


def image_paths(species: Species, images_per_class: int) -> list[str]:
    """Return "001.Name/Name_0001.jpg" for all images, ordered by class folder."""
    numbers = range(1, images_per_class + 1)
    return [f"{name}/{name.partition('.')[2]}_{number:04d}.jpg" for name in species.names for number in numbers]


def write_cub_files(folder: Path, species: Species, paths: list[str], boxes: np.ndarray, parts: np.ndarray) -> None:
    """Write all text files below folder; boxes: (images, 4), parts: (images, parts, 3), both in pixels."""
    root = folder / "CUB_200_2011"
    classes = np.repeat(np.arange(1, len(species.names) + 1), len(paths) // len(species.names))
    _write(root / "images.txt", enumerate(paths, start=1))
    _write(root / "classes.txt", enumerate(species.names, start=1))
    _write(root / "image_class_labels.txt", enumerate(classes, start=1))
    # CUB's split for ordinary classification, half of every class; zero-shot learning does not use it
    _write(root / "train_test_split.txt", ((number, number % 2) for number in range(1, len(paths) + 1)))
    _write(root / "bounding_boxes.txt", ((number, *_decimals(box)) for number, box in enumerate(boxes, start=1)))
    _write(root / "parts/parts.txt", enumerate(PARTS, start=1))
    _write(root / "parts/part_locs.txt", _part_rows(parts))
    _write(root / "attributes/class_attribute_labels_continuous.txt", map(_decimals, 100 * species.probabilities))
    _write(folder / "attributes.txt", enumerate(attribute_names(), start=1))
    _write(folder / "attribute_parts.csv", [("attribute_id", "part"), *enumerate(attribute_parts(), start=1)], ",")


def _part_rows(parts: np.ndarray) -> Iterable[tuple]:
    for image, rows in enumerate(parts, start=1):
        for part, (x, y, visible) in enumerate(rows, start=1):
            yield image, part, *_decimals((x, y)), int(visible)


def _decimals(values: Iterable[float]) -> list[str]:
    return [f"{value:.2f}" for value in values]


def _write(path: Path, rows: Iterable[Iterable], separator: str = " ") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(separator.join(map(str, row)) + "\n" for row in rows), encoding="utf-8")
