"""How often attention points at the part it speaks of, on the test images of a data set."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from scegg_core.data.images import turn_upright
from scegg_core.data.parts import read_part_locations
from scegg_core.data.tables import DatasetIndex, scale_of
from scegg_core.regions.store import RegionStore
from scegg_core.scen.attention import attend, test_images
from scegg_core.scen.model import SCEN

if TYPE_CHECKING:
    from pandas import DataFrame


def score_attention(
    index: DatasetIndex, store: RegionStore, scen: SCEN, folder: str | Path | None, resize: str
) -> "DataFrame":
    """Return the pointing scores and the correlation of maps on all test images (columns: `pointing_table`).

    Without part locations the first row alone, which then holds the correlation; so without pictures (`folder` None).
    """
    test = test_images(index)
    regions, bound = _parts(index, test, folder, store, resize)
    row_of = {int(position): row for row, position in enumerate(test)}
    batches, order = [], []
    for batch in attend(store, scen, index, test):
        rows = [row_of[int(position)] for position in batch.positions]
        batches.append(point(batch.maps, regions[rows], bound))
        order += rows
    has = had_by_classes(index.percent)[index.labels[test[order]]]
    return pointing_table(join(batches), index.attributes, index.parts, has)


def had_by_classes(percent: np.ndarray) -> np.ndarray:
    """Return which attributes each class has, (C, A) bool: those of half the scale that the strengths are on, or more."""
    # ASSUME: a class has an attribute that at least half of its annotations name.
    return percent >= scale_of(percent) / 2


def _parts(
    index: DatasetIndex, images: np.ndarray, folder: str | Path | None, store: RegionStore, resize: str
) -> tuple[np.ndarray, np.ndarray]:
    """The region of each part (n, P), and which parts each attribute is bound to (A, P)."""
    paths = [index.paths[image] for image in images]
    located = read_part_locations(folder, paths) if folder else None
    if located is None:
        return np.full((len(images), 0), -1), np.zeros((len(index.attributes), 0), dtype=bool)
    turned = [turn_upright(Path(folder) / path, own) for path, own in zip(paths, located.positions, strict=True)]
    locations, sizes = zip(*turned, strict=True)
    grid = (store.size.height, store.size.width)
    return part_regions(np.stack(locations), np.array(sizes), grid, resize), bind_parts(index.parts, located.names)


ALL = "all part-bound attributes"

PRESENT = "part-bound attributes that the class has"

RATES = ("pointing", "chance", "mean_map")

COLUMNS = ("attribute", "part", "images", *RATES, "above_mean_map", "margin", "correlation")


@dataclass(frozen=True)
class Pointing:
    """Per image and attribute (n, A), NaN where the part is not visible or the attribute has none.

    `hit`, `mean_hit`: 1 where the peak region of the attribute's map, of the mean map, holds the part; `chance`: fraction
    of regions that do. `correlation` (n, A): mean correlation of the attribute's map with the other attributes' maps.
    """

    hit: np.ndarray
    mean_hit: np.ndarray
    chance: np.ndarray
    correlation: np.ndarray


def part_regions(
    locations: np.ndarray,
    sizes: np.ndarray,
    grid: tuple[int, int],
    resize: Literal["squash", "crop"] = "squash",
) -> np.ndarray:
    """Return the region, row * w + column, that holds each part (n, P); -1 where the part is not to be seen.

    `locations` (n, P, 2) are x, y in pixels of the upright image, NaN for an invisible part; `sizes` (n, 2) are the
    images' width and height; `grid` is (h, w). Squashing scales x and y by themselves; crop keeps the centre square.
    """
    sizes = np.asarray(sizes, dtype=np.float64)[:, None, :]  # (n, 1, 2)
    kept = sizes if resize == "squash" else np.broadcast_to(sizes.min(axis=2, keepdims=True), sizes.shape)
    position = (locations - (sizes - kept) / 2) / kept  # in the square, 0 to 1, (n, P, 2)
    inside = ((position >= 0) & (position <= 1)).all(axis=2)  # False for NaN
    cells = np.where(inside[..., None], position, 0) * np.array(grid[::-1])
    column, row = np.moveaxis(np.minimum(cells.astype(np.int64), np.array(grid[::-1]) - 1), 2, 0)
    return np.where(inside, row * grid[1] + column, -1)


def bind_parts(attribute_parts: Sequence[str], parts: Sequence[str]) -> np.ndarray:
    """Return which part locations an attribute may point at, (A, P) bool.

    `attribute_parts` (A,) are the attributes' parts, '' for none; `parts` (P,) name the locations. An attribute of the
    wing is bound to "left wing" and "right wing" as well as to "wing".
    """
    plain = [part.removeprefix("left ").removeprefix("right ") for part in parts]
    pairs = list(zip(parts, plain, strict=True))
    return np.array([[bool(bound) and bound in pair for pair in pairs] for bound in attribute_parts], dtype=bool)


def point(maps: np.ndarray, regions: np.ndarray, bound: np.ndarray) -> Pointing:
    """Return the pointing of a batch: `maps` (n, A, R) or (n, A, h, w), `regions` (n, P), `bound` (A, P) bool."""
    maps = maps.reshape(*maps.shape[:2], -1)
    holds = np.zeros((len(maps), regions.shape[1], maps.shape[2]), dtype=bool)  # (n, P, R)
    image, part = np.nonzero(regions >= 0)
    holds[image, part, regions[image, part]] = True
    targets = np.einsum("ap,npr->nar", bound.astype(np.float32), holds.astype(np.float32)) > 0  # (n, A, R)
    visible = targets.any(axis=2)
    peaks = maps.argmax(axis=2)[..., None]
    mean_peaks = np.broadcast_to(maps.mean(axis=1).argmax(axis=1)[:, None, None], peaks.shape)
    hit, mean_hit = (np.take_along_axis(targets, where, axis=2)[..., 0] for where in (peaks, mean_peaks))
    shown = (np.where(visible, values, np.nan) for values in (hit, mean_hit, targets.mean(axis=2)))
    return Pointing(*shown, correlation=map_correlation(maps))


def map_correlation(maps: np.ndarray) -> np.ndarray:
    """Return the mean correlation over regions of each map with the image's other maps, (n, A); `maps` (n, A, R).

    A constant map correlates with nothing (0). NaN where there is only one map.
    """
    centred = maps - maps.mean(axis=2, keepdims=True)
    length = np.linalg.norm(centred, axis=2, keepdims=True)
    unit = np.divide(centred, length, out=np.zeros(maps.shape), where=length > 1e-12)
    itself = (unit**2).sum(axis=2)
    others = maps.shape[1] - 1
    total = np.einsum("nar,nr->na", unit, unit.sum(axis=1)) - itself
    return total / others if others else np.full(maps.shape[:2], np.nan)


def join(batches: Sequence[Pointing]) -> Pointing:
    """Return the batches as one."""
    names = ("hit", "mean_hit", "chance", "correlation")
    return Pointing(*(np.concatenate([getattr(batch, name) for batch in batches]) for name in names))


def pointing_table(
    pointing: Pointing, names: Sequence[str], attribute_parts: Sequence[str], present: np.ndarray | None = None
) -> "DataFrame":
    """Return the scores of all part-bound attributes together, then of each one; rates in percent.

    Columns: attribute, part, images (with the part visible), pointing, chance, times_chance, mean_map (the score of the
    mean map), above_mean_map (the difference, in points), margin (half the 95 % interval of it, over images) and
    correlation (with other attributes' maps). The first row is the mean over attributes; its correlation is that between all pairs
    of attributes, part-bound or not. `present` (n, A) bool adds a second such row, of attributes where it is true.
    """
    from pandas import DataFrame

    bound = [a for a, part in enumerate(attribute_parts) if part and _visible(pointing, a).any()]
    rows = [_together(ALL, pointing, bound)]
    if present is not None and bound:
        rows.append(_together(PRESENT, _only(pointing, present), bound))
    rows += [_row(pointing, a, names[a], attribute_parts[a]) for a in bound]
    table = DataFrame(rows, columns=list(COLUMNS))
    table.insert(5, "times_chance", table["pointing"] / table["chance"])
    return table.round({name: 4 if name == "correlation" else 2 for name in table if name not in COLUMNS[:3]})


def _visible(pointing: Pointing, attribute: int) -> np.ndarray:
    return ~np.isnan(pointing.hit[:, attribute])


def _only(pointing: Pointing, kept: np.ndarray) -> Pointing:
    shown = {name: np.where(kept, getattr(pointing, name), np.nan) for name in ("hit", "mean_hit", "chance")}
    return replace(pointing, **shown)


def _together(label: str, pointing: Pointing, attributes: Sequence[int]) -> dict:
    """The mean over `attributes` of their rows."""
    rows = [_row(pointing, a, "", "") for a in attributes if _visible(pointing, a).any()]
    rates = {name: float(np.mean([row[name] for row in rows])) if rows else np.nan for name in RATES}
    difference = pointing.hit[:, attributes] - pointing.mean_hit[:, attributes]
    return {
        "attribute": label,
        "part": "",
        "images": int((~np.isnan(difference)).any(axis=1).sum()),
        **rates,
        "above_mean_map": rates["pointing"] - rates["mean_map"],
        "margin": _margin(difference),
        "correlation": pointing.correlation.mean(),
    }


def _row(pointing: Pointing, attribute: int, name: str, part: str) -> dict:
    visible = _visible(pointing, attribute)
    hit, mean_hit, chance = (
        values[visible, attribute] for values in (pointing.hit, pointing.mean_hit, pointing.chance)
    )
    return {
        "attribute": name,
        "part": part,
        "images": int(visible.sum()),
        "pointing": 100 * hit.mean(),
        "chance": 100 * chance.mean(),
        "mean_map": 100 * mean_hit.mean(),
        "above_mean_map": 100 * (hit - mean_hit).mean(),
        "margin": _margin((hit - mean_hit)[:, None]),
        "correlation": pointing.correlation[:, attribute].mean(),
    }


def _margin(differences: np.ndarray) -> float:
    """Half the 95 % interval, in points, of the mean over attributes of `differences`' means over images (n, A).

    `differences` are NaN where the part is not visible. Images are independent, the attributes of one are not: what an
    image adds to the shown value stands together (a sum of ratios, linearized). Returns NaN for a single image.
    """
    differences = differences[:, ~np.isnan(differences).all(axis=0)]
    visible = ~np.isnan(differences)
    counts = visible.sum(axis=0)
    # with n / (n - 1) as in any variance; where one image alone shows an attribute, from the mean of all
    from_mean = (differences - np.nanmean(differences, axis=0)) * np.sqrt(counts / np.maximum(counts - 1, 1))
    if (counts == 1).any():
        from_mean[:, counts == 1] = differences[:, counts == 1] - np.nanmean(differences)
    shares = np.nansum(from_mean / (counts * visible.shape[1]), axis=1)[visible.any(axis=1)]
    return float(100 * 1.96 * np.sqrt((shares**2).sum())) if len(shares) > 1 else float("nan")
