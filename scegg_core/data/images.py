"""Opens images of any format as RGB, and checks their headers quickly; says in one sentence what is wrong with one."""

import os
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError

from scegg_core.errors import InputError

#: More pixels than this are refused before anything is decoded.
MAX_PIXELS = 500_000_000
#: Larger images are reduced while they are decoded, to at least KEPT_SIDE pixels on the shorter side.
LARGE_PIXELS = 64_000_000
KEPT_SIDE = 4096

Image.MAX_IMAGE_PIXELS = None  # instead of Pillow's limit, MAX_PIXELS is checked before any decoding
Image.init()  # load all readers now: if Pillow loads them later, that is not safe in threads

_REASONS = (
    (FileNotFoundError, "is missing"),
    (IsADirectoryError, "is a folder, not an image"),
    (PermissionError, "may not be read (permission denied)"),
)
_ENDS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}


def open_rgb(path: str | Path) -> Image.Image:
    """Return the image at `path`, upright and in mode RGB; transparency lies over white, 16 bits become 8.

    Images above LARGE_PIXELS come back at a fraction of their size. Raises InputError with one sentence for a
    missing, empty, truncated or oversized file and for what is not an image.
    """
    try:
        with Image.open(path) as image:
            _refuse_oversized(image)
            if image.width * image.height > LARGE_PIXELS:
                image.draft(None, (KEPT_SIDE, KEPT_SIDE))
            image.load()
            ImageOps.exif_transpose(image, in_place=True)  # in place: a copy of a large image takes gigabytes
            return _over_white(_smaller(_plain_mode(image)))
    except Exception as error:  # Pillow's decoders raise many types for damaged files
        raise InputError(f"{path} {_reason(Path(path), error)}; replace or remove the image.") from None


def probe(path: str | Path) -> str | None:
    """Return why the image at `path` cannot be used, or None; reads its header and its end.

    A file whose end is not that of a complete JPEG or PNG is decoded, to find out whether it is truncated.
    """
    try:
        with Path(path).open("rb") as file, Image.open(file) as image:
            _refuse_oversized(image)
            if not _ends_well(file, image.format):
                image.load()
            return None
    except Exception as error:  # Pillow's decoders raise many types for damaged files
        return _reason(Path(path), error)


def plain_jpeg(path: str | Path) -> bool:
    """Return whether the file is a complete, upright, RGB or gray JPEG of usual size: all decoders read it alike."""
    try:
        with Path(path).open("rb") as file, Image.open(file) as image:
            usual = image.format == "JPEG" and image.mode in ("RGB", "L") and image.width * image.height <= LARGE_PIXELS
            upright = image.getexif().get(ExifTags.Base.Orientation, 1) == 1
            return usual and upright and _ends_well(file, image.format)
    except (
        Exception
    ):  # Pillow's decoders raise many types for damaged files; whoever opens the image says what is wrong
        return False


class _Oversized(Exception):
    """More pixels than MAX_PIXELS."""


def _refuse_oversized(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise _Oversized(
            f"has {image.width} × {image.height} pixels, more than the {MAX_PIXELS // 10**6} megapixels allowed"
        )


def _ends_well(file, kind: str) -> bool:
    """Return whether the open file has the end of a complete file (padding allowed); its position is restored."""
    if kind not in _ENDS:
        return False
    position = file.tell()
    file.seek(-min(64, os.fstat(file.fileno()).st_size), os.SEEK_END)
    end = file.read().rstrip(b"\0\r\n ")
    file.seek(position)
    return end.endswith(_ENDS[kind])


def _plain_mode(image: Image.Image) -> Image.Image:
    """Return the image with 8-bit samples in place of deep ones, bits and palettes; transparency is kept."""
    if image.mode.startswith("I") or image.mode == "F":
        return _from_deep(image)
    if image.has_transparency_data:
        return image.convert("RGBA")
    if image.mode in ("RGB", "L"):
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _smaller(image: Image.Image) -> Image.Image:
    factor = min(image.size) // KEPT_SIDE
    return image.reduce(factor) if image.width * image.height > LARGE_PIXELS and factor > 1 else image


def _over_white(image: Image.Image) -> Image.Image:
    if image.mode != "RGBA":
        return image.convert("RGB")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """Return an 8-bit grayscale image from one of 16 or 32 bits."""
    values = np.asarray(image, dtype=np.float32)
    # ASSUME: whole numbers span 16 bits; floating-point values span 0 to 1, or 0 to 255 where any is above 1.
    scale = 1 / 257 if image.mode != "F" else 255.0 if values.max() <= 1 else 1.0
    return Image.fromarray(np.clip(np.rint(values * scale), 0, 255).astype(np.uint8))


def _reason(path: Path, error: Exception) -> str:
    """Return what is wrong with the image, as the end of a sentence that begins with its path."""
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    if isinstance(error, _Oversized):
        return str(error)
    if path.stat().st_size == 0:
        return "is empty (0 bytes)"
    if isinstance(error, UnidentifiedImageError):
        return "is not an image of a known type"
    text = str(error).partition("\n")[0][:80] or type(error).__name__
    return "is truncated" if "truncated" in text.lower() else f"is damaged ({text})"
