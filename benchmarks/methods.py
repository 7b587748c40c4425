"""A step of each method of docs/methods.md at a given size, ours and the plain transcription's, ready to be run.

Settings are those of the methods' presets for CUB, batches too, but for CE-GZSL's, which are as large as a size says:
of 2048 images a plain step would take minutes.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
import yaml
from torch import Tensor
from torch.nn import functional

from benchmarks.plain_methods import PLAIN, PlainDazle
from benchmarks.shapes import Shape
from benchmarks.steps import ADAM, Inputs, Step
from scegg_core.dazle.train import DazleTrainer, start_dazle
from scegg_core.eggn.data import SeenFeatures
from scegg_core.eggn.guidance import Guide
from scegg_core.eggn.train import EggnTrainer, start_eggn
from scegg_core.regions.batches import ResidentBatches
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.settings.dazle import DazleSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.methods import WIDTHS
from scegg_core.settings.resolve import Configuration, read_configuration
from scegg_core.training.linear import linear_of

ROOT = Path(__file__).resolve().parents[1]
IMAGES = 3  # of each seen class, as many as LisGAN has soul samples
PAPERS_WIDTH = 4096
REFERENCE = "plain, cached"


def method_steps(shape: Shape, inputs: Inputs) -> Iterator[Step]:
    """Yield a step of each method; trainers are made when they are asked for, since each holds a GiB."""
    yield dazle_step(shape, inputs)
    config = presets()
    for name in PLAIN:
        settings = at_size(config.eggn_of("cub", name), shape)
        trainer = method_trainer(shape, settings, inputs.regions.device)
        works = {"ours": lambda trainer=trainer: trainer.iterate(False), REFERENCE: PLAIN[name](trainer).iterate}
        title = f"{config.variant(name).title} step, {settings.batch_size} images"
        yield Step(title, works, _adam_bytes(trainer))


def presets() -> Configuration:
    """Return the configuration with the presets of all methods, as the workflow reads it."""
    values, methods = (
        yaml.safe_load((ROOT / name).read_text(encoding="utf-8")) for name in ("config.yaml", "resources/methods.yaml")
    )
    return read_configuration({**values, "variants": methods["variants"] | values["variants"]})


def at_size(settings: EggnSettings, shape: Shape) -> EggnSettings:
    """Return a method's settings for steps of this size: its own, or all small where the networks are."""
    given = replace(settings, warm_up=0.0)  # all terms of CADA-VAE count
    if shape.width < PAPERS_WIDTH:
        small = {**dict.fromkeys(("hidden_width", *WIDTHS), shape.width), "batch_size": shape.batch, "soul_made": 2}
        return replace(given, latent_size=None, **small)
    return replace(given, batch_size=min(given.batch_size, shape.batch))


def method_trainer(
    shape: Shape, settings: EggnSettings, device: torch.device, dtype: torch.dtype = torch.float32
) -> EggnTrainer:
    """Return a method's trainer on made-up features of all seen classes; L_CLS has an untrained classifier."""
    draw, seen = torch.Generator().manual_seed(0), shape.classes - shape.unseen
    random = lambda *size: torch.rand(*size, generator=draw, dtype=dtype)  # noqa: E731
    features, labels = random(IMAGES * seen, shape.channels), torch.arange(IMAGES * seen) % seen
    vectors = functional.normalize(random(shape.classes, shape.attributes), dim=1)
    data = SeenFeatures(features, labels, vectors, torch.arange(shape.classes) < seen).to(device)
    model = start_eggn(shape.channels, shape.attributes, settings, seed=0).to(device, dtype)
    guide = _guide(shape, settings, random(shape.classes, shape.channels).to(device))
    return EggnTrainer(model, data, guide, settings, seed=0)


def _guide(shape: Shape, settings: EggnSettings, weight: Tensor) -> Guide | None:
    """f-CLSWGAN's guide, where its loss has weight."""
    if settings.classification_weight == 0:
        return None
    classify = linear_of(weight, weight.new_zeros(shape.classes))
    identity = MinMaxScaler(weight.new_zeros(shape.channels), weight.new_ones(shape.channels))
    return Guide(classify, identity, settings.classification_weight, 0.0, apart=True)


def dazle_step(shape: Shape, inputs: Inputs) -> Step:
    """Return DAZLE's step on one batch of region features."""
    trainer = dazle_trainer(shape, inputs)
    stage, optimizer, plain = trainer.stages[0], trainer.optimizers[0], PlainDazle(trainer)
    regions, labels = trainer.batches.features, trainer.batches.labels
    works = {
        "ours": lambda: trainer.step(stage, optimizer, regions, labels),
        REFERENCE: lambda: plain.step(regions, labels),
    }
    weights = sum(weight.numel() for weight in stage.parameters)  # RMSprop with momentum moves as much as Adam
    return Step(f"DAZLE step, {len(regions)} images", works, regions.numel() * 2 + weights * ADAM)


def dazle_trainer(shape: Shape, inputs: Inputs) -> DazleTrainer:
    """Return DAZLE's trainer on one batch of its own size, or of a smaller one of the shape."""
    size, device = min(DazleSettings().batch_size, shape.batch), inputs.regions.device
    settings = DazleSettings(batch_size=size)
    batches = ResidentBatches(inputs.regions[:size], inputs.labels[:size].cpu().numpy(), size, seed=0)
    model = start_dazle(inputs.words, inputs.vectors, shape.channels, settings, seed=0).to(device)
    return DazleTrainer(model, batches, inputs.seen, settings)


def _adam_bytes(trainer: EggnTrainer) -> int:
    """Bytes of weights, gradients and moments that the optimizers move in a step: it is taken once and counted."""
    moved, update = [], trainer.generator.update

    def counted(loss: Tensor, networks: list[str]) -> None:
        moved.extend(weight.numel() for name in networks for weight in trainer.network(name).parameters())
        update(loss, networks)

    trainer.generator.update = counted
    trainer.iterate(False)
    trainer.generator.update = update
    return ADAM * sum(moved)
