"""Methods on several spaces: which runs answer whether a generator does better on SCEN's features than on pooled ones.

All are trained with one budget, so that a method is not compared with itself trained otherwise, nor a day waited for one
whose published number of epochs was meant for another data set.
"""

from collections.abc import Hashable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from scegg_core.errors import InputError
from scegg_core.settings.base import as_mapping
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.variants import VariantSettings

if TYPE_CHECKING:
    from scegg_core.settings.resolve import Configuration

ON = "+"  # f-clswgan+sc-egg is the method of f-clswgan on the space sc-egg

BUDGET = "~budget"  # free~budget is the variant free with the epochs and batches of tables.budget

#: Of networks that one method alone has; where a variant says them, they are meant for the width of CUB's generator, 4096.
WIDTHS = (
    "image_encoder_width",
    "image_decoder_width",
    "vector_encoder_width",
    "vector_decoder_width",
    "embedding_size",
    "projection_size",
    "comparator_width",
)

#: L_EGS is no part of a method that runs on any space: it needs SCEN's classifier.
UNGUIDED = {"seen_guidance": 0.0, "unseen_guidance": 0.0}


def plain_name(name: str) -> str:
    """Return the variant whose method a row is: free, of free~budget+sc-egg."""
    return name.partition(ON)[0].removesuffix(BUDGET)


def of_method(config: "Configuration", name: str) -> VariantSettings:
    """Return the settings of a variant that is another one's method: with the budget, on another space, or both.

    Raises InputError for a variant that generates no features or is tuned, for DAZLE's space, which has no features, and
    for the budget where there is none.
    """
    method, on, space = name.partition(ON)
    plain = method.removesuffix(BUDGET)
    if BUDGET in plain or bool(on) != bool(space):  # one method has one name, or it would be a row of its own twice
        raise InputError(f"config: {name!r} is no row: write <variant>, <variant>{BUDGET} or <variant>{ON}<space>.")
    own = config.variant(plain)
    if own.predict_by != "generation" or config.tuned(plain):
        raise InputError(
            f"config: {name!r} is no row: {plain!r} generates no features or is tuned; name one that does."
        )
    if method != plain:
        own = _at_budget(config, own, name, plain)
    return _on_space(config, own, name, space) if space else own


def _at_budget(config: "Configuration", own: VariantSettings, name: str, plain: str) -> VariantSettings:
    """The variant `own`, called `plain`, with the budget in place of its own epochs and batches; what the budget does not
    say is the data set's."""
    if config.tables.budget is None:
        raise InputError(
            f"config: {name!r} is no row, since tables.budget is null; name {plain!r}, or write tables.budget: "
            "{epochs: null}, which gives each method the data set's own epochs."
        )
    budget = as_mapping(config.tables.budget)
    kept = {setting: value for setting, value in own.eggn.items() if setting not in budget}
    given = {setting: value for setting, value in budget.items() if value is not None}
    return replace(own, title=f"{own.title or plain} (budget)", eggn=kept | given)


def _on_space(config: "Configuration", own: VariantSettings, name: str, space: str) -> VariantSettings:
    """The method of `own` on a space; a row of that is called `name`."""
    if config.space(space).kind == "dazle":
        raise InputError(f"config: {name!r} is no row: space {space!r} has no features; name another space.")
    return replace(own, title=f"{own.title or name.partition(ON)[0]} on {space}", space=space, eggn=own.eggn | UNGUIDED)


def fitted(found: EggnSettings, said: Iterable[str], own: EggnSettings) -> EggnSettings:
    """Return the settings with the budget, fitted to it where the variant has `said` a size: no network is wider than
    the data set's generator, and a warm-up is shortened as the training is; `own` are those without the budget."""
    fits = {width: min(getattr(found, width), found.hidden_width) for width in WIDTHS if width in said}
    if "warm_up" in said:
        fits["warm_up"] = own.warm_up * min(1.0, found.epochs / own.epochs)
    return replace(found, **fits)


def derived(config: "Configuration") -> Iterator[str]:
    """Yield the names of all methods with the budget, and on the spaces compared, also of those that a variant of the
    configuration has."""
    spaces = [space for space in config.tables.spaces if space in config.spaces]
    for name, own in config.variants.items():
        if own.predict_by == "generation" and own.tuned is None:
            budgeted = [name + BUDGET] if config.tables.budget else []
            yield from budgeted
            yield from (f"{method}{ON}{space}" for method in (name, *budgeted) for space in spaces)


def methods_of(config: "Configuration", dataset: str) -> list[dict]:
    """Return the methods that spaces.csv compares: the title of each, and its variant on each space.

    Variants with the same settings are one method. It takes the runs of a variant that has it on a space already, first of
    a row of the data set's table. Raises InputError for names that nothing answers to, and for spaces that the data set
    cannot have, or that have no features.
    """
    _check_spaces(config, dataset)
    keys = _pure_methods(config, dataset)
    found: dict[Hashable, str] = {}
    for own in _named(config, keys):
        name = _with_budget(config, dataset, own)
        if _is_pure(config, dataset, name):
            keys.setdefault(name, _method(config, dataset, name))
        found.setdefault(_method(config, dataset, name), name)
    if not found:
        raise InputError(
            f"config: no variant generates features on the space {config.tables.spaces[0]!r} alone, so there is nothing to "
            "compare; set tables.methods."
        )
    return [
        {
            "title": _title(config, name),
            "variants": {
                space: next(
                    (other for other in keys if keys[other] == key and config.variant(other).space == space),
                    f"{name.partition(ON)[0]}{ON}{space}",
                )
                for space in config.tables.spaces
            },
        }
        for key, name in found.items()
    ]


def _title(config: "Configuration", name: str) -> str:
    """What a method is called, whatever its budget, and on whatever space it is named."""
    plain = plain_name(name)
    return config.variant(plain).title or plain


def said_of_budget(config: "Configuration", dataset: str) -> str:
    """Return a sentence on how long the methods of spaces.csv are trained."""
    if config.tables.budget is None:
        return "Each method is trained as its variant says."
    first = next(iter(methods_of(config, dataset)[0]["variants"].values()))
    own = config.eggn_of(dataset, first)
    epochs, images = (
        f"{count} {word}{'s' * (count != 1)}" for count, word in ((own.epochs, "epoch"), (own.batch_size, "image"))
    )
    return f"Each method is trained for {epochs} with batches of {images}."


def _with_budget(config: "Configuration", dataset: str, name: str) -> str:
    """The variant that has the budget: the one named, where it has it already."""
    if config.tables.budget is None or BUDGET in name:
        return name
    method, on, space = name.partition(ON)
    budgeted = f"{method}{BUDGET}{on}{space}"
    return name if config.eggn_of(dataset, name) == config.eggn_of(dataset, budgeted) else budgeted


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
