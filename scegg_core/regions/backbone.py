"""Backbones: a torchvision classification network cut at its last feature map, with weights that are checked."""

import copy
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from scegg_core.artifacts.files import file_digest, input_digest
from scegg_core.artifacts.weights import read_weights
from scegg_core.errors import InputError
from scegg_core.regions.vision import import_torchvision
from scegg_core.settings.backbone import BackboneSettings

Statistics = tuple[tuple[float, ...], tuple[float, ...]]

#: ImageNet's mean and deviation of RGB in [0, 1], which our own weights and most of torchvision's expect.
IMAGENET: Statistics = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

#: Networks whose weights torchvision took from elsewhere: it turns ImageNet's statistics into these within the network.
TURNED = ("googlenet", "inception_v3")
HALVES: Statistics = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)

#: Modules after which a network no longer has a feature map.
HEADS = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.Linear, nn.Dropout)


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

    def __init__(self, features: nn.Module, statistics: Statistics = IMAGENET):
        """`statistics`: mean and deviation of RGB in [0, 1] by which images are normalized."""
        super().__init__()
        self.features = features
        mean, std = map(torch.tensor, statistics)
        self.register_buffer("mean", mean.view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", std.view(1, 3, 1, 1) * 255, persistent=False)

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
    if weights is None:
        features = random_features(settings)
    else:
        features = feature_extractor(settings.network, settings.features_up_to)
        load_weights(features, settings, Path(weights))
    return Backbone(merge_batch_norm(features.eval()), statistics_of(settings)).eval().requires_grad_(False)


def weights_file(settings: BackboneSettings, given: str | Path | None) -> Path | None:
    """Return the weight file that a stage's input `given` stands for: itself, or the fetched one that it records.

    Raises InputError where the fetched file is not the recorded one any more.
    """
    if settings.fetched_to is None or given is None:
        return Path(given) if given else None
    path = Path(settings.fetched_to)
    if not path.is_file() or file_digest(path) != input_digest(given):
        raise InputError(f"{path} is not there, or not what {given} records; delete {given} to have it fetched again.")
    return path


def merge_batch_norm(features: nn.Module) -> nn.Module:
    """Return the network with each batch normalization merged into the convolution before it: the same function,
    1.6 times faster on a CPU for MobileNetV2, whose normalizations are bound by memory."""
    from torch.fx.experimental.optimization import fuse

    return fuse(features)


def feature_extractor(network: str, up_to: str | None = None) -> nn.Module:
    """Return the torchvision network `network` without weights, up to its last feature map or module `up_to`."""
    import_torchvision()
    from torchvision import models

    known = models.list_models(module=models)
    if network not in known:
        raise InputError(
            f"backbone.network is {network!r}, which torchvision does not have; known: {', '.join(known)}."
        )
    model = models.get_model(network, weights=None, **_quiet(network))
    body = dict(model.features.named_children()) if hasattr(model, "features") else _body(model)
    if not _has_map(model, body):
        raise InputError(
            f"backbone.network {network!r} has no feature map to take regions from; choose a convolutional one."
        )
    if isinstance(model, models.DenseNet):  # its forward does this between the features and the average
        body["relu5"] = nn.ReLU()
    if up_to is not None:
        body = _cut(body, network, up_to)
    return nn.Sequential(_ordered(body))


def map_size(backbone: nn.Module, image_size: int) -> FeatureMap:
    """Return the size of the feature map for square images of `image_size` pixels, found by running one.

    Raises InputError where the network cannot be run at this size, or its weights give no finite numbers.
    """
    try:
        found = _map_of_blank(backbone, image_size)
    except RuntimeError:
        smallest = _smallest_size(backbone)
        if image_size >= smallest:  # the size is not to blame
            raise
        raise InputError(
            f"images of {image_size} × {image_size} pixels are too small for the network: raise backbone.image_size "
            f"(and training.crop, where it is set) to {smallest} or more."
        ) from None
    if not torch.isfinite(found).all():
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
        try:
            return _map_of_blank(shapes, size).numel() > 0
        except RuntimeError:
            return False

    return sizes[0] + bisect_left(sizes, True, key=runs)


def statistics_of(settings: BackboneSettings) -> Statistics:
    """Return the mean and deviation that the weights were trained with: those torchvision names, for its own weights
    (by their name, or by a local file of the name that torchvision gives it); for others ImageNet's."""
    if settings.weights in ("train", "random"):
        return IMAGENET
    import_torchvision()
    from torchvision import models

    for weights in models.get_model_weights(settings.network):
        if Path(settings.weights).name in (weights.name, Path(weights.url).name):
            given = weights.transforms.keywords
            own = tuple(given.get("mean", IMAGENET[0])), tuple(given.get("std", IMAGENET[1]))
            return HALVES if settings.network in TURNED else own
    return IMAGENET


def weights_url(settings: BackboneSettings) -> str:
    """Return the address of torchvision's weights named in settings."""
    import_torchvision()
    from torchvision import models

    known = {weights.name: weights for weights in models.get_model_weights(settings.network)}
    if settings.weights not in known:
        raise InputError(
            f"backbone.weights is {settings.weights!r}; {settings.network} has {', '.join(known)}, or give the path of a weight file, which ends in .pt, .pth or .safetensors."
        )
    return known[settings.weights].url


def load_weights(features: nn.Module, settings: BackboneSettings, path: Path) -> None:
    """Load the state dict at `path` into `features`, whether it is of the whole network or of its features alone."""
    given = read_weights(path)
    wanted = features.state_dict()
    for prefix in ("", "features."):
        renamed = {name.removeprefix(prefix): value for name, value in given.items() if name.startswith(prefix)}
        if wanted.keys() <= renamed.keys():
            _load_exact(features, {name: renamed[name] for name in wanted}, settings, path)
            return
    missing = next(name for name in wanted if name not in given)
    raise InputError(
        f"{path} does not hold weights of {settings.network}: {missing!r} is not in it"
        + (f", but {', '.join(map(repr, list(given)[:2]))}" if given else "")
        + "; save the network's own state dict alone."
    )


def _load_exact(features: nn.Module, state: dict, settings: BackboneSettings, path: Path) -> None:
    for name, wanted in features.state_dict().items():
        if state[name].is_floating_point() != wanted.is_floating_point():
            raise InputError(
                f"{path} does not fit {settings.network}: {name!r} is {state[name].dtype}, expected {wanted.dtype}."
            )
    try:
        features.load_state_dict(state)
    except RuntimeError as error:
        detail = str(error).strip().splitlines()[-1].strip()
        raise InputError(f"{path} does not fit {settings.network}: {detail}") from None


def _body(model: nn.Module) -> dict[str, nn.Module]:
    """Children in order up to the head, without the auxiliary classifiers some networks have."""
    body: dict[str, nn.Module] = {}
    for name, child in model.named_children():
        if isinstance(child, HEADS) or name in ("classifier", "heads", "head"):
            break
        if "aux" not in name.lower():
            body[name] = child
    return {} if any("encoder" in name for name in body) else body


def _has_map(model: nn.Module, body: dict[str, nn.Module]) -> bool:
    """Whether the body runs in order and ends in a map, channels first: not so for MaxViT's lists and for Swin."""
    return bool(body) and not hasattr(model, "permute") and not any(isinstance(m, nn.ModuleList) for m in body.values())


def _cut(body: dict[str, nn.Module], network: str, up_to: str) -> dict[str, nn.Module]:
    if up_to not in body:
        raise InputError(f"backbone.features_up_to is {up_to!r}; {network} has {', '.join(body)}.")
    names = list(body)
    return {name: body[name] for name in names[: names.index(up_to) + 1]}


def _ordered(body: dict[str, nn.Module]):
    from collections import OrderedDict

    return OrderedDict(body)


def _quiet(network: str) -> dict:
    """Options of networks that warn about, or add, what we never use."""
    return {"aux_logits": False, "init_weights": False} if network in ("googlenet", "inception_v3") else {}


def random_features(settings: BackboneSettings) -> nn.Module:
    """Return the network with torchvision's random start under a fixed seed; global random state is left alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return feature_extractor(settings.network, settings.features_up_to)


def random_backbone_size(settings: BackboneSettings) -> FeatureMap:
    """Return the size of the feature map that these settings give, without loading weights."""
    return map_size(Backbone(random_features(settings).eval()), settings.image_size)
