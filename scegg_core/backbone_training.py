"""Trains a small backbone from nothing on a data set's own seen classes, for where no weights can be downloaded.

It sees training images of seen classes alone, so the zero-shot protocol holds: unseen classes stay unseen.
"""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from scegg_core.backbone import Backbone
from scegg_core.settings.base import settings


@settings
class BackboneTrainingSettings:
    """How `train_backbone` trains."""

    epochs: int = Field(12, ge=1, description="Passes over the training images.")
    batch_size: int = Field(32, ge=2, description="Images per step.")
    learning_rate: float = Field(3e-3, gt=0, description="Highest learning rate of AdamW; it rises, then falls to 0.")
    weight_decay: float = Field(0.05, ge=0, description="AdamW's weight decay.")
    label_smoothing: float = Field(0.1, ge=0, lt=1, description="Share of each target spread over all classes.")
    shift: int = Field(8, ge=0, description="Images are moved by up to this many pixels in each direction.")


@dataclass(frozen=True)
class TrainedBackbone:
    """state_dict: weights of the network on the CPU, without the head; curve: mean loss of every epoch;
    train_accuracy: share of the images that the last epoch classified correctly, 0..1."""

    state_dict: dict[str, Tensor]
    curve: list[float]
    train_accuracy: float


def train_backbone(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    settings: BackboneTrainingSettings,
    seed: int,
    device: str | torch.device = "cpu",
    progress: Callable[[int, float], None] = lambda epoch, loss: None,
) -> TrainedBackbone:
    """Return the network's weights after classifying the images through global average pooling and a linear head.

    network: ends in a feature map (batch, channels, height, width); it is copied, its start is the caller's choice.
    images: (N, 3, size, size) uint8 of seen classes' training images; labels: (N,), any integers.
    seed: order and augmentation of the images; progress: called with epoch and mean loss after every epoch.
    Raises ValueError where images and labels differ in number or are fewer than one batch.
    """
    _check(images, labels, settings)
    targets = torch.unique(labels, return_inverse=True)[1]
    model = _Classifier(network, _channels(network, images), int(targets.max()) + 1)
    model.to(device, memory_format=torch.channels_last).train()
    steps = settings.epochs * (len(images) // settings.batch_size)
    optimizer = torch.optim.AdamW(model.parameters(), settings.learning_rate, weight_decay=settings.weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, settings.learning_rate, total_steps=steps)
    generator = torch.Generator().manual_seed(seed)
    curve = []
    for epoch in range(settings.epochs):
        loss, accuracy = _run_epoch(model, _batches(images, targets, settings, generator), optimizer, schedule, settings)
        curve.append(loss)
        progress(epoch, loss)
    state = {name: value.detach().cpu().contiguous() for name, value in model.backbone.features.state_dict().items()}
    return TrainedBackbone(state, curve, accuracy)


class _Classifier(nn.Module):
    """A backbone with the head that is thrown away after training."""

    def __init__(self, network: nn.Module, channels: int, classes: int):
        super().__init__()
        self.backbone = Backbone(copy.deepcopy(network))
        self.head = nn.Linear(channels, classes)
        # zeros need no random numbers and give the features' first gradient one step later
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores (batch, classes) of uint8 images (batch, 3, size, size)."""
        return self.head(self.backbone.feature_map(images).mean(dim=(2, 3)))


def _check(images: Tensor, labels: Tensor, settings: BackboneTrainingSettings) -> None:
    if len(images) != len(labels):
        raise ValueError(f"images and labels must be equally many, got {len(images)} and {len(labels)}")
    if len(images) < settings.batch_size:
        raise ValueError(f"batch_size is {settings.batch_size}, but there are only {len(images)} images")


def _channels(network: nn.Module, images: Tensor) -> int:
    """Return the channels of the feature map; evaluation mode leaves the batch statistics alone."""
    with torch.no_grad():
        return Backbone(copy.deepcopy(network)).eval().feature_map(images[:1].cpu()).shape[1]


def _batches(
    images: Tensor, targets: Tensor, settings: BackboneTrainingSettings, generator: torch.Generator
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield whole batches in random order; a rest smaller than a batch waits for another epoch's order."""
    order = torch.randperm(len(images), generator=generator)
    for rows in order.split(settings.batch_size):
        if len(rows) == settings.batch_size:
            yield augment(images[rows], settings.shift, generator), targets[rows]


def augment(images: Tensor, shift: int, generator: torch.Generator) -> Tensor:
    """Return images (N, 3, height, width), each mirrored or not, all moved by the same up to `shift` pixels."""
    mirrored = torch.rand(len(images), generator=generator) < 0.5
    images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    down, right = torch.randint(-shift, shift + 1, (2,), generator=generator).tolist()
    # ASSUME: pixels pushed out on one side come in on the other; backgrounds hardly differ there
    return images.roll((down, right), dims=(2, 3))


def _run_epoch(model: _Classifier, batches, optimizer, schedule, settings: BackboneTrainingSettings) -> tuple[float, float]:
    """Train on the batches and return their mean loss and accuracy."""
    device = next(model.parameters()).device
    losses, correct, count = [], 0, 0
    for images, targets in batches:
        images, targets = images.to(device), targets.to(device)
        scores = model(images)
        loss = functional.cross_entropy(scores, targets, label_smoothing=settings.label_smoothing)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.detach())
        correct += int((scores.argmax(dim=1) == targets).sum())
        count += len(targets)
    return torch.stack(losses).mean().item(), correct / count
