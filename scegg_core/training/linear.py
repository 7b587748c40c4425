"""The final classifier: one fully connected layer over g, or over [g, Dec(g), Dec's hidden layer] (section 3.3)."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.curve import Curve
from scegg_core.training.device import seeded
from scegg_core.training.progress import bar
from scegg_core.training.state import TrainingState


@dataclass(frozen=True)
class ZeroShotClassifier:
    """A linear layer and the classes (rows of the class table) that its outputs stand for."""

    layer: nn.Linear
    classes: Tensor  # (outputs,) int64

    def scores(self, inputs: Tensor) -> Tensor:
        """Return scores (batch, outputs)."""
        return self.layer(inputs)


def linear_of(weight: Tensor, bias: Tensor) -> nn.Linear:
    """Return a linear layer with the given weight (outputs, inputs) and bias (outputs,)."""
    layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta")  # no random initial weights
    layer.weight, layer.bias = nn.Parameter(weight), nn.Parameter(bias)
    return layer.requires_grad_(False)


def train_classifier(
    inputs: Tensor,
    labels: Tensor,
    classes: Tensor,
    settings: ClassifierSettings,
    seed: int,
    name: str = "classifier",
    checkpoint: Checkpoint | None = None,
) -> tuple[ZeroShotClassifier, Curve]:
    """Return a linear classifier of `classes` fitted by cross-entropy, and its training curve.

    `inputs` (samples, size), `labels` (samples,) rows of the class table, `classes` (outputs,) the rows that the
    classifier chooses from. Continues from the checkpoint if there is one; states are saved between epochs.
    """
    targets = positions(labels, classes)
    with seeded(seed):
        layer = nn.Linear(inputs.shape[1], len(classes)).to(inputs.device)
    optimizer, random = _optimizer(layer, settings), torch.Generator().manual_seed(seed)
    state = TrainingState({"layer": layer, "optimizer": optimizer, "random": random}, inputs.device, checkpoint)
    state.restore()
    done = state.step // -(-len(inputs) // settings.batch_size)
    with bar(settings.epochs, name, initial=done, unit="epoch") as progress:
        for epoch in range(done + 1, settings.epochs + 1):
            order = torch.randperm(len(inputs), generator=random).to(inputs.device)
            for rows in order.split(settings.batch_size):
                loss = functional.cross_entropy(layer(inputs[rows]), targets[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                state.add_step({"cross_entropy": loss.detach()})
            state.end_epoch(name, epoch)
            progress.update()
            if epoch < settings.epochs:
                state.save_if_due()
    return ZeroShotClassifier(layer.requires_grad_(False), classes), state.curve


def _optimizer(layer: nn.Linear, settings: ClassifierSettings) -> torch.optim.Optimizer:
    # ASSUME: epochs, batch and learning rate are TF-VAEGAN's; the paper gives no E_C.
    return torch.optim.Adam(
        layer.parameters(),
        settings.learning_rate,
        (settings.beta1, 0.999),
        weight_decay=settings.weight_decay,
        fused=True,
    )


def positions(labels: Tensor, classes: Tensor) -> Tensor:
    """Return for each label its position in `classes`; raises ValueError for a label that is not there."""
    position = torch.full((int(max(labels.max(), classes.max())) + 1,), -1, device=labels.device)
    position[classes] = torch.arange(len(classes), device=labels.device)
    targets = position[labels]
    if (targets < 0).any():
        unknown = int(labels[targets < 0][0])
        raise ValueError(f"label {unknown} is not among the {len(classes)} classes of the classifier")
    return targets
