"""From artifacts to the sections of the page: facts, tables, curves, points, confusions, descriptions."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from scegg_core.artifacts.files import input_origin, matrix, read_table
from scegg_core.data.tables import DatasetIndex
from scegg_core.report.figures.attention import LONGEST_SIDE, AttentionSheet, attribute_title
from scegg_core.report.figures.confusion import confusion_matrix, shown_classes
from scegg_core.report.figures.curves import STAGES, TERMS
from scegg_core.report.figures.tradeoff import VariantCurves
from scegg_core.report.figures.tsne import SEEN, SYNTHETIC, UNSEEN
from scegg_core.report.page.model import (
    ClassNames,
    ClassRows,
    Confusion,
    Description,
    Facts,
    PageSettings,
    Panel,
    SeedLine,
    ShownMap,
    ShownSheet,
    SpacePoints,
    Tables,
    TradeOffLine,
    VariantLines,
    VariantPanels,
)
from scegg_core.report.page.pictures import encode
from scegg_core.report.published import PublishedRow
from scegg_core.report.results import read_results
from scegg_core.report.rows import Runs
from scegg_core.report.runs import VariantRuns
from scegg_core.report.style import short_names
from scegg_core.report.typeset import row_remarks, to_html
from scegg_core.training.alarms import alarms

if TYPE_CHECKING:
    from pandas import DataFrame

#: Most points of one line: more cannot be seen.
MOST_POINTS = 240

LONGEST_NAME = 40  # letters of a class name

GROUPS = (SEEN, UNSEEN, SYNTHETIC)

#: Columns of the table that `facts_of` says.
IN_FACTS = ("backbone", "weights", "image_size", "seeds")


def facts_of(
    given: PageSettings,
    index: DatasetIndex,
    versions: Mapping[str, str],
    remarks: Iterable[str],
    code: Mapping[str, str],
    commit: str | None = None,
) -> Facts:
    """Return what was run; `versions` are those of the libraries, `code` maps stages to the digest of their code, `commit`
    has all of it."""
    table = given.table
    seen, test = int(index.seen.sum()), index.test_images
    unseen = len(index.in_split("test_unseen"))
    size = f", images of {table.image_size} pixels" if table.image_size else ""
    weights = "trained on the seen classes" if table.weights == "train" else f"weights {table.weights}"
    seeds = sorted({seed for _, seed in given.metrics})
    rows = (
        ("data set", f"{table.dataset}: {seen} seen and {len(index.classes) - seen} unseen classes"),
        ("attributes", str(len(index.attributes))),
        ("images", f"{len(index.paths) - len(test)} for training; test: {len(test) - unseen} seen, {unseen} unseen"),
        ("backbone", f"{table.backbone}, {weights}{size}"),
        ("seeds", ", ".join(map(str, seeds)) or "none"),
        ("libraries", ", ".join(f"{name} {version}" for name, version in versions.items())),
        *([("commit", commit)] if commit else []),
    )
    return Facts(table.dataset, rows, tuple(remarks), given.changed, tuple(sorted(code.items())))


def code_of(paths: Iterable[str]) -> dict[str, str]:
    """Return the digest of the code of each stage that made one of the artifacts among `paths`."""
    origins = filter(None, map(input_origin, paths))
    return {origin["stage"]: origin["code"] for origin in origins if origin["code"]}


def tables_of(path: str | Path, rows: Sequence[PublishedRow], dataset: str | None) -> Tables:
    """Return the data set's table at `path`, and what others published on the data set that the paper calls `dataset`."""
    from pandas import DataFrame

    text = Path(path).read_text(encoding="utf-8")
    ours = read_results(path)
    printed = [
        {
            "family": row.family,
            "method": row.method,
            "Acc": row.acc,
            "U": row.u,
            "S": row.s,
            "H": row.h,
            "remark": row.flag,
        }
        for row in rows
        if row.dataset == dataset and row.family in ("embedding", "generative")
    ]
    ours, printed = ours.drop(columns="dataset", errors="ignore"), DataFrame(printed)
    return Tables(
        to_html(ours, row_remarks(ours, IN_FACTS)), to_html(printed, row_remarks(printed)) if len(printed) else "", text
    )


def trade_off_lines(curves: Iterable[VariantCurves], seeds: Iterable[Sequence[int]]) -> tuple[VariantLines, ...]:
    """Return the curves of all variants; `seeds` are those of each variant's runs."""
    return tuple(
        VariantLines(
            variant.label,
            tuple(
                _thinned(seed, curve, point)
                for seed, curve, point in zip(own, variant.curves, variant.points, strict=True)
            ),
        )
        for variant, own in zip(curves, seeds, strict=True)
    )


def _thinned(seed: int, curve, point: tuple[float, float]) -> TradeOffLine:
    """Every n-th point of a curve, and the one of the highest H."""
    kept = np.union1d(_places(len(curve.bias)), [curve.best])
    seen, unseen = (100 * values[kept] for values in (curve.seen, curve.unseen))
    return TradeOffLine(seed, curve.bias[kept], unseen, seen, (100 * point[1], 100 * point[0]))


def _places(count: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).round().astype(np.int64))


def read_points(path: str | Path | None) -> "DataFrame":
    """Return the places that t-SNE gave, as `points_table` wrote them; no row without a file."""
    from pandas import DataFrame, read_csv

    columns = {"space": str, "class": str, "group": str, "image": str}
    return read_csv(path, dtype=columns, keep_default_na=False) if path else DataFrame(columns=[*columns, "x", "y"])


