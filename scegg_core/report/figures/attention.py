"""Attention maps over photographs (paper's Fig. 3): GEN's global map and LEN's maps of the top attributes."""

import logging
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.data.images import open_rgb
from scegg_core.data.tables import DatasetIndex
from scegg_core.errors import InputError
from scegg_core.regions.store import RegionStore
from scegg_core.report.style import new_figure, short_names, styled
from scegg_core.scen.attention import Attended, attend, test_images
from scegg_core.scen.model import SCEN
from scegg_core.settings.attention import SheetSettings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


log = logging.getLogger(__name__)

COLOURS = "viridis"  # even in lightness and safe for colour-blind readers

OPACITY = (0.2, 0.75)  # of the map over the photograph, at its lowest and its highest weight

LONGEST_SIDE = 320  # pixels of a photograph in a sheet

LINE = 24  # characters of a panel's title line
LONGEST_NAME = 30  # letters of a class name: two lines with what kind it is

PHOTOGRAPH, NO_PICTURE = "photograph", "no picture: ready features"  # over the first panel of a sheet


@dataclass(frozen=True)
class AttributeMap:
    """LEN's attention of one attribute over the regions (h, w), with the attribute's name and score in the image."""

    name: str
    score: float
    weights: np.ndarray


@dataclass(frozen=True)
class AttentionSheet:
    """One image (H, W, 3) uint8 with GEN's weight of each region (h, w) and the attributes' maps, best score first.

    `image` is None where the data set has ready features in place of pictures.
    """

    title: str
    image: np.ndarray | None
    whole: np.ndarray
    maps: tuple[AttributeMap, ...]


