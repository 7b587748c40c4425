"""benchmarks/surroundings.py: the photograph stays whole, its most even corner surrounds it, and nothing is overwritten."""

import numpy as np
import pytest
from PIL import Image

from benchmarks.surroundings import BIRD, CORNER, EDGE, SIDE, main, surroundings, widened

RED = (200, 30, 40)


@pytest.fixture
def photograph():
    """Noise everywhere, but its lower left corner is red."""
    pixels = np.random.default_rng(0).integers(0, 256, size=(BIRD, BIRD, 3), dtype=np.uint8)
    pixels[-CORNER:, :CORNER] = RED
    return Image.fromarray(pixels)


def test_surroundings_are_the_most_even_corner(photograph):
    wide = np.asarray(surroundings(photograph))
    assert wide.shape == (SIDE, SIDE, 3)
    assert (wide == RED).all()


def test_photograph_stays_whole_but_for_its_edge(photograph):
    wide, (left, top) = widened(photograph, np.random.default_rng(3))
    pixels, inner = np.asarray(wide), slice(EDGE, BIRD - EDGE)
    assert (pixels[top : top + BIRD, left : left + BIRD][inner, inner] == np.asarray(photograph)[inner, inner]).all()
    outside = np.ones((SIDE, SIDE), dtype=bool)
    outside[top : top + BIRD, left : left + BIRD] = False
    assert outside.sum() == SIDE**2 - BIRD**2  # the photograph lies inside
    assert (pixels[outside] == RED).all()


def test_folder_in_cubs_layout(tmp_path, photograph):
    bird = tmp_path / "cub" / "CUB_200_2011" / "images" / "001.Red_Corner" / "a.jpg"
    bird.parent.mkdir(parents=True)
    photograph.save(bird, quality=95)
    (tmp_path / "cub" / "attributes.txt").write_text("1 has_bill_shape::dagger\n")
    pictures = []
    for name in ("one", "two"):
        main([str(tmp_path / "cub"), str(tmp_path / name)])
        root = tmp_path / name / "CUB_200_2011"
        pictures.append((root / "images" / "001.Red_Corner" / "a.jpg").read_bytes())
        assert (root / "images.txt").read_text() == "1 001.Red_Corner/a.jpg\n"
        number, left, top, width, height = map(int, (root / "bounding_boxes.txt").read_text().split())
        assert (number, width, height) == (1, BIRD, BIRD)
        assert 0 <= left <= SIDE - BIRD and 0 <= top <= SIDE - BIRD
        assert (tmp_path / name / "attributes.txt").read_text() == "1 has_bill_shape::dagger\n"
    assert pictures[0] == pictures[1]


def test_refusals(tmp_path, photograph, capsys):
    bird = tmp_path / "cub" / "CUB_200_2011" / "images" / "001.Red_Corner" / "a.jpg"
    bird.parent.mkdir(parents=True)
    (tmp_path / "there").mkdir()

    def refused(folder, out):
        with pytest.raises(SystemExit):
            main([str(tmp_path / folder), str(tmp_path / out)])
        return capsys.readouterr().err

    assert "has no photographs" in refused("cub", "new")
    photograph.save(bird)
    assert "attributes.txt is missing" in refused("cub", "new")
    (tmp_path / "cub" / "attributes.txt").write_text("1 has_bill_shape::dagger\n")
    assert "exists already" in refused("cub", "there")
    assert not list((tmp_path / "there").iterdir()) and not (tmp_path / "new").exists()
