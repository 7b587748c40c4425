"""What is not a training step: region shards, extraction, synthesis, the final classifier, scoring, a whole run."""

import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from benchmarks.measure import Spread, Work, ratios, take_turns, timed
from benchmarks.shapes import Shape
from scegg_core.artifacts.files import Provenance
from scegg_core.eggn.generators import NETWORKS
from scegg_core.eggn.synthesis import synthesize
from scegg_core.evaluate.metrics import class_accuracies, trade_off
from scegg_core.regions.backbone import Backbone, FeatureMap, build_backbone
from scegg_core.regions.extraction import region_features
from scegg_core.regions.store import RegionStore, write_shard
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.synthesis import SynthesisSettings
from scegg_core.training.linear import train_classifier

ROOT = Path(__file__).parents[1]
MB = 1e6


@dataclass(frozen=True)
class Row:
    """One measured piece of work: what it is, its seconds, what that is per second, and how many times ours it takes."""

    name: str
    seconds: Spread
    rate: str = ""
    over_ours: str = ""  # of a reference, round by round


def shard_rows(images: int, rounds: int) -> list[Row]:
    """Return writing and reading of a shard of `images` region maps of CUB's size, random numbers, half of them 0."""
    size = FeatureMap(2048, 14, 14)
    maps = np.random.default_rng(0).standard_normal((images, size.regions, size.channels), np.float32)
    maps = maps.clip(0).astype(np.float16)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "part-0.parquet"

        def write() -> None:
            with write_shard(path, size, Provenance("benchmark")) as writer:
                writer.add(np.arange(images), maps)

        seconds = take_turns({"written": write, "read": lambda: sum(map(_touched, RegionStore([path]).scan()))}, rounds)
    names = {name: f"region shard of {images} maps of 196 x 2048 {name}" for name in seconds}
    return [_row(names[name], taken, maps.nbytes / MB, "MB/s") for name, taken in seconds.items()]


