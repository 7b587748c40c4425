"""Measures how time and peak memory grow with images, regions, attributes and classes; writes a table and a picture.

    python -m benchmarks.growth                             # docs/growth.csv, docs/images/growth.png; a quarter of an hour
    python -m benchmarks.growth --only classes scores       # these anew; other rows of the table stay

Each point is a process of its own, so its peak memory is its own. Time is processor time on one thread, which other
work on the machine does not change much.
"""

import argparse
import csv
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks import growth_classes
from benchmarks.growth_methods import METHODS
from benchmarks.stream import Size, Taken, made_up_index, measured, train_over, write_regions
from scegg_core.artifacts.files import Provenance
from scegg_core.aviary import AviarySettings, generate_aviary
from scegg_core.regions.backbone import FeatureMap, build_backbone
from scegg_core.regions.extraction import extract_shard
from scegg_core.regions.store import RegionStore
from scegg_core.report.style import PALETTE, new_figure, save, styled
from scegg_core.scen.train import train_scen
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.training.device import prepare_device

GRID = FeatureMap(2048, 7, 7)


@dataclass(frozen=True)
class Curve:
    """One thing that grows: what is measured at which values."""

    title: str
    axis: str
    values: tuple[int, ...]
    measure: Callable[[int, Path], Taken]


@dataclass(frozen=True)
class Point:
    """One measured point."""

    curve: str
    value: int
    seconds: float
    peak_gib: float
    above_gib: float | None = None  # the peak above what lay in memory when the work began, where that was measured


def by_streamed_images(images: int, folder: Path) -> Taken:
    """One epoch of stage 1 over regions of 7 x 7 x 2048, streamed through a budget of half a GiB."""
    return _train(Size(images, map=GRID), folder, ScenSettings(memory_budget=0.5, stage1_epochs=1, stage2_epochs=0))


