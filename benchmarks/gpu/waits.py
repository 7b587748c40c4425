"""How often the host waits for the device in an epoch: once at its end is right, once a step would be slow."""

import warnings
from collections.abc import Callable, Iterator

import torch

from benchmarks.gpu.checks import eggn_trainer, scen_trainer
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
    plain, graphs = eggn_trainer(device), eggn_trainer(device, cuda_graphs=True)
    inputs, labels = torch.rand(64, 8, device=device), torch.arange(64, device=device) % 4
    classes, settings = torch.arange(4, device=device), ClassifierSettings(epochs=1, batch_size=4)
    return {
        f"an epoch of stage 1, {scen.batches.steps} steps": scen.run,
        f"an epoch of stage 3, {plain.steps_per_epoch} iterations": lambda: plain.run(epochs=1),
        f"four epochs of stage 3 with CUDA graphs, {4 * graphs.steps_per_epoch} iterations": lambda: graphs.run(
            epochs=4
        ),
        "an epoch of the classifier, 16 steps": lambda: train_classifier(inputs, labels, classes, settings, seed=0),
    }


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
