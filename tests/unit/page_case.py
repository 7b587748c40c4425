"""A page of made numbers, as large as is wished: what the page is tried with where no run is that large."""

import numpy as np
import pandas as pd
from PIL import Image

from scegg_core.report.page.model import (
    ClassNames,
    ClassRows,
    Confusion,
    Description,
    Facts,
    Page,
    Panel,
    Pictures,
    SeedLine,
    ShownMap,
    ShownSheet,
    SpacePoints,
    Tables,
    TradeOffLine,
    VariantLines,
    VariantPanels,
)
from scegg_core.report.page.pictures import SIDE, encode
from scegg_core.report.typeset import to_html

NAMES = ("Abbey", "Bog & <b>marsh</b>", "Conference center, very long name of it", "Discothèque", "街")


def made_page(classes: int = 12, attributes: int = 9, pictures: int = 40, seeds: int = 2, seed: int = 0) -> Page:
    """Return a page whose last half of the classes is unseen; numbers are drawn by `seed`."""
    draw = np.random.default_rng(seed)
    names = tuple(f"{NAMES[label % len(NAMES)]} {label}" for label in range(classes))
    seen, labels = np.arange(classes) < classes // 2, np.arange(pictures) % classes
    return Page(
        facts=Facts(
            "Made <set>", (("data set", "made"),), ("A remark.",), (("eggn.epochs", "3", "200"),), (("score", "ab"),)
        ),
        tables=Tables(to_html(_results()), "", "variant,H\na,1\n"),
        classes=ClassNames(names, names, seen),
        pictures=_pictures(labels, draw),
        trade_offs=tuple(VariantLines(f"variant {name}: AUSUC 1", _lines(seeds, draw)) for name in "abc"),
        spaces=tuple(_space(title, classes, pictures, draw) for title in ("baseline", "SC-EGG")),
        sheets=(
            _sheet("with a picture", draw, encode(Image.new("RGB", (60, 40), "teal"), 60)),
            _sheet("without", draw, None),
        ),
        confusions=(_confusion(np.flatnonzero(~seen), labels, classes, draw),),
        per_class=_per_class(names, seen, draw),
        training=(VariantPanels("a", (_panel(seeds, draw), _panel(seeds, draw))),),
        description=Description(
            attributes=tuple(f"value {number % 9}" for number in range(attributes)),
            groups=tuple(f"part {number // 9}" for number in range(attributes)),
            strengths=draw.random((classes, attributes)).astype(np.float16),
            largest=100.0,
            semantics=(draw.standard_normal((pictures, attributes)) / 5).astype(np.float16),
            scale=1.5,
            unit=True,
        ),
    )


def _results() -> pd.DataFrame:
    """As wide as a data set's table can be."""
    percent = dict.fromkeys(("Acc", "U", "S", "H", "AUSUC"), (62.17, 49.13))
    spread = {f"{name}_std": (10.5, 0.3) for name in percent}
    published = {f"published_{name}": (78.4, 67.1) for name in ("Acc", "U", "S", "H")}
    own = {"title": ("SC-EGG without semantic guidance", "ridge prototypes (closed form)"), "seeds": (5, 5)}
    calibration = {"calibration": ("none", "validation (constant 0.1316)"), "selection": ("last", "validation")}
    interval = {"h_low": (53.8, 37.9), "h_high": (59.6, 43.2)}
    return pd.DataFrame({**own, **calibration, **percent, **spread, **interval, **published})


def _pictures(labels: np.ndarray, draw: np.random.Generator) -> Pictures:
    noise = [Image.fromarray(draw.integers(0, 255, (6, 8, 3), dtype=np.uint8)).resize((SIDE, 84)) for _ in range(50)]
    shown = [encode(picture, SIDE) for picture in noise]
    thumbnails = tuple(None if place == 1 else shown[place % 50] for place in range(len(labels)))
    return Pictures(tuple(f"{place}.jpg" for place in range(len(labels))), labels, thumbnails, 3)


def _lines(seeds: int, draw: np.random.Generator) -> tuple[TradeOffLine, ...]:
    rise = np.linspace(0, 60, 200)
    return tuple(
        TradeOffLine(number, rise / 10, rise, 70 - rise + draw.random(200), (30.0, 40.0)) for number in range(seeds)
    )


def _space(title: str, classes: int, pictures: int, draw: np.random.Generator) -> SpacePoints:
    count = min(900, 5 * pictures)
    labels = draw.integers(0, min(classes, 20), count)
    groups, rows = draw.integers(0, 3, count), draw.integers(0, pictures, count)
    return SpacePoints(title, *draw.standard_normal((2, count)), labels, groups, np.where(groups == 2, -1, rows))


def _sheet(title: str, draw: np.random.Generator, image: str | None) -> ShownSheet:
    maps = [ShownMap(f"map {number}", 0.5, draw.random((4, 6))) for number in range(5)]
    return ShownSheet(title, image, 1.5, tuple(maps))


def _confusion(unseen: np.ndarray, labels: np.ndarray, classes: int, draw: np.random.Generator) -> Confusion:
    percent = 100 * draw.dirichlet(np.full(len(unseen) + 1, 0.05), len(unseen))
    percent[0] = np.nan
    return Confusion("variant a", unseen, percent, draw.integers(0, classes, len(labels)), "any seen class")


def _per_class(names: tuple[str, ...], seen: np.ndarray, draw: np.random.Generator) -> ClassRows:
    columns = (
        "variant",
        "title",
        "task",
        "seeds",
        "class",
        "seen",
        "images",
        "accuracy",
        "most_often_taken_for",
        "taken_for",
    )
    rows = [
        ("a", "variant a", task, 2, name, bool(seen[label]), 5, round(100 * draw.random(), 2), names[0], 12.5)
        for task in ("GZSL", "CZSL")
        for label, name in enumerate(names)
        if task == "GZSL" or not seen[label]
    ]
    return ClassRows(columns, tuple(rows))


def _panel(seeds: int, draw: np.random.Generator) -> Panel:
    epochs = np.arange(1, 200)
    lines = [SeedLine(number, epochs, 1 / epochs + 0.01 * draw.random(199)) for number in range(seeds)]
    return Panel("stage 1", "L_LCE (Eq. 6)", tuple(lines), ("seed 0: not finite",))