def by_drawn_images(images: int, folder: Path) -> Taken:
    """The aviary with so many images: drawing, extraction, an epoch of stage 1 streamed through a small budget."""
    return measured(lambda: _aviary(images // 56, folder))


def by_attributes(attributes: int, folder: Path) -> Taken:
    """Twenty steps of stage 1."""
    return _train(Size(640, attributes=attributes, map=GRID), folder, ScenSettings(stage1_steps=20, stage2_epochs=0))


def by_classes(classes: int, folder: Path) -> Taken:
    """Twenty steps of stage 1 with 85 attributes."""
    size = Size(640, classes=classes, attributes=85, map=GRID)
    return _train(size, folder, ScenSettings(stage1_steps=20, stage2_epochs=0))


def by_regions(regions: int, folder: Path) -> Taken:
    """Five steps of stage 1 with 312 attributes on 128 images, in batches of 64."""
    side = round(regions**0.5)
    size = Size(128, attributes=312, map=FeatureMap(2048, side, side))
    write_regions(folder / "shard.parquet", 128, size.map)
    return train_over(size, folder / "shard.parquet", ScenSettings(stage1_steps=5, stage2_epochs=0))


CURVES = {
    "streamed": Curve("training, streamed", "images (7 × 7 × 2048)", (4096, 8192, 12288, 16384), by_streamed_images),
    "aviary": Curve("drawing to training, aviary", "images drawn", (336, 672, 1008, 1344), by_drawn_images),
    "attributes": Curve("20 training steps", "attributes", (32, 64, 128, 256), by_attributes),
    "classes": Curve("20 training steps", "classes", (50, 500, 1000, 2000), by_classes),
    "regions": Curve("5 training steps", "regions", (49, 81, 196, 784), by_regions),
}

#: What is measured over numbers of classes.
STAGES = growth_classes.STAGES | METHODS

#: Numbers of classes, of 1,024 attributes, at which each stage is measured.
CLASSES = (5000, 20_000)


def _train(size: Size, folder: Path, settings: ScenSettings) -> Taken:
    write_regions(folder / "shard.parquet", 640, size.map)
    return train_over(size, folder / "shard.parquet", settings)


def _aviary(per_class: int, folder: Path) -> None:
    drawn = AviarySettings(images_per_class=per_class)
    generate_aviary(drawn, folder)
    device = prepare_device("cpu")
    network = BackboneSettings(network="resnet18", weights="random", features_up_to="layer2", image_size=96)
    paths = sorted((folder / "CUB_200_2011" / "images").rglob("*.jpg"))
    shard = folder / "shard.parquet"
    backbone = build_backbone(network, None)
    extract_shard(backbone, paths, range(len(paths)), network, device, shard, Provenance("regions"))
    index = made_up_index(Size(len(paths), classes=drawn.classes, attributes=57))
    words = np.random.default_rng(1).standard_normal((57, 64), dtype=np.float32)
    settings = ScenSettings(memory_budget=0.01, stage1_epochs=1, stage2_epochs=0)
    train_scen(index, RegionStore([shard]), words, settings, 0, device)


def in_own_process(curve: str, value: int) -> Point:
    """Return the point, measured in a process of its own on one thread."""
    command = [sys.executable, "-m", "benchmarks.growth", "--point", curve, str(value)]
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=alone, check=True, text=True)
    return Point(**json.loads(done.stdout.splitlines()[-1]))


def measure_here(curve: str, value: int) -> Point:
    """Return the point, measured in this process."""
    with tempfile.TemporaryDirectory() as folder:
        if curve in STAGES:
            return _measure_stage(curve, value, Path(folder))
        taken = CURVES[curve].measure(value, Path(folder))
    return Point(curve, value, round(taken.processor, 2), round(taken.peak, 3))


def _measure_stage(name: str, classes: int, folder: Path) -> Point:
    work = STAGES[name][1](classes, folder)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forgets the peak of making the inputs
    before = _resident("VmRSS")
    taken, peak = measured(work), _resident("VmHWM")
    return Point(name, classes, round(taken.processor, 2), round(peak, 3), round(peak - before, 3))


def _resident(name: str) -> float:
    """A number of this process's memory as Linux tells it, in GiB."""
    found = re.search(rf"{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(found[1]) / (1 << 20)


@styled
def draw_growth(points: list[Point]):
    """Return a column per curve: processor time above, peak memory below, both from zero."""
    shown = [name for name in CURVES if any(point.curve == name for point in points)]
    figure = new_figure(2.4 * len(shown) + 0.6, 4.4)
    grid = figure.subplots(2, len(shown), squeeze=False, sharex="col")
    for column, name in zip(grid.T, shown, strict=True):
        own = [point for point in points if point.curve == name]
        for axes, field in zip(column, ("seconds", "peak_gib"), strict=True):
            values = [getattr(point, field) for point in own]
            axes.plot([point.value for point in own], values, marker="o", markersize=3.5, color=PALETTE[0])
            axes.set_ylim(0, 1.25 * max(values))
        column[0].set_title(CURVES[name].title)
        column[1].set_xlim(0)
        column[1].set_xlabel(CURVES[name].axis)
    grid[0, 0].set_ylabel("processor time, s")
    grid[1, 0].set_ylabel("peak memory, GiB")
    return figure


def main() -> None:
    """Measure all points, or one, and write or print them."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, default=Path("docs"), help="folder of growth.csv and images/growth.png")
    options.add_argument("--only", nargs="+", choices=[*CURVES, *STAGES], default=[*CURVES, *STAGES])
    options.add_argument("--point", nargs=2, metavar=("CURVE", "VALUE"), help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.point:
        print(json.dumps(asdict(measure_here(given.point[0], int(given.point[1])))))
        return
    points = []
    for name in given.only:
        for value in CLASSES if name in STAGES else CURVES[name].values:
            points.append(in_own_process(name, value))
            print(points[-1], flush=True)
    write(points, given.out)


def write(points: list[Point], out: Path) -> None:
    """Write table and picture into the folder `out`; rows of other curves that the table there has stay in it."""
    (out / "images").mkdir(parents=True, exist_ok=True)
    table, measured_now = out / "growth.csv", {point.curve for point in points}
    points = [*points, *(point for point in read(table) if point.curve not in measured_now)]
    points.sort(key=lambda point: [*CURVES, *STAGES].index(point.curve))
    with table.open("w", newline="") as file:
        rows = csv.DictWriter(file, list(asdict(points[0])))
        rows.writeheader()
        rows.writerows(map(asdict, points))
    if any(point.curve in CURVES for point in points):
        save(draw_growth(points), out / "images" / "growth.png")


def read(table: Path) -> list[Point]:
    """Return the points of a table that `write` wrote, none where there is no such file."""
    if not table.is_file():
        return []
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        Point(row["curve"], int(row["value"]), float(row["seconds"]), float(row["peak_gib"]), _number(row["above_gib"]))
        for row in rows
    ]


def _number(text: str) -> float | None:
    return float(text) if text else None


if __name__ == "__main__":
    main()
