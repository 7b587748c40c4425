"""Attention sheets of chosen images (Fig. 3)."""

from pathlib import Path

import numpy as np

from scegg_core.attend import Attended, attend, test_images
from scegg_core.data.images import open_rgb
from scegg_core.data.tables import DatasetIndex
from scegg_core.errors import InputError
from scegg_core.figures.attention import AttentionSheet, choose_images, top_maps
from scegg_core.figures.style import shorten
from scegg_core.models.scen import SCEN
from scegg_core.regions import RegionStore
from scegg_core.settings.report import SheetSettings


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
    rest = np.setdiff1d(test_images(index), named)
    if len(named) + len(rest) < given.count:
        raise InputError(f"config: attention.count is {given.count}, but there are only {len(rest)} test images.")
    return np.concatenate([named, choose_images(rest, given.count - len(named), given.seed)])


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
