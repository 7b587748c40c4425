"""Trains a small backbone from random weights on the seen classes of a data set, where no weights can be downloaded.

It uses only training images of seen classes and their class vectors, so unseen classes stay unseen, as zero-shot
learning requires. With class vectors, the head predicts attributes and scores a class by their product with its
vector. So all classes train the same attributes: a few hundred images are too few to learn every class alone.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from scegg_core.data.boxes import cut_out, read_boxes
from scegg_core.data.tables import DatasetIndex
from scegg_core.errors import InputError
from scegg_core.regions.backbone import Backbone, map_size, random_features
from scegg_core.regions.decoding import load_images
from scegg_core.settings.backbone import BackboneSettings, BackboneTrainingSettings
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.progress import bar
from scegg_core.training.state import TrainingState

#: Length of the class vectors in the head; with unit vectors the scores grow too slowly under AdamW's fixed steps.
VECTOR_LENGTH = 10**0.5


@dataclass(frozen=True)
class TrainedBackbone:
    """state_dict: weights of the network on the CPU, without the head; curve: mean loss of every epoch;
    train_accuracy: fraction of the images that the last epoch classified correctly, 0..1."""

    state_dict: dict[str, Tensor]
    curve: list[float]
    train_accuracy: float


def train_backbone(
    network: nn.Module,
    images: Tensor,
    targets: Tensor,
    settings: BackboneTrainingSettings,
    seed: int,
    device: str | torch.device = "cpu",
    progress: Callable[[int, float], None] = lambda epoch, loss: None,
    checkpoint: Checkpoint | None = None,
) -> TrainedBackbone:
    """Return the network's weights after classifying the images through pooling over regions and a linear head.

    network: gives a feature map (batch, channels, height, width); a copy is trained, from the weights that it has.
    images: (N, 3, size, size) uint8, training images of seen classes; targets: (N, A), the class vector of every
    image, or (N,), its label, which is plain classification. seed: order and augmentation of the images.
    progress: called with epoch and mean loss after every epoch. Continues from the checkpoint if there is one.
    Raises ValueError where images and targets differ in number or are fewer than one batch.
    """
    _check(images, targets, settings)
    classes, labels = torch.unique(targets, dim=0, return_inverse=True)
    model = _Classifier(network, _channels(network, images), _head_vectors(classes), settings.top_share)
    model.to(device, memory_format=torch.channels_last).train()
    trainer = _Trainer(model, images, labels, settings, seed, checkpoint)
    trainer.run(progress)
    state = {name: value.detach().cpu().contiguous() for name, value in model.backbone.features.state_dict().items()}
    return TrainedBackbone(state, trainer.curve, trainer.accuracy)


class _Trainer:
    """Trains epoch after epoch; can be stopped and continued between any two steps."""

    def __init__(
        self,
        model: "_Classifier",
        images: Tensor,
        labels: Tensor,
        settings: BackboneTrainingSettings,
        seed: int,
        checkpoint: Checkpoint | None,
    ):
        self.model, self.images, self.labels, self.settings = model, images, labels, settings
        rate, steps = settings.learning_rate, settings.epochs * (len(images) // settings.batch_size)
        self.optimizer = torch.optim.AdamW(model.parameters(), rate, weight_decay=settings.weight_decay)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, rate, total_steps=steps)
        self.random = torch.Generator().manual_seed(seed)
        self.order = torch.empty(len(images), dtype=torch.int64)  # of the images in the running epoch
        self.correct = torch.zeros((), dtype=torch.int64)  # of the running epoch's images
        self.accuracy = 0.0
        parts = {name: getattr(self, name) for name in ("model", "optimizer", "schedule", "random", "order", "correct")}
        self.state = TrainingState(parts, next(model.parameters()).device, checkpoint)

    @property
    def curve(self) -> list[float]:
        """Return the mean loss of every epoch."""
        return [mean for *_, mean in self.state.curve.points]

    def run(self, progress: Callable[[int, float], None]) -> None:
        """Train to the end, from the checkpoint if there is one.

        An epoch has full batches only, in random order: the few images that are left over differ from epoch to epoch.
        """
        self.state.restore()
        size = self.settings.batch_size
        steps = len(self.images) // size
        while self.state.step < self.settings.epochs * steps:
            epoch, step = divmod(self.state.step, steps)
            if step == 0:
                self._begin_epoch()
            self.state.add_step(self._take_step(self.order[step * size : (step + 1) * size]))
            if step + 1 == steps:
                self.state.end_epoch("backbone", epoch + 1)
                self.accuracy = int(self.correct) / (steps * size)
                progress(epoch, self.curve[-1])
            if self.state.step < self.settings.epochs * steps:
                self.state.save_if_due()

    def _begin_epoch(self) -> None:
        self.order.copy_(torch.randperm(len(self.images), generator=self.random))
        self.correct.zero_()

    def _take_step(self, rows: Tensor) -> dict[str, Tensor]:
        device = self.state.device
        images, labels = augment(self.images[rows], self.settings.shift, self.random), self.labels[rows].to(device)
        scores = self.model(images.to(device))
        loss = functional.cross_entropy(scores, labels, label_smoothing=self.settings.label_smoothing)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        self.correct += int((scores.argmax(dim=1) == labels).sum())
        return {"cross_entropy": loss.detach()}


class _Classifier(nn.Module):
    """A backbone with the head that is thrown away after training."""

    def __init__(self, network: nn.Module, channels: int, vectors: Tensor, top_share: float):
        super().__init__()
        self.top_share = top_share
        self.backbone = Backbone(copy.deepcopy(network))
        self.register_buffer("vectors", vectors)
        self.head = nn.Linear(channels, vectors.shape[1])
        # zeros need no random numbers; they delay the first gradient of the features by one step
        nn.init.zeros_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores (batch, classes) of uint8 images (batch, 3, size, size)."""
        regions = self.backbone.feature_map(images).flatten(2)
        if self.top_share < 1:
            regions = regions.topk(max(1, round(self.top_share * regions.shape[2])), dim=2).values
        return self.head(regions.mean(dim=2)) @ self.vectors.T


