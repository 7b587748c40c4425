"""Weights of backbones: torchvision's and timm's by name, files as people have them, and the normalization that they expect."""

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from torch import Tensor, nn

from scegg_core.artifacts.files import file_digest, input_digest
from scegg_core.artifacts.weights import read_weights
from scegg_core.errors import InputError
from scegg_core.regions.adapters import PatchMap, adapter_of, feature_extractor
from scegg_core.regions.timm_networks import TimmMap, classifiers, hub_url, own_values
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

    Raises InputError for a file that is none, that lacks a weight or is of a deeper network, that holds the network
    twice, or whose weights have other sizes or types.
    """
    if isinstance(features, TimmMap):
        return _load_into_timm(features, settings, path)
    today, uncut = adapter_of(settings.network).name_today, features
    if settings.features_up_to is not None:
        # its names tell the network from others, where the part that is used does not
        uncut = feature_extractor(settings.network, None, settings.image_size)

    def used(given: Weights) -> Weights:
        """Return what the network needs of all that is in the file."""
        return _selected({today(name): value for name, value in given.items()}, features, uncut, settings, path)

    state = read_weights(path, used)
    if isinstance(features, PatchMap):
        state = features.resized(state)
    _load_exact(features, state, settings, path)


def _load_into_timm(features: TimmMap, settings: BackboneSettings, path: Path) -> None:
    """Names that are not timm's own are left to timm to read, after all that is in the file is known to be weights."""
    model = features.model

    def used(given: Weights) -> Weights:
        """Return the network's part of a file with timm's names, and all that is in another one."""
        if not _fitting(given, model.state_dict()):
            return given
        return {name: given[there] for name, there in _inside(given, model, model, settings, path).items()}

    given = read_weights(path, used)
    readings = features.readings(given)
    _refuse_several(readings, settings, path)
    chosen = next(iter(readings.values()), given)
    _load_exact(model, _selected(chosen, model, model, settings, path), settings, path)


def _inside(
    given: Weights, module: nn.Module, uncut: nn.Module, settings: BackboneSettings, path: Path
) -> dict[str, str]:
    """The names in a file of the weights of `module`, and of what is beside them in the parts of the uncut network, but
    for its head, by those they have there."""
    wanted, parts = module.state_dict(), {_top(name) for name in uncut.state_dict()} - classifiers(uncut)
    prefix = _prefix(given, wanted, settings, path)
    names = {name.removeprefix(prefix): name for name in given if name.startswith(prefix)}
    return {own: name for own, name in names.items() if own in wanted or _top(own) in parts}


def _top(name: str) -> str:
    """The part of a network that a weight is in; of those that are numbered all are one."""
    top = name.partition(".")[0]
    return "" if top.isdigit() else top


def _selected(given: Weights, module: nn.Module, uncut: nn.Module, settings: BackboneSettings, path: Path) -> Weights:
    """Return the weights of a file that `module` has, under its names.

    Learned weights that the uncut network has not are those of another one, of which this one would be a part: raises
    InputError.
    """
    wanted, names = uncut.state_dict(), _inside(given, module, uncut, settings, path)
    tables = {f"{place}.{name}" for place, part in uncut.named_modules() for name in part._buffers}  # saved or not
    for own, name in names.items():
        learned = given[name].is_floating_point() and given[name].numel() > 1  # others are counters
        if learned and own not in wanted and own not in tables:
            raise InputError(
                f"{path} is of another network than {settings.network}, which has no {name!r}; set backbone.network to "
                "the one that the weights are of."
            )
    return {name: given[names[name]] for name in module.state_dict() if name in names}


def _prefix(given: Weights, wanted: Weights, settings: BackboneSettings, path: Path) -> str:
    """Return what stands before the wanted names in the file: nothing, `features.`, `state_dict.module.`, …"""
    needed = _needed(wanted)
    if not needed:
        return ""
    fitting = _fitting(given, wanted)
    if not fitting:
        raise _missing(given, needed, _prefixes(given, needed), settings, path)
    alike = [prefix for prefix in fitting if all(given[prefix + name].shape == wanted[name].shape for name in needed)]
    _refuse_several(alike or fitting, settings, path)
    return (alike or fitting)[0]


def _refuse_several(prefixes: Iterable[str], settings: BackboneSettings, path: Path) -> None:
    several = sorted(prefixes)
    if len(several) > 1:
        shown = " and ".join(map(repr, several))
        raise InputError(f"{path} holds several weights of {settings.network}, under {shown}; save one of them alone.")


def _needed(wanted: Weights) -> list[str]:
    return [name for name in wanted if not name.endswith(COUNTER)]


def _prefixes(given: Weights, needed: list[str]) -> set[str]:
    """What stands before the first of the needed names, wherever it is."""
    first = needed[0]
    return {name.removesuffix(first) for name in given if name == first or name.endswith(f".{first}")}


def _fitting(given: Weights, wanted: Weights) -> list[str]:
    """What stands before all needed names. What lies within another one is a part of that network, as layer1.0.conv1
    beside conv1, unless it has the same sizes."""
    needed = _needed(wanted)
    fits = [prefix for prefix in _prefixes(given, needed) if all(prefix + name in given for name in needed)]
    sizes = {prefix: [given[prefix + name].shape for name in needed] for prefix in fits}

    def a_part(prefix: str) -> bool:
        """Return whether it lies within a network of other sizes."""
        return any(prefix.startswith(other) and sizes[prefix] != sizes[other] for other in fits)

    return [prefix for prefix in fits if not a_part(prefix)]


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
    own = features.state_dict()
    state = {name: value for name, value in own.items() if name.endswith(COUNTER)} | state
    for name, wanted in own.items():
        if state[name].is_floating_point() != wanted.is_floating_point():
            raise InputError(
                f"{path} does not fit {settings.network}: {name!r} is {state[name].dtype}, expected {wanted.dtype}."
            )
    try:
        features.load_state_dict(state)
    except RuntimeError as error:
        detail = str(error).strip().splitlines()[-1].strip()
        raise InputError(f"{path} does not fit {settings.network}: {detail}") from None
