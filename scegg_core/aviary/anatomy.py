"""The shape of a bird: outlines of its parts in bird coordinates, and the pose that maps them to pixels.

Bird coordinates: the body is about 1 long, x points to where the bird faces, y downwards, origin inside the body.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

BODY = np.array([
    (0.27, -0.42), (0.02, -0.25), (-0.36, 0.06), (-0.52, 0.20), (-0.34, 0.29), (-0.02, 0.37),
    (0.28, 0.28), (0.50, 0.04), (0.56, -0.20), (0.45, -0.45),
])  # fmt: skip
BACK = np.array(
    [(0.36, -0.60), (-0.10, -0.40), (-0.70, 0.10), (-0.55, 0.26), (-0.25, 0.14), (0.05, -0.02), (0.22, -0.22)]
)
BREAST = np.array([(0.40, -0.22), (0.70, -0.30), (0.70, 0.20), (0.34, 0.40), (0.16, 0.36), (0.17, 0.05)])
WING = np.array([
    (0.24, -0.06), (0.10, -0.14), (-0.16, -0.04), (-0.42, 0.14), (-0.62, 0.30),
    (-0.38, 0.27), (-0.08, 0.25), (0.16, 0.14),
])  # fmt: skip
HEAD_CENTRE, HEAD_RADIUS = np.array((0.42, -0.40)), 0.215
CROWN = np.array(
    [(0.66, -0.50), (0.54, -0.47), (0.36, -0.46), (0.14, -0.36), (0.05, -0.70), (0.45, -0.85), (0.70, -0.66)]
)
CREST = np.array(
    [(0.50, -0.58), (0.34, -0.72), (0.06, -0.86), (0.12, -0.70), (0.00, -0.68), (0.14, -0.54), (0.30, -0.46)]
)
EYE, EYE_RADIUS = np.array((0.50, -0.405)), 0.052
LEGS = (np.array((0.02, 0.34)), np.array((0.14, 0.32)))
LEG_LENGTH = 0.30

BILLS = {
    "dagger": np.array([(0.60, -0.46), (0.98, -0.35), (0.61, -0.30)]),
    "cone": np.array([(0.57, -0.52), (0.70, -0.47), (0.83, -0.34), (0.70, -0.28), (0.56, -0.26)]),
    "hooked": np.array([
        (0.58, -0.52), (0.74, -0.53), (0.88, -0.44), (0.90, -0.28),
        (0.85, -0.17), (0.80, -0.32), (0.70, -0.33), (0.59, -0.28),
    ]),
    "needle": np.array([(0.61, -0.43), (0.92, -0.42), (1.22, -0.27), (0.92, -0.36), (0.61, -0.34)]),
}  # fmt: skip
# tails point along -x here and are hung on the rump by TAIL_ROOT and TAIL_SLOPE
TAILS = {
    "forked": np.array([(0.10, -0.10), (-0.62, -0.24), (-0.34, 0.00), (-0.62, 0.24), (0.10, 0.10)]),
    "fan": np.array([
        (0.10, -0.06), (-0.34, -0.32), (-0.48, -0.17), (-0.52, 0.0), (-0.48, 0.17), (-0.34, 0.32), (0.10, 0.06),
    ]),
    "pointed": np.array([(0.10, -0.09), (-0.35, -0.09), (-0.82, 0.00), (-0.35, 0.09), (0.10, 0.09)]),
    "square": np.array([(0.10, -0.09), (-0.46, -0.14), (-0.46, 0.14), (0.10, 0.09)]),
}  # fmt: skip
TAIL_ROOT, TAIL_SLOPE = np.array((-0.44, 0.19)), np.radians(-24.0)


@dataclass(frozen=True)
class Pose:
    """A similarity: bird coordinates -> pixels. scale: pixels per unit; angle: radians; mirrored: faces left."""

    scale: float
    angle: float
    mirrored: bool
    offset: tuple[float, float] = (0.0, 0.0)

    def to_pixels(self, points: np.ndarray) -> np.ndarray:
        """Return the pixel coordinates of bird coordinates, both (..., 2)."""
        turned = rotate(np.asarray(points, dtype=float), self.angle) * self.scale
        if self.mirrored:
            turned = turned * (-1.0, 1.0)
        return turned + self.offset


def rotate(points: np.ndarray, angle: float) -> np.ndarray:
    """Return points (..., 2) turned by an angle in radians about the origin."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return points @ np.array([(cosine, sine), (-sine, cosine)])


def smooth(points: np.ndarray, steps: int = 6) -> np.ndarray:
    """Return the closed Catmull-Rom curve through points (n, 2), as a polygon of shape (n * steps, 2)."""
    here = np.arange(len(points))
    t = (np.arange(steps) / steps)[None, :, None]
    p0, p1, p2, p3 = (points[(here + shift) % len(points), None] for shift in (-1, 0, 1, 2))
    curve = 2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
    return (curve / 2).reshape(-1, 2)


def circle(centre: np.ndarray, radius: float, corners: int = 24) -> np.ndarray:
    """Return a polygon of shape (corners, 2) around a centre (2,)."""
    return _unit_circle(corners) * radius + centre


@cache  # a picture has a hundred circles
def _unit_circle(corners: int) -> np.ndarray:
    turn = np.linspace(0.0, 2 * np.pi, corners, endpoint=False)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)


def tail_outline(shape: str) -> np.ndarray:
    """Return the outline of a tail, hung on the rump, in bird coordinates."""
    return rotate(TAILS[shape], TAIL_SLOPE) + TAIL_ROOT


def feet() -> np.ndarray:
    """Return where the two legs end, (2, 2)."""
    return np.stack(LEGS) + np.array((0.03, LEG_LENGTH))


def part_locations(look: dict[str, str]) -> dict[str, np.ndarray]:
    """Return the centre of every part, (2,) each in bird coordinates, for a bird with this look."""
    return {
        "back": np.array((-0.10, -0.10)),
        "bill": BILLS[look["bill_shape"]].mean(axis=0),
        "breast": np.array((0.40, 0.06)),
        "crown": np.array((0.38, -0.53)),
        "eye": EYE,
        "leg": (np.stack(LEGS) + feet()).mean(axis=0) / 2,
        "tail": tail_outline(look["tail_shape"]).mean(axis=0),
        "wing": np.array((-0.14, 0.12)),
    }


def extent(look: dict[str, str], pose: Pose) -> np.ndarray:
    """Return the bird's bounding box in pixels, [[left, top], [right, bottom]]."""
    bill, tail = BILLS[look["bill_shape"]], tail_outline(look["tail_shape"])
    outlines = [BODY, circle(HEAD_CENTRE, HEAD_RADIUS), bill, tail, feet()]
    if look["crown_shape"] == "crested":
        outlines.append(CREST)
    points = pose.to_pixels(np.concatenate(outlines))
    return np.stack([points.min(axis=0), points.max(axis=0)])
