"""What stage 3 learns from and what comes of it: features of the seen classes, synthetic features."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scegg_core.data.tables import DatasetIndex


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


@dataclass(frozen=True)
class SyntheticFeatures:
    """Features (samples, channels) scaled to [0, 1] and their labels (samples,), rows of the class table."""

    features: Tensor
    labels: Tensor


def seen_features(index: DatasetIndex, features: Tensor) -> SeenFeatures:
    """Return what stage 3 learns from: features of the training images, which are all of seen classes."""
    rows = torch.from_numpy(index.in_split("trainval"))
    labels = torch.from_numpy(index.labels.astype(np.int64))
    return SeenFeatures(features[rows], labels[rows], torch.from_numpy(index.vectors), torch.from_numpy(index.seen))
