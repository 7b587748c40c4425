"""Backbones: a classification network cut at its last feature map, with weights that are checked."""

import copy
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from scegg_core.errors import InputError
from scegg_core.regions.adapters import feature_extractor
from scegg_core.regions.timm_networks import TimmMap, refused_size
from scegg_core.regions.weights import IMAGENET, Normalization, load_weights, normalization
from scegg_core.settings.backbone import BackboneSettings

#: Pixels; no image is larger.
LARGEST_SIZE = 4096


@dataclass(frozen=True)
class FeatureMap:
    """Size of a backbone's output for one image size."""

    channels: int
    height: int
    width: int

    @property
    def regions(self) -> int:
        """Return the number of regions R."""
        return self.height * self.width


class Backbone(nn.Module):
    """Normalizes uint8 images and returns region features."""

    def __init__(self, features: nn.Module, normalization: Normalization = IMAGENET):
        super().__init__()
        self.features, self.normalization = features, normalization
        self.register_buffer("mean", torch.tensor(normalization.mean).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(normalization.std).view(1, 3, 1, 1) * 255, persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return region features (batch, regions, channels) of uint8 `images` (batch, 3, size, size)."""
        return self.feature_map(images).flatten(2).transpose(1, 2)

    def feature_map(self, images: Tensor) -> Tensor:
        """Return the last feature map (batch, channels, height, width)."""
        return self.features((images.float() - self.mean) / self.std)


def build_backbone(settings: BackboneSettings, weights: str | Path | None) -> Backbone:
    """Return the backbone in evaluation mode with the weight file `weights` loaded; None where they are random.

    Raises InputError for an unknown network, or a weight file that does not fit.
    """
    features = loaded_features(settings, weights).eval()
    # networks of timm have normalizations of their own kinds, and branches that cannot be traced
    merged = features if isinstance(features, TimmMap) else merge_batch_norm(features)
    return Backbone(merged, normalization(settings)).eval().requires_grad_(False)


def loaded_features(settings: BackboneSettings, weights: str | Path | None, seed: int = 0) -> nn.Module:
    """Return the network up to its feature map with the weight file `weights` loaded; None: random under `seed`."""
    if weights is None:
        return random_features(settings, seed)
    features = feature_extractor(settings.network, settings.features_up_to, settings.image_size)
    load_weights(features, settings, Path(weights))
    return features


def merge_batch_norm(features: nn.Module) -> nn.Module:
    """Return the network with each batch normalization merged into the convolution before it: the same function,
    1.6 times faster on a CPU for MobileNetV2, whose normalizations are bound by memory."""
    from torch.fx.experimental.optimization import fuse

    return fuse(features)


def map_size(backbone: nn.Module, image_size: int) -> FeatureMap:
    """Return the size of the feature map for square images of `image_size` pixels, found by running one.

    Raises InputError where the network cannot be run at this size, or its weights give no finite numbers.
    """
    try:
        found = _map_of_blank(backbone, image_size)
    except InputError:
        raise
    except (AssertionError, RuntimeError, ValueError) as error:
        if isinstance(backbone.features, TimmMap):  # it checks its input in ways of its own
            raise refused_size(backbone.features.network, image_size, error) from None
        smallest = _smallest_size(backbone)
        if image_size >= smallest:  # the size is not to blame
            raise
        raise InputError(
            f"images of {image_size} × {image_size} pixels are too small for the network: raise backbone.image_size "
            f"(and finetune.image_size, where it is set) to {smallest} or more."
        ) from None
    if found.device.type != "meta" and not torch.isfinite(found).all():
        raise InputError("backbone.weights give features that are not finite numbers; take other weights.")
    _, channels, height, width = found.shape
    return FeatureMap(channels, height, width)


def _map_of_blank(backbone: nn.Module, image_size: int) -> Tensor:
    device = next(backbone.parameters()).device
    with torch.no_grad():
        return backbone.feature_map(torch.zeros(1, 3, image_size, image_size, dtype=torch.uint8, device=device))


def _smallest_size(backbone: nn.Module) -> int:
    """Return the smallest size of images that the network takes, found with shapes alone, on a device without memory."""
    shapes, sizes = copy.deepcopy(backbone).to("meta"), range(1, LARGEST_SIZE)

    def runs(size: int) -> bool:
        """Return whether images of this size leave a map."""
        try:
            return _map_of_blank(shapes, size).numel() > 0
        except RuntimeError:
            return False

    return sizes[0] + bisect_left(sizes, True, key=runs)


def random_features(settings: BackboneSettings, seed: int = 0) -> nn.Module:
    """Return the network with torchvision's random start under `seed`; global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return feature_extractor(settings.network, settings.features_up_to, settings.image_size)


def random_backbone_size(settings: BackboneSettings) -> FeatureMap:
    """Return the size of the feature map that these settings give, without loading weights."""
    return map_size(Backbone(random_features(settings).eval()), settings.image_size)
