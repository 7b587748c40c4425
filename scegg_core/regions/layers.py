"""The layers of a network that are trained, by torchvision's names, and those that stay as they are."""

from difflib import get_close_matches

from torch import nn

from scegg_core.errors import InputError

#: Networks of torchvision whose map is their part `features` have its layers alone here.
PART = "features."


def freeze_others(network: nn.Module, layers: tuple[str, ...] | None) -> None:
    """Let only the weights in `layers` be trained, names of modules at any depth; None: all.

    Raises InputError for a layer that the network does not have, or that has no weights.
    """
    if layers is None:
        return
    network.requires_grad_(False)
    for layer in layers:
        weights = list(_module(network, layer).parameters())
        if not weights:
            raise InputError(f"backbone.finetune.layers names {layer!r}, which has no weights; name a part that has.")
        for weight in weights:
            weight.requires_grad_(True)


def hold_frozen(network: nn.Module) -> None:
    """Let the parts without a weight to train keep the statistics of their normalizations, and drop nothing out."""
    for part in network.modules():
        weights = list(part.parameters())
        if weights and not any(weight.requires_grad for weight in weights):
            part.eval()


def hold_statistics(network: nn.Module) -> None:
    """Let all batch normalizations keep the statistics that came with their weights.

    Files exist whose normalizations are merged into the convolutions (mean 0, variance 1): statistics of batches would
    make another network of them at once.
    """
    for part in network.modules():
        if isinstance(part, nn.modules.batchnorm._BatchNorm):
            part.eval()


def _module(network: nn.Module, layer: str) -> nn.Module:
    modules = dict(network.named_modules())
    part = PART if layer.startswith(PART) and not hasattr(network, PART[:-1]) else ""
    if layer == PART[:-1] and layer not in modules:
        return network
    if not layer or layer.removeprefix(part) not in modules:
        known = [part + name for name in modules if name]
        nearest = get_close_matches(layer, known, n=3) or [part + name for name, _ in network.named_children()]
        raise InputError(
            f"backbone.finetune.layers names {layer!r}, which the network does not have; it has {', '.join(nearest)}."
        )
    return modules[layer.removeprefix(part)]
