"""Scaling of features to [0, 1] per channel, fitted on the training images of seen classes."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class MinMaxScaler:
    """Smallest value and range of each channel; a constant channel has range 0 and becomes 0."""

    low: Tensor  # (channels,)
    span: Tensor  # (channels,)

    @classmethod
    def fit(cls, features: Tensor) -> "MinMaxScaler":
        """Return the scaler of `features` (images, channels)."""
        low = features.amin(dim=0)
        return cls(low, features.amax(dim=0) - low)

    def transform(self, features: Tensor) -> Tensor:
        """Return features scaled to [0, 1]; values outside the fitted range are clamped."""
        # ASSUME: the paper says nothing of scaling; sigmoid outputs and the cross-entropy of Eq. 10 need [0, 1].
        safe = torch.where(self.span > 0, self.span, torch.ones_like(self.span))
        return torch.where(self.span > 0, (features - self.low) / safe, torch.zeros_like(features)).clamp(0, 1)

    def inverse(self, scaled: Tensor) -> Tensor:
        """Return features on their own scale."""
        return scaled * self.span + self.low

    def to(self, device: torch.device) -> "MinMaxScaler":
        """Return the same on `device`."""
        return MinMaxScaler(self.low.to(device), self.span.to(device))
