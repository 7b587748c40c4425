"""Draws one picture of the aviary: chooses a look by the class's probabilities, a pose and a scene, and paints them."""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from scegg_core.aviary import anatomy
from scegg_core.aviary.brush import as_sequence, mix, vary
from scegg_core.aviary.plumage import BirdPainter
from scegg_core.aviary.scene import leaf_outline, light_up, paint_background, paint_perch, scatter_distractors
from scegg_core.aviary.species import split_traits
from scegg_core.aviary.traits import PARTS

SUPERSAMPLING = 3
# body length as a fraction of the picture's width
BODY_LENGTH = {"small": (0.26, 0.32), "large": (0.35, 0.42)}
MARGIN = 0.02


@dataclass(frozen=True)
class Picture:
    """One image and what is known of it, in pixels of the image.

    pixels: (size, size, 3) uint8; box: left, top, width, height of the bird; parts: (parts, 3) rows x, y, visible
    in the order of `PARTS`, all zero for a hidden part.
    """

    pixels: np.ndarray
    box: np.ndarray
    parts: np.ndarray


def draw_picture(probabilities: np.ndarray, size: int, distractors: int, rng: np.random.Generator) -> Picture:
    """Return a picture of a bird of the class whose images show each attribute with `probabilities` (attributes,)."""
    look = _choose_look(probabilities, rng)
    large = size * SUPERSAMPLING
    pose = _choose_pose(look, large, rng)
    image = paint_background(look["habitat"], large, rng)
    scatter_distractors(image, distractors, rng)
    paint_perch(image, pose.to_pixels(anatomy.feet()), rng)
    BirdPainter(image, look, pose, rng).paint()
    hidden = _cover(image, rng)
    pixels = light_up(np.asarray(image.reduce(SUPERSAMPLING)), rng)
    box = anatomy.extent(look, pose) / SUPERSAMPLING
    return Picture(pixels, np.concatenate([box[0], box[1] - box[0]]), _locate(look, pose, hidden))


def _choose_look(probabilities: np.ndarray, rng: np.random.Generator) -> dict[str, str]:
    """Return one value of every trait, drawn with the class's probabilities, (attributes,)."""
    traits = split_traits(probabilities)
    return {trait.name: trait.values[rng.choice(len(part), p=part / part.sum())] for trait, part in traits}


def _choose_pose(look: dict[str, str], size: int, rng: np.random.Generator) -> anatomy.Pose:
    """Return a random pose that keeps the whole bird inside the picture."""
    pose = anatomy.Pose(
        scale=size * rng.uniform(*BODY_LENGTH[look["size"]]),
        angle=np.radians(rng.normal(0, 10)),
        mirrored=bool(rng.random() < 0.5),
    )
    low, high = anatomy.extent(look, pose)
    room = size * (1 - 2 * MARGIN)
    shrink = min(1.0, room / (high - low).max())
    slack = room - (high - low) * shrink
    offset = size * MARGIN - low * shrink + slack * rng.uniform(0, 1, 2)
    return anatomy.Pose(pose.scale * shrink, pose.angle, pose.mirrored, tuple(offset.tolist()))


def _cover(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """Hang up to two leaves before the scene, in place, and return the mask of what they hide."""
    hidden = Image.new("L", image.size)
    for _ in range(rng.integers(0, 3)):
        outline = leaf_outline(rng.uniform(0, image.width, 2), image.width * rng.uniform(0.07, 0.11), rng.uniform(0, 6))
        color = mix(vary((84, 130, 60), rng, 18), (200, 120, 40), rng.uniform(0, 0.7))
        ImageDraw.Draw(image).polygon(as_sequence(outline), fill=color, outline=mix(color, (20, 20, 20), 0.4))
        ImageDraw.Draw(hidden).polygon(as_sequence(outline), fill=255)
    return hidden


def _locate(look: dict[str, str], pose: anatomy.Pose, hidden: Image.Image) -> np.ndarray:
    """Return (parts, 3): x and y in pixels of the final picture and 1, or zeros where a leaf hides the part."""
    centres = anatomy.part_locations(look)
    rows = np.zeros((len(PARTS), 3))
    for row, part in zip(rows, PARTS, strict=True):
        x, y = pose.to_pixels(centres[part]).tolist()
        if not hidden.getpixel((int(x), int(y))):
            row[:] = x / SUPERSAMPLING, y / SUPERSAMPLING, 1
    return rows
