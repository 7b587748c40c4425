"""Scaling of features to [0, 1], fitted on the training images of seen classes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from scegg_core.errors import InputError


@dataclass(frozen=True)
class MinMaxScaler:
    """Smallest value and range of each channel, or of all channels together; a constant channel becomes 0."""

    low: Tensor  # (channels,)
    span: Tensor  # (channels,)

    @classmethod
    def fit(cls, features: Tensor, scaling: str = "channel") -> "MinMaxScaler":
        """Return the scaler of `features` (images, channels), by `DatasetSettings.feature_scaling`.

        Raises InputError for features that are not finite: their channels would later look constant.
        """
        if not torch.isfinite(features).all():
            raise InputError("features of training images are not finite; the stage that made them went wrong.")
        low, high = features.aminmax(dim=0)
        if scaling == "all":
            low, high = low.amin().expand_as(low).clone(), high.amax().expand_as(high)
        return cls(low, high - low)

    def transform(self, features: Tensor) -> Tensor:
        """Return features scaled to [0, 1]; values outside the fitted range are clamped."""
        # ASSUME: test values are clamped; sigmoid outputs and the cross-entropy of Eq. 10 need [0, 1].
        safe = torch.where(self.span > 0, self.span, torch.ones_like(self.span))
        return torch.where(self.span > 0, (features - self.low) / safe, torch.zeros_like(features)).clamp(0, 1)

    def inverse(self, scaled: Tensor) -> Tensor:
        """Return scaled features on the scale that they had before `transform`."""
        return scaled * self.span + self.low

    def to(self, device: torch.device) -> "MinMaxScaler":
        """Return the same on `device`."""
        return MinMaxScaler(self.low.to(device), self.span.to(device))
