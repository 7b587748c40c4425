"""Image files changed at random: decoded, or refused with one sentence; SCEGG_CASES sets how many of each format.

What can be asked of a changed file: where a format has checksums (PNG), or a part of the file is gone (all formats),
the picture is the one before the change, or refused. Elsewhere a changed byte may make another valid picture, which
nobody can tell from an intended one; there only a sentence or a picture is asked for, without a warning.
"""

import os
import random
import warnings

import numpy as np
import pytest
from PIL import Image

from scegg_core.data.images import open_rgb, probe, quiet
from scegg_core.errors import InputError

CASES = int(os.environ.get("SCEGG_CASES", "40"))
FORMS = {
    "plain.jpg": {},
    "progressive.jpg": {"progressive": True},
    "restarts.jpg": {"restart_marker_rows": 1},
    "a.png": {},
    "lossy.webp": {},
    "lossless.webp": {"lossless": True},
    "plain.tif": {},
    "packed.tif": {"compression": "packbits"},
    "a.bmp": {},
    "a.gif": {},
}


def picture() -> Image.Image:
    small = np.random.default_rng(0).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((70, 50), Image.Resampling.BICUBIC)


def change(data: bytes, draw: random.Random) -> tuple[str, bytes]:
    """Return the kind of a random change and the changed bytes."""
    kind = draw.choice(["flip", "cut", "ended", "repeat", "zero", "insert"])
    place = draw.randrange(len(data))
    count = min(draw.choice([1, 4, 16, 64, 300, len(data) // 2]), len(data) - place)
    before, after = data[:place], data[place + count :]
    changed = {
        "flip": before + bytes([data[place] ^ 1 << draw.randrange(8)]) + data[place + 1 :],
        "cut": before,
        "ended": before + data[-8:],  # cut, with the end put back
        "repeat": data[: place + count] + data[place:],
        "zero": before + bytes(count) + after,
        "insert": before + draw.randbytes(count) + data[place:],
    }
    return kind, changed[kind]


def checked(path) -> np.ndarray | None:
    """The picture, or None after a sentence of ours about it."""
    try:
        pixels = np.asarray(open_rgb(path))
    except InputError as error:
        assert str(error).startswith(f"{path} ")
        assert str(error).endswith("; replace or remove the image.")
        assert "\n" not in str(error)
        assert probe(path, whole=True)
        return None
    assert probe(path) is None
    return pixels


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.slow
def test_a_changed_file_gives_a_picture_or_a_sentence(tmp_path, name):
    draw, path = random.Random(name), tmp_path / name
    picture().save(path, **FORMS[name])
    data, whole = path.read_bytes(), checked(path)
    must_tell = {"png": {"flip", "cut", "ended", "repeat", "zero", "insert"}, "jpg": {"cut", "ended"}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        quiet()
        for _ in range(CASES):
            kind, changed = change(data, draw)
            path.write_bytes(changed)
            pixels = checked(path)
            if pixels is not None and kind in must_tell.get(path.suffix[1:], {"cut"}):
                assert pixels.shape == whole.shape
                assert np.abs(pixels.astype(int) - whole).mean() < 1, (kind, len(changed), len(data))
