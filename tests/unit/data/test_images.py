"""Images as they come: every kind converted right, damaged ones told apart with one sentence."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from scegg_core.data.images import open_rgb, probe, turn_upright
from scegg_core.errors import InputError

RED = (200, 40, 30)


def noise(size=(60, 50)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 255, (*size, 3), dtype=np.uint8))


def write_png_header(path, width: int, height: int) -> None:
    """Write a PNG that has its size and its end, but no pixels."""
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    write_chunks(path, (b"IHDR", header), (b"IDAT", b""), (b"IEND", b""))


def write_chunks(path, *chunks: tuple[bytes, bytes]) -> None:
    """Write a PNG of these chunks with right checksums."""
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


#: Bits a sample, colours, the row of samples, the transparent one, and what has to come out.
TRANSPARENT = {
    "bits": (1, 0, b"\x40", (1,), [0, 255]),
    "dark_bits": (1, 0, b"\x40", (0,), [255, 255]),
    "two": (2, 0, b"\x6c", (1,), [255, 170, 255, 0]),
    "four": (4, 0, b"\x7a\x0f", (7,), [255, 170, 0, 255]),
    "eight": (8, 0, bytes([0, 200]), (0,), [255, 200]),
    "deep": (16, 0, struct.pack(">3H", 7710, 51400, 7711), (7710,), [255, 200, 30]),
    "colours": (8, 2, bytes([9, 8, 7, 9, 9, 9]), (9, 8, 7), [255, 9]),
    "deep_colours": (16, 2, struct.pack(">6H", 1000, 2000, 3000, *[51400] * 3), (1000, 2000, 3000), [255, 200]),
}


@pytest.mark.parametrize("name", TRANSPARENT)
def test_a_transparent_colour_lies_over_white_whatever_the_samples(tmp_path, name):
    bits, colours, row, colour, expected = TRANSPARENT[name]
    chunks = (
        (b"IHDR", struct.pack(">2I5B", len(expected), 1, bits, colours, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"\0" + row)),
    )
    clear = b"tRNS", struct.pack(f">{len(colour)}H", *colour)
    write_chunks(tmp_path / "a.png", chunks[0], clear, chunks[1], (b"IEND", b""))
    assert np.asarray(open_rgb(tmp_path / "a.png"))[0].tolist() == [[value] * 3 for value in expected]


TURNED = {
    2: lambda pixels: pixels[:, ::-1],
    3: lambda pixels: pixels[::-1, ::-1],
    4: lambda pixels: pixels[::-1],
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1),
    8: lambda pixels: np.rot90(pixels, 1),
}


@pytest.mark.parametrize("kind", ["L", "I;16", "F", "CMYK", "RGBA", "RGB"])
@pytest.mark.parametrize("ending", ["tif", "png"])
def test_pictures_of_all_samples_and_orientations_come_out_upright(tmp_path, kind, ending):
    """Pillow 13 garbles turned TIFFs whose samples it maps; the orientation of deep PNGs was dropped."""
    if ending == "png" and kind in ("F", "CMYK"):
        pytest.skip("PNG has no such samples")
    samples = np.random.default_rng(0).integers(
        0, 256, (5, 9, *((len(kind),) if kind in ("CMYK", "RGBA", "RGB") else ()))
    )
    samples = samples * 257 if kind == "I;16" else samples / 255 if kind == "F" else samples
    image = Image.fromarray(samples.astype({"I;16": np.uint16, "F": np.float32}.get(kind, np.uint8)))
    image = Image.frombytes("CMYK", (9, 5), samples.astype(np.uint8).tobytes()) if kind == "CMYK" else image
    upright = opened(image, tmp_path / f"a.{ending}")
    for orientation, turned in TURNED.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        found = opened(image, tmp_path / f"a.{ending}", exif=exif)
        assert np.array_equal(found, turned(upright)), orientation


@pytest.mark.parametrize("orientation", [1, *TURNED])
@pytest.mark.parametrize("ending", ["jpg", "tif", "png", "webp"])
def test_places_in_stored_pixels_are_turned_with_the_picture(tmp_path, ending, orientation):
    pixels = np.full((24, 40, 3), 255, np.uint8)
    pixels[3:8, 10:15, 1:] = 0  # red around x = 12.5, y = 5.5
    image, exif = Image.fromarray(pixels), Image.Exif()
    exif[0x0112] = orientation
    found = opened(image, tmp_path / f"a.{ending}", exif=exif)
    places, size = turn_upright(tmp_path / f"a.{ending}", np.array([[12.5, 5.5], [np.nan, np.nan]]))
    rows, columns = np.nonzero(found[..., 1] < 100)
    assert size == found.shape[1::-1]
    assert places[0] == pytest.approx((columns.mean() + 0.5, rows.mean() + 0.5), abs=0.3)
    assert np.isnan(places[1]).all()


def test_places_in_a_picture_that_cannot_be_opened_are_one_sentence(tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"a\.jpg is not an image of a known type; replace or remove the image\."):
        turn_upright(tmp_path / "a.jpg", np.zeros((1, 2)))


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


def deep(path, values: np.ndarray) -> str:
    """Write values as they are and return what is said of the image."""
    Image.fromarray(values).save(path)
    return probe(path)


@pytest.mark.parametrize("top", [255, 1023, 4095, 16383])
def test_16_bits_that_hold_fewer_are_refused(tmp_path, top):
    values = np.linspace(0, top, 12).reshape(3, 4).astype(np.uint16)
    assert deep(tmp_path / "a.tif", values) == (
        f"has 16 bits a sample, but no value above {top}, so it would come out almost black; "
        "scale its values to 0 to 65535, or save it with 8 bits"
    )


def test_colours_of_16_bits_that_hold_fewer_are_refused(tmp_path):
    header = struct.pack(">2I5B", 2, 1, 16, 2, 0, 0, 0)
    rows = b"\0" + struct.pack(">6H", 4095, 0, 9, 2000, 1000, 500)
    write_chunks(tmp_path / "a.png", (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    assert probe(tmp_path / "a.png").startswith("has 16 bits a sample, but no value above ")


def test_dark_images_widened_from_8_bits_stay_dark(tmp_path):
    assert opened(Image.fromarray(np.full((3, 4), 257 * 9, dtype=np.uint16)), tmp_path / "a.png").max() == 9
    assert opened(Image.fromarray(np.zeros((3, 4), dtype=np.uint16)), tmp_path / "b.png").max() == 0


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([[0.1, np.nan]], "has values that are not finite numbers; put numbers in their place"),
        ([[0.1, np.inf]], "has values that are not finite numbers; put numbers in their place"),
        ([[0, 3.5]], "has values from 0 to 3.5; 0 to 1 or 0 to 255 are expected, so scale them"),
        ([[0, 4000]], "has values from 0 to 4000; 0 to 1 or 0 to 255 are expected, so scale them"),
        ([[-0.5, 0.5]], "has values from -0.5 to 0.5; 0 to 1 or 0 to 255 are expected, so scale them"),
        ([[0, 0.125]], "has values from 0 to 0.125; 0 to 1 or 0 to 255 are expected, so scale them"),
    ],
)
def test_floats_of_another_range_are_refused(tmp_path, values, said):
    assert deep(tmp_path / "a.tif", np.array(values, dtype=np.float32)) == said


def test_whole_numbers_beyond_16_bits_are_refused(tmp_path):
    said = "has values from {}; 0 to 65535 are expected, so scale them"
    assert deep(tmp_path / "a.tif", np.array([[0, 70_000]], dtype=np.int32)) == said.format("0 to 70000")
    assert deep(tmp_path / "b.tif", np.array([[-3, 60_000]], dtype=np.int32)) == said.format("-3 to 60000")


INVERTED = "has white as 0 in more than 8 bits a sample, so it would come out inverted; save black as 0"
SIGNED = "has signed samples, so it would come out too dark; save it with unsigned ones"


@pytest.mark.parametrize(
    ("kind", "photometric", "sample_format", "said"),
    [("u2", 0, 1, INVERTED), ("f4", 0, 3, INVERTED), ("i2", 1, 2, SIGNED), ("i1", 1, 2, SIGNED), ("u1", 0, 1, None)],
)
def test_samples_that_pillow_reads_as_others_are_refused(tmp_path, kind, photometric, sample_format, said):
    values = np.array([[0, 1, 100]], dtype="<" + kind)
    fields = {256: 3, 257: 1, 258: 8 * values.itemsize, 259: 1, 262: photometric, 273: 122, 277: 1, 279: values.nbytes}
    entries = [struct.pack("<HHII", tag, 3, 1, value) for tag, value in (fields | {339: sample_format}).items()]
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries))
    (tmp_path / "a.tif").write_bytes(head + b"".join(entries) + bytes(4) + values.tobytes().ljust(16))
    assert len(head + b"".join(entries)) + 4 == 122
    assert probe(tmp_path / "a.tif") == said
    if said is None:
        assert np.asarray(open_rgb(tmp_path / "a.tif"))[0, :, 0].tolist() == [255, 254, 155]


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    assert probe(tmp_path / "a.jpg") == "is a pipe, not a file with content"


def test_a_link_to_nowhere(tmp_path):
    (tmp_path / "a.jpg").symlink_to(tmp_path / "b.jpg")
    assert probe(tmp_path / "a.jpg") == "is a link to a file that is missing"


def test_heic_is_named(tmp_path):
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    assert probe(tmp_path / "a.heic") == "is a HEIC picture, which cannot be read here; save it as JPEG or PNG"


def test_a_raw_file_that_begins_with_a_thumbnail_is_refused(tmp_path):
    noise().save(tmp_path / "a.nef", format="TIFF", tiffinfo={254: 1})
    assert probe(tmp_path / "a.nef").startswith("holds a thumbnail first, as raw files of cameras do;")


def test_the_first_of_several_pictures_is_taken(tmp_path):
    second = [Image.new("RGB", (4, 3), (0, 0, 250))]
    for name in ("a.gif", "a.png", "a.webp", "a.tif"):
        pixels = opened(Image.new("RGB", (4, 3), RED), tmp_path / name, save_all=True, append_images=second)
        assert np.abs(pixels - RED).max() <= 3


def test_an_odd_name_is_said_in_one_line(tmp_path):
    path = tmp_path / "a\nb\udcff.jpg"
    with pytest.raises(InputError, match=r"a\\nb\\xff\.jpg is missing; replace or remove the image\.$"):
        open_rgb(path)


def test_a_wrong_checksum_is_found_when_the_png_is_decoded(tmp_path):
    noise().save(tmp_path / "a.png")
    content = bytearray((tmp_path / "a.png").read_bytes())
    content[len(content) // 2] ^= 4
    (tmp_path / "a.png").write_bytes(content)
    assert probe(tmp_path / "a.png") is None
    assert probe(tmp_path / "a.png", whole=True) == "is damaged (broken PNG file (bad header checksum in b'IDAT'))"
