"""Training of DAZLE: cross-entropy and the self-calibration loss, on batches of region features."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scegg_core.data.tables import DatasetIndex
from scegg_core.dazle.model import Dazle
from scegg_core.regions.batches import ResidentBatches, StreamedBatches
from scegg_core.regions.store import RegionStore
from scegg_core.scen.losses import class_cross_entropy, self_calibration
from scegg_core.scen.stages import Stage, StagedTrainer, device_of, training_batches
from scegg_core.settings.dazle import DazleSettings
from scegg_core.training.alarms import warn
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.curve import Curve
from scegg_core.training.device import seeded


@dataclass(frozen=True)
class TrainedDazle:
    """DAZLE in evaluation mode and the losses it was trained with."""

    model: Dazle
    curve: Curve


class DazleTrainer(StagedTrainer):
    """Runs DAZLE's one stage over batches of region features."""

    name = "training"

    def __init__(
        self,
        model: Dazle,
        batches: ResidentBatches | StreamedBatches,
        seen: Tensor,
        settings: DazleSettings,
        checkpoint: Checkpoint | None = None,
    ):
        """`seen` (classes,) bool; `model` is already on the device that it is trained on."""
        self.settings, self.seen = settings, seen.to(device_of(model))
        self.classes = self.seen if settings.softmax_classes == "seen" else None
        # DEVIATES: an epoch has every image once (or every class alike); the released code draws each batch anew.
        stage = Stage("dazle", settings.epochs * batches.steps, settings.learning_rate, list(model.parameters()))
        super().__init__(model, batches, [stage], [_optimizer(stage, settings)], checkpoint)

    def run(self) -> TrainedDazle:
        """Train to the end, from the checkpoint if there is one."""
        # DEVIATES: the last epoch counts; the released code reports the one that is best on the test set.
        self.state.restore()
        self.run_stage(self.stages[0], self.optimizers[0], 0)
        return TrainedDazle(self.model.eval().requires_grad_(False), self.state.curve)

    def losses(self, stage: Stage, regions: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return L_CE + lambda L_cal of one batch, and both terms by name; the margin is in L_cal alone."""
        scores = self.model(regions).scores
        # DEVIATES: L_cal is the mean over images of -log of the unseen classes' probability, so that a batch can be
        # computed in parts; the released code takes the logarithm of the batch's mean.
        terms = {
            "L_CE": class_cross_entropy(scores, labels, self.classes),
            "L_cal": self_calibration(scores, self.seen, self.settings.margin),
        }
        return terms["L_CE"] + self.settings.calibration_weight * terms["L_cal"], terms


def _optimizer(stage: Stage, settings: DazleSettings) -> torch.optim.Optimizer:
    return torch.optim.RMSprop(
        stage.parameters, stage.learning_rate, weight_decay=settings.weight_decay, momentum=settings.momentum
    )


def start_dazle(words: Tensor, class_vectors: Tensor, channels: int, settings: DazleSettings, seed: int) -> Dazle:
    """Return an untrained DAZLE whose initial weights depend on `seed` alone; the other arguments are those of Dazle."""
    with seeded(seed):
        return Dazle(words, class_vectors, channels, settings)


def train_dazle(
    index: DatasetIndex,
    store: RegionStore,
    words: np.ndarray,
    settings: DazleSettings,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
) -> TrainedDazle:
    """Return DAZLE trained on the trainval images of `index`; `words` (attributes, size) are the attribute vectors."""
    batches = training_batches(index, store, settings, seed, device, "dazle")
    vectors = torch.from_numpy(index.vectors)
    model = start_dazle(torch.tensor(words), vectors, store.size.channels, settings, seed).to(device)
    trained = DazleTrainer(model, batches, torch.from_numpy(index.seen), settings, checkpoint).run()
    warn(trained.curve.points)
    return trained
