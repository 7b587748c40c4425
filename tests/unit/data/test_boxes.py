"""Pictures cut out along bounding boxes."""

import numpy as np
import pytest
from PIL import Image

from scegg_core.data.boxes import cut_out, read_boxes
from scegg_core.errors import InputError


def test_boxes_are_found_by_path(tmp_path):
    root = tmp_path / "CUB_200_2011"
    root.mkdir()
    (root / "images.txt").write_text("1 001.A/x.jpg\n2 002.B/y.jpg\n")
    (root / "bounding_boxes.txt").write_text("1 10.0 20.0 30.0 40.0\n2 1.5 2.5 3.5 4.5\n")
    assert read_boxes(tmp_path) == {
        "CUB_200_2011/images/001.A/x.jpg": (10.0, 20.0, 30.0, 40.0),
        "CUB_200_2011/images/002.B/y.jpg": (1.5, 2.5, 3.5, 4.5),
    }


def test_missing_boxes_are_named(tmp_path):
    with pytest.raises(InputError, match=r"bounding_boxes\.txt is missing"):
        read_boxes(tmp_path)


def test_the_box_fills_the_cut_out(tmp_path):
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[40:60, 100:120] = 255
    Image.fromarray(picture).save(tmp_path / "x.png")
    made = cut_out(tmp_path / "x.png", (100, 40, 20, 20), 48)
    assert made.shape == (48, 48, 3)
    assert (made[6:42, 6:42] > 200).all()  # the box, 1 / 1.2 of the side
    assert (made[:2] < 60).all()


def test_beyond_the_border_it_is_gray(tmp_path):
    Image.fromarray(np.full((20, 20, 3), 255, np.uint8)).save(tmp_path / "x.png")
    made = cut_out(tmp_path / "x.png", (0, 0, 20, 4), 24)
    assert tuple(made[1, 12]) == (124, 116, 104)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_is_turned_with_its_picture(tmp_path, orientation):
    picture, exif = np.zeros((100, 200, 3), np.uint8), Image.Exif()
    picture[40:60, 130:150] = 255
    exif[0x0112] = orientation
    Image.fromarray(picture).save(tmp_path / "x.png", exif=exif)
    made = cut_out(tmp_path / "x.png", (130, 40, 20, 20), 48)
    assert (made[6:42, 6:42] > 200).all()
    assert (made[:2] < 60).all()


def test_a_box_of_a_picture_that_is_decoded_smaller(tmp_path, monkeypatch):
    monkeypatch.setattr("scegg_core.data.images.LARGE_PIXELS", 10_000)
    monkeypatch.setattr("scegg_core.data.images.KEPT_SIDE", 50)
    picture = np.zeros((100, 200, 3), np.uint8)
    picture[40:60, 130:150] = 255
    Image.fromarray(picture).save(tmp_path / "x.png")
    made = cut_out(tmp_path / "x.png", (130, 40, 20, 20), 48)
    assert (made[8:40, 8:40] > 200).all()
    assert (made[:2] < 60).all()
