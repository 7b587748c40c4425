"""One step of each training stage at a given size, ours and the plain transcription's, ready to be run."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.measure import Work
from benchmarks.plain_eggn import PlainEggnSteps
from benchmarks.plain_scen import PlainScen, PlainScenSteps
from benchmarks.shapes import Shape
from scegg_core.eggn.data import SeenFeatures
from scegg_core.eggn.guidance import guide_by
from scegg_core.eggn.train import EggnTrainer, start_eggn
from scegg_core.regions.batches import ResidentBatches
from scegg_core.scen.model import SCEN
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.stages import Stage
from scegg_core.scen.train import ScenTrainer, make_optimizer, start_scen
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.training.device import keep_freed_memory

IMAGES = 2  # batches of images to draw from
ADAM = 7 * 4  # bytes per float32 weight in a step of Adam: weight, gradient, two moments read; three of them written


@dataclass(frozen=True)
class Step:
    """One kind of step: ours, plain references by name, and the bytes that a step cannot do without."""

    name: str
    works: dict[str, Work]  # "ours" first
    least_bytes: int

    def prepare(self, name: str) -> None:
        """Give the work called `name` the memory that it has in practice.

        Ours keeps freed memory (and fills it here, as the step before does in training); the references have the C
        library's defaults, at which it arrives by itself after some steps.
        """
        if name == "ours":
            keep_freed_memory()
            self.works[name]()
        else:
            keep_freed_memory(block=32 << 20, reserve=64 << 20)


@dataclass(frozen=True)
class Inputs:
    """Made-up inputs of one size: images, words and class vectors."""

    regions: Tensor  # (images, R, channels) half precision
    labels: Tensor
    words: Tensor
    vectors: Tensor
    seen: Tensor


def make_inputs(shape: Shape, device: torch.device) -> Inputs:
    """Return random inputs; half of a region's numbers are zero, as after a ReLU."""
    draw = torch.Generator().manual_seed(0)
    images = IMAGES * shape.batch
    regions = torch.randn(images, shape.regions, shape.channels, generator=draw).relu_().half()
    return Inputs(
        regions.to(device),
        torch.randint(shape.classes - shape.unseen, (images,), generator=draw).to(device),
        torch.randn(shape.attributes, shape.words, generator=draw),
        functional.normalize(torch.rand(shape.classes, shape.attributes, generator=draw), dim=1),
        torch.arange(shape.classes) < shape.classes - shape.unseen,
    )


def scen_steps(shape: Shape, inputs: Inputs, settings: ScenSettings | None = None) -> list[Step]:
    """Return stage 1's and stage 2's steps on one batch, and stage 2's where LEN's output is kept; `settings`: the paper's."""
    settings, device = settings or ScenSettings(), inputs.regions.device
    model = start_scen(inputs.words, inputs.vectors, shape.channels, settings, seed=0).to(device)
    plain = PlainScenSteps(PlainScen(model.state_dict()))
    regions, labels = inputs.regions[: shape.batch], inputs.labels[: shape.batch]
    batches = ResidentBatches(regions, labels.cpu().numpy(), shape.batch, seed=0)
    trainer = ScenTrainer(model, batches, inputs.seen, settings)
    one, two = trainer._stages()
    trainer.remember()
    kept, numbers = trainer.attended, torch.arange(shape.batch, device=device)
    found = []
    for stage, slow, name, beside, attended in (
        (one, plain.stage1, "stage 1 step", labels, None),
        (two, plain.stage2, "stage 2 step", labels, None),
        (two, plain.stage2, "stage 2 step, LEN's output kept", numbers, kept),
    ):
        works = {
            "ours": _scen_step(trainer, stage, make_optimizer(stage, settings), (regions, beside), attended),
            "plain": lambda slow=slow: slow(regions, labels),
        }
        weights = sum(weight.numel() for weight in stage.parameters)
        found.append(Step(name, works, regions.numel() * 2 + weights * ADAM))
    return found


def _scen_step(trainer: ScenTrainer, stage: Stage, optimizer: torch.optim.Optimizer, batch: tuple, attended) -> Work:
    """A step of the stage on a batch, with or without what LEN says of all images."""

    def work() -> None:
        trainer.attended = attended
        trainer.step(stage, optimizer, *batch)

    return work


def eggn_steps(shape: Shape, inputs: Inputs) -> list[Step]:
    """Return stage 3's iterations, without and with feedback."""
    scen = start_scen(inputs.words, inputs.vectors, shape.channels, ScenSettings(), seed=0).to(inputs.regions.device)
    trainer = eggn_trainer(shape, inputs, scen)
    model, data, classify = trainer.model, trainer.draws.data, trainer.generator.guide.classify
    plain = {
        "plain, extracting": _plain(copy.deepcopy(model), data, classify, extracted(scen, inputs), shape.batch),
        "plain TF-VAEGAN, cached": _plain(
            copy.deepcopy(model), data, None, lambda rows: data.features[rows], shape.batch
        ),
    }
    found = []
    for feedback, name in ((False, "without feedback"), (True, "with feedback")):
        works: dict[str, Work] = {"ours": lambda feedback=feedback: trainer.iterate(feedback)}
        works |= {key: lambda steps=steps, feedback=feedback: steps.iterate(feedback) for key, steps in plain.items()}
        least = _adam_bytes(model, trainer.settings.critic_steps, feedback)
        found.append(Step(f"stage 3 iteration {name}", works, least))
    return found


def eggn_trainer(shape: Shape, inputs: Inputs, scen: SCEN, **settings) -> EggnTrainer:
    """Return stage 3's trainer on made-up features, guided by the CLS_g of `scen`; further `settings` of stage 3."""
    device = inputs.regions.device
    given = EggnSettings(hidden_width=shape.width, batch_size=shape.batch, **settings)
    classify = scen.glob.classify.requires_grad_(False)
    features = torch.rand(len(inputs.labels), shape.channels, device=device)
    data = SeenFeatures(features, inputs.labels, inputs.vectors, inputs.seen).to(device)
    model = start_eggn(shape.channels, shape.attributes, given, seed=0).to(device)
    scaler = MinMaxScaler(features.new_zeros(shape.channels), features.new_ones(shape.channels))
    return EggnTrainer(model, data, guide_by(classify, scaler, given), given, seed=0)


def extracted(scen: SCEN, inputs: Inputs):
    """Return a function of image rows: their features by a plain pass through LEN's attention and SC, made to lie in [0, 1]."""
    plain = PlainScen(scen.state_dict())

    @torch.no_grad()
    def features(rows: Tensor) -> Tensor:
        return plain.compress(plain.local_features(inputs.regions[rows])).sigmoid()

    return features


def _plain(model: nn.Module, data: SeenFeatures, classify: nn.Module | None, features, batch: int) -> PlainEggnSteps:
    def draw(batch: int) -> tuple[Tensor, Tensor, Tensor]:
        rows = torch.randint(len(data.labels), (batch,), device=data.labels.device)
        return features(rows), data.vectors[data.labels[rows]], data.labels[rows]

    return PlainEggnSteps(model, draw, classify, data.vectors[~data.seen], batch)


def _adam_bytes(model: nn.Module, critic_steps: int, feedback: bool) -> int:
    """Bytes of weights, gradients and moments that the optimizers' steps of one iteration move."""
    steps = {"critic": critic_steps, "decoder": critic_steps + 1, "encoder": 1, "generator": 1, "feedback": feedback}
    weights = {name: sum(weight.numel() for weight in getattr(model, name).parameters()) for name in steps}
    return ADAM * sum(weights[name] * count for name, count in steps.items())
