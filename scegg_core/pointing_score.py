"""How often attention points at the part it speaks of, on the test images of a data set."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.attend import attend, test_images
from scegg_core.data.parts import read_part_locations
from scegg_core.data.tables import DatasetIndex
from scegg_core.errors import InputError
from scegg_core.figures.pointing import bind_parts, join, part_regions, point, pointing_table
from scegg_core.models.scen import SCEN
from scegg_core.regions import RegionStore

if TYPE_CHECKING:
    from pandas import DataFrame

# ASSUME: a class has an attribute that at least half of its annotations name.
PRESENT_FROM = 50.0


def score_attention(
    index: DatasetIndex, store: RegionStore, scen: SCEN, folder: str | Path, resize: str
) -> "DataFrame":
    """Return the pointing scores and the correlation of maps on all test images (columns: `pointing_table`).

    Without part locations the first row alone, which then holds the correlation.
    """
    test = test_images(index)
    regions, bound = _parts(index, test, folder, store, resize)
    row_of = {int(position): row for row, position in enumerate(test)}
    batches, order = [], []
    for batch in attend(store, scen, index, test):
        rows = [row_of[int(position)] for position in batch.positions]
        batches.append(point(batch.maps, regions[rows], bound))
        order += rows
    has = index.percent[index.labels[test[order]]] >= PRESENT_FROM
    return pointing_table(join(batches), index.attributes, index.parts, has)


def _parts(
    index: DatasetIndex, images: np.ndarray, folder: str | Path, store: RegionStore, resize: str
) -> tuple[np.ndarray, np.ndarray]:
    """The region of each part (n, P), and which parts each attribute is bound to (A, P)."""
    paths = [index.paths[image] for image in images]
    located = read_part_locations(folder, paths)
    if located is None:
        return np.full((len(images), 0), -1), np.zeros((len(index.attributes), 0), dtype=bool)
    sizes = _sizes([Path(folder) / path for path in paths])
    grid = (store.size.height, store.size.width)
    return part_regions(located.places, sizes, grid, resize), bind_parts(index.parts, located.names)


def _sizes(paths: Sequence[Path]) -> np.ndarray:
    """Width and height of each image (n, 2) as stored, from the headers: part locations are in stored pixels."""
    from PIL import Image

    sizes = []
    for path in paths:
        try:
            with Image.open(path) as image:
                sizes.append(image.size)
        except OSError as error:
            raise InputError(f"{path} cannot be opened ({error}); replace the image.") from None
    return np.array(sizes)
