"""Networks of timm, an optional extra: what they say of themselves, and the one adapter that gives maps of regions."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from inspect import getmodule
from math import isqrt
from types import ModuleType

import torch
from torch import Tensor, nn

from scegg_core.errors import InputError
from scegg_core.regions.vision import import_torchvision
from scegg_core.settings.backbone import PRETRAINED, TIMM, BackboneSettings
from scegg_core.settings.networks import INSTALL_TIMM

#: The host of the weights that timm names, and the file in each of its repositories.
HUB, HUB_FILE = "https://huggingface.co", "model.safetensors"

#: Modules of timm whose networks give a row of tokens that are the patches in row-major order, after those that
#: `num_prefix_tokens` counts. Others order theirs in their own way (hiera), or have been tried on no picture.
TOKENS = frozenset(
    {
        "beit",
        "cait",
        "convit",
        "deit",
        "efficientformer",
        "eva",
        "levit",
        "mlp_mixer",
        "mvitv2",
        "tnt",
        "twins",
        "vitamin",
        "vision_transformer",
        "vision_transformer_hybrid",
        "vision_transformer_relpos",
        "xcit",
    }
)

#: Dictionaries and wrappers whose keys may stand before the names in a weight file.
MOST_WRAPPERS = 3

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class OwnValues:
    """How a network of timm expects its images, by its own configuration: mean and standard deviation of RGB in
    [0, 1], interpolation, and size in pixels; where its weights are: the repository of HUB, or an address elsewhere."""

    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    image_size: int
    repository: str | None
    url: str | None


def import_timm() -> ModuleType:
    """Return the module timm; raises InputError with the command that installs it where it is not there."""
    import_torchvision()  # in a way that timm's own import of it would fail in
    try:
        import timm
    except ModuleNotFoundError as error:
        if error.name != "timm":
            raise
        raise InputError(f"networks of timm need the package timm; {INSTALL_TIMM}.") from None
    return timm


@cache
def own_values(network: str) -> OwnValues:
    """Return what timm's configuration says of the network called timm/<name>[.<tag>].

    Raises InputError where timm is not installed, or has no such network or tag.
    """
    timm, name = import_timm(), network.removeprefix(TIMM)
    architecture = name.partition(".")[0]
    if not timm.is_model(architecture):
        raise InputError(f"backbone.network is {network!r}, which timm does not have.")
    try:
        found = timm.models.get_pretrained_cfg(name)
    except RuntimeError:
        tags = [tag for tag in timm.models.get_arch_pretrained_cfgs(architecture) if "." in tag]
        known = f"it has {', '.join(TIMM + tag for tag in tags)}" if tags else f"leave it out: {TIMM}{architecture}"
        raise InputError(f"backbone.network is {network!r}, a tag that timm does not have; {known}.") from None
    config = timm.data.resolve_data_config(pretrained_cfg=found.to_dict() if found else {"input_size": (3, 224, 224)})
    where = (found.hf_hub_id, found.url) if found else (None, None)
    mean, std = tuple(config["mean"]), tuple(config["std"])
    return OwnValues(mean, std, config["interpolation"], config["input_size"][-1], *(place or None for place in where))


def filled(settings: BackboneSettings) -> BackboneSettings:
    """Return the settings with what a network of timm says of image size and interpolation where they are not set."""
    if None not in (settings.image_size, settings.interpolation):
        return settings
    own = own_values(settings.network)
    size, interpolation = settings.image_size or own.image_size, settings.interpolation or own.interpolation
    return replace(settings, image_size=size, interpolation=interpolation)


def library_versions(settings: BackboneSettings) -> dict[str, str]:
    """Return the version of timm, for the provenance of what its networks make; nothing for other networks."""
    return {"timm": import_timm().__version__} if settings.of_timm else {}


def hub_url(settings: BackboneSettings) -> str:
    """Return the address of the weights that timm names for the network; raises InputError where it names none."""
    own = own_values(settings.network)
    if settings.weights != PRETRAINED:
        raise InputError(
            f"backbone.weights is {settings.weights!r}; of {settings.network} it is {PRETRAINED!r}, 'train', 'random' or "
            "the path of a weight file, which ends in .pt, .pth, .tar, .bin, .ckpt or .safetensors."
        )
    if own.repository:
        return f"{HUB}/{own.repository}/resolve/main/{HUB_FILE}"
    there = f"fetch {own.url} and set backbone.weights to its path" if own.url else "name a tag, or a weight file"
    raise InputError(f"timm names no weights of {settings.network} that can be fetched by name; {there}.")


class TimmMap(nn.Module):
    """A network of timm without its classifier, as a map of regions.

    network: its name here; model: timm's own module; step: its sizes of images are multiples of so many pixels.
    """

    def __init__(self, network: str, model: nn.Module):
        super().__init__()
        self.network, self.model = network, model
        patch = getattr(getattr(model, "patch_embed", None), "patch_size", 1)
        self.step = int(patch if isinstance(patch, int) else patch[0])
        self.family = type(model).__module__.rpartition(".")[2]

    def forward(self, images: Tensor) -> Tensor:
        """Return the network's last map (batch, channels, rows, columns); raises InputError where it gives none."""
        found = self.model.forward_features(images)
        if not isinstance(found, Tensor):
            raise self._no_map()
        channels = self.model.num_features
        if found.ndim == 4 and channels in (found.shape[1], found.shape[3]):
            # a map with as many columns as channels says itself what comes last
            last = found.shape[1] != channels or getattr(self.model, "output_fmt", "NCHW") == "NHWC"
            return found.permute(0, 3, 1, 2) if last else found
        if found.ndim == 3 and self.family in TOKENS:
            patches = found[:, getattr(self.model, "num_prefix_tokens", 0) :]  # (batch, patches, channels)
            rows = isqrt(patches.shape[1])
            if rows * rows == patches.shape[1]:
                return patches.transpose(1, 2).unflatten(2, (rows, rows))
        raise self._no_map()

    def readings(self, state: Weights) -> dict[str, Weights]:
        """Return `state` as timm reads files of this family: under its names of today, with position embeddings of this
        image size; by what stands before the file's own names, each network once. Empty where timm cannot read it."""
        wanted, found = self.model.state_dict().keys(), {}
        for prefix in _wrappers(state):
            inner = {name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)}
            read = self._read(inner)
            reading = next((names for names in (read, inner | read) if wanted <= names.keys()), None)
            if reading and not any(_same(reading, other, wanted) for other in found.values()):
                found[prefix] = reading
        return found

    def _read(self, state: Weights) -> Weights:
        reader = getattr(getmodule(type(self.model)), "checkpoint_filter_fn", None)
        try:
            return dict(reader(dict(state), self.model)) if reader else {}
        except Exception:  # names of one code read by another can fail in any way
            return {}

    def _no_map(self) -> InputError:
        return InputError(
            f"backbone.network {self.network!r} has no feature map to take regions from; choose one of docs/backbones.md."
        )


