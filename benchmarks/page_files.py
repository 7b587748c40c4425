"""A made-up data set with every file that its page is made from, of the size of a real one; `page.py` measures its page."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.shapes import Shape
from benchmarks.stream import Size, made_up_index, write_regions
from scegg_core.artifacts.files import Provenance, link_or_copy
from scegg_core.artifacts.paths import IndexFiles
from scegg_core.classify.predictions import Predictions, write_predictions
from scegg_core.data.tables import DatasetIndex, write_index
from scegg_core.data.tasks import TASKS, task_classes, task_images
from scegg_core.evaluate.scores import score, write_metrics
from scegg_core.evaluate.separation import Labelled
from scegg_core.regions.backbone import FeatureMap
from scegg_core.report.classes import class_rows
from scegg_core.report.figures.tsne import choose_classes, choose_points, points_table
from scegg_core.report.page.build import PageFiles
from scegg_core.report.page.model import PageSettings
from scegg_core.report.rows import TableSettings, run_results
from scegg_core.report.runs import read_runs
from scegg_core.report.tables import result_table
from scegg_core.scen.files import write_scen
from scegg_core.scen.space import write_semantics
from scegg_core.scen.train import start_scen
from scegg_core.settings.attention import SheetSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.settings.tables import RunNames
from scegg_core.settings.tsne import TsneSettings
from scegg_core.training.curve import Curve

TITLES = {"baseline": "TF-VAEGAN (baseline)", "len": "SC-EGG, LEN only", "sc-egg": "SC-EGG"}
SEEDS = (0, 1, 2)
RUNS = tuple((variant, seed) for variant in TITLES for seed in SEEDS)
TERMS = {"1": ("L_LCE", "L_GCE"), "2": ("L_SCR",), "3": ("wasserstein", "penalty", "KL", "BCE", "adversarial", "L_Rec")}
EPOCHS = 200
SHEETS = 6  # images whose attention is shown
MADE = Provenance("page")

PICTURE = (500, 375)  # pixels, as most of CUB's
PICTURES = 40  # different ones; each stands for many images
#: Of the amplitudes over frequencies: thumbnails then take as much as those of CUB's photographs, 2.6 kB each.
FALL = 1.3


@dataclass(frozen=True)
class MadeUp:
    """What a page is built from."""

    files: PageFiles
    settings: PageSettings


def make_files(shape: Shape, folder: Path) -> MadeUp:
    """Write a data set of `shape`'s size into `folder`, and results of three variants with three seeds on it."""
    index = _index(shape)
    files = IndexFiles.in_folder(folder)
    write_index(index, files, MADE)
    _write_pictures(index, folder / "pictures")
    runs = {name: _paths(folder, name) for name in ("gzsl", "czsl", "metrics", "curve")}
    for number, places in enumerate(zip(*runs.values(), strict=True)):
        _write_run(index, *map(Path, places), seed=number)
    settings = _settings(shape, index.paths[:SHEETS])
    _write_tables(index, folder, runs, settings.table)
    _write_points(index, folder / "tsne_points.csv")
    _write_network(index, shape, folder)
    made = PageFiles(
        index=files,
        folder=str(folder / "pictures"),
        table=str(folder / "table.csv"),
        per_class=str(folder / "per_class.csv"),
        metrics=runs["metrics"],
        gzsl=runs["gzsl"],
        confused=runs["gzsl"],
        curves=runs["curve"],
        epochs=(),
        published=(),
        points=str(folder / "tsne_points.csv"),
        regions=[str(folder / "regions.parquet")],
        shown_scen=str(folder / "scen.safetensors"),
        semantics=str(folder / "semantics.parquet"),
    )
    return MadeUp(made, settings)


def _paths(folder: Path, name: str) -> list[str]:
    ending = {"metrics": "json"}.get(name, "parquet")
    return [str(folder / f"{name}_{variant}_{seed}.{ending}") for variant, seed in RUNS]


def _settings(shape: Shape, shown: tuple[str, ...]) -> PageSettings:
    table = TableSettings(
        dataset=f"made up, {shape.name}'s size",
        published=None,
        generated=True,
        backbone="resnet101",
        weights="random",
        image_size=448,
        backbone_state="",
        titles=TITLES,
        selection=dict.fromkeys(TITLES, "last"),
        tuned={},
        runs=RUNS,
        reference="sc-egg",
    )
    sheets = SheetSettings(count=SHEETS, seed=0, images=shown, attributes=8, overview_attributes=4, resize="squash")
    lists = dict.fromkeys(("metrics", "gzsl", "confused", "trained"), RUNS)
    return PageSettings(table=table, changed=(), task="gzsl", scored=(), sheets=sheets, **lists)


def _index(shape: Shape) -> DatasetIndex:
    """Test images come first, so that those of the attention sheets can be; of every class as many."""
    count = shape.test_images + shape.training_images
    plain = made_up_index(Size(count, shape.classes, shape.attributes))
    seen = np.arange(shape.classes) < shape.classes - shape.unseen
    of_all, of_seen = np.arange(shape.test_images) % shape.classes, np.arange(shape.training_images) % seen.sum()
    labels = np.concatenate([of_all, of_seen]).astype(np.int32)
    split = [*np.where(seen[of_all], "test_seen", "test_unseen"), *["trainval"] * shape.training_images]
    return replace(
        plain,
        classes=tuple(f"{number:03}.{'Long_' * (number % 4)}Name_{number}" for number in range(shape.classes)),
        seen=seen,
        attributes=tuple(f"has_part_{number // 11}::look_{number}" for number in range(shape.attributes)),
        paths=tuple(f"{label:03}/{number}.jpg" for number, label in enumerate(labels)),
        labels=labels,
        split=tuple(map(str, split)),
    )


