"""Paints one bird, part by part from the far side to the near side."""

import numpy as np
from PIL import Image, ImageDraw

from scegg_core.aviary import anatomy
from scegg_core.aviary.anatomy import Pose, smooth
from scegg_core.aviary.brush import Color, as_sequence, fill, mix, overlap, shape_mask, vary
from scegg_core.aviary.traits import COLORS

DARK, LIGHT = (18, 16, 22), (255, 252, 244)


class BirdPainter:
    """Paints a bird with one look in one pose onto an image, in place."""

    def __init__(self, image: Image.Image, look: dict[str, str], pose: Pose, rng: np.random.Generator):
        self.image = image
        self.look = look
        self.pose = pose
        self.rng = rng

    def paint(self) -> None:
        """Paint the whole bird."""
        self._tail()
        self._legs()
        body = self._body()
        self._breast(body)
        self._shade(body)
        self._head()
        self._bill()
        self._eye()
        self._wing()

    def _color(self, trait: str) -> Color:
        return vary(COLORS[self.look[trait]], self.rng, 9.0)

    def _mask(self, *outlines: np.ndarray) -> Image.Image:
        return shape_mask(self.image.size, *(self.pose.to_pixels(outline) for outline in outlines))

    def _line(self, points: np.ndarray, color: Color, width: float) -> None:
        pixels = max(1, round(width * self.pose.scale))
        ImageDraw.Draw(self.image).line(
            as_sequence(self.pose.to_pixels(points)), fill=color, width=pixels, joint="curve"
        )

    def _outlined(self, outline: np.ndarray, color: Color) -> Image.Image:
        """Fill a closed outline, draw its rim a little darker, and return its mask."""
        mask = self._mask(outline)
        fill(self.image, mask, color)
        self._line(np.concatenate([outline, outline[:1]]), mix(color, DARK, 0.35), 0.014)
        return mask

    def _tail(self) -> None:
        color = mix(self._color("back_color"), DARK, 0.25)
        outline = anatomy.tail_outline(self.look["tail_shape"])
        self._outlined(outline, color)
        root = anatomy.TAIL_ROOT
        for tip in outline[1:-1]:
            self._line(np.stack([root, root + (tip - root) * 0.9]), mix(color, DARK, 0.3), 0.012)

    def _legs(self) -> None:
        color = self._color("leg_color")
        for hip, foot, shade in zip(anatomy.LEGS, anatomy.feet(), (0.3, 0.0), strict=True):
            tone = mix(color, DARK, shade)
            self._line(np.stack([hip, foot]), tone, 0.05)
            for toe in ((0.12, 0.03), (0.07, 0.06), (-0.09, 0.03)):
                self._line(np.stack([foot, foot + toe]), tone, 0.034)

    def _body(self) -> Image.Image:
        """Paint belly and back and return the body's mask."""
        belly = mix(self._color("breast_color"), LIGHT, 0.6)
        body = self._outlined(smooth(anatomy.BODY), belly)
        fill(self.image, overlap(body, self._mask(smooth(anatomy.BACK))), self._color("back_color"))
        return body

    def _breast(self, body: Image.Image) -> None:
        color = self._color("breast_color")
        breast = overlap(body, self._mask(smooth(anatomy.BREAST)))
        fill(self.image, breast, color)
        marks = self._marks(self.look["breast_pattern"], np.array((0.40, 0.06)), 0.34, np.radians(60))
        fill(self.image, overlap(breast, marks), self._contrast(color))

    def _wing(self) -> None:
        color = self._color("wing_color")
        wing = self._outlined(smooth(anatomy.WING), color)
        marks = self._marks(self.look["wing_pattern"], np.array((-0.12, 0.10)), 0.5, np.radians(-70))
        fill(self.image, overlap(wing, marks), self._contrast(color))
        for shift in (0.0, 0.05, 0.10):
            root, middle = (-0.10 - shift, 0.20 - 0.4 * shift), (-0.34 - shift, 0.24 - 0.3 * shift)
            self._line(np.array([root, middle, (-0.58, 0.29)]), mix(color, DARK, 0.4), 0.012)

    def _contrast(self, color: Color) -> Color:
        """Return the colour of marks that stand out on a ground of the given colour."""
        return mix(color, DARK, 0.8) if sum(color) > 300 else mix(color, LIGHT, 0.8)

    def _marks(self, pattern: str, centre: np.ndarray, reach: float, slope: float) -> Image.Image:
        """Return the mask of the marks of a pattern around a centre; empty for a solid colour."""
        steps = np.arange(-reach, reach + 1e-9, 0.105)
        if pattern == "striped":
            bar = np.array([(-reach, -0.022), (reach, -0.022), (reach, 0.022), (-reach, 0.022)])
            return self._mask(*(anatomy.rotate(bar + np.array((0.0, step)), slope) + centre for step in steps))
        if pattern == "spotted":
            rows = enumerate(steps)
            spots = [(x + 0.05 * (row % 2), y) for row, y in rows for x in steps]
            return self._mask(*(anatomy.circle(centre + spot, 0.032, 8) for spot in spots))
        return Image.new("L", self.image.size)

    def _shade(self, body: Image.Image) -> None:
        """Darken the belly's underside and lighten the shoulder, which makes the body look round."""
        under = self._mask(smooth(anatomy.BODY + np.array((0.03, -0.09))))
        shadow = Image.composite(Image.new("L", body.size), body, under)
        fill(self.image, shadow, DARK, 0.22)
        glow = overlap(body, self._mask(anatomy.circle(np.array((0.22, -0.22)), 0.15)))
        fill(self.image, glow, LIGHT, 0.12)

    def _head(self) -> None:
        face = mix(self._color("back_color"), LIGHT, 0.3)
        crown = self._color("crown_color")
        if self.look["crown_shape"] == "crested":
            self._outlined(anatomy.CREST, crown)
        head = self._mask(anatomy.circle(anatomy.HEAD_CENTRE, anatomy.HEAD_RADIUS))
        fill(self.image, head, face)
        fill(self.image, overlap(head, self._mask(smooth(anatomy.CROWN))), crown)

    def _bill(self) -> None:
        outline = anatomy.BILLS[self.look["bill_shape"]]
        color = self._color("bill_color")
        self._outlined(outline, color)
        tip = outline[outline[:, 0].argmax()]
        base = (outline[0] + outline[-1]) / 2
        self._line(np.stack([base, base + (tip - base) * 0.7]), mix(color, DARK, 0.5), 0.012)

    def _eye(self) -> None:
        fill(self.image, self._mask(anatomy.circle(anatomy.EYE, anatomy.EYE_RADIUS * 1.35)), mix(LIGHT, DARK, 0.12))
        fill(self.image, self._mask(anatomy.circle(anatomy.EYE, anatomy.EYE_RADIUS)), self._color("eye_color"))
        fill(self.image, self._mask(anatomy.circle(anatomy.EYE, anatomy.EYE_RADIUS * 0.45, 12)), DARK)
        glint = anatomy.EYE + np.array((0.018, -0.02))
        fill(self.image, self._mask(anatomy.circle(glint, anatomy.EYE_RADIUS * 0.28, 8)), LIGHT)
