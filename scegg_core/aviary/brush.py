"""Filling shapes on a picture: flat, clipped to another shape, or see-through."""

import numpy as np
from PIL import Image, ImageChops, ImageDraw

Color = tuple[int, int, int]


def shape_mask(size: tuple[int, int], *polygons: np.ndarray) -> Image.Image:
    """Return an 8-bit mask, 255 inside any of the polygons (n, 2), given in pixels."""
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    for polygon in polygons:
        draw.polygon(as_sequence(polygon), fill=255)
    return mask


def overlap(*masks: Image.Image) -> Image.Image:
    """Return the mask of what lies inside all masks."""
    result = masks[0]
    for mask in masks[1:]:
        result = ImageChops.darker(result, mask)
    return result


def fill(image: Image.Image, mask: Image.Image, color: Color, opacity: float = 1.0) -> None:
    """Paint a colour onto the image where the mask is set."""
    box = mask.getbbox()
    if box is None:
        return
    # most shapes are small: pasting into their box alone takes a third of the time
    mask = mask.crop(box)
    if opacity < 1.0:
        mask = mask.point([round(level * opacity) for level in range(256)])
    image.paste(color, box, mask)


def as_sequence(points: np.ndarray) -> list[tuple[float, float]]:
    """Return points (n, 2) as Pillow wants them."""
    return [(x, y) for x, y in points.tolist()]


def mix(first: Color, second: Color, weight: float) -> Color:
    """Return the first colour moved towards the second by a weight in 0..1."""
    return tuple(round(a + (b - a) * weight) for a, b in zip(first, second, strict=True))


def vary(color: Color, rng: np.random.Generator, strength: float = 12.0) -> Color:
    """Return the colour with every channel moved by normal noise of this standard deviation."""
    return tuple(int(level) for level in np.clip(np.asarray(color) + rng.normal(0, strength, 3), 0, 255))
