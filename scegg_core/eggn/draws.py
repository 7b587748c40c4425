"""All that stage 3 draws at random: images, z, mixtures, unseen classes; from one stream of random numbers."""

from dataclasses import dataclass

import torch
from torch import Tensor

from scegg_core.eggn.data import SeenFeatures
from scegg_core.settings.eggn import EggnSettings


@dataclass(frozen=True)
class Batch:
    """Real features of seen classes with their class vectors and labels."""

    feature: Tensor  # (batch, channels)
    vector: Tensor  # a(c), (batch, attributes)
    labels: Tensor  # (batch,)


class ImageDraw:
    """Draws training images: any image alike, or `balanced`: every class once in a batch before any comes twice."""

    def __init__(self, labels: Tensor, balanced: bool):
        """`labels` (images,)."""
        self.images, self.balanced = len(labels), balanced
        _, self.sizes = labels.unique(return_counts=True)
        self.by_class = labels.argsort(stable=True)
        self.starts = self.sizes.cumsum(0) - self.sizes

    def rows(self, batches: int, size: int, generator: torch.Generator) -> Tensor:
        """Return the rows of `batches` batches of `size` images, (batches * size,)."""
        device = self.by_class.device
        if not self.balanced:
            return torch.randint(self.images, (batches * size,), generator=generator, device=device)
        classes = len(self.sizes)
        turns = -(-size // classes)
        order = torch.rand(batches * turns, classes, generator=generator, device=device).argsort(dim=1)
        drawn = order.reshape(batches, -1)[:, :size].flatten()
        share = torch.rand(len(drawn), generator=generator, device=device)
        return self.by_class[self.starts[drawn] + (share * self.sizes[drawn]).long()]


class Draws:
    """Draws what a generator's training asks for, on the device and in the precision of the features."""

    def __init__(self, data: SeenFeatures, settings: EggnSettings, latent: int, random: torch.Generator):
        """`latent` is the size of z."""
        self.data, self.batch_size, self.latent, self.random = data, settings.batch_size, latent, random
        self.rows = ImageDraw(data.labels, balanced=settings.sampling == "class_balanced")
        self.unseen_classes = torch.nonzero(~data.seen).squeeze(1)
        self.like = {"device": data.features.device, "dtype": data.features.dtype}

    def images(self, batches: int) -> Batch:
        """Return `batches` batches of training images as one."""
        rows = self.rows.rows(batches, self.batch_size, self.random)
        labels = self.data.labels[rows]
        return Batch(self.data.features[rows], self.data.vectors[labels], labels)

    def normal(self, count: int, size: int | None = None) -> Tensor:
        """Return standard normal numbers (count, latent), or (count, size)."""
        return torch.randn(count, size or self.latent, generator=self.random, **self.like)

    def uniform(self, *shape: int) -> Tensor:
        """Return numbers between 0 and 1 of the given shape."""
        return torch.rand(*shape, generator=self.random, **self.like)

    def unseen(self, count: int) -> Tensor:
        """Return the labels (count,) of unseen classes."""
        rows = torch.randint(
            len(self.unseen_classes), (count,), generator=self.random, device=self.unseen_classes.device
        )
        return self.unseen_classes[rows]

    def prior(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return z of the prior and a(c) for each of `labels`."""
        return self.normal(len(labels)), self.data.vectors[labels]
