"""Images as they come: every kind converted right, damaged ones told apart with one sentence."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from scegg_core.data.images import open_rgb, probe
from scegg_core.errors import InputError

RED = (200, 40, 30)


def noise(size=(60, 50)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8))


def write_png_header(path, width: int, height: int) -> None:
    """Write a PNG that has its size and its end, but no pixels."""
    chunks = ((b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)), (b"IDAT", b""), (b"IEND", b""))
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def opened(image: Image.Image, path, **options):
    image.save(path, **options)
    assert probe(path) is None
    result = open_rgb(path)
    assert result.mode == "RGB"
    return np.asarray(result).astype(int)


@pytest.mark.parametrize(
    ("name", "image", "expected"),
    [
        ("gray.png", Image.new("L", (4, 3), 100), (100, 100, 100)),
        ("bits.png", Image.new("1", (4, 3), 1), (255, 255, 255)),
        ("deep.png", Image.fromarray(np.full((3, 4), 257 * 100, dtype=np.uint16)), (100, 100, 100)),
        ("deeper.tif", Image.fromarray(np.full((3, 4), 257 * 100, dtype=np.int32)), (100, 100, 100)),
        ("share.tif", Image.fromarray(np.full((3, 4), 100 / 255, dtype=np.float32)), (100, 100, 100)),
        ("float.tif", Image.fromarray(np.full((3, 4), 100, dtype=np.float32)), (100, 100, 100)),
        ("clear.png", Image.new("RGBA", (4, 3), (*RED, 0)), (255, 255, 255)),
        ("half.png", Image.new("RGBA", (4, 3), (0, 0, 0, 128)), (127, 127, 127)),
        ("gray_alpha.png", Image.new("LA", (4, 3), (0, 0)), (255, 255, 255)),
        ("palette.png", Image.new("RGB", (4, 3), RED).quantize(4), RED),
        ("picture.webp", Image.new("RGB", (4, 3), RED), RED),
        ("picture.bmp", Image.new("RGB", (4, 3), RED), RED),
        ("picture.gif", Image.new("RGB", (4, 3), RED), RED),
        ("one pixel.png", Image.new("RGB", (1, 1), RED), RED),
        ("Größe und Blau.jpg", Image.new("RGB", (4, 3), RED), RED),
        ("cmyk.jpg", Image.new("RGB", (16, 16), RED).convert("CMYK"), RED),
    ],
)
def test_kinds_of_images_become_rgb(tmp_path, name, image, expected):
    pixels = opened(image, tmp_path / name)
    assert pixels.shape[:2] == (image.height, image.width)
    assert np.abs(pixels - expected).max() <= 3


def test_a_transparent_palette_lies_over_white(tmp_path):
    image = Image.new("P", (4, 3), 0)
    image.putpalette([200, 0, 0, 0, 0, 200])
    assert np.array_equal(opened(image, tmp_path / "a.png", transparency=0)[0, 0], (255, 255, 255))


def test_exif_orientation_is_applied(tmp_path):
    image = Image.new("RGB", (20, 10), (0, 0, 0))
    exif = image.getexif()
    exif[0x0112] = 6
    assert opened(image, tmp_path / "a.jpg", exif=exif).shape == (20, 10, 3)


def test_large_jpegs_are_decoded_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr("scegg_core.data.images.LARGE_PIXELS", 10_000)
    monkeypatch.setattr("scegg_core.data.images.KEPT_SIDE", 100)
    assert opened(Image.new("RGB", (400, 200), RED), tmp_path / "a.jpg").shape == (100, 200, 3)
    assert opened(Image.new("1", (400, 200), 1), tmp_path / "a.png").shape == (100, 200, 3)


def test_twenty_thousand_pixels_square_are_taken_and_larger_ones_refused(tmp_path):
    write_png_header(tmp_path / "a.png", 20_000, 20_000)
    assert probe(tmp_path / "a.png") is None
    write_png_header(tmp_path / "b.png", 25_000, 20_001)
    assert probe(tmp_path / "b.png") == "has 25000 × 20001 pixels, more than the 500 megapixels allowed"


def test_what_follows_a_whole_jpeg_does_no_harm(tmp_path):
    noise().save(tmp_path / "a.jpg")
    whole = (tmp_path / "a.jpg").read_bytes()
    for end in (b"\0" * 40, b"\r\n", b"something else" * 20):
        (tmp_path / "a.jpg").write_bytes(whole + end)
        assert probe(tmp_path / "a.jpg") is None


@pytest.mark.parametrize("kind", ["jpg", "png"])
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_truncated_images(tmp_path, kind, share):
    path = tmp_path / f"a.{kind}"
    noise().save(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    assert probe(path) == "is truncated"
    with pytest.raises(InputError) as error:
        open_rgb(path)
    assert str(error.value) == f"{path} is truncated; replace or remove the image."


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "is empty (0 bytes)"), (b"a text file", "is not an image of a known type"), (None, "is missing")],
)
def test_what_is_no_image(tmp_path, content, reason):
    path = tmp_path / "a.jpg"
    if content is not None:
        path.write_bytes(content)
    assert probe(path) == reason
    with pytest.raises(InputError) as error:
        open_rgb(path)
    assert str(error.value) == f"{path} {reason}; replace or remove the image."


def test_a_folder_is_no_image(tmp_path):
    assert probe(tmp_path) == "is a folder, not an image"
