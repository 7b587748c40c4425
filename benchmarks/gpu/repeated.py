"""Whether a training gives the same bits twice on the device, when torch is asked for that: the default of a run."""

from collections.abc import Callable, Iterator
from dataclasses import replace

import torch
from torch import Tensor

from benchmarks.gpu.checks import largest
from benchmarks.gpu.record import Figure
from benchmarks.gpu.runner import Run, attempt
from benchmarks.gpu.training import shapes
from benchmarks.shapes import Shape
from benchmarks.steps import eggn_trainer, make_inputs
from scegg_core.regions.batches import ResidentBatches
from scegg_core.scen.train import ScenTrainer, start_scen
from scegg_core.settings.scen import ScenSettings
from scegg_core.training.device import prepare_device, seeded

ITERATIONS = 10

Trained = Callable[[], list[Tensor]]


def repeated(run: Run) -> Iterator[Figure]:
    """Yield the largest difference of weights between two equal trainings of each kind; the goal is none at all."""
    # a step of its own, since cuBLAS reads its workspace's size when the process first computes
    device, shape = prepare_device("auto", deterministic=True), shapes(run)[0]
    trainings: dict[str, Trained] = {
        "stages 1 and 2": lambda: scen_weights(shape, device),
        "stage 3": lambda: eggn_weights(shape, device),
        "stage 3 with CUDA graphs": lambda: eggn_weights(shape, device, cuda_graphs=True),
        "a backbone": lambda: backbone_weights(32 if run.tiny else 224, device),
    }
    for name, trained in trainings.items():
        twice = lambda trained=trained: largest(trained(), trained())  # noqa: E731
        yield attempt(f"weights of {name}, trained twice ({device.type})", "", twice, goal=0.0, less=True)


def scen_weights(shape: Shape, device: torch.device) -> list[Tensor]:
    """Return SCEN's weights after three epochs of each stage, of two batches."""
    inputs, settings = make_inputs(shape, device), ScenSettings(stage1_epochs=3, stage2_epochs=3)
    model = start_scen(inputs.words, inputs.vectors, shape.channels, settings, seed=0).to(device)
    batches = ResidentBatches(inputs.regions, inputs.labels.cpu().numpy(), shape.batch, seed=0)
    return [*ScenTrainer(model, batches, inputs.seen, settings).run().model.state_dict().values()]


def eggn_weights(shape: Shape, device: torch.device, **settings) -> list[Tensor]:
    """Return the weights of stage 3 after some iterations of each kind."""
    inputs = make_inputs(replace(shape, regions=1), device)
    scen = start_scen(inputs.words, inputs.vectors, shape.channels, ScenSettings(), seed=0).to(device)
    with seeded(0):
        trainer = eggn_trainer(shape, inputs, scen, **settings)
    for step in range(ITERATIONS):
        trainer.iterate(feedback=step % 2 == 1)
    return [*trainer.model.parameters()]


def backbone_weights(size: int, device: torch.device) -> list[Tensor]:
    """Return the weights of a small backbone after two epochs of random pictures of `size` pixels."""
    # within the function: a machine without torchvision has the other figures
    from scegg_core.regions.train import start, train_backbone
    from scegg_core.regions.training_images import KeptImages
    from scegg_core.settings.backbone import BackboneSettings, FinetuneSettings

    tuning = FinetuneSettings(epochs=2, batch_size=8)
    given = BackboneSettings(network="resnet18", weights="random", image_size=size, finetune=tuning)
    draw, labels = torch.Generator().manual_seed(0), torch.arange(16) % 4
    pictures = KeptImages(torch.randint(0, 256, (16, 3, size, size), dtype=torch.uint8, generator=draw))
    return [*train_backbone(start(given, None), pictures, labels, given, 0, device).state_dict.values()]
