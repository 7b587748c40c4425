"""One whole run at CUB's size from JPEG files to scores, stage by stage, by the functions that the workflow's jobs call.

Pictures, words and class vectors are made up and the backbone's weights are random, so the scores mean nothing; every
class has a pattern of its own, so they are above chance if the stages fit together. Region features go through shards on disk as
in the workflow; between the later stages all stays in memory.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from benchmarks.gpu.checks import graphs_agree
from benchmarks.gpu.extraction import best_decoder, settings_of
from benchmarks.gpu.machine import forget_peak, peak, set_precision
from benchmarks.gpu.record import Figure
from benchmarks.gpu.runner import Run
from benchmarks.gpu.training import graphs_in, iteration
from benchmarks.pipeline import random_backbone
from scegg_core.artifacts.files import Provenance
from scegg_core.data.tables import DatasetIndex
from scegg_core.eggn.train import train_eggn
from scegg_core.evaluate.final import FinalSettings, run_final_steps
from scegg_core.regions.extraction import extract_shard
from scegg_core.regions.store import RegionStore, shard_rows
from scegg_core.scen.embed import embed_images
from scegg_core.scen.model import SCEN
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.space import Space
from scegg_core.scen.train import train_scen
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.settings.synthesis import SynthesisSettings
from scegg_core.training.device import prepare_device

GOAL = 360.0  # seconds of everything
SHARDS = 4
AFTER = 30.0  # seconds that are kept for synthesis, classifiers and scores


@dataclass(frozen=True)
class Size:
    """Numbers of a made-up data set, and the settings that are not the paper's."""

    images: int = 11_788
    classes: int = 200
    unseen: int = 50
    attributes: int = 312
    words: int = 300
    scen: dict = field(default_factory=lambda: {"memory_budget": 32.0})
    eggn: dict = field(default_factory=dict)
    synthesis: dict = field(default_factory=dict)
    classifier: dict = field(default_factory=dict)


TINY = Size(
    images=24,
    classes=4,
    unseen=2,
    attributes=6,
    words=5,
    scen={"batch_size": 4, "stage1_epochs": 1, "stage2_epochs": 1},
    eggn={"batch_size": 4, "hidden_width": 16, "epochs": 3},
    synthesis={"per_class": 3},
    classifier={"epochs": 2},
)


class Timer:
    """Notes the seconds of the stages, and yields them as figures."""

    def __init__(self, device: torch.device):
        self.device, self.total = device, 0.0

    def stage(self, name: str, work: Callable[[], object]) -> Iterator[Figure]:
        """Do `work` and yield its seconds and the device's most memory; its result is then in `made`."""
        forget_peak()
        begin = time.perf_counter()
        self.made = work()
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        self.seconds = time.perf_counter() - begin
        self.total += self.seconds
        yield Figure(name, self.seconds, "s")
        yield from peak(name)


def whole(run: Run) -> Iterator[Figure]:
    """Yield the seconds of each stage, the scores, and the seconds of the whole; bfloat16 in all stages that have it."""
    size, device = TINY if run.tiny else Size(), prepare_device("auto", deterministic=False)
    set_precision("TF32")
    timer = Timer(device)
    with tempfile.TemporaryDirectory() as folder:  # 10 GB of shards
        index = made_index(size)
        yield from timer.stage(
            f"{size.images:,} pictures made (not part of the run)", lambda: make_pictures(folder, index)
        )
        timer.total = 0.0
        yield from timer.stage("extraction", lambda: extract(Path(folder), index, run, device))
        store = timer.made
        settings = ScenSettings(precision="bfloat16", **size.scen)
        words = np.random.default_rng(1).standard_normal((size.attributes, size.words), np.float32)
        yield from timer.stage("stages 1 and 2", lambda: train_scen(index, store, words, settings, 0, device).model)
        scen = timer.made
        yield from timer.stage("embedding", lambda: space_of(index, store, scen, device))
    space, rest = timer.made, run.tiny or AFTER
    yield from _stage_3(space, size, run, timer, rest)