def _write_pictures(index: DatasetIndex, folder: Path) -> None:
    """Write a file for each test image; images of the same picture share its bytes on the disk."""
    draw = np.random.default_rng(0)
    for number in range(min(PICTURES, len(index.test_images))):
        first = folder / index.paths[number]
        first.parent.mkdir(parents=True, exist_ok=True)
        _picture(draw).save(first, quality=90)
        for place in index.test_images[number + PICTURES :: PICTURES]:
            (folder / index.paths[place]).parent.mkdir(exist_ok=True)
            link_or_copy(first, folder / index.paths[place])


def _picture(draw: np.random.Generator) -> Image.Image:
    """Clouds whose amplitudes fall with the frequency, as in photographs."""
    width, height = PICTURE
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width))
    frequency[0, 0] = 1
    noise = np.fft.rfft2(draw.standard_normal((3, height, width))) * frequency**-FALL
    clouds = np.fft.irfft2(noise, (height, width))
    clouds = clouds / clouds.std((1, 2), keepdims=True)
    mixed = 128 + 40 * clouds[0] + 20 * clouds  # colours differ less than brightness
    return Image.fromarray(mixed.clip(0, 255).astype(np.uint8).transpose(1, 2, 0))


def _write_run(index: DatasetIndex, gzsl: Path, czsl: Path, metrics: Path, curve: Path, seed: int) -> None:
    draw = np.random.default_rng(seed)
    made = {task: _predictions(index, task, draw) for task in TASKS}
    write_predictions(gzsl, made["gzsl"], MADE)
    write_predictions(czsl, made["czsl"], MADE)
    write_metrics(metrics, score(made["czsl"], made["gzsl"], index), MADE)
    _curve(draw).write(curve, MADE)


def _predictions(index: DatasetIndex, task: str, draw: np.random.Generator) -> Predictions:
    """Scores that are right for about half of the images."""
    images, classes = task_images(index, task), task_classes(index, task)
    scores = draw.standard_normal((len(images), len(classes)), dtype=np.float32)
    scores[index.labels[images][:, None] == classes] += 2.5
    return Predictions(images, index.labels[images], scores, classes)


def _curve(draw: np.random.Generator) -> Curve:
    falling = 1 + 1 / np.arange(1, EPOCHS + 1)
    values = {(stage, term): falling + 0.02 * draw.random(EPOCHS) for stage, terms in TERMS.items() for term in terms}
    curve = Curve()
    curve.points = [
        (stage, epoch, term, float(value))
        for (stage, term), line in values.items()
        for epoch, value in enumerate(line, 1)
    ]
    return curve


def _write_tables(index: DatasetIndex, folder: Path, runs: dict[str, list[str]], table: TableSettings) -> None:
    """Write the table of results and that of classes, as rules `tabulate` and `count_classes` make them."""
    from pandas import concat

    result_table(run_results(runs["metrics"], RUNS, table)).to_csv(folder / "table.csv", index=False)
    names = RunNames(runs=RUNS, titles=TITLES)
    classes = [class_rows(read_runs(runs[task], names), index, task) for task in ("gzsl", "czsl")]
    concat(classes).to_csv(folder / "per_class.csv", index=False)


def _write_points(index: DatasetIndex, path: Path) -> None:
    """Write places drawn at random, of as many classes and images as t-SNE's defaults take."""
    draw, given, images = np.random.default_rng(0), TsneSettings(), index.test_images
    labels, unseen = index.labels[images], np.flatnonzero(~index.seen)
    real = Labelled(draw.standard_normal((len(labels), 2)), labels)
    made = Labelled(draw.standard_normal((given.per_class * len(unseen), 2)), np.repeat(unseen, given.per_class))
    classes = choose_classes(labels, index.seen, given.classes, given.seed)
    spaces = [
        choose_points(TITLES[variant], real, made, classes, per_class=given.per_class, seed=given.seed)
        for variant in given.variants
    ]
    points_table(spaces, [space.features for space in spaces], images, index).to_csv(path, index=False)


def _write_network(index: DatasetIndex, shape: Shape, folder: Path) -> None:
    """Write an untrained SCEN, regions of the pictures in the attention sheets, and what LEN could make of all images."""
    draw, side = torch.Generator().manual_seed(0), round(shape.regions**0.5)
    vectors, words = torch.from_numpy(index.vectors), torch.randn(shape.attributes, shape.words, generator=draw)
    settings = ScenSettings()
    write_scen(folder / "scen.safetensors", start_scen(words, vectors, shape.channels, settings, 0), settings, MADE)
    write_regions(folder / "regions.parquet", SHEETS, FeatureMap(shape.channels, side, side))
    found = vectors[torch.from_numpy(index.labels).long()]
    write_semantics(folder / "semantics.parquet", found + 0.1 * torch.randn(found.shape, generator=draw), MADE)
