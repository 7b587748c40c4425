"""Methods on several spaces: which runs answer whether a generator does better on SCEN's features than on pooled ones."""

from collections.abc import Hashable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from scegg_core.errors import InputError
from scegg_core.settings.variants import VariantSettings

if TYPE_CHECKING:
    from scegg_core.settings.resolve import Configuration

ON = "+"  # f-clswgan+sc-egg is the method of f-clswgan on the space sc-egg

#: L_EGS is no part of a method that runs on any space: it needs SCEN's classifier.
UNGUIDED = {"seen_guidance": 0.0, "unseen_guidance": 0.0}


def on_space(own: VariantSettings, name: str, kind: str, space: str) -> VariantSettings:
    """Return the method of the variant `own`, called `name`, on the space `space` of this kind.

    Raises InputError for a variant that generates no features or is tuned, and for DAZLE's space, which has none.
    """
    if own.predict_by != "generation" or own.tuned is not None:
        raise InputError(
            f"config: {name + ON + space!r} is no row: {name!r} generates no features or is tuned; name one that does."
        )
    if kind == "dazle":
        raise InputError(
            f"config: {name + ON + space!r} is no row: space {space!r} has no features; name another space."
        )
    return replace(own, title=f"{own.title or name} on {space}", space=space, eggn=own.eggn | UNGUIDED)


def derived(config: "Configuration") -> Iterator[str]:
    """Yield the names of all methods on the spaces compared, also of those that a variant of the configuration has."""
    spaces = [space for space in config.tables.spaces if space in config.spaces]
    for name, own in config.variants.items():
        if own.predict_by == "generation" and own.tuned is None:
            yield from (f"{name}{ON}{space}" for space in spaces)


def methods_of(config: "Configuration", dataset: str) -> list[dict]:
    """Return the methods that spaces.csv compares: the title of each, and its variant on each space.

    Variants with the same settings are one method. It takes the runs of a variant that has it on a space already, first of
    a row of the data set's table. Raises InputError for names that nothing answers to, and for spaces that the data set
    cannot have, or that have no features.
    """
    _check_spaces(config, dataset)
    keys = _pure_methods(config, dataset)
    found: dict[Hashable, str] = {}
    for name in _named(config, keys):
        found.setdefault(keys.get(name) or _method(config, dataset, name), name)
    if not found:
        raise InputError(
            f"config: no variant generates features on the space {config.tables.spaces[0]!r} alone, so there is nothing to "
            "compare; set tables.methods."
        )
    return [
        {
            "title": config.variant(name).title or name,
            "variants": {
                space: next(
                    (other for other in keys if keys[other] == key and config.variant(other).space == space),
                    f"{name}{ON}{space}",
                )
                for space in config.tables.spaces
            },
        }
        for key, name in found.items()
    ]


def _named(config: "Configuration", pure: Iterable[str]) -> list[str]:
    """The variants whose methods are compared."""
    named = config.tables.methods
    if named is None:
        return [name for name in pure if config.variant(name).space == config.tables.spaces[0]]
    for name in named:
        if config.variant(name).predict_by != "generation" or config.tuned(name):
            raise InputError(
                f"config: tables.methods names {name!r}, which generates no features or is tuned; take it out."
            )
    return list(named)


def _check_spaces(config: "Configuration", dataset: str) -> None:
    for space in config.tables.spaces:
        if config.space(space).kind == "dazle":
            raise InputError(f"config: tables.spaces names {space!r}, which has no features; take it out.")
        if config.space(space).kind == "scen":
            config.scen_of(dataset, space)


def _pure_methods(config: "Configuration", dataset: str) -> dict[str, Hashable]:
    """The method of every variant that is one alone, the rows of the data set's table first; without those whose settings
    do not fit together on it."""
    found = {}
    for name in dict.fromkeys((*config.dataset(dataset).variants, *config.variants)):
        with suppress(InputError):
            if _is_pure(config, dataset, name):
                found[name] = _method(config, dataset, name)
    return found


def _is_pure(config: "Configuration", dataset: str, name: str) -> bool:
    """Whether a variant is a method alone: one that generates, with settings of its own and without L_EGS."""
    own = config.variant(name)
    if own.predict_by != "generation" or config.tuned(name):
        return False
    eggn = config.eggn_of(dataset, name)
    return config.space(own.space).kind == "backbone" or eggn.seen_guidance == eggn.unseen_guidance == 0


def _method(config: "Configuration", dataset: str, name: str) -> Hashable:
    """What makes two variants one method on a data set: all but the space."""
    own = config.variant(name)
    return (
        replace(config.eggn_of(dataset, name), **UNGUIDED),
        config.synthesis_of(dataset, name),
        config.classifier_of(dataset, name),
        (own.selection, own.calibration, config.seeds_of(dataset, name)),
    )
