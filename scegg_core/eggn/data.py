"""What stage 3 learns from and what comes of it: seen classes' features, the frozen classifier that guides, synthetic features."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from scegg_core.data.tables import DatasetIndex
from scegg_core.scen.model import SCEN
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.settings.eggn import EggnSettings


@dataclass(frozen=True)
class SeenFeatures:
    """Training features of the seen classes, scaled to [0, 1], and the vectors of all classes."""

    features: Tensor  # (images, channels)
    labels: Tensor  # (images,) rows of vectors
    vectors: Tensor  # a(c), (classes, attributes)
    seen: Tensor  # (classes,) bool

    def to(self, device: torch.device) -> "SeenFeatures":
        """Return the same on `device`."""
        return SeenFeatures(*(getattr(self, name).to(device) for name in ("features", "labels", "vectors", "seen")))


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


@dataclass(frozen=True)
class SyntheticFeatures:
    """Features (samples, channels) scaled to [0, 1] and their labels (samples,), rows of the class table."""

    features: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Guide:
    """A frozen classifier of unscaled features that guides synthesis: CLS_g for L_EGS (Eqs. 13-15)."""

    classify: nn.Module
    scaler: MinMaxScaler

    def scores(self, feature: Tensor) -> Tensor:
        """Return class scores (batch, classes) of scaled features."""
        return self.classify(self.scaler.inverse(feature))


@dataclass(frozen=True)
class Guided:
    """A term of L_EGS: the cross-entropy of features made for `labels`, from the prior or (None) reconstructed."""

    name: str
    weight: float
    labels: Tensor  # (batch,)
    classes: Tensor | None  # in the softmax, a mask; None: all
    drawn: tuple[Tensor, Tensor] | None  # z and a(c)


def seen_features(index: DatasetIndex, features: Tensor) -> SeenFeatures:
    """Return what stage 3 learns from: features of the training images, which are all of seen classes."""
    rows = torch.from_numpy(index.in_split("trainval"))
    labels = torch.from_numpy(index.labels.astype(np.int64))
    return SeenFeatures(features[rows], labels[rows], torch.from_numpy(index.vectors), torch.from_numpy(index.seen))


def guide_of(scen: SCEN | None, scaler: MinMaxScaler, settings: EggnSettings, device: torch.device) -> Guide | None:
    """Return CLS_g as guide of synthesis, or None where the space has no SCEN or L_EGS has no weight."""
    if scen is None or settings.seen_guidance == settings.unseen_guidance == 0:
        return None
    return Guide(scen.glob.classify.to(device), scaler.to(device))
