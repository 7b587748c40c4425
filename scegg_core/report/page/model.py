"""What the page holds: settings of the rule, and one dataclass per section, as `render.py` writes them into it.

Arrays of half precision (float16) are packed; all others are written as numbers.
"""

from dataclasses import dataclass

import numpy as np

from scegg_core.report.rows import Runs, TableSettings
from scegg_core.settings.attention import SheetSettings
from scegg_core.settings.base import settings


@settings
class PageSettings:
    """What the page of a data set shows, and which runs its files are of, in their order."""

    table: TableSettings
    changed: tuple[tuple[str, str, str], ...]  # setting, value, default
    metrics: Runs
    gzsl: Runs
    confused: Runs
    task: str
    trained: Runs
    scored: Runs
    sheets: SheetSettings


@dataclass(frozen=True)
class Facts:
    """What was run, as (label, text); the code that made the files, as (stage, digest); remarks, changed settings."""

    title: str
    rows: tuple[tuple[str, str], ...]
    remarks: tuple[str, ...]
    changed: tuple[tuple[str, str, str], ...]
    code: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Tables:
    """Tables as parts of a page: the results, and the rows that others published ('' for none); the first as CSV too."""

    results: str
    published: str
    csv: str


@dataclass(frozen=True)
class ClassNames:
    """The names of the data set's classes, as they are shown, and which of them are seen."""

    names: tuple[str, ...]
    shown: tuple[str, ...]
    seen: np.ndarray


@dataclass(frozen=True)
class Pictures:
    """Test pictures in the page: their paths, classes and thumbnails (base64 of WebP, None where there is no picture)."""

    paths: tuple[str, ...]
    labels: np.ndarray
    thumbnails: tuple[str | None, ...]
    left_out: int  # test images that are not in the page


@dataclass(frozen=True)
class TradeOffLine:
    """One run's seen-unseen curve, thinned: percent, and the constant taken off the seen classes' scores."""

    seed: int
    constant: np.ndarray
    unseen: np.ndarray
    seen: np.ndarray
    point: tuple[float, float]  # U and S of the predictions as they are


@dataclass(frozen=True)
class VariantLines:
    """The seen-unseen curves of a variant, one per seed; `title` has AUSUC."""

    title: str
    lines: tuple[TradeOffLine, ...]


@dataclass(frozen=True)
class SpacePoints:
    """The t-SNE of one space: x, y, class and group of each point, and its row in `Pictures` (-1: none)."""

    title: str
    x: np.ndarray
    y: np.ndarray
    labels: np.ndarray
    groups: np.ndarray  # 0 real seen, 1 real unseen, 2 synthetic
    pictures: np.ndarray


@dataclass(frozen=True)
class ShownMap:
    """A map over the regions (h, w) with its title: an attribute's attention, or the region's weight in g."""

    title: str
    score: float | None
    weights: np.ndarray


@dataclass(frozen=True)
class ShownSheet:
    """One image of the attention gallery: base64 of WebP (None without pictures), its shape, and its maps."""

    title: str
    image: str | None
    ratio: float  # width by height
    maps: tuple[ShownMap, ...]


@dataclass(frozen=True)
class Confusion:
    """A variant's confusion of the unseen classes in percent (n, n + 1), seeds pooled; NaN without images.

    `classes` (n,) are ordered so that similar ones are neighbours; the last column is all `other` ones. `predicted`
    (pictures,) is what the first seed takes each of `Pictures` for, -1 where the task has not got it.
    """

    title: str
    classes: np.ndarray
    percent: np.ndarray
    predicted: np.ndarray
    other: str


@dataclass(frozen=True)
class ClassRows:
    """The table of classes: names of its columns and its rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple, ...]


@dataclass(frozen=True)
class SeedLine:
    """One seed's values over epochs."""

    seed: int
    epochs: np.ndarray
    values: np.ndarray


@dataclass(frozen=True)
class Panel:
    """One term of the losses over epochs, a line per seed, and what its curve warns of."""

    stage: str
    term: str
    lines: tuple[SeedLine, ...]
    alarms: tuple[str, ...]


@dataclass(frozen=True)
class VariantPanels:
    """The training curves of a variant."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Description:
    """What a class is described with: attributes (A), strengths of all classes, and e_l of `Pictures`.

    `strengths` (C, A) are shares of `largest`, the largest strength in the source; `semantics` (n, A) are shares of
    `scale`. Both are packed in half precision. `unit`: class vectors have length 1.
    """

    attributes: tuple[str, ...]
    groups: tuple[str, ...]
    strengths: np.ndarray
    largest: float
    semantics: np.ndarray
    scale: float
    unit: bool


@dataclass(frozen=True)
class Page:
    """All sections; an empty one, or None, is left out."""

    facts: Facts
    tables: Tables
    classes: ClassNames
    pictures: Pictures
    trade_offs: tuple[VariantLines, ...]
    spaces: tuple[SpacePoints, ...]
    sheets: tuple[ShownSheet, ...]
    confusions: tuple[Confusion, ...]
    per_class: ClassRows
    training: tuple[VariantPanels, ...]
    description: Description | None
