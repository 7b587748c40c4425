"""What a data set's settings say beside their defaults: the list that a report shows."""

from dataclasses import is_dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from scegg_core.settings.backbone import FinetuneSettings
from scegg_core.settings.base import as_mapping, shown

if TYPE_CHECKING:
    from scegg_core.settings.resolve import Configuration

STAGES = ("scen", "dazle", "eggn", "synthesis", "classifier")

#: Of a data set's section: where its files lie on this machine and what it is called say nothing of how it was run.
UNSAID = (
    "title",
    "format",
    "folder",
    "splits",
    "attributes",
    "downloads",
    "variants",
    "published",
    "threads",
    "shards",
    *STAGES,
)


def changed_settings(config: "Configuration", dataset: str) -> list[tuple[str, str, str]]:
    """Return (setting, value, default) of what a data set, its variants and their spaces set to other than the defaults.

    A stage's settings are those of the data set; what a variant or space changes in them stands under its name.
    """
    own = config.dataset(dataset)
    found = []
    for stage in STAGES:
        default = as_mapping(type(getattr(config, stage))())
        found += _differences(stage, as_mapping(getattr(config, stage)) | getattr(own, stage), default)
    kept = {name: field for name, field in own.__pydantic_fields__.items() if name not in UNSAID}
    defaults = {name: field.get_default(call_default_factory=True) for name, field in kept.items()}
    defaults = _plain(defaults)
    if own.backbone.finetune is not None:  # null is another way, not another value of each of its settings
        defaults["backbone"]["finetune"] = as_mapping(FinetuneSettings())
    found += _differences("", _plain({name: getattr(own, name) for name in kept}), defaults)
    for name in own.variants:
        found += _overrides(
            f"variant {name}", config, dataset, config.variant(name), ("eggn", "synthesis", "classifier")
        )
    for name in dict.fromkeys(config.variant(variant).space for variant in own.variants):
        found += _overrides(f"space {name}", config, dataset, config.space(name), ("scen", "dazle"))
    return found


def _overrides(place: str, config: "Configuration", dataset: str, own: Any, stages: tuple) -> list[tuple]:
    """What a variant or space lays over the settings of a data set."""
    found = []
    for stage in stages:
        base = as_mapping(getattr(config, stage)) | getattr(config.dataset(dataset), stage)
        values = getattr(own, stage)
        found += _differences(f"{place}: {stage}", values, {name: base[name] for name in values})
    return found


def _differences(place: str, values: dict, defaults: dict) -> list[tuple[str, str, str]]:
    found = []
    for name, value in values.items():
        setting, default = f"{place}.{name}" if place else name, defaults.get(name)
        if isinstance(value, dict) and isinstance(default, dict):
            found += _differences(setting, value, default)
        elif value != default:
            found.append((setting, _text(value), _text(default)))
    return found


def _plain(section: dict) -> dict:
    """The settings with every section in it as a mapping; of files on this machine the name alone, or nothing."""
    plain = {}
    for name, value in section.items():
        values = as_mapping(value) if is_dataclass(value) else value
        if isinstance(values, dict):
            values = {key: own for key, own in values.items() if key != "path"}
            values |= {"weights": PurePath(values["weights"]).name} if "weights" in values else {}
        plain[name] = values
    return plain


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_text(own)}" for name, own in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(_text, value))
    return value if isinstance(value, str) else shown(value)
