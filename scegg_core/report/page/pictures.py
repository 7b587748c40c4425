"""Which test pictures are in the page, and their thumbnails: small enough for thousands in one file."""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from scegg_core.data.blocks import by_class
from scegg_core.data.images import open_rgb
from scegg_core.data.tables import DatasetIndex
from scegg_core.report.page.model import Pictures
from scegg_core.training.progress import bar

#: Most pictures in a page; e_l and a thumbnail of each are in it.
MOST = 2000

SIDE = 112  # most pixels of a thumbnail's width and height

QUALITY = 60  # of WebP; a thumbnail of a photograph then takes 2 to 4 kB


def choose_pictures(index: DatasetIndex, wanted: Sequence[int], most: int = MOST) -> np.ndarray:
    """Return positions of up to `most` test images, ascending: the `wanted` ones, then as many of every class.

    Which images of a class are left out is drawn with a fixed seed.
    """
    test = index.test_images
    drawn = np.random.default_rng(0).permutation(test)
    turn = np.zeros(len(drawn), dtype=np.int64)  # the how-manieth of its class an image is
    for _, mine in by_class(index.labels[drawn]):
        turn[mine] = np.arange(len(mine))
    first = ~np.isin(drawn, np.asarray(wanted, dtype=np.int64))
    return np.sort(drawn[np.lexsort((turn, first))][:most])


def read_pictures(index: DatasetIndex, chosen: np.ndarray, folder: str | Path | None) -> Pictures:
    """Return the pictures at positions `chosen`; `folder` is theirs, None where there are none."""
    thumbnails = []
    with bar(len(chosen), "thumbnails", unit="image", delay=2) as progress:
        for place in chosen:
            thumbnails.append(thumbnail(Path(folder) / index.paths[place]) if folder else None)
            progress.update()
    paths = tuple(index.paths[place] for place in chosen)
    return Pictures(paths, index.labels[chosen], tuple(thumbnails), len(index.test_images) - len(chosen))


def thumbnail(path: Path) -> str | None:
    """Return the picture at `path`, at most SIDE pixels wide and high, as base64 of WebP; None where there is none."""
    if not path.is_file():
        return None
    return encode(open_rgb(path), SIDE)


def encode(picture: Image.Image, side: int) -> str:
    """Return `picture`, made at most `side` pixels wide and high, as base64 of WebP."""
    picture.thumbnail((side, side), reducing_gap=2.0)
    written = io.BytesIO()
    picture.save(written, "WEBP", quality=QUALITY, method=4)
    return base64.b64encode(written.getvalue()).decode("ascii")