def _stage_3(space: Space, size: Size, run: Run, timer: Timer, rest: float) -> Iterator[Figure]:
    """Stage 3 for as many of its epochs as there is time for, and what follows; the whole is reckoned from them."""
    graphs = graphs_work(run, "bfloat16")
    settings = EggnSettings(precision="bfloat16", cuda_graphs=graphs, **size.eggn)
    begin, epochs = time.perf_counter(), min(3, settings.epochs)
    train_eggn(space, replace(settings, epochs=epochs), 0, timer.device)
    each = (time.perf_counter() - begin) / epochs
    done = max(1, min(settings.epochs, int((run.left - rest) / each)))
    how = f"stage 3, {done} of {settings.epochs} epochs, CUDA graphs {'on' if graphs else 'off'}"
    yield from timer.stage(how, lambda: train_eggn(space, replace(settings, epochs=done), 0, timer.device)[0])
    eggn, skipped = timer.made, timer.seconds * (settings.epochs / done - 1)
    final = FinalSettings(SynthesisSettings(**size.synthesis), ClassifierSettings(**size.classifier), seed=0)
    yield from timer.stage("synthesis, classifiers, scores", lambda: run_final_steps(space, eggn, final, timer.device))
    scores = timer.made.metrics
    for name, share in (("Acc", scores.acc), ("U", scores.u), ("S", scores.s), ("H", scores.h)):
        yield Figure(f"{name}, of made-up pictures", 100 * share, "%")
    reckoned = f", {skipped:.0f} s of it reckoned for the epochs left out" if skipped else ""
    yield Figure(f"the whole run{reckoned}", timer.total + skipped, "s", GOAL, less=True)


def graphs_work(run: Run, precision: str) -> bool:
    """Return whether CUDA graphs gave what usual iterations give, and ran in `precision`; False where that is not known."""
    ran = [run.record.figure(iteration(graphs_in(precision), feedback)) for feedback in (False, True)]
    return graphs_agree(run) and all(figure is not None and not figure.error for figure in ran)


def made_index(size: Size) -> DatasetIndex:
    """Return an index of made-up pictures: every fifth of a seen class is tested, and all of the unseen ones."""
    labels = np.arange(size.images) % size.classes
    seen, turn = np.arange(size.classes) < size.classes - size.unseen, np.arange(size.images) // size.classes % 5
    split = np.where(~seen[labels], "test_unseen", np.where(turn == 4, "test_seen", "trainval"))
    attributes = tuple(f"attribute {number}" for number in range(size.attributes))
    return DatasetIndex(
        classes=tuple(f"class {number}" for number in range(size.classes)),
        seen=seen,
        percent=np.random.default_rng(0).uniform(1, 100, (size.classes, size.attributes)).astype(np.float32),
        attributes=attributes,
        words=attributes,
        parts=("",) * size.attributes,
        paths=tuple(f"{number}.jpg" for number in range(size.images)),
        labels=labels,
        split=tuple(split.tolist()),
        rows=np.arange(size.images, dtype=np.int32),
    )


def make_pictures(folder: str, index: DatasetIndex) -> None:
    """Write a JPEG file of 500 x 375 pixels for each image of the index: its class's pattern under noise of its own."""
    patterns = np.random.default_rng(2).integers(0, 128, (len(index.classes), 38, 50, 3), np.uint8)

    def write(number: int) -> None:
        noise = np.random.default_rng(number).integers(0, 128, patterns[0].shape, np.uint8)
        picture = Image.fromarray(patterns[index.labels[number]] + noise)
        picture.resize((500, 375)).save(Path(folder) / index.paths[number])

    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        list(pool.map(write, range(len(index.paths))))


def extract(folder: Path, index: DatasetIndex, run: Run, device: torch.device) -> RegionStore:
    """Return the region features of all pictures, extracted with bfloat16 and the decoder that was the faster one."""
    settings = settings_of(run, "bfloat16", best_decoder(run))
    backbone, shards = random_backbone(settings), [folder / f"part-{number}.parquet" for number in range(SHARDS)]
    for number, shard in enumerate(shards):
        rows = shard_rows(len(index.paths), SHARDS, number)
        paths = [folder / index.paths[row] for row in rows]
        extract_shard(backbone, paths, rows, settings, device, shard, Provenance("benchmark"))
    return RegionStore(shards)


def space_of(index: DatasetIndex, store: RegionStore, scen: SCEN, device: torch.device) -> Space:
    """Return the feature space of all images, scaled by the training images."""
    features = embed_images(store, index.rows, scen, device).features
    scaler = MinMaxScaler.fit(features[torch.from_numpy(index.in_split("trainval"))])
    return Space(index, scaler.transform(features), scaler, scen)
