"""Paints what surrounds a bird: a habitat, things in bird colours that distract from it, a perch, and the light."""

import numpy as np
from PIL import Image, ImageDraw

from scegg_core.aviary.anatomy import circle, rotate, smooth
from scegg_core.aviary.brush import Color, as_sequence, mix, vary
from scegg_core.aviary.traits import COLORS

# sky or distance, middle, ground
HABITATS: dict[str, tuple[Color, Color, Color]] = {
    "forest": ((112, 146, 104), (62, 98, 66), (58, 70, 44)),
    "meadow": ((196, 222, 232), (164, 196, 112), (112, 156, 66)),
    "shore": ((206, 224, 236), (110, 166, 190), (190, 180, 150)),
    "desert": ((236, 214, 178), (222, 182, 128), (198, 152, 96)),
}
LEAF = np.array([(1.0, 0.0), (0.35, -0.38), (-0.5, -0.30), (-1.0, 0.0), (-0.5, 0.30), (0.35, 0.38)])


def paint_background(habitat: str, size: int, rng: np.random.Generator) -> Image.Image:
    """Return an RGB image (size x size) of a habitat out of focus."""
    rows = np.array(HABITATS[habitat], dtype=float)[[0, 0, 1, 1, 2, 2]]
    patches = np.repeat(rows[:, None, :], 6, axis=1) + rng.normal(0, 13, (6, 6, 1)) + rng.normal(0, 6, (6, 6, 3))
    small = Image.fromarray(np.clip(patches, 0, 255).astype(np.uint8))
    image = small.resize((size, size), Image.Resampling.BICUBIC)
    PROPS[habitat](ImageDraw.Draw(image, "RGBA"), size, rng)
    return image


def _trunks(draw: ImageDraw.ImageDraw, size: int, rng: np.random.Generator) -> None:
    for x in rng.uniform(0, size, rng.integers(2, 5)):
        width, lean = size * rng.uniform(0.03, 0.09), size * rng.uniform(-0.06, 0.06)
        trunk = [(x, 0), (x + width, 0), (x + width * 1.3 + lean, size), (x + lean, size)]
        draw.polygon(trunk, fill=(*vary((66, 54, 42), rng), 150))


def _grass(draw: ImageDraw.ImageDraw, size: int, rng: np.random.Generator) -> None:
    for x in rng.uniform(0, size, 40):
        top = size * (1 - rng.uniform(0.1, 0.4))
        blade = [(x, size), (x + size * 0.014, size), (x + size * rng.uniform(-0.06, 0.06), top)]
        draw.polygon(blade, fill=(*vary((92, 140, 58), rng, 18), 190))


