"""Opens images of any format as RGB, and checks their headers quickly; says in one sentence what is wrong with one."""

import logging
import os
import stat
import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from scegg_core.data.deep import Unusable, is_deep, match_transparent, to_8_bits
from scegg_core.data.jpeg import load_whole, read_layout
from scegg_core.data.names import printable
from scegg_core.data.text_files import stat_kind
from scegg_core.errors import InputError

#: More pixels than this are refused before anything is decoded.
MAX_PIXELS = 500_000_000
#: Larger images are reduced while they are decoded, to at least KEPT_SIDE pixels on the shorter side.
LARGE_PIXELS = 64_000_000
KEPT_SIDE = 4096
#: What systems put beside pictures, besides files whose names begin with a dot.
NOT_PICTURES = frozenset({"thumbs.db", "desktop.ini", "icon\r"})

Image.MAX_IMAGE_PIXELS = None  # instead of Pillow's limit, MAX_PIXELS is checked before any decoding
Image.init()  # load all readers now: if Pillow loads them later, that is not safe in threads
_FORMATS = [name for name in Image.ID if name != "EPS"]  # Pillow would start Ghostscript

_REASONS = (
    (FileNotFoundError, "is missing"),
    (IsADirectoryError, "is a folder, not an image"),
    (PermissionError, "may not be read (permission denied)"),
    (MemoryError, "takes more memory than there is"),
)
_JPEG = ("JPEG", "MPO")
_ENDS = {"JPEG": b"\xff\xd9", "MPO": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}
_HEIF = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_BITS, _PHOTOMETRIC, _SAMPLE_FORMAT = 258, 262, 339  # TIFF tags
_WHITE_IS_ZERO, _SIGNED = 0, 2  # values of the last two
_THUMBNAIL = 254, 1  # the TIFF tag NewSubfileType and its bit for "a smaller version of another picture"
_FROM_RIGHT, _FROM_BELOW, _ON_SIDE = (2, 3, 7, 8), (3, 4, 6, 7), (5, 6, 7, 8)  # orientations of EXIF


def quiet() -> None:
    """Leave Pillow's own warnings unsaid: a picture is used as it is, or refused with our sentence."""
    warnings.filterwarnings("ignore", module="PIL")
    logging.getLogger("PIL").addHandler(logging.NullHandler())


quiet()


def open_rgb(path: str | Path) -> Image.Image:
    """Return the image at `path`, upright and in mode RGB; transparency lies over white, 16 bits become 8.

    Of several pictures in a file the first is taken. Images above LARGE_PIXELS come back at a fraction of their size.
    Raises InputError with one sentence for a missing, empty, damaged or oversized file and for what is not an image.
    """
    try:
        return _decoded(path)
    except Exception as error:  # Pillow's decoders raise many types for damaged files
        raise InputError(f"{printable(path)} {_reason(Path(path), error)}; replace or remove the image.") from None