def extraction_rows(batches: int, rounds: int, image_size: int = 448) -> list[Row]:
    """Return extraction of made-up photographs by ResNet-101: ours, a plain loop, and the network alone as a floor."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    batch = 32 if device.type == "cuda" else 1  # on a CPU several batches of one, so that there is something to overlap
    settings = BackboneSettings(weights="random", image_size=image_size, batch_size=batch)
    backbone = random_backbone(settings).to(device, memory_format=torch.channels_last)
    with tempfile.TemporaryDirectory() as folder:
        paths = photographs(Path(folder), batches * batch)
        seconds = take_turns(extraction_works(backbone, paths, settings, device), rounds)
    name = f"extraction at {image_size} pixels, ResNet-101, {batches} x {batch} images"
    return [
        _row(f"{name}{what}", taken, len(paths), "images/s", seconds[""] if what else None)
        for what, taken in seconds.items()
    ]


def random_backbone(settings: BackboneSettings) -> Backbone:
    """Return the backbone of these settings with random weights whose features half precision can hold."""
    backbone = build_backbone(settings, None)
    for layer in backbone.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.weight.mul_(0.5)  # a random start of a hundred layers leaves half precision
    return backbone


def photographs(folder: Path, images: int) -> list[Path]:
    """Return the paths of `images` JPEG files of 500 x 375 pixels, written to `folder` by all threads of torch."""
    paths = [folder / f"{number}.jpg" for number in range(images)]
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        list(pool.map(_photograph, paths, range(images)))
    return paths


def _photograph(path: Path, number: int) -> None:
    noise = np.random.default_rng(number).integers(0, 256, (38, 50, 3), np.uint8)
    Image.fromarray(noise).resize((500, 375)).save(path)


def extraction_works(
    backbone: Backbone, paths: list[Path], settings: BackboneSettings, device: torch.device
) -> dict[str, Work]:
    """Return ours (""), a plain loop without threads, and the network alone: each gives features, batch by batch."""
    parts = [paths[start : start + settings.batch_size] for start in range(0, len(paths), settings.batch_size)]
    ready = [_loaded(part, settings).to(device) for part in parts]
    return {
        "": lambda: list(region_features(backbone, paths, settings, device)),
        ", one after the other": lambda: [_forward(backbone, _loaded(part, settings).to(device)) for part in parts],
        ", network alone": lambda: [_forward(backbone, images) for images in ready],
    }


def _loaded(paths: list[Path], settings: BackboneSettings) -> Tensor:
    """Decode and resize in the calling thread: uint8 (n, 3, size, size), channels last."""
    size = (settings.image_size, settings.image_size)
    images = [np.asarray(Image.open(path).convert("RGB").resize(size, Image.Resampling.BILINEAR)) for path in paths]
    return torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)


@torch.inference_mode()
def _forward(backbone: Backbone, images: Tensor) -> np.ndarray:
    return backbone(images).half().cpu().numpy()


def final_rows(shape: Shape, rounds: int) -> list[Row]:
    """Return synthesis, an epoch of the final classifier, and all scores of a test set, at one size."""
    synthetic = (
        f"{shape.unseen * synthesized(shape):,} synthetic features of {shape.unseen} classes, a tenth of a run's"
    )
    works = {
        f"{shape.name}: {synthetic}": synthesis(shape),
        f"{shape.name}: one epoch of the GZSL classifier, {_samples(shape):,} features, {shape.classes} classes": epoch(
            shape
        ),
        f"{shape.name}: AUSUC and per-class accuracies, {shape.test_images:,} images, {shape.classes} classes": scoring(
            shape
        ),
    }
    return [_row(name, taken) for name, taken in take_turns(works, rounds).items()]


def synthesized(shape: Shape) -> int:
    """Return the synthetic features of a class that are timed: a tenth, as all of SUN's take 20 s."""
    return max(1, shape.per_class // 10)


def synthesis(shape: Shape) -> Work:
    """Return the synthesis of a tenth of all unseen classes' features, with feedback."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    settings = EggnSettings(hidden_width=shape.width)
    eggn = NETWORKS[settings.generator](shape.channels, shape.attributes, settings).to(device)
    vectors = functional.normalize(torch.rand(shape.classes, shape.attributes), dim=1).to(device)
    unseen = torch.arange(shape.classes - shape.unseen, shape.classes)
    given = SynthesisSettings(per_class=synthesized(shape))
    return lambda: synthesize(eggn, vectors, unseen, given, seed=0)


def epoch(shape: Shape) -> Work:
    """Return one epoch of the GZSL classifier on features in memory."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    inputs = torch.rand(_samples(shape), shape.channels, device=device)
    labels = torch.arange(len(inputs), device=device) % shape.classes
    classes = torch.arange(shape.classes, device=device)
    return lambda: train_classifier(inputs, labels, classes, ClassifierSettings(epochs=1), seed=0)


def scoring(shape: Shape) -> Work:
    """Return the seen-unseen curve's area and all per-class accuracies of made-up scores."""
    draw = np.random.default_rng(0)
    labels = np.arange(shape.test_images) % shape.classes
    scores = draw.standard_normal((shape.test_images, shape.classes), np.float32)
    seen = np.arange(shape.classes) < shape.classes - shape.unseen

    def work() -> None:
        trade_off(labels, scores, seen).area  # noqa: B018
        class_accuracies(labels, scores.argmax(axis=1), np.arange(shape.classes))

    return work


def whole_run(cores: int) -> Row:
    """Return the workflow on its drawn data set, from nothing to its table, in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"), "--cores", str(cores)]
        command += ["--directory", folder, "--configfile", str(ROOT / "config.yaml"), "--quiet", "all"]
        command += ["--", "results/aviary/table.csv"]
        seconds = timed(lambda: subprocess.run(command, check=True, cwd=ROOT))
    return _row(f"drawn data set to table, three seeds, {cores} cores", [seconds])


def _samples(shape: Shape) -> int:
    return shape.training_images + shape.unseen * shape.per_class


def _touched(group: tuple[np.ndarray, np.ndarray]) -> int:
    return len(group[0])


def _row(
    name: str, seconds: list[float], amount: float | None = None, unit: str = "", ours: list[float] | None = None
) -> Row:
    spread = Spread.of(seconds)
    rate = f"{amount / spread.median:,.1f} {unit}" if amount else ""
    return Row(name, spread, rate, ratios(seconds, ours).show() if ours else "")