def _waves(draw: ImageDraw.ImageDraw, size: int, rng: np.random.Generator) -> None:
    for y in rng.uniform(0.35, 0.72, 14) * size:
        x, width = rng.uniform(-0.1, 0.9) * size, rng.uniform(0.1, 0.35) * size
        draw.line([(x, y), (x + width, y)], fill=(226, 240, 246, 110), width=max(1, size // 110))


def _dunes(draw: ImageDraw.ImageDraw, size: int, rng: np.random.Generator) -> None:
    for level in (0.5, 0.66, 0.82):
        phase, height = rng.uniform(0, 6), rng.uniform(0.02, 0.06)
        x = np.linspace(0, 1, 16)
        ridge = np.stack([x, level + height * np.sin(4 * x + phase)], axis=1) * size
        draw.polygon([*as_sequence(ridge), (size, size), (0, size)], fill=(*vary((206, 160, 104), rng, 8), 110))


PROPS = {"forest": _trunks, "meadow": _grass, "shore": _waves, "desert": _dunes}


def scatter_distractors(image: Image.Image, count: int, rng: np.random.Generator) -> None:
    """Paint leaves, flowers, berries and stones in the colours of birds anywhere on the image, in place."""
    draw = ImageDraw.Draw(image, "RGBA")
    palette = list(COLORS.values())
    for _ in range(count):
        paint = DISTRACTORS[rng.integers(len(DISTRACTORS))]
        color = vary(palette[rng.integers(len(palette))], rng)
        paint(draw, rng.uniform(0, image.width, 2), image.width * rng.uniform(0.03, 0.075), color, rng)


def leaf_outline(centre: np.ndarray, radius: float, angle: float) -> np.ndarray:
    """Return the outline of a leaf, (n, 2), half as long as 2 * radius."""
    return rotate(smooth(LEAF, 4) * radius, angle) + centre


def _leaf(draw, centre: np.ndarray, radius: float, color: Color, rng: np.random.Generator) -> None:
    angle = rng.uniform(0, 2 * np.pi)
    draw.polygon(as_sequence(leaf_outline(centre, 1.3 * radius, angle)), fill=color)
    rib = rotate(np.array([(-1.5, 0.0), (1.2, 0.0)]) * radius, angle) + centre
    draw.line(as_sequence(rib), fill=mix(color, (20, 20, 20), 0.4), width=max(1, round(radius / 8)))


def _flower(draw, centre: np.ndarray, radius: float, color: Color, rng: np.random.Generator) -> None:
    for petal in circle(centre, 0.6 * radius, int(rng.integers(5, 7))):
        draw.polygon(as_sequence(circle(petal, 0.48 * radius, 12)), fill=color, outline=mix(color, (20, 20, 20), 0.25))
    draw.polygon(as_sequence(circle(centre, 0.34 * radius, 12)), fill=vary((232, 190, 60), rng))


def _berries(draw, centre: np.ndarray, radius: float, color: Color, rng: np.random.Generator) -> None:
    for berry in centre + rng.normal(0, 0.6 * radius, (3, 2)):
        draw.polygon(as_sequence(circle(berry, 0.5 * radius, 14)), fill=mix(color, (20, 20, 20), 0.15))
        draw.polygon(as_sequence(circle(berry - 0.15 * radius, 0.14 * radius, 8)), fill=(255, 255, 255, 170))


def _stone(draw, centre: np.ndarray, radius: float, color: Color, rng: np.random.Generator) -> None:
    lump = circle(np.zeros(2), radius, 7) * rng.uniform(0.75, 1.15, (7, 1)) * (1.2, 0.8)
    draw.polygon(as_sequence(smooth(lump, 4) + centre), fill=mix(color, (20, 20, 20), 0.3))
    draw.polygon(as_sequence(smooth(lump * 0.8, 4) + centre - (0, 0.12 * radius)), fill=color)


DISTRACTORS = (_leaf, _flower, _berries, _stone)


def paint_perch(image: Image.Image, feet: np.ndarray, rng: np.random.Generator) -> None:
    """Paint a branch through the bird's feet (2, 2), given in pixels, in place."""
    draw = ImageDraw.Draw(image)
    middle, slope = feet.mean(axis=0) + np.array((0, 0.012 * image.width)), rng.uniform(-0.15, 0.15)
    xs = np.linspace(-1, 1, 9)
    bend = rng.uniform(-0.06, 0.06)
    curve = middle + np.stack([xs, slope * xs + bend * xs**2], axis=1) * image.width
    bark = vary((98, 78, 58), rng)
    width = round(image.width * rng.uniform(0.018, 0.032))
    draw.line(as_sequence(curve), fill=mix(bark, (20, 20, 20), 0.4), width=width + max(2, width // 3), joint="curve")
    draw.line(as_sequence(curve), fill=bark, width=width, joint="curve")


def light_up(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return uint8 pixels (height, width, 3) under a random light: side, strength, tint, contrast, and sensor noise."""
    height, width, _ = pixels.shape
    direction = rng.normal(0, 0.10, 2)
    across, down = np.linspace(-1, 1, width)[None, :], np.linspace(-1, 1, height)[:, None]
    side = 1 + direction[0] * across + direction[1] * down
    tint = rng.uniform(0.86, 1.12) * (1 + rng.normal(0, 0.03, 3))
    contrast = rng.uniform(0.85, 1.12)
    lit = ((pixels - 128.0) * contrast + 128.0) * side[..., None] * tint
    return np.clip(lit + rng.normal(0, 2.5, (height, width, 1)), 0, 255).astype(np.uint8)