def turn_upright(path: str | Path, places: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Return `places` (…, 2), x and y in pixels of the file as stored, in those of the image turned upright, and its size.

    `open_rgb` returns this image, a large one at a fraction of this width and height. Raises InputError as it does.
    """
    try:
        with _open(path) as image:
            orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
            on_side = orientation in _ON_SIDE
            # Pillow gives the size of a TIFF turned already, before its pixels are
            width, height = image.size[::-1] if on_side and image.format == "TIFF" else image.size
    except Exception as error:  # as in `open_rgb`
        raise InputError(f"{printable(path)} {_reason(Path(path), error)}; replace or remove the image.") from None
    x, y = np.moveaxis(np.asarray(places, dtype=np.float64), -1, 0)
    turned = (width - x if orientation in _FROM_RIGHT else x, height - y if orientation in _FROM_BELOW else y)
    size = (width, height)
    return (np.stack(turned[::-1], axis=-1), size[::-1]) if on_side else (np.stack(turned, axis=-1), size)


def probe(path: str | Path, whole: bool = False) -> str | None:
    """Return why the image at `path` cannot be used, or None.

    `whole`: decode it; otherwise its header and its end are read, where those of its format tell something.
    """
    try:
        if whole or not _looks_whole(path):
            _decoded(path)
        return None
    except Exception as error:  # Pillow's decoders raise many types for damaged files
        return _reason(Path(path), error)


def plain_jpeg(path: str | Path) -> bool:
    """Return whether the file is a complete, upright, RGB or gray JPEG in one piece: all decoders read it alike."""
    try:
        with _open(path) as image:
            usual = image.format == "JPEG" and image.mode in ("RGB", "L") and image.width * image.height <= LARGE_PIXELS
            upright = image.getexif().get(ExifTags.Base.Orientation, 1) == 1
            return usual and upright and _ends_well(image) and read_layout(Path(path).read_bytes()).streamed
    except Exception:  # of many types; whoever opens the image says what is wrong
        return False


def _open(path: str | Path) -> Image.Image:
    """Return the opened image; refuses what would be waited for without end, and what has too many pixels."""
    mode = Path(path).stat().st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError
    if kind := stat_kind(mode):
        raise Unusable(f"is {kind}, not a file with content")
    image = Image.open(path, formats=_FORMATS)
    try:
        _refuse_oversized(image)
    except Unusable:
        image.close()
        raise
    return image


def _looks_whole(path: str | Path) -> bool:
    """Return whether header and end are those of a complete JPEG or PNG of 8 bits; raises if it cannot be opened."""
    with _open(path) as image:
        return not is_deep(image) and _ends_well(image)


def _decoded(path: str | Path) -> Image.Image:
    with _open(path) as image:
        deep = is_deep(image)
        match_transparent(image)
        if image.width * image.height > LARGE_PIXELS:
            image.draft(None, (KEPT_SIDE, KEPT_SIDE))
        _load(image, path)
        ImageOps.exif_transpose(image, in_place=True)  # in place: a copy of a large image takes gigabytes
        if deep:
            image = to_8_bits(image)
        return _over_white(_smaller(_plain_mode(image)))


def _load(image: Image.Image, path: str | Path) -> None:
    """Decode the opened image, after its checksums where the format has some."""
    if image.format in _JPEG:
        load_whole(image)
        return
    if image.format == "PNG":
        with Image.open(path, formats=["PNG"]) as unread:
            unread.verify()
    tag, bit = _THUMBNAIL
    if image.format == "TIFF" and image.tag_v2.get(tag, 0) & bit:
        raise Unusable("holds a thumbnail first, as raw files of cameras do; save the picture as JPEG or PNG")
    if image.format == "TIFF":
        _refuse_other_samples(image)
        image.filename = ""  # else Pillow maps plain samples with the sides of the turned picture, and garbles it
    image.load()


def _refuse_other_samples(image: TiffImagePlugin.TiffImageFile) -> None:
    """Pillow takes 0 for black and samples for unsigned in files that say otherwise: they would come out wrong."""
    tags = image.tag_v2
    if tags.get(_PHOTOMETRIC) == _WHITE_IS_ZERO and is_deep(image):
        raise Unusable("has white as 0 in more than 8 bits a sample, so it would come out inverted; save black as 0")
    signed = _SIGNED in tags.get(_SAMPLE_FORMAT, ())
    if signed and max(tags.get(_BITS, (1,))) <= 16:
        raise Unusable("has signed samples, so it would come out too dark; save it with unsigned ones")


def _refuse_oversized(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise Unusable(
            f"has {image.width} × {image.height} pixels, more than the {MAX_PIXELS // 10**6} megapixels allowed"
        )


def _ends_well(image: Image.Image) -> bool:
    """Return whether the opened image has the end of a complete file (padding allowed)."""
    if image.format not in _ENDS:
        return False
    file = image.fp
    file.seek(-min(64, os.fstat(file.fileno()).st_size), os.SEEK_END)
    return file.read().rstrip(b"\0\r\n ").endswith(_ENDS[image.format])


def _plain_mode(image: Image.Image) -> Image.Image:
    """Return the image with 8-bit samples in place of bits and palettes; transparency is kept."""
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


def _reason(path: Path, error: Exception) -> str:
    """Return what is wrong with the image, as the end of a sentence that begins with its path."""
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return "is a link to a file that is missing" if path.is_symlink() and not path.exists() else reason
    if isinstance(error, Unusable):
        return str(error)
    if isinstance(error, OSError) and error.errno is not None:
        return f"cannot be read ({error.strerror})"
    if path.stat().st_size == 0:
        return "is empty (0 bytes)"
    if isinstance(error, UnidentifiedImageError):
        return _unknown(path)
    text = str(error).partition("\n")[0][:80] or type(error).__name__
    return "is truncated" if "truncated" in text.lower() else f"is damaged ({text})"


def _unknown(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(12)
    if start[4:8] == b"ftyp" and start[8:] in _HEIF:
        return "is a HEIC picture, which cannot be read here; save it as JPEG or PNG"
    return "is not an image of a known type"