def space_points(points: "DataFrame", index: DatasetIndex, paths: Sequence[str]) -> tuple[SpacePoints, ...]:
    """Return the points of each space; `paths` are those of the pictures in the page."""
    label = {name: place for place, name in enumerate(index.classes)}
    picture = {path: place for place, path in enumerate(paths)}
    return tuple(
        SpacePoints(
            title,
            rows["x"].to_numpy(np.float64),
            rows["y"].to_numpy(np.float64),
            np.array([label[name] for name in rows["class"]]),
            np.array([GROUPS.index(group) for group in rows["group"]]),
            np.array([picture.get(path, -1) for path in rows["image"]]),
        )
        for title, rows in points.groupby("space", sort=False)
    )


def shown_sheets(sheets: Sequence[AttentionSheet]) -> tuple[ShownSheet, ...]:
    """Return the attention gallery: each image with GEN's map and its attributes', best score first."""
    return tuple(map(_shown_sheet, sheets))


def _shown_sheet(sheet: AttentionSheet) -> ShownSheet:
    # the sign of a region's weight in g has no meaning of its own: CLS_g may turn it round
    maps = [ShownMap("GEN: weight in g", None, np.abs(sheet.whole))]
    maps += [ShownMap(attribute_title(own.name), own.score, own.weights) for own in sheet.maps]
    if sheet.image is None:
        height, width = sheet.whole.shape
        return ShownSheet(sheet.title, None, width / height, tuple(maps))
    height, width = sheet.image.shape[:2]
    return ShownSheet(sheet.title, encode(Image.fromarray(sheet.image), LONGEST_SIDE), width / height, tuple(maps))


def confusion_of(runs: VariantRuns, index: DatasetIndex, chosen: np.ndarray, task: str) -> Confusion:
    """Return a variant's confusion of the unseen classes, and what its first seed takes the images `chosen` for."""
    labels, predicted = runs.pooled()
    ordered, other = shown_classes(index, labels)
    taken, first = np.full(len(index.paths), -1), runs.runs[0]
    taken[first.images] = first.predicted
    percent = confusion_matrix(labels, predicted, ordered)
    return Confusion(f"{runs.title}, {task.upper()}", ordered, percent, taken[chosen], other)


def class_table(path: str | Path) -> ClassRows:
    """Return the table of classes at `path`."""
    table = read_results(path)
    return ClassRows(tuple(table.columns), tuple(table.itertuples(index=False, name=None)))


def training_panels(curves: "DataFrame", title: str) -> VariantPanels:
    """Return a panel per stage and term of `curves` (seed, stage, epoch, term, value)."""
    groups = curves.sort_values(["stage", "epoch"], kind="stable").groupby(["stage", "term"], sort=False)
    return VariantPanels(title, tuple(_panel(stage, term, rows) for (stage, term), rows in groups))


def _panel(stage: str, term: str, rows: "DataFrame") -> Panel:
    lines, warned = [], []
    for seed, line in rows.groupby("seed"):
        epochs, values = line["epoch"].to_numpy(), line["value"].to_numpy()
        kept = _places(len(epochs))
        lines.append(SeedLine(int(seed), epochs[kept], values[kept]))
        found = alarms((stage, epoch, term, value) for epoch, value in zip(epochs, values, strict=True))
        warned += [f"seed {seed}: {alarm.reason}" for alarm in found]
    name = re.sub(r"\$L_\{(\w+)\}\$", r"L_\1", TERMS.get(term, term.replace("_", " ")))
    return Panel(STAGES.get(stage, stage), name, tuple(lines), tuple(warned))


def by_variant(runs: Runs) -> Iterator[tuple[str, list[int]]]:
    """Yield each variant with the places of its runs in `runs`."""
    for variant in dict.fromkeys(name for name, _ in runs):
        yield variant, [place for place, (name, _) in enumerate(runs) if name == variant]


def description_of(path: str | Path, index: DatasetIndex, chosen: np.ndarray) -> Description:
    """Return what a class is described with, from the semantics e_l at `path` of the images `chosen`."""
    semantics = matrix(read_table(path, "semantics")["semantic"])[chosen].astype(np.float64)
    strengths = np.maximum(index.percent, 0)  # what is not known counts as 0, as in class vectors
    largest, scale = float(strengths.max()), float(np.abs(semantics).max()) or 1.0
    titles = [attribute_title(name) for name in index.attributes]
    groups = [_group(title, part) for title, part in zip(titles, index.parts, strict=True)]
    return Description(
        attributes=tuple(title.partition(": ")[2] or title for title in titles),
        groups=tuple(groups),
        strengths=(strengths / largest).astype(np.float16),
        largest=largest,
        semantics=(semantics / scale).astype(np.float16),
        scale=scale,
        unit=index.class_norm == "l2",
    )


def _group(title: str, part: str) -> str:
    """What an attribute's name says it is of, as wing color of "wing color: blue"; else its part."""
    return title.partition(": ")[0] if ": " in title else part or "attributes"


def class_names(index: DatasetIndex) -> ClassNames:
    """Return the names of all classes, and how they are shown."""
    return ClassNames(index.classes, short_names(index.classes, LONGEST_NAME), index.seen)
