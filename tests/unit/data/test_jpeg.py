"""JPEG files that libjpeg would fill up without a word: cut with an end put back, zeroed in the middle, scans missing."""

import io

import numpy as np
import pytest
from PIL import Image

from scegg_core.data.images import open_rgb, probe
from scegg_core.data.jpeg import read_layout

SHORT = "is damaged (its coded data end before its last pixel)"
LEFT = "is damaged (coded data are left over after its last pixel)"
FORMS = {
    "baseline": {},
    "fine": {"subsampling": 0, "quality": 95},
    "rough": {"optimize": True, "quality": 30},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_blocks": 5},
    "both": {"progressive": True, "restart_marker_rows": 1},
}


def picture(mode: str = "RGB", size: tuple[int, int] = (150, 130)) -> Image.Image:
    """A picture with coarse and fine structure, gray at its lower edge: what is missing is gray, too."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
    pixels = np.asarray(coarse) + rng.normal(0, 6, (size[1], size[0], 3))
    pixels[-20:] = 128
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).convert(mode)


def jpeg(image: Image.Image, **options) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


def coded(data: bytes) -> tuple[int, int]:
    """Where the first scan's coded data begin and the last one's end."""
    start = data.index(b"\xff\xda")
    return start + 2 + int.from_bytes(data[start + 2 : start + 4]), read_layout(data).scans[-1].ends[-1]


def said(path, data: bytes) -> str | None:
    path.write_bytes(data)
    return probe(path, whole=True)


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("size", [(150, 130), (1, 1), (3, 200)])
def test_whole_pictures_are_decoded_as_pillow_does(tmp_path, options, mode, size):
    data = jpeg(picture(mode, size), **options)
    assert said(tmp_path / "a.jpg", data) is None
    expected = Image.open(io.BytesIO(data)).convert("RGB")
    assert np.array_equal(open_rgb(tmp_path / "a.jpg"), expected)


@pytest.mark.parametrize("options", FORMS.values(), ids=FORMS)
@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_a_cut_is_found_behind_an_end_put_back(tmp_path, options, share):
    data = jpeg(picture(), **options)
    start, end = coded(data)
    cut = data[: int(start + share * (end - start))] + b"\xff\xd9"
    assert np.asarray(Image.open(io.BytesIO(cut))).shape == (130, 150, 3)  # Pillow takes it for a whole picture
    assert said(tmp_path / "a.jpg", cut).startswith("is damaged (it")


@pytest.mark.parametrize("name", ["baseline", "fine", "restarts"])
def test_a_middle_of_zeros_is_found(tmp_path, name):
    data = jpeg(picture(), **FORMS[name])
    start, end = coded(data)
    third = (end - start) // 3
    zeroed = data[: start + third] + bytes(third) + data[start + 2 * third :]
    assert np.asarray(Image.open(io.BytesIO(zeroed))).shape == (130, 150, 3)
    assert said(tmp_path / "a.jpg", zeroed).startswith("is damaged (")


def test_data_left_over_are_found(tmp_path):
    data = jpeg(picture())
    _, end = coded(data)
    assert said(tmp_path / "a.jpg", data[:end] + b"\x12\x34" * 20 + data[end:]) == LEFT
    assert said(tmp_path / "a.jpg", data[: end - 40] + data[end:]) == SHORT
    assert said(tmp_path / "a.jpg", data[: end - 40]) == "is truncated"


@pytest.mark.parametrize("fill", [b"", b"\0", b"\xff\xff"])
def test_what_writers_pad_with_does_no_harm(tmp_path, fill):
    data = jpeg(picture())
    _, end = coded(data)
    assert said(tmp_path / "a.jpg", data[:end] + fill + data[end:]) is None
    assert said(tmp_path / "a.jpg", data[:end]) is None  # all of the picture is there; only the end marker is not


def test_a_missing_scan_and_a_missing_interval_are_found(tmp_path):
    data = jpeg(picture(), **FORMS["progressive"])
    assert said(tmp_path / "a.jpg", data[: data.rindex(b"\xff\xda")] + b"\xff\xd9") == (
        "is damaged (its last scans are missing)"
    )
    data = jpeg(picture(), restart_marker_rows=1)  # 9 rows of 16 pixels, 8 markers
    first, second = data.index(b"\xff\xd2"), data.index(b"\xff\xd3")
    assert said(tmp_path / "a.jpg", data[:first] + data[second:]) == (
        "is damaged (it has 7 of 8 restart markers in order)"
    )


def test_the_layout_is_read():
    layout = read_layout(jpeg(picture(), progressive=True))
    assert (layout.known, layout.progressive, layout.width, layout.height) == (True, True, 150, 130)
    assert layout.sampling == {1: (2, 2), 2: (1, 1), 3: (1, 1)}
    assert [(scan.components, scan.first, scan.last, scan.low) for scan in layout.scans[:2]] == [
        ((1, 2, 3), 0, 0, 1),
        ((1,), 1, 5, 2),
    ]
    assert read_layout(jpeg(picture())).streamed
    assert not read_layout(jpeg(picture(), restart_marker_rows=1)).streamed
