"""How a section of config.yaml becomes a frozen, validated dataclass, and how its errors become sentences.

One rule for types: values are read as written. A text is no number, true and false are no numbers, 20.0 is no whole
number, and .nan and .inf are refused; a whole number may stand where a number may.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import asdict, fields, is_dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from functools import partial
from types import NoneType, UnionType
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
#: Settings of earlier versions, and what is said of them.
RENAMED = {"training": "is called finetune now, with cut_out: true and image_size in the place of crop"}

UNKNOWN = ("unexpected_keyword_argument", "extra_forbidden")
MISSING = ("missing", "missing_argument", "missing_keyword_only_argument")
PROBLEM = "problem"  # errors whose text is the end of a sentence that begins with the setting's path

#: What YAML's plain values are in Python; a date is shown and passed on as it was written.
PLAIN = (str, int, float, NoneType, date)

#: So many problems are named in a sentence, the others are counted; values longer than this are cut.
SHOWN, LONGEST = 5, 100

#: Numbers as people write them, and with commas between thousands; whole ones of more digits are not written out.
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,5})?", re.ASCII)
THOUSANDS = re.compile(r"[1-9]\d{0,2}(,\d{3})+", re.ASCII)
LARGEST = 20

#: Known settings that a sentence lists; a section with more has a page for them.
LISTED = 25


def parse_section(kind: type[Section], values: dict, place: str = "") -> Section:
    """Return `values` as an instance of the settings class `kind`.

    Raises InputError with one sentence that names `place` (the path of `values` in the configuration), key and value.
    """
    _refuse_what_is_no_yaml(values, place)
    try:
        # as JSON, since that is where "strict" knows lists and mappings, as YAML does, and not Python's own classes
        return TypeAdapter(kind).validate_json(json.dumps(values, default=_as_json), strict=True)
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
    """Return what is said of a setting that does not exist: the nearest known one, or all, or where many are listed."""
    if name in RENAMED:
        return RENAMED[name]
    if close := nearest(name, known):
        return f"is not a known setting (did you mean {close}?)"
    listed = f"known: {', '.join(known)}" if len(known) <= LISTED else f"docs/config.md lists the {len(known)} that are"
    return f"is not a known setting; {listed}"


def nearest(name: str, known: Iterable[str], likeness: float = 0.6) -> str | None:
    """Return the one of `known` that is most like `name`, whatever the case; None where none is like it."""
    plain = {other.casefold(): other for other in known}
    close = get_close_matches(name.casefold(), plain, 1, likeness)
    return plain[close[0]] if close else None


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
    if (
        name in ("int_type", "float_type")
        and isinstance(value, str)
        and (number := _as_yaml_number(value, name == "int_type"))
    ):
        return f"is the text {value!r}; write the number as {number}"
    reason = item["msg"].removeprefix("Value error, ").removeprefix("Input ").removeprefix("String ")
    if name == "value_error" and isinstance(value, dict):
        return f"does not fit together: {reason}"
    quotes = ", in quotes: on, off, yes and no are true and false to YAML" if isinstance(value, bool) else ""
    return f"is {shown(value)}: {REASONS.get(name, reason)}" + (quotes if name == "string_type" else "")


def shown(value: Any) -> str:
    """Return `value` as it is shown in a sentence: null, true and false as in YAML, what is long cut off."""
    value = list(value) if isinstance(value, tuple) else value
    text = json.dumps(value) if value is None or isinstance(value, bool) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _as_json(value: Any) -> dict | str:
    """A settings object as the mapping that it was made from; a date, which YAML reads where text is meant, as text."""
    return asdict(value) if is_dataclass(value) else str(value)


def _sentence(error: ValidationError, kind: type, place: str) -> str:
    problems, items = [], error.errors()
    wrong_inside = {item["loc"][:-1] for item in items}
    for item in items:
        if item["type"] == "too_short" and item["loc"] in wrong_inside:  # it counts the right items alone
            continue
        path = [place] * bool(place) + [_step(step) for step in item["loc"] if step != "[key]"]
        problems.append(f"{'.'.join(path) or 'the configuration'} {problem_of(item, kind)}")
    more = [f"and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
    return "config: " + "; ".join(problems[:SHOWN] + more) + "."


def _step(step: int | str) -> str:
    """A key as it stands in a setting's path: in quotes where it would not be seen or would break the line."""
    text = str(step)
    return text if text.strip() and text.isprintable() else repr(text)


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


def _as_yaml_number(text: str, whole: bool) -> str | None:
    """The number in `text`, a `whole` one or any, as YAML reads it: an exponent needs a point before it and a sign, quotes
    make it text, and a comma is none."""
    written = text.strip().lower().replace("_", "")
    if THOUSANDS.fullmatch(written):  # 1,000: in other languages the number one
        plain = written.replace(",", "")
        return plain if whole else f"{plain}, or as {written.replace(',', '.')}"
    plain = written if whole else written.replace(",", ".")
    if not NUMBER.fullmatch(plain):
        return None
    mantissa, marker, exponent = plain.partition("e")
    if whole:
        return _as_whole(plain, "" if marker else ", without quotes")
    point = "" if "." in mantissa else ".0"
    mantissa = re.sub(r"^([+-]?)0+(?=\d)", r"\1", mantissa)  # 08 is text to YAML, and 010 is eight
    quoted = "" if "," in written else ", without quotes"
    return f"{mantissa}{point}e{int(exponent):+d}" if marker else mantissa + quoted


def _as_whole(number: str, remark: str) -> str | None:
    """The digits of a number that has none behind its point, with the remark; None of others and of huge ones."""
    value = Decimal(number)
    fits = value.adjusted() < LARGEST and value == value.to_integral_value()
    return f"{int(value)}{remark}" if fits else None


def _refuse_what_is_no_yaml(value: Any, place: str) -> None:
    """Refuse what JSON would turn into text unsaid: keys such as 2024, or true (`on:`), and times, bytes, sets."""
    if isinstance(value, dict):
        for key, own in value.items():
            if not isinstance(key, str):
                raise InputError(f"config: {place or 'the configuration'} has the key {shown(key)}; put it in quotes.")
            _refuse_what_is_no_yaml(own, f"{place}.{_step(key)}".removeprefix("."))
    elif isinstance(value, list | tuple):
        for number, own in enumerate(value):
            _refuse_what_is_no_yaml(own, f"{place}.{number}")
    elif isinstance(value, datetime) or not (isinstance(value, PLAIN) or is_dataclass(value)):
        raise InputError(f"config: {place} is read as {shown(value)}; write it as text, in quotes.")
