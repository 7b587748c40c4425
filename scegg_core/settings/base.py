"""How a section of config.yaml becomes a frozen, validated dataclass, and how its errors become sentences."""

from dataclasses import asdict
from functools import partial
from typing import TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from scegg_core.errors import InputError

Section = TypeVar("Section")

#: Decorator of every settings class: frozen, typed strictly, unknown keys refused.
settings = partial(dataclass, frozen=True, kw_only=True, config=ConfigDict(extra="forbid", strict=False))


def parse_section(kind: type[Section], values: dict, place: str = "") -> Section:
    """Return `values` as an instance of the settings class `kind`.

    Raises InputError with one sentence that names `place` (the path of `values` in the configuration), key and value.
    """
    try:
        return TypeAdapter(kind).validate_python(values)
    except ValidationError as error:
        raise InputError(_sentence(error, place)) from None


def as_mapping(section: object) -> dict:
    """Return a settings object as nested plain dictionaries, for params and for provenance."""
    return asdict(section)


def deep_merge(*layers: dict | None) -> dict:
    """Return the layers merged key by key, later ones winning; mappings merge deeply, all else is replaced."""
    merged: dict = {}
    for layer in layers:
        for key, value in (layer or {}).items():
            both = isinstance(value, dict) and isinstance(merged.get(key), dict)
            merged[key] = deep_merge(merged[key], value) if both else value
    return merged


def _sentence(error: ValidationError, place: str) -> str:
    problems = []
    for item in error.errors():
        where = ".".join(filter(None, [place, *map(str, item["loc"])]))
        if item["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            problems.append(f"{where} is not a known setting (misspelt?)")
        elif item["type"] in ("missing", "missing_argument", "missing_keyword_only_argument"):
            problems.append(f"{where} is missing")
        else:
            reason = item["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
            problems.append(f"{where} is {item['input']!r}: {reason}")
    return "config: " + "; ".join(problems) + "."
