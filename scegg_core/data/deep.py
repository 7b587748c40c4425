"""Brings samples of other than 8 bits, and a colour that stands for transparent, to 8; refuses unclear ranges."""

import numpy as np
from PIL import Image

#: An image whose largest value is below this part of the range was made for a smaller range: it would come out dark.
USED = 0.25

#: Pillow widens or cuts the samples of a PNG, but not its transparent colour: the factor, by how it names the samples.
#: Of gray with 16 bits it keeps both.
_WIDENED = {"1": 255, "L;2": 85, "L;4": 17, "RGB;16B": 1 / 256}


class Unusable(Exception):
    """The image is whole, but nobody can say what its values mean."""


def is_deep(image: Image.Image) -> bool:
    """Return whether the image, opened and not yet loaded, has more than 8 bits a sample."""
    return image.mode[0] in "IF" or ";16" in str(image.tile)


def match_transparent(image: Image.Image) -> None:
    """Give the transparent colour of the image, opened and not yet loaded, the values that its samples will have."""
    factor = _WIDENED.get(image.tile[0].args) if image.format == "PNG" and image.tile else None
    colour = image.info.get("transparency")
    if factor is not None and isinstance(colour, int | tuple):
        scaled = tuple(int(value * factor) for value in np.atleast_1d(colour))
        image.info["transparency"] = scaled if isinstance(colour, tuple) else scaled[0]


def to_8_bits(image: Image.Image) -> Image.Image:
    """Return the loaded deep image with 8 bits a sample, gray with a transparent colour with an alpha channel.

    Raises Unusable where its range is not clear.
    """
    # ASSUME: whole numbers span 16 bits; others go from 0 to 1, or from 0 to 255 if any is above 1. Files do not say.
    if image.mode[0] not in "IF":  # colours: Pillow has kept the upper 8 of 16 bits
        colours = image.getextrema()[:3] if len(image.getbands()) > 2 else image.getextrema()[:1]
        _check_whole_numbers(257 * max(high for _, high in colours))
        return image
    values = np.asarray(image)
    scale = _scale_of_floats(values) if image.mode == "F" else _scale_of_whole_numbers(values)
    scaled = np.rint(values.astype(np.float32) * scale)
    gray = Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))
    if "transparency" not in image.info:
        return gray
    shown = Image.fromarray(np.where(values == image.info["transparency"], 0, 255).astype(np.uint8))
    return Image.merge("LA", (gray, shown))


def _scale_of_whole_numbers(values: np.ndarray) -> float:
    low, high = int(values.min()), int(values.max())
    if low < 0 or high > 65535:
        raise Unusable(f"has values from {low} to {high}; 0 to 65535 are expected, so scale them")
    if (values % 257).any():  # multiples of 257 were made from 8 bits: such an image is dark itself
        _check_whole_numbers(high)
    return 1 / 257


def _check_whole_numbers(high: int) -> None:
    if 0 < high < USED * 65536:
        raise Unusable(
            f"has 16 bits a sample, but no value above {high}, so it would come out almost black; "
            "scale its values to 0 to 65535, or save it with 8 bits"
        )


def _scale_of_floats(values: np.ndarray) -> float:
    """Return the factor to 0..255 from 0..1, or from 0..255 where any value is above 1."""
    if not np.isfinite(values).all():
        raise Unusable("has values that are not finite numbers; put numbers in their place")
    low, high = float(values.min()), float(values.max())
    span = 1 if high <= 1 else 255
    if low < 0 or high > span or 0 < high < USED * span:
        raise Unusable(f"has values from {low:.4g} to {high:.4g}; 0 to 1 or 0 to 255 are expected, so scale them")
    return 255.0 / span
