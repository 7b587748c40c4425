"""Names that are nearly those of others: what was meant is said, since a new name may stand in its place unsaid."""

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from scegg_core.errors import InputError
from scegg_core.settings.base import nearest
from scegg_core.settings.methods import plain_name

if TYPE_CHECKING:
    from scegg_core.settings.resolve import Configuration

#: The sections in which people give names.
NAMED = ("spaces", "variants", "tuning", "downloads", "extensions", "datasets")

#: Those whose new names are valid with no settings at all: one that differs in - and _ alone is meant for the other.
MADE_BY_NAME = ("spaces", "variants")

#: Keys that a data set cannot do without, in all the ways to have one.
WHOLE = ({"format", "folder"}, {"features"})

CLOSE = 0.75  # a new name may be a little like a known one


def check_names(values: dict) -> None:
    """Refuse two names of a section that differ in case alone, or of spaces or variants in - and _ alone, and a new data set
    that is none but is called nearly as one.

    `values` are the settings as they were merged: an overlay whose name is misspelt has become a new one there.
    """
    for section in NAMED:
        given = values.get(section)
        parts = {str(name): part for name, part in given.items()} if isinstance(given, dict) else {}
        met: dict[str, str] = {}
        for name in parts:
            if (first := met.setdefault(name.casefold(), name)) != name:
                older = max(sorted((first, name), reverse=True), key=lambda one: _settings_in(parts[one]))
                raise InputError(
                    f"config: {section} has {first} and {name}, which differ in case alone and would be one folder on some "
                    f"disks; write {older} if you mean that one, or choose another name."
                )
        if section in MADE_BY_NAME:
            _check_dashes(section, parts)
    _check_new_data_sets(values.get("datasets"))


def unknown_name(name: str, known: Iterable[str]) -> str:
    """Return what is said of a name that there is not: those that there are, and the nearest."""
    listed, near = ", ".join(sorted(known)) or "none", nearest(name, known, CLOSE)
    return f"no {name!r}; known: {listed}" + (f" (did you mean {near}?)" if near else "")


def unasked(config: "Configuration", known: Collection[str], targets: Iterable[str]) -> Iterator[str]:
    """Yield a sentence on each new variant and space that nothing asks for and that is called nearly as one asked for.

    `known` are names that nobody has to ask for; `targets` the files that a run is asked for.
    """
    words = {word for target in targets for word in target.split("/")}
    variants = {plain_name(name) for name in (*config.named_variants(), *(config.tables.methods or ()), *words)}
    spaces = {own.space for own in config.with_points().values()} | {*config.tables.spaces, config.attention.space}
    asked_for = (("variants", config.variants, variants | {*config.tuning}), ("spaces", config.spaces, spaces | words))
    for section, own, asked in asked_for:
        for name in sorted(own.keys() - asked - {*known}):
            if near := nearest(name, asked & own.keys(), CLOSE):
                yield f"config: no row and no target asks for {section}.{name}; did you mean {near}?"


def _check_dashes(section: str, names: Iterable[str]) -> None:
    met: dict[str, str] = {}
    for name in names:
        if (first := met.setdefault(name.casefold().replace("_", "-"), name)) != name:
            raise InputError(
                f"config: {section} has {' and '.join(sorted((first, name)))}, which differ in - and _ alone; write both alike "
                "if you mean one, or choose another name."
            )


def _settings_in(part: object) -> int:
    """How much a name stands for: an overlay says less than what it is laid over."""
    return len(part) if isinstance(part, dict) else 0


def _check_new_data_sets(given: object) -> None:
    own = given.items() if isinstance(given, dict) else ()
    known = [name for name, part in own if isinstance(part, dict) and any(keys <= part.keys() for keys in WHOLE)]
    for name, part in own:
        if isinstance(part, dict) and name not in known and (near := nearest(str(name), known, CLOSE)):
            raise InputError(f"config: datasets.{name} has no format and folder, and no features; did you mean {near}?")
