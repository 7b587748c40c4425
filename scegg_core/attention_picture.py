"""Attention sheets of chosen images (Fig. 3), and how often attention points at the part it speaks of."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.attend import Attended, attend
from scegg_core.data.images import open_rgb
from scegg_core.data.parts import read_part_locations
from scegg_core.data.tables import DatasetIndex
from scegg_core.errors import InputError
from scegg_core.figures.attention import AttentionSheet, choose_images, top_maps
from scegg_core.figures.pointing import bind_parts, join, part_regions, point, pointing_table
from scegg_core.figures.style import shorten
from scegg_core.models.scen import SCEN
from scegg_core.regions import RegionStore
from scegg_core.settings.report import SheetSettings

if TYPE_CHECKING:
    from pandas import DataFrame


def attention_sheets(
    index: DatasetIndex, store: RegionStore, scen: SCEN, folder: str | Path, given: SheetSettings
) -> list[AttentionSheet]:
    """Return a sheet for each image that `given` chooses; `folder` is that of the data set."""
    chosen = chosen_images(index, given)
    found = {int(place): (batch, row) for batch in attend(store, scen, index, chosen) for row, place in _rows(batch)}
    return [_sheet(index, place, *found[place], folder, given) for place in chosen.tolist()]


def chosen_images(index: DatasetIndex, given: SheetSettings) -> np.ndarray:
    """Return positions of the `count` images to be shown: those named, then random test images.

    A name may leave out leading folders. Raises InputError for a name that fits no image or several.
    """
    named = np.array([_position(index, name) for name in given.images], dtype=np.int64)
    rest = np.setdiff1d(_test_images(index), named)
    if len(named) + len(rest) < given.count:
        raise InputError(f"config: attention.count is {given.count}, but there are only {len(rest)} test images.")
    return np.concatenate([named, choose_images(rest, given.count - len(named), given.seed)])


def score_attention(
    index: DatasetIndex, store: RegionStore, scen: SCEN, folder: str | Path, resize: str
) -> "DataFrame":
    """Return the pointing scores and the correlation of maps on all test images (columns: `pointing_table`).

    Without part locations the first row alone, which then holds the correlation.
    """
    test = _test_images(index)
    regions, bound = _parts(index, test, folder, store, resize)
    row_of = {int(position): row for row, position in enumerate(test)}
    batches = [
        point(batch.maps, regions[[row_of[int(position)] for position in batch.positions]], bound)
        for batch in attend(store, scen, index, test)
    ]
    return pointing_table(join(batches), index.attributes, index.parts)


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


def _test_images(index: DatasetIndex) -> np.ndarray:
    return np.sort(np.concatenate([index.in_split("test_seen"), index.in_split("test_unseen")]))


def _position(index: DatasetIndex, name: str) -> int:
    fits = [place for place, path in enumerate(index.paths) if f"/{path}".endswith(f"/{name}")]
    if len(fits) != 1:
        raise InputError(f"config: attention.images names {name!r}, which fits {len(fits)} images, not one.")
    return fits[0]


def _rows(batch: Attended) -> list[tuple[int, int]]:
    return list(enumerate(batch.positions.tolist()))


def _sheet(
    index: DatasetIndex, place: int, batch: Attended, row: int, folder: str | Path, given: SheetSettings
) -> AttentionSheet:
    picture = open_rgb(Path(folder) / index.paths[place])
    if given.resize == "crop":
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        picture = picture.crop((left, top, left + side, top + side))
    kind = "seen" if index.seen[index.labels[place]] else "unseen"
    title = f"{shorten(index.classes[index.labels[place]])} ({kind})"
    maps = top_maps(batch.maps[row], batch.scores[row], index.attributes, given.attributes)
    return AttentionSheet(title, np.asarray(picture), batch.whole[row], maps)
