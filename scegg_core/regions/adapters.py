"""Adapters: how each family of torchvision's classification networks gives a map of regions, channels first.

All networks of timm share one adapter, in timm_networks.py.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from scegg_core.errors import InputError
from scegg_core.regions.timm_networks import TimmMap, own_values, timm_map
from scegg_core.regions.vision import import_torchvision
from scegg_core.settings.backbone import TIMM

#: Modules after which a network no longer has a feature map.
HEADS = (nn.AdaptiveAvgPool2d, nn.Linear, nn.Dropout)

Layers = dict[str, nn.Module]


class PatchMap(nn.Module):
    """A vision transformer without its head, built for one image size; the tokens of its patches are the map."""

    def __init__(self, model: nn.Module):
        super().__init__()
        self.conv_proj, self.class_token, self.encoder = model.conv_proj, model.class_token, model.encoder
        self.image_size, self.patch_size = model.image_size, model.patch_size

    def forward(self, images: Tensor) -> Tensor:
        """Return the last layer's patch tokens (batch, width, rows, columns), without the class token."""
        patches = self.conv_proj(images)  # (batch, width, rows, columns)
        first = self.class_token.expand(images.shape[0], -1, -1)
        tokens = self.encoder(torch.cat([first, patches.flatten(2).transpose(1, 2)], dim=1))
        return tokens[:, 1:].transpose(1, 2).reshape_as(patches)

    def resized(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return `state` with its position embeddings interpolated to this network's image size, as torchvision does
        it; what is no square of positions is left as it is, and will be found not to fit."""
        from torchvision.models.vision_transformer import interpolate_embeddings

        try:
            return dict(interpolate_embeddings(self.image_size, self.patch_size, OrderedDict(state)))
        except (ValueError, RuntimeError):
            return state


def _row(model: nn.Module, layers: Layers, whole: bool) -> nn.Module:
    return nn.Sequential(OrderedDict(layers))


def _swin_map(model: nn.Module, layers: Layers, whole: bool) -> nn.Module:
    """Swin has channels last; the norm belongs to its last stage."""
    norm = {"norm": model.norm} if whole else {}
    return nn.Sequential(OrderedDict(features=_row(model, layers, whole), **norm, permute=model.permute))


def _patch_map(model: nn.Module, layers: Layers, whole: bool) -> nn.Module:
    return PatchMap(model)


def _features(model: nn.Module) -> Layers:
    return dict(model.features.named_children())


def _rectified_features(model: nn.Module) -> Layers:
    """DenseNet's own forward pass rectifies its features before it pools them."""
    return _features(model) | {"relu": nn.ReLU(inplace=True)}


def _children(model: nn.Module) -> Layers:
    """Children in order up to the head."""
    found: Layers = {}
    for name, child in model.named_children():
        if isinstance(child, HEADS) or name == "classifier":
            break
        found[name] = child
    return found


def _blocks(model: nn.Module) -> Layers:
    """MaxViT keeps its blocks in a list; in a row they keep the names of their weights."""
    return {"stem": model.stem, "blocks": nn.Sequential(*model.blocks)}


def _uncut(model: nn.Module) -> Layers:
    return {}


@dataclass(frozen=True)
class Adapter:
    """What is particular to a family of networks.

    layers: what runs in a row up to the last map, by name. joined: makes the network of them; the third argument says
    whether none was cut off. options: arguments of torchvision's builder for an image size. step: a network that is
    built for one image size takes multiples of so many pixels, told by its name. renamed: names of weights in
    torchvision's older files, as patterns, and what they are today. scales_itself: torchvision's weights see images
    that the network itself scales to -1..1.
    """

    layers: Callable[[nn.Module], Layers] = _features
    joined: Callable[[nn.Module, Layers, bool], nn.Module] = _row
    options: Callable[[int], dict] = lambda size: {}
    step: Callable[[str], int] = lambda network: 1
    renamed: tuple[tuple[str, str], ...] = ()
    scales_itself: bool = False

    def name_today(self, name: str) -> str:
        """Return the name that a weight of torchvision's files has in the networks of today."""
        for pattern, today in self.renamed:
            name = re.sub(pattern, today, name)
        return name


#: Auxiliary heads, and a random start that takes minutes, are not wanted.
_INCEPTION = Adapter(_children, options=lambda size: {"aux_logits": False, "init_weights": False}, scales_itself=True)

#: By the module of torchvision.models that the family is in.
ADAPTERS = {
    "alexnet": Adapter(),
    "convnext": Adapter(),
    "densenet": Adapter(_rectified_features, renamed=((r"(denselayer\d+\.(?:norm|relu|conv))\.([12]\.)", r"\1\2"),)),
    "efficientnet": Adapter(),
    "googlenet": _INCEPTION,
    "inception": _INCEPTION,
    "maxvit": Adapter(_blocks, options=lambda size: {"input_size": (size, size)}, step=lambda network: 224),
    "mnasnet": Adapter(_children),
    "mobilenetv2": Adapter(),
    "mobilenetv3": Adapter(),
    "regnet": Adapter(_children),
    "resnet": Adapter(_children),
    "shufflenetv2": Adapter(_children),
    "squeezenet": Adapter(),
    "swin_transformer": Adapter(joined=_swin_map),
    "vgg": Adapter(),
    "vision_transformer": Adapter(
        _uncut,
        _patch_map,
        options=lambda size: {"image_size": size},
        step=lambda network: int(network.rpartition("_")[2]),  # vit_b_16 has patches of 16 pixels
        renamed=((r"\.mlp\.linear_1\.", ".mlp.0."), (r"\.mlp\.linear_2\.", ".mlp.3.")),
    ),
}


def adapter_of(network: str) -> Adapter:
    """Return the adapter of a network's family.

    Raises InputError for a network that torchvision does not have, or whose family has no adapter.
    """
    import_torchvision()
    from torchvision import models

    known = models.list_models(module=models)
    if network not in known:
        raise InputError(
            f"backbone.network is {network!r}, which torchvision does not have; known: {', '.join(known)}."
        )
    family = models.get_model_builder(network).__module__.rpartition(".")[2]
    if family not in ADAPTERS:
        raise InputError(
            f"backbone.network {network!r} has no feature map to take regions from; choose one of docs/backbones.md."
        )
    return ADAPTERS[family]


def feature_extractor(network: str, up_to: str | None = None, image_size: int | None = 224) -> nn.Module:
    """Return the network without weights, of torchvision or timm, up to its last feature map or module `up_to`.

    It gives maps (batch, channels, height, width). `image_size`, in pixels, matters to a network that is built for one
    size; None is the own size of a network of timm. Raises InputError for an unknown network, module, or a size that such a network cannot take.
    """
    if network.startswith(TIMM):
        return _whole(network, up_to, image_size)
    adapter = adapter_of(network)
    from torchvision import models

    _check_size(network, adapter.step(network), image_size)
    model = models.get_model(network, weights=None, **adapter.options(image_size))
    return adapter.joined(model, _cut(adapter.layers(model), network, up_to), up_to is None)


def _whole(network: str, up_to: str | None, image_size: int | None) -> TimmMap:
    _cut({}, network, up_to)
    size = image_size or own_values(network).image_size
    features = timm_map(network, size)
    _check_size(network, features.step, size)
    return features


def _check_size(network: str, step: int, size: int) -> None:
    if size % step:
        below, above = size // step * step, (size // step + 1) * step
        raise InputError(
            f"{network} takes images whose size is a multiple of {step} pixels, not {size}: set backbone.image_size "
            f"(and finetune.image_size, where it is set) to {f'{below} or {above}' if below else above}."
        )


def _cut(layers: Layers, network: str, up_to: str | None) -> Layers:
    if up_to is None:
        return layers
    if not layers:
        raise InputError(
            f"backbone.features_up_to is {up_to!r}, but {network} can only be taken whole; set it to null."
        )
    if up_to not in layers:
        raise InputError(f"backbone.features_up_to is {up_to!r}; {network} has {', '.join(layers)}.")
    names = list(layers)
    return {name: layers[name] for name in names[: names.index(up_to) + 1]}