def timm_map(network: str, image_size: int) -> TimmMap:
    """Return the network called timm/<name> with timm's random start, built for images of `image_size` pixels where it
    is built for one size. Raises InputError for a size that it cannot take."""
    own_values(network)  # says what is wrong with the name
    try:
        return TimmMap(network, _built(network.removeprefix(TIMM), image_size))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise refused_size(network, image_size, error) from None


def refused_size(network: str, image_size: int, error: Exception) -> InputError:
    """Return the sentence on a size of images that a network of timm has failed with."""
    why = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")[:150]
    return InputError(
        f"{network} cannot take images of {image_size} × {image_size} pixels ({why}); set backbone.image_size (and "
        f"finetune.image_size, where it is set) to another size: its own is {own_values(network).image_size}."
    )


def _built(name: str, image_size: int) -> nn.Module:
    make = import_timm().create_model
    try:
        return make(name, num_classes=0, img_size=image_size)
    except TypeError:  # convolutions take any size
        return make(name, num_classes=0)


def classifiers(model: nn.Module) -> set[str]:
    """Return the top modules that the classifier of a network of timm is in; nothing for other networks."""
    named = (getattr(model, "pretrained_cfg", None) or {}).get("classifier") or ()
    return {name.partition(".")[0] for name in ([named] if isinstance(named, str) else named)}


def _same(one: Weights, other: Weights, names: Iterable[str]) -> bool:
    return all(torch.equal(one[name].float(), other[name].float()) for name in names)


def _wrappers(state: Weights) -> list[str]:
    """What may stand before all names: nothing, or what stands before a third of them, as of two networks, shortest
    first."""
    heads = Counter(
        ".".join(parts[:levels]) + "."
        for parts in (name.split(".") for name in state)
        for levels in range(1, min(MOST_WRAPPERS, len(parts) - 1) + 1)
    )
    return ["", *sorted((head for head, count in heads.items() if 3 * count >= len(state)), key=len)]
