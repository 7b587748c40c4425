"""Trains SCEN over more region features than memory holds; prints time, bytes read and peak resident memory.

    python -m benchmarks.stream --gib 60                    # small SCEN: reading and mixing dominate
    python -m benchmarks.stream --images 37322              # as many images as AWA2 has

One real shard is written to a temporary folder and read again and again under other image numbers, so the set needs no
more disk than that shard; its bytes come from the page cache, as from a very fast disk. All else is the workflow's own:
parquet reading with checksums, shuffled windows read ahead, stage 1's steps.
"""

import argparse
import resource
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from scegg_core.artifacts.files import Provenance
from scegg_core.data.tables import DatasetIndex
from scegg_core.regions.backbone import FeatureMap
from scegg_core.regions.store import RegionStore, write_shard
from scegg_core.scen.train import train_scen
from scegg_core.settings.scen import ScenSettings
from scegg_core.training.device import prepare_device

GIB = 1 << 30
GRID_14 = FeatureMap(2048, 14, 14)


@dataclass(frozen=True)
class Size:
    """Size of a made-up data set."""

    images: int
    classes: int = 10
    attributes: int = 8
    words: int = 16
    map: FeatureMap = GRID_14


@dataclass(frozen=True)
class Taken:
    """What a piece of work took."""

    seconds: float
    processor: float  # seconds, of all threads
    peak: float  # GiB resident at most, since the process began


def measured(work) -> Taken:
    """Do `work` and return what it took."""
    start, before = time.perf_counter(), time.process_time()
    work()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / GIB  # Linux counts in KiB
    return Taken(time.perf_counter() - start, time.process_time() - before, peak)


def made_up_index(size: Size) -> DatasetIndex:
    """Return an index whose images are all for training."""
    rng = np.random.default_rng(0)
    return DatasetIndex(
        classes=tuple(f"class {number}" for number in range(size.classes)),
        seen=np.ones(size.classes, bool),
        percent=rng.uniform(1, 100, (size.classes, size.attributes)).astype(np.float32),
        attributes=tuple(f"attribute {number}" for number in range(size.attributes)),
        words=("word",) * size.attributes,
        parts=("",) * size.attributes,
        paths=("image.jpg",) * size.images,
        labels=np.arange(size.images, dtype=np.int32) % size.classes,
        split=("trainval",) * size.images,
        rows=np.arange(size.images, dtype=np.int32),
    )


def write_regions(path: Path, images: int, size: FeatureMap) -> None:
    """Write a shard of random regions, like a ReLU network's half of them zero."""
    rng = np.random.default_rng(0)
    with write_shard(path, size, Provenance("regions")) as writer:
        for image in range(images):
            values = rng.standard_normal((1, size.regions, size.channels), dtype=np.float32)
            writer.add(np.array([image]), np.maximum(values, 0))


def repeated_store(shard: Path, images: int) -> RegionStore:
    """Return a store of `images` images: the shard's row groups again and again, under other image numbers."""
    store = RegionStore([shard])
    once, held, groups = store.groups, 0, []
    while held < images:
        for group in once:
            groups.append(replace(group, images=group.images + held))
        held += sum(len(group.images) for group in once)
    store.groups = groups
    return store


def train_over(size: Size, shard: Path, settings: ScenSettings) -> Taken:
    """Train SCEN over a made-up data set whose regions are those of `shard`, and return what it took."""
    index, store = made_up_index(size), repeated_store(shard, size.images)
    words = np.random.default_rng(1).standard_normal((size.attributes, size.words), dtype=np.float32)
    return measured(lambda: train_scen(index, store, words, settings, 0, prepare_device("cpu")))


def main() -> None:
    """Train over one epoch and print what it took."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--gib", type=float, default=60.0, help="region features in all")
    options.add_argument("--images", type=int, help="number of images instead")
    options.add_argument("--budget", type=float, default=ScenSettings().memory_budget, help="scen.memory_budget, GiB")
    options.add_argument("--steps", type=int, help="steps instead of one epoch")
    options.add_argument("--attributes", type=int, default=8)
    options.add_argument("--classes", type=int, default=10)
    given = options.parse_args()
    row = 2 * GRID_14.regions * GRID_14.channels
    images = given.images or int(given.gib * GIB // row)
    size = Size(images, given.classes, given.attributes)
    settings = ScenSettings(
        memory_budget=given.budget, stage1_epochs=1, stage1_steps=given.steps, stage2_epochs=0, batch_size=64
    )
    with tempfile.TemporaryDirectory() as folder:
        write_regions(Path(folder) / "shard.parquet", min(images, 640), size.map)
        taken = train_over(size, Path(folder) / "shard.parquet", settings)
    seen = images if given.steps is None else min(images, given.steps * settings.batch_size)
    print(
        f"{images:,} images, {images * row / GIB:.1f} GiB of regions, memory_budget {given.budget:g} GiB: "
        f"trained over {seen:,} images ({seen * row / GIB:.1f} GiB) in {taken.seconds:.0f} s "
        f"({taken.processor:.0f} s of processor time); peak resident memory {taken.peak:.2f} GiB"
    )


if __name__ == "__main__":
    main()
