"""How a section of config.yaml becomes a frozen, validated dataclass, and how its errors become sentences.

One rule for types: values are read as written. A text is no number, true and false are no numbers, 20.0 is no whole
number, and .nan and .inf are refused; a whole number may stand where a number may.
"""

import json
import re
from dataclasses import asdict, fields, is_dataclass, replace
from difflib import get_close_matches
from functools import partial
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import ConfigDict, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError

from scegg_core.errors import InputError

Section = TypeVar("Section")

#: Decorator of every settings class: frozen, unknown keys and numbers that are not finite refused.
settings = partial(dataclass, frozen=True, kw_only=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))

#: What the types of pydantic's errors mean to someone who writes YAML.
REASONS = {
    "int_type": "should be a whole number",
    "int_from_float": "should be a whole number",
    "float_type": "should be a number",
    "bool_type": "should be true or false",
    "string_type": "should be text",
    "tuple_type": "should be a list, in [ ]",
    "dict_type": "should be a section with settings",
    "dataclass_type": "should be a section with settings",
    "too_short": "should not be empty",
}
UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")
MISSING = ("missing", "missing_argument", "missing_keyword_only_argument")
PROBLEM = "problem"  # errors whose text is the end of a sentence that begins with the setting's path


def parse_section(kind: type[Section], values: dict, place: str = "") -> Section:
    """Return `values` as an instance of the settings class `kind`.

    Raises InputError with one sentence that names `place` (the path of `values` in the configuration), key and value.
    """
    _refuse_keys_without_text(values, place)
    try:
        # as JSON, since that is where "strict" knows lists and mappings, as YAML does, and not Python's own classes
        return TypeAdapter(kind).validate_json(json.dumps(values, default=_as_yaml), strict=True)
    except ValidationError as error:
        raise InputError(_sentence(error, kind, place)) from None


def laid_over(section: Section, values: dict, place: str) -> Section:
    """Return `section` with `values` (typed already) in place of its own; raises InputError as `parse_section` does."""
    try:
        return replace(section, **values)
    except ValidationError as error:
        raise InputError(_sentence(error, type(section), place)) from None


def as_mapping(section: object) -> dict:
    """Return a settings object as nested plain dictionaries, for params and for provenance."""
    return asdict(section)


def problem(text: str) -> PydanticCustomError:
    """Return the error that a validator raises to end the sentence `<path of the setting> <text>.`"""
    return PydanticCustomError(PROBLEM, "{text}", {"text": text})


def unknown_setting(name: str, known: list[str]) -> str:
    """Return what is said of a setting that does not exist: the nearest known one, or all."""
    close = get_close_matches(name, known, 1)
    return "is not a known setting" + (f" (did you mean {close[0]}?)" if close else f"; known: {', '.join(known)}")


def problem_of(item: dict[str, Any], kind: type) -> str:
    """Return the end of the sentence for one of pydantic's errors `item`, met while parsing `kind`."""
    value, name = item["input"], item["type"]
    if name in UNKNOWN:
        *path, key = item["loc"]
        return unknown_setting(str(key), [field.name for field in fields(_class_at(kind, path))])
    if name in MISSING:
        return "is missing"
    if name == PROBLEM:
        return item["ctx"]["text"]
    if name in ("int_type", "float_type") and isinstance(value, str) and (number := _as_yaml_number(value)):
        return f"is the text {value!r}; write the number as {number}"
    reason = item["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    if name == "value_error" and isinstance(value, dict):
        return f"does not fit together: {reason}"
    return f"is {value!r}: {REASONS.get(name, reason)}"


def _as_yaml(value: Any) -> dict | str:
    """A settings object as the mapping that it was made from; a date, which YAML reads where text is meant, as text."""
    return asdict(value) if is_dataclass(value) else str(value)


def _sentence(error: ValidationError, kind: type, place: str) -> str:
    problems, items = [], error.errors()
    wrong_inside = {item["loc"][:-1] for item in items}
    for item in items:
        if item["type"] == "too_short" and item["loc"] in wrong_inside:  # it counts the right items alone
            continue
        path = [place] * bool(place) + [str(step) for step in item["loc"] if step != "[key]"]
        problems.append(f"{'.'.join(path)} {problem_of(item, kind)}")
    return "config: " + "; ".join(problems) + "."


def _class_at(kind: Any, path: list) -> type:
    """The settings class that lies at `path` below the type `kind`."""
    for step in path:
        kind = _plain(kind)
        if is_dataclass(kind):
            kind = next(field.type for field in fields(kind) if field.name == step)
        else:  # a mapping's or list's type of values
            kind = get_args(kind)[1 if get_origin(kind) is dict else 0]
    return _plain(kind)


def _plain(kind: Any) -> Any:
    """The type without its annotations and without `| None`."""
    while get_origin(kind) in (Annotated, Union, UnionType):
        kind = get_args(kind)[0]
    return kind


def _as_yaml_number(text: str) -> str | None:
    """The number in `text` as YAML reads it: an exponent needs a point before it and a sign, quotes make it text."""
    try:
        float(text)
    except ValueError:
        return None
    mantissa, marker, exponent = text.strip().lower().replace("_", "").partition("e")
    if not re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", mantissa):
        return None
    point = "" if "." in mantissa else ".0"
    return f"{mantissa}{point}e{int(exponent):+d}" if marker else f"{mantissa}, without quotes"


def _refuse_keys_without_text(values: Any, place: str) -> None:
    """JSON would take 2024 and true for texts, and YAML reads `on:` as true."""
    if isinstance(values, dict):
        for key, value in values.items():
            if not isinstance(key, str):
                raise InputError(f"config: {place or 'the configuration'} has the key {key!r}; put it in quotes.")
            _refuse_keys_without_text(value, f"{place}.{key}".removeprefix("."))
