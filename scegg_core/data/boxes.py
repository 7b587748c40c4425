"""Bounding boxes of CUB's layout, and pictures cut out along them."""

from pathlib import Path

import numpy as np

from scegg_core.data.images import open_rgb
from scegg_core.errors import InputError

MARGIN = 0.1  # of the longer side, left around a box


def read_boxes(folder: Path) -> dict[str, tuple[float, float, float, float]]:
    """Return x, y, width and height in pixels of the bird in each image, by its path relative to `folder`."""
    root = folder / "CUB_200_2011"
    boxes, images = root / "bounding_boxes.txt", root / "images.txt"
    for file in (boxes, images):
        if not file.is_file():
            raise InputError(f"{file} is missing; backbone.training.crop needs the boxes of CUB's layout.")
    paths = dict(line.split() for line in images.read_text(encoding="utf-8").splitlines())
    rows = (line.split() for line in boxes.read_text(encoding="utf-8").splitlines())
    return {f"CUB_200_2011/images/{paths[row[0]]}": tuple(map(float, row[1:5])) for row in rows}


def cut_out(path: Path, box: tuple[float, float, float, float], size: int) -> np.ndarray:
    """Return the square around a box, resized to (size, size, 3) uint8; what lies outside the image is gray."""
    from PIL import Image

    x, y, width, height = box
    side = max(width, height) * (1 + 2 * MARGIN)
    left, top = x + width / 2 - side / 2, y + height / 2 - side / 2
    corners = (left, top, left + side, top + side)
    picture = open_rgb(path).transform(
        (size, size), Image.Transform.EXTENT, corners, Image.Resampling.BILINEAR, fillcolor=(124, 116, 104)
    )
    return np.asarray(picture)
