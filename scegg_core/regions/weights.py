"""Weights of backbones: torchvision's and timm's by name, files as people have them, and the normalization that they expect."""

from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from torch import Tensor, nn

from scegg_core.artifacts.files import file_digest, input_digest
from scegg_core.artifacts.weights import read_weights
from scegg_core.errors import InputError
from scegg_core.regions.adapters import PatchMap, adapter_of
from scegg_core.regions.timm_networks import TimmMap, hub_url, own_values
from scegg_core.regions.vision import import_torchvision
from scegg_core.settings.backbone import BackboneSettings

#: Names among which the nearest ones to a missing name are looked for.
MOST_NAMES = 5000

Weights = dict[str, Tensor]

#: How many batches a normalization has seen: not used where weights are given, and not in files of before 2018.
COUNTER = "num_batches_tracked"


@dataclass(frozen=True)
class Normalization:
    """Mean and standard deviation of RGB in [0, 1] that a network's images are normalized with."""

    mean: tuple[float, ...]
    std: tuple[float, ...]


IMAGENET = Normalization((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


def normalization(settings: BackboneSettings) -> Normalization:
    """Return what the weights expect: what timm declares for a network of its; what torchvision declares for weights
    that it has, by their name in settings or by a local file of the name that torchvision gives it; else ImageNet's.

    GoogLeNet and Inception v3 scale normalized images to -1..1 where weights are given; here both steps are one.
    """
    if settings.of_timm:
        own = own_values(settings.network)
        return Normalization(own.mean, own.std)
    given = settings.local_weights or settings.fetched_to is not None
    if given and adapter_of(settings.network).scales_itself:
        return Normalization((0.5,) * 3, (0.5,) * 3)
    if settings.local_weights:
        entry = next(
            (known for known in _entries(settings) if Path(known.url).name == Path(settings.weights).name), None
        )
    else:
        entry = _entry(settings) if settings.fetched_to else None
    if entry is None:
        return IMAGENET
    declared = entry.transforms()
    return Normalization(tuple(declared.mean), tuple(declared.std))


def weights_file(settings: BackboneSettings, given: str | Path | None) -> Path | None:
    """Return the weight file that a stage's input `given` stands for: the fetched one that it records, else itself.

    Raises InputError where the fetched file is not the recorded one any more.
    """
    if given is None or str(given) != settings.fetch_record:
        return Path(given) if given else None
    path = Path(settings.fetched_to)
    if not path.is_file() or file_digest(path) != input_digest(given):
        raise InputError(f"{path} is not there, or not what {given} records; delete {given} to have it fetched again.")
    return path


def weights_url(settings: BackboneSettings) -> str:
    """Return the address of the weights of torchvision or timm named in settings."""
    return hub_url(settings) if settings.of_timm else _entry(settings).url


def _entry(settings: BackboneSettings):
    """Torchvision's entry of the weights named in settings."""
    known = {weights.name: weights for weights in _entries(settings)}
    if settings.weights not in known:
        raise InputError(
            f"backbone.weights is {settings.weights!r}; {settings.network} has {', '.join(known)}, or give the path of a weight file, which ends in .pt, .pth, .tar, .bin, .ckpt or .safetensors."
        )
    return known[settings.weights]


def _entries(settings: BackboneSettings) -> list:
    """Torchvision's entries of all weights of the network."""
    import_torchvision()
    from torchvision import models

    return list(models.get_model_weights(settings.network))


def load_weights(features: nn.Module, settings: BackboneSettings, path: Path) -> None:
    """Load the weights at `path` into `features`: of the whole network or of its features alone, wrapped or not.

    Raises InputError for a file that is none, that lacks a weight, or whose weights have other sizes or types.
    """
    if isinstance(features, TimmMap):
        return _load_into_timm(features, settings, path)
    wanted, today = features.state_dict(), adapter_of(settings.network).name_today

    def used(given: Weights) -> Weights:
        return _selected({today(name): value for name, value in given.items()}, wanted, settings, path)

    state = read_weights(path, used)
    if isinstance(features, PatchMap):
        state = features.resized(state)
    _load_exact(features, {**_counters(wanted), **state}, settings, path)


def _load_into_timm(features: TimmMap, settings: BackboneSettings, path: Path) -> None:
    """Names that are not timm's own are left to timm to read, after all that is in the file is known to be weights."""
    wanted = features.model.state_dict()

    def used(given: Weights) -> Weights:
        return _selected(given, wanted, settings, path) if _outer_prefixes(given, wanted) else given

    state = _selected(features.adapted(read_weights(path, used)), wanted, settings, path)
    _load_exact(features.model, {**_counters(wanted), **state}, settings, path)


def _selected(given: Weights, wanted: Weights, settings: BackboneSettings, path: Path) -> Weights:
    """Return the wanted weights of a file under their own names."""
    prefix = _prefix(given, wanted, settings, path)
    return {name: given[prefix + name] for name in wanted if prefix + name in given}


def _counters(state: Weights) -> Weights:
    return {name: value for name, value in state.items() if name.endswith(COUNTER)}


def _prefix(given: Weights, wanted: Weights, settings: BackboneSettings, path: Path) -> str:
    """Return what stands before the wanted names in the file: nothing, `features.`, `state_dict.module.`, …"""
    needed = _needed(wanted)
    if not needed:
        return ""
    outer = _outer_prefixes(given, wanted)
    alike = [prefix for prefix in outer if all(given[prefix + name].shape == wanted[name].shape for name in needed)]
    if len(alike) > 1:
        shown = " and ".join(map(repr, sorted(alike)))
        raise InputError(f"{path} holds several weights of {settings.network}, under {shown}; save one of them alone.")
    if not outer:
        raise _missing(given, needed, _prefixes(given, needed), settings, path)
    return (alike or sorted(outer))[0]


def _needed(wanted: Weights) -> list[str]:
    return [name for name in wanted if not name.endswith(COUNTER)]


def _prefixes(given: Weights, needed: list[str]) -> set[str]:
    """What stands before the first of the needed names, wherever it is."""
    first = needed[0]
    return {name.removesuffix(first) for name in given if name == first or name.endswith(f".{first}")}


def _outer_prefixes(given: Weights, wanted: Weights) -> list[str]:
    """What stands before all needed names; what lies within another one, as layer1.0.conv1 beside conv1, is a part of
    that network."""
    needed = _needed(wanted)
    fits = [prefix for prefix in _prefixes(given, needed) if all(prefix + name in given for name in needed)]
    return [prefix for prefix in fits if not any(prefix != other and prefix.startswith(other) for other in fits)]


def _missing(
    given: Weights, needed: list[str], prefixes: set[str], settings: BackboneSettings, path: Path
) -> InputError:
    """Return the error that names what is missing where most is there, and the nearest names in the file."""
    best = max(sorted(prefixes) or [""], key=lambda prefix: sum(prefix + name in given for name in needed))
    missing = [best + name for name in needed if best + name not in given]
    names = list(given)[:MOST_NAMES]
    nearest = get_close_matches(missing[0], names, n=2) or names[:2]
    more = f" and {len(missing) - 1} more are" if len(missing) > 1 else " is"
    there = f", but {', '.join(map(repr, nearest))}" if nearest else ""
    return InputError(
        f"{path} does not hold weights of {settings.network}: {missing[0]!r}{more} not in it{there}; "
        "save the network's own state dict alone."
    )


def _load_exact(features: nn.Module, state: Weights, settings: BackboneSettings, path: Path) -> None:
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
