"""How often the host waits for the device in an epoch: once at its end is right, once a step would be slow."""

import warnings
from collections.abc import Callable, Iterator

import torch
from torch import nn

from benchmarks.gpu.checks import CPU, eggn_trainer, scen_trainer
from benchmarks.gpu.record import Figure
from benchmarks.gpu.runner import Run, attempt
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.training.linear import train_classifier


def waits(run: Run) -> Iterator[Figure]:
    """Yield the host's waits in one epoch of each training loop, the steps of the epoch in the figure's name."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for name, epoch in epochs(device).items():
        yield attempt(f"waits in {name}", "times", lambda epoch=epoch: counted(epoch))


def epochs(device: torch.device) -> dict[str, Callable[[], object]]:
    """Return, by name, training loops of one epoch on tiny data: the number of waits does not depend on sizes."""
    scen = scen_trainer(device, stage1_epochs=1, stage2_epochs=0)
    streamed = scen_trainer(device, kept_on=CPU, stage1_epochs=1, stage2_epochs=0)
    plain, graphs = eggn_trainer(device), eggn_trainer(device, cuda_graphs=True)
    inputs, labels = torch.rand(64, 8, device=device), torch.arange(64, device=device) % 4
    classes, settings = torch.arange(4, device=device), ClassifierSettings(epochs=1, batch_size=4)
    return {
        f"an epoch of stage 1, {scen.batches.steps} steps": scen.run,
        "the same from main memory": streamed.run,
        "an epoch of a backbone's training, 16 steps": lambda: train_small_backbone(device),
        f"an epoch of stage 3, {plain.steps_per_epoch} iterations": lambda: plain.run(epochs=1),
        f"four epochs of stage 3 with CUDA graphs, {4 * graphs.steps_per_epoch} iterations": lambda: graphs.run(
            epochs=4
        ),
        "an epoch of the classifier, 16 steps": lambda: train_classifier(inputs, labels, classes, settings, seed=0),
    }


def train_small_backbone(device: torch.device) -> None:
    """Train a backbone of one layer for one epoch of 16 steps."""
    # within the function: a machine without Pillow has the other figures
    from scegg_core.regions.backbone import Backbone
    from scegg_core.regions.train import train_backbone
    from scegg_core.regions.training_images import KeptImages
    from scegg_core.settings.backbone import BackboneSettings, FinetuneSettings

    tuning = FinetuneSettings(epochs=1, batch_size=4)
    settings = BackboneSettings(weights="train", image_size=16, finetune=tuning)
    images, labels = KeptImages(torch.zeros(64, 3, 16, 16, dtype=torch.uint8)), torch.arange(64) % 4
    train_backbone(Backbone(nn.Conv2d(3, 8, 3)), images, labels, settings, 0, device)


def counted(work: Callable[[], object]) -> int:
    """Return how often the host waits for the device in `work`; raises RuntimeError where there is none to wait for."""
    if not torch.cuda.is_available():
        work()
        raise RuntimeError("only on a CUDA device does the host wait")
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            work()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("called a synchronizing CUDA operation" in str(warning.message) for warning in said)