def _head_vectors(classes: Tensor) -> Tensor:
    """Return (classes, A) vectors of equal length: centred class vectors, or one-hot ones for labels (classes,)."""
    if classes.dim() == 1:
        return torch.eye(len(classes))
    # what all classes have in common does not help to distinguish them
    centred = classes.float() - classes.float().mean(dim=0)
    return functional.normalize(centred, dim=1) * VECTOR_LENGTH


def _check(images: Tensor, targets: Tensor, settings: BackboneTrainingSettings) -> None:
    if len(images) != len(targets):
        raise ValueError(f"images and targets must be equally many, got {len(images)} and {len(targets)}")
    check_batch_size(len(images), settings)


def check_batch_size(images: int, settings: BackboneTrainingSettings) -> None:
    """Raise InputError where so many training images do not fill one batch."""
    if images < settings.batch_size:
        raise InputError(
            f"backbone.training.batch_size is {settings.batch_size}, but there are only {images} training images; lower it."
        )


def _channels(network: nn.Module, images: Tensor) -> int:
    """Return the channels of the feature map; evaluation mode leaves the batch statistics alone."""
    return map_size(Backbone(copy.deepcopy(network)).eval(), images.shape[-1]).channels


def augment(images: Tensor, shift: int, generator: torch.Generator) -> Tensor:
    """Return images (N, 3, height, width), each mirrored or not, all moved by the same up to `shift` pixels."""
    mirrored = torch.rand(len(images), generator=generator) < 0.5
    images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    down, right = torch.randint(-shift, shift + 1, (2,), generator=generator).tolist()
    # ASSUME: pixels pushed out on one side come in on the other; backgrounds hardly differ there
    return images.roll((down, right), dims=(2, 3))


def train_on_seen(
    index: DatasetIndex,
    folder: str,
    settings: BackboneSettings,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
) -> TrainedBackbone:
    """Return a backbone that learned the seen classes' attributes on their training images under `folder`."""
    rows, training = index.in_split("trainval"), settings.training
    paths = [index.paths[row] for row in rows]
    images = (
        cut_outs(Path(folder), paths, training.crop)
        if training.crop
        else load_images([Path(folder) / path for path in paths], settings)
    )
    with bar(training.epochs, "backbone", unit="epoch") as progress:

        def report(epoch: int, loss: float) -> None:
            progress.update()
            progress.set_postfix(loss=f"{loss:.3f}")

        # the head learns a(c) of seen classes, not their names: with little data attributes are learned better
        targets = torch.from_numpy(index.vectors[index.labels[rows]])
        network = random_features(replace(settings, image_size=images.shape[-1]))
        return train_backbone(network, images, targets, training, 0, device, report, checkpoint)


def cut_outs(folder: Path, paths: list[str], size: int) -> torch.Tensor:
    """Return the birds of the images at `paths`, cut out along their boxes, uint8 (n, 3, size, size).

    Like the photographs of ImageNet they show the object large and little else, so the backbone does not learn to
    ignore the background: that is left to the attention.
    """
    boxes = read_boxes(folder)
    pictures = [cut_out(folder / path, boxes[path], size) for path in paths]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