def choose_images(candidates: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return up to `count` of the image rows `candidates`, drawn by `seed`, ascending."""
    return np.sort(np.random.default_rng(seed).permutation(candidates)[:count])


def top_maps(maps: np.ndarray, scores: np.ndarray, names: Sequence[str], count: int = 8) -> tuple[AttributeMap, ...]:
    """Return one image's `count` attributes of highest score; `maps` (A, h, w) is LEN's attention, `scores` (A,)."""
    best = np.argsort(-scores, kind="stable")[:count]
    return tuple(AttributeMap(names[a], float(scores[a]), maps[a]) for a in best)


def upsample(weights: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return `weights` (h, w) enlarged to (height, width) by cubic interpolation, kept within their own range.

    The picture's edges are the outer edges of the outer regions.
    """
    from scipy.ndimage import map_coordinates

    rows = (np.arange(height) + 0.5) * weights.shape[0] / height - 0.5
    columns = (np.arange(width) + 0.5) * weights.shape[1] / width - 0.5
    grid = np.meshgrid(rows, columns, indexing="ij")
    smooth = map_coordinates(np.asarray(weights, dtype=np.float64), grid, order=3, mode="nearest")
    return np.clip(smooth, weights.min(), weights.max())


def blend(image: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return `image` (H, W, 3) uint8 in grey under its map in colour, (H, W, 3) in [0, 1]."""
    from matplotlib import colormaps

    large = upsample(weights, *image.shape[:2])
    span = large.max() - large.min()
    level = (large - large.min()) / span if span > 0 else np.zeros_like(large)
    grey = (image @ np.array([0.299, 0.587, 0.114]) / 255)[..., None]
    opacity = (OPACITY[0] + (OPACITY[1] - OPACITY[0]) * level)[..., None]
    return (1 - opacity) * grey + opacity * colormaps[COLOURS](level)[..., :3]


def attribute_title(name: str) -> str:
    """Return an attribute's name for print: has_wing_color::blue → wing color: blue."""
    return name.removeprefix("has_").replace("::", ": ").replace("_", " ")


@styled
def draw_sheet(sheet: AttentionSheet) -> "Figure":
    """Return one image's sheet: photograph, global map, and per attribute its map, name, score and peak."""
    columns = max(2, -(-(len(sheet.maps) + 2) // 2))
    height, width = (sheet.whole if sheet.image is None else sheet.image).shape[:2]
    tall = height / width
    figure = new_figure(1.75 * columns + 0.8, 2 * (1.75 * tall + 0.5) + 0.4)
    grid = _panels(figure, 2, columns)
    _draw_row(list(grid.flat), sheet)
    figure.suptitle(sheet.title, fontsize=10)
    return figure


@styled
def draw_overview(sheets: Sequence[AttentionSheet], top: int = 4) -> "Figure":
    """Return a row per image: photograph with its title, global map and the `top` first attributes."""
    figure = new_figure(1.65 * (top + 2) + 0.8, 2.05 * len(sheets) + 0.2)
    grid = _panels(figure, len(sheets), top + 2)
    for row, sheet in zip(grid, sheets, strict=True):
        _draw_row(list(row), replace(sheet, maps=sheet.maps[:top]), sheet.title)
    return figure


def _panels(figure: "Figure", rows: int, columns: int) -> np.ndarray:
    """Axes without frames, (rows, columns), and the colour scale that all maps share."""
    from matplotlib.cm import ScalarMappable

    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    scale = figure.colorbar(ScalarMappable(cmap=COLOURS), ax=grid, aspect=18 * rows, pad=0.01, panchor=False)
    scale.set_ticks([0, 1], labels=["low", "peak"])
    scale.outline.set_visible(False)
    return grid


def _draw_row(panels: list["Axes"], sheet: AttentionSheet, title: str = PHOTOGRAPH) -> None:
    image = _blank(sheet.whole) if sheet.image is None else _reduced(sheet.image)
    _show(panels[0], image, _lines(title if sheet.image is not None or title != PHOTOGRAPH else NO_PICTURE))
    # the sign of a region's weight in g has no meaning of its own: CLS_g may turn it round
    _show(panels[1], blend(image, np.abs(sheet.whole)), f"GEN: weight in g\n{_peak(np.abs(sheet.whole))}")
    for axes, shown in zip(panels[2:], sheet.maps, strict=False):
        heading = f"{_lines(attribute_title(shown.name))}\nscore {shown.score:.2f}, {_peak(shown.weights)}"
        _show(axes, blend(image, shown.weights), heading)


def _show(axes: "Axes", picture: np.ndarray, title: str) -> None:
    axes.imshow(picture, interpolation="bilinear")
    axes.set_title(title, fontsize=7.5, linespacing=1.25)


def _peak(weights: np.ndarray) -> str:
    """The peak against an even map; 1 where all regions weigh the same."""
    mean = weights.mean()
    return f"peak {weights.max() / mean:.1f}× even" if mean > 0 else "no weight"


def _lines(text: str) -> str:
    short = textwrap.shorten(text, 2 * LINE, placeholder="…")
    if short == "…":  # without a blank to cut at
        short = text[: 2 * LINE - 1] + "…"
    return "\n".join(textwrap.wrap(short, LINE)[:2])


def _blank(weights: np.ndarray) -> np.ndarray:
    """A white picture of the shape of a map, which then shows the map alone."""
    scale = max(1, LONGEST_SIDE // max(weights.shape))
    return np.full((*(scale * side for side in weights.shape), 3), 255, dtype=np.uint8)


def _reduced(image: np.ndarray) -> np.ndarray:
    from PIL import Image

    picture = Image.fromarray(image)
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return np.asarray(picture)


def attention_sheets(
    index: DatasetIndex, store: RegionStore, scen: SCEN, folder: str | Path | None, given: SheetSettings
) -> list[AttentionSheet]:
    """Return a sheet for each image that `given` chooses; `folder` is that of the pictures, None where there are none."""
    if folder is None:
        log.warning("the data set has ready features and no pictures, so the sheets show the maps alone")
    chosen = chosen_images(index, given)
    found = {int(place): (batch, row) for batch in attend(store, scen, index, chosen) for row, place in _rows(batch)}
    return [_sheet(index, place, *found[place], folder, given) for place in chosen.tolist()]


def chosen_images(index: DatasetIndex, given: SheetSettings) -> np.ndarray:
    """Return positions of the `count` images to be shown: those named, then random test images.

    A name may leave out leading folders. Raises InputError for a name that fits no image or several, and for two of one.
    """
    met: dict[int, str] = {}
    for name in given.images:
        if (first := met.setdefault(_position(index, name), name)) != name:
            raise InputError(f"config: attention.images names {first!r} and {name!r}, which are one image; keep one.")
    named = np.array(list(met), dtype=np.int64)
    rest = np.setdiff1d(test_images(index), named)
    if len(named) + len(rest) < given.count:
        raise InputError(f"config: attention.count is {given.count}, but there are only {len(rest)} test images.")
    return np.concatenate([named, choose_images(rest, given.count - len(named), given.seed)])


def _position(index: DatasetIndex, name: str) -> int:
    fits = [place for place, path in enumerate(index.paths) if f"/{path}".endswith(f"/{name}")]
    if len(fits) == 1:
        return fits[0]
    if fits:
        raise InputError(
            f"config: attention.images names {name!r}, which fits {len(fits)} images; write more of the path, such as "
            f"{index.paths[fits[0]]}."
        )
    near = next((path for path in index.paths if Path(path).name == Path(name).name), index.paths[0])
    raise InputError(
        f"config: attention.images names {name!r}, which fits no image; write its path below the data set's folder, such as "
        f"{near}."
    )


def _rows(batch: Attended) -> list[tuple[int, int]]:
    return list(enumerate(batch.positions.tolist()))


def _sheet(
    index: DatasetIndex, place: int, batch: Attended, row: int, folder: str | Path | None, given: SheetSettings
) -> AttentionSheet:
    kind = "seen" if index.seen[index.labels[place]] else "unseen"
    title = f"{short_names(index.classes, LONGEST_NAME)[index.labels[place]]} ({kind})"
    maps = top_maps(batch.maps[row], batch.scores[row], index.attributes, given.attributes)
    image = _picture(Path(folder) / index.paths[place], given.resize) if folder else None
    return AttentionSheet(title, image, batch.whole[row], maps)


def _picture(path: Path, resize: str) -> np.ndarray:
    picture = open_rgb(path)
    if resize == "crop":
        side = min(picture.size)
        left, top = (picture.width - side) // 2, (picture.height - side) // 2
        picture = picture.crop((left, top, left + side, top + side))
    return np.asarray(picture)
