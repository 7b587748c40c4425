"""Settings drawn from their schema, and mappings with mutations: a right configuration, or one sentence that names a key."""

import json
import random
from copy import deepcopy
from dataclasses import asdict
from typing import Any

import pytest
import yaml
from pydantic import TypeAdapter
from settings_cases import MANY, drawn, ends, fields_of

from scegg_core.errors import InputError
from scegg_core.settings.attention import AttentionSettings
from scegg_core.settings.base import parse_section
from scegg_core.settings.confusion import ConfusionSettings
from scegg_core.settings.overrides import STAGES
from scegg_core.settings.plan import Plan, plan_of
from scegg_core.settings.resolve import read_configuration
from scegg_core.settings.run import RunSettings
from scegg_core.settings.tables import ReportTables
from scegg_core.settings.tsne import TsneSettings
from tests.conftest import ROOT

VALUES = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
SECTIONS = {**STAGES, "run": RunSettings, "tables": ReportTables, "tsne": TsneSettings}
SECTIONS |= {"attention": AttentionSettings, "confusion": ConfusionSettings}
NUMBERS = {
    (kind, name): part
    for kind in (*STAGES.values(), RunSettings, TsneSettings, AttentionSettings)
    for name, part in fields_of(kind).items()
    if any(choice.get("type") in ("integer", "number") for choice in (part, *part.get("anyOf", ())))
}
ODD = [
    None, True, "", " ", "1", "1e-3", "x" * 300, "a\nb", "a|b", "../x", "{x}", "*", "~nobodyx/x", "$UNSET_X/y", "\u00e9", -1, 0, 0.5,
    10**40, -(10**40), 1e308, 2**63, float("nan"), float("inf"), [], {}, [[]], [None], ["a", "a"], {"x": None}, {"x": {"x": {}}},
    {1: 2}, {None: 1}, [1, 1], b"x", {1, 2}, yaml.safe_load("2024-01-01"), yaml.safe_load("2024-01-01 10:00:00"), "\ud800", "\0",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), NUMBERS, ids=lambda value: getattr(value, "__name__", value))
def test_every_range_has_two_ends_and_is_kept(kind, name):
    """The ends are taken as they are; the next number outside them is refused by name."""
    part = NUMBERS[kind, name]
    own = next(choice for choice in (part, *part.get("anyOf", ())) if choice.get("type") in ("integer", "number"))
    assert {"minimum", "exclusiveMinimum"} & set(own) and {"maximum", "exclusiveMaximum"} & set(own)
    if kind is not TsneSettings:  # whose settings depend on each other
        for value in ends("whole range", own):
            assert getattr(parse_section(kind, {name: value}), name) == value
    step = 1 if own["type"] == "integer" else 1e-9
    for key, sign in {"minimum": -1, "exclusiveMinimum": 0, "maximum": 1, "exclusiveMaximum": 0}.items():
        if key in own:
            with pytest.raises(InputError, match=rf"^config: x\.{name} is .*: should be (greater|less) than .*\.$"):
                parse_section(kind, {name: own[key] + sign * step * max(1, abs(own[key]))}, "x")


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.slow
def test_sections_drawn_from_their_ranges_come_out_as_they_went_in(stage):
    source = random.Random(stage)
    for _ in range(MANY):
        given = {name: drawn(name, part, source) for name, part in fields_of(STAGES[stage]).items()}
        assert asdict(parse_section(STAGES[stage], given)) == given


def places(values: Any, path: tuple = ()) -> list[tuple]:
    """The paths of everything in nested mappings and lists."""
    pairs = values.items() if isinstance(values, dict) else enumerate(values) if isinstance(values, list) else ()
    return [path] * bool(path) + [below for key, value in pairs for below in places(value, (*path, key))]


def mutated(source: random.Random) -> dict:
    """config.yaml with defaults of all sections, and a few changes anywhere in it."""
    values = deepcopy(VALUES)
    for name in source.sample(sorted(SECTIONS), 3):
        values.setdefault(name, json.loads(TypeAdapter(SECTIONS[name]).dump_json(SECTIONS[name]())))
    values["tuning"] = {"sc-egg": {"grid": {"eggn.epochs": [1, 2], "scen.local_scale": [1.0]}, "seeds": [0]}}
    values["extensions"] = {"mine": "new.csv"}
    everywhere = places(values)
    for _ in range(source.choice([1, 1, 1, 2, 5])):
        change(values, source.choice(everywhere), source)
    return values


def change(values: dict, path: tuple, source: random.Random) -> None:
    """Change what lies at `path`, unless an earlier change has taken it away: its value, its key, or a key beside it."""
    try:
        for step in path[:-1]:
            values = values[step]
        old = values[path[-1]]
    except (KeyError, IndexError, TypeError):
        return
    how = source.choice(["value", "value", "value", "drop", "rename", "add", "swap"])
    if how == "value" or not isinstance(values, dict):
        values[path[-1]] = source.choice(ODD)
    elif how == "swap":
        values[path[-1]] = {"x": old} if source.random() < 0.5 else [old]
    elif how == "add":
        values[source.choice(["x", "epoch", 7, None, "", "a b", "on", "a|b"])] = source.choice(ODD)
    else:
        del values[path[-1]]
        if how == "rename":
            text = str(path[-1])
            values[text[:-1] if source.random() < 0.5 else text + source.choice("xs_|/ ")] = old


def problem_with(values: dict) -> str | None:
    """What is wrong with an outcome that is neither a usable configuration nor one sentence; None for a right one."""
    try:
        config = read_configuration(values)
        for name in config.datasets:
            parse_section(Plan, plan_of(config, name))
    except InputError as error:
        text = str(error)
        usual = text.startswith("config: ") and text.endswith(".") and "\n" not in text and len(text) < 2000
        return None if usual else f"not one sentence: {text!r}"
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


@pytest.mark.slow
def test_mutated_configurations_are_used_or_refused_with_one_sentence():
    for seed in range(MANY):
        values = mutated(random.Random(seed))
        assert problem_with(values) is None, seed
