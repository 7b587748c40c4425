"""Trains a backbone on the seen classes of a data set: from given weights, or from random ones where there are none.

It uses only training images of seen classes and their class vectors, so unseen classes stay unseen, as zero-shot
learning requires. With class vectors, the head predicts attributes and scores a class by their product with its
vector. So all classes train the same attributes: a few hundred images are too few to learn every class alone.
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, update_bn

from scegg_core.data.tables import DatasetIndex
from scegg_core.errors import InputError
from scegg_core.regions.backbone import Backbone, loaded_features, map_size
from scegg_core.regions.extraction import autocast
from scegg_core.regions.head import Classifier, Head
from scegg_core.regions.layers import freeze_others
from scegg_core.regions.training_images import TrainingImages, augment, training_images
from scegg_core.regions.weights import normalization
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.device import global_generator, moved, seeded
from scegg_core.training.progress import bar
from scegg_core.training.state import TrainingState


@dataclass(frozen=True)
class TrainedBackbone:
    """state_dict: weights of the network on the CPU, without the head; curve: mean loss of every epoch;
    train_accuracy: fraction of the images that the last epoch classified correctly, 0..1."""

    state_dict: dict[str, Tensor]
    curve: list[float]
    train_accuracy: float


@dataclass(frozen=True)
class Computing:
    """Where a backbone is trained, and the bytes of memory that decoded images may take there."""

    device: torch.device
    memory: float = float("inf")


def train_on_seen(
    index: DatasetIndex,
    folder: str,
    settings: BackboneSettings,
    computing: Computing,
    *,
    weights: str | Path | None = None,
    seed: int = 0,
    checkpoint: Checkpoint | None = None,
) -> TrainedBackbone:
    """Return a backbone that learned the seen classes on their training images under `folder`.

    It starts from the weight file `weights`, or where that is None from random weights; `seed`: of these, and of the
    images' order and augmentation. Continues from the checkpoint if there is one.
    """
    rows = index.in_split("trainval")
    images = training_images(Path(folder), [index.paths[row] for row in rows], settings, computing.memory)
    labels = torch.from_numpy(index.labels[rows])
    # with little data attributes are learned better than names: all classes train the same ones
    targets = torch.from_numpy(index.vectors[index.labels[rows]]) if settings.tuning.head == "attribute" else labels
    network = start(settings, weights, seed)
    return train_backbone(network, images, targets, settings, seed, computing.device, checkpoint)


def start(settings: BackboneSettings, weights: str | Path | None, seed: int = 0) -> Backbone:
    """Return the network that training begins with, at the size of the training images.

    Raises InputError for weights or a size that do not fit, and for layers that the network does not have.
    """
    given = replace(settings, image_size=settings.training_size)
    network = Backbone(loaded_features(given, weights, seed), normalization(settings))
    freeze_others(network.features, settings.tuning.layers)
    if settings.tuning.start_noise:
        _shake(network.features, settings.tuning.start_noise, seed)
    return network


def train_backbone(
    network: Backbone,
    images: TrainingImages,
    targets: Tensor,
    settings: BackboneSettings,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
) -> TrainedBackbone:
    """Return the network's weights after classifying the images through pooling over regions and a linear head.

    network: a copy is trained, from the weights that it has; those that need no gradient stay. targets: (N, A), the
    class vector of every image, or (N,), its label, which is plain classification. seed: order and augmentation of the
    images, and what layers draw. Raises ValueError where images and targets differ in number or are fewer than one batch.
    """
    _check(images, targets, settings)
    classes, labels = torch.unique(targets, dim=0, return_inverse=True)
    head = Head(_channels(network, settings), classes)
    model = Classifier(network, head, settings.tuning.top_share, given=settings.weights != "train")
    model.to(device, memory_format=torch.channels_last).train()
    trainer = _Trainer(model, images, labels, settings, seed, checkpoint)
    trainer.run()
    state = {name: value.detach().cpu().contiguous() for name, value in trainer.trained.features.state_dict().items()}
    return TrainedBackbone(state, trainer.curve, trainer.accuracy)


class _Trainer:
    """Trains epoch after epoch; can be stopped and continued between any two steps."""

    def __init__(
        self,
        model: Classifier,
        images: TrainingImages,
        labels: Tensor,
        settings: BackboneSettings,
        seed: int,
        checkpoint: Checkpoint | None,
    ):
        self.model, self.images, self.labels = model, images, labels
        self.network, self.settings = settings, settings.tuning
        self.epoch_steps = len(images) // self.settings.batch_size
        self.steps = self.settings.epochs * self.epoch_steps
        device = next(model.parameters()).device
        groups = model.groups(*settings.rates)
        self.optimizer = torch.optim.AdamW(groups, weight_decay=self.settings.weight_decay)
        rates = [group["lr"] for group in groups]
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, rates, total_steps=self.steps)
        half = device.type == "cuda" and settings.precision == "float16"
        self.scaler = torch.amp.GradScaler(device.type, enabled=half)  # small gradients are 0 in half precision
        self.seed, self.random = seed, torch.Generator().manual_seed(seed)
        # layers that draw (dropout, stochastic depth) take torch's own numbers: no generator can be handed to them
        self.drawn_by_layers = global_generator(device)
        self.order = torch.empty(len(images), dtype=torch.int64)  # of the images in the running epoch
        # of the running epoch's images; counted on the device, since to read it in each step would wait for that
        self.correct = torch.zeros((), dtype=torch.int64, device=device)
        self.accuracy = 0.0
        # late in training single steps part two machines whose last digits differ; the mean over many steps parts less
        # (stochastic weight averaging: Izmailov et al., UAI 2018)
        self.average = AveragedModel(model) if self.settings.averaged_epochs else None
        names = ["model", "optimizer", "schedule", "scaler", "random", "drawn_by_layers", "order", "correct"]
        names += ["average"] if self.average is not None else []
        self.state = TrainingState({name: getattr(self, name) for name in names}, device, checkpoint)

    @property
    def curve(self) -> list[float]:
        """Return the mean loss of every epoch."""
        return [mean for *_, mean in self.state.curve.points]

    @property
    def trained(self) -> Backbone:
        """Return the backbone of the last step, or the average of those of the last epochs."""
        return (self.model if self.average is None else self.average.module).backbone

    def run(self) -> None:
        """Train to the end, from the checkpoint if there is one."""
        with seeded(self.seed):
            self.state.restore()
            with bar(self.steps, "backbone", initial=self.state.step) as progress:
                while self.state.step < self.steps:
                    for _ in self._rest_of_epoch():
                        progress.update()
                    progress.set_postfix(loss=f"{self.curve[-1]:.3f}")
            if self.average is not None and not self.model.given:
                # means of weights have seen no image: the statistics of the steps that they are of are not theirs
                with autocast(self.state.device, self.network):
                    update_bn(self._one_more_epoch(), self.average)

    def _one_more_epoch(self) -> Iterator[Tensor]:
        """Yield training images as in an epoch, batch by batch."""
        size = self.settings.batch_size
        order = torch.randperm(len(self.images), generator=self.random)[: self.epoch_steps * size]
        with bar(self.epoch_steps, "statistics") as progress:
            for images in self.images.batches(order, size):
                yield self._augmented(images)
                progress.update()

    def _augmented(self, images: Tensor) -> Tensor:
        images = augment(images, self.settings, self.network.training_size, self.random)
        return moved(images, self.state.device)

    def _rest_of_epoch(self) -> Iterator[int]:
        """Take the steps that are left of the running epoch, or all of a new one; yield how many were taken in all.

        An epoch has full batches only, in random order: the few images that are left over differ from epoch to epoch.
        """
        epoch, step = divmod(self.state.step, self.epoch_steps)
        if step == 0:
            self.order.copy_(torch.randperm(len(self.images), generator=self.random))
            self.correct.zero_()
        size = self.settings.batch_size
        order = self.order[step * size : self.epoch_steps * size]
        for rows, images in zip(order.split(size), self.images.batches(order, size), strict=True):
            self.state.add_step(self._take_step(images, self.labels[rows]))
            if self.state.step % self.epoch_steps == 0:
                self.state.end_epoch("backbone", epoch + 1)
                self.accuracy = int(self.correct) / (self.epoch_steps * size)
            if self.state.step < self.steps:
                self.state.save_if_due()
            yield self.state.step

    def _take_step(self, images: Tensor, labels: Tensor) -> dict[str, Tensor]:
        device = self.state.device
        images, labels = self._augmented(images), moved(labels, device)
        with autocast(device, self.network):
            scores = self.model(images).float()
        loss = functional.cross_entropy(scores, labels, label_smoothing=self.settings.label_smoothing)
        self.optimizer.zero_grad()
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.schedule.step()
        if (
            self.average is not None
            and self.state.step >= self.steps - self.settings.averaged_epochs * self.epoch_steps
        ):
            self.average.update_parameters(self.model)
        self.correct += (scores.argmax(dim=1) == labels).sum()
        return {"cross_entropy": loss.detach()}


def _shake(network: nn.Module, share: float, seed: int) -> None:
    """Multiply each weight that is trained by 1 + `share` times a normal number of its own."""
    random = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in network.parameters():
            if weight.requires_grad:
                weight.mul_(1 + share * torch.randn(weight.shape, generator=random))


def _check(images: TrainingImages, targets: Tensor, settings: BackboneSettings) -> None:
    if len(images) != len(targets):
        raise ValueError(f"images and targets must be equally many, got {len(images)} and {len(targets)}")
    check_batch_size(len(images), settings)


def check_batch_size(images: int, settings: BackboneSettings) -> None:
    """Raise InputError where so many training images do not fill one batch."""
    size = settings.tuning.batch_size
    if images < size:
        raise InputError(
            f"backbone.finetune.batch_size is {size}, but there are only {images} training images; lower it."
        )


def _channels(network: Backbone, settings: BackboneSettings) -> int:
    """Return the channels of the feature map; evaluation mode leaves the batch statistics alone."""
    return map_size(copy.deepcopy(network).eval(), settings.training_size).channels
