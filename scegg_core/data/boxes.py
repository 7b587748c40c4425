"""Bounding boxes of CUB's layout, and pictures cut out along them."""

import os
from pathlib import Path

import numpy as np

from scegg_core.data.images import open_rgb, turn_upright
from scegg_core.data.names import printable
from scegg_core.data.parts import read_numbered
from scegg_core.data.text_files import read_count, read_number, read_text
from scegg_core.errors import InputError

MARGIN = 0.1  # of the longer side, left around a box


Box = tuple[float, float, float, float]


def read_boxes(folder: Path) -> dict[str, Box]:
    """Return x, y, width and height in pixels of the stored file of the bird in each image, by its path relative to `folder`.

    Raises InputError for a missing file, a line that is no box, an image that is not listed or has no box or two.
    """
    root = folder / "CUB_200_2011"
    boxes, images = root / "bounding_boxes.txt", root / "images.txt"
    for file in (boxes, images):
        if not os.path.lexists(file):
            raise InputError(
                f"{printable(file)} is missing; backbone.finetune.cut_out needs the boxes of CUB's layout."
            )
    paths, found = read_numbered(images), _numbered_boxes(boxes)
    if differing := sorted(set(paths) ^ set(found)):
        raise InputError(f"{printable(images)} and {boxes.name} differ: image {differing[0]} is in one of them alone.")
    return {f"CUB_200_2011/images/{paths[number]}": box for number, box in found.items()}


def _numbered_boxes(file: Path) -> dict[int, Box]:
    found: dict[int, Box] = {}
    for line, text in enumerate(read_text(file).splitlines(), start=1):
        try:
            image, box = _numbered_box(text)
        except ValueError:
            raise InputError(
                f"{printable(file)} line {line} is {printable(text[:60])!r}, but it has to be: image x y width height, "
                "the last two above 0."
            ) from None
        if image in found:
            raise InputError(f"{printable(file)} line {line} gives image {image} a second box; keep one.")
        found[image] = box
    return found


def _numbered_box(line: str) -> tuple[int, Box]:
    """The image's number and its box; ValueError for what is none."""
    head, *numbers = line.split()
    x, y, width, height = map(read_number, numbers)
    if min(width, height) <= 0:
        raise ValueError
    return read_count(head), (x, y, width, height)


def cut_out(path: Path, box: Box, size: int) -> np.ndarray:
    """Return the square around a box, resized to (size, size, 3) uint8; what lies outside the image is gray."""
    from PIL import Image

    x, y, width, height = box
    side = max(width, height) * (1 + 2 * MARGIN)
    (x, y), upright = turn_upright(path, np.array([x + width / 2, y + height / 2]))
    picture = open_rgb(path)
    across, down = np.divide(picture.size, upright)  # 1 but for large images
    left, top = x - side / 2, y - side / 2
    corners = (across * left, down * top, across * (left + side), down * (top + side))
    cut = picture.transform(
        (size, size), Image.Transform.EXTENT, corners, Image.Resampling.BILINEAR, fillcolor=(124, 116, 104)
    )
    return np.asarray(cut)
