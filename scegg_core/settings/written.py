"""Config files as they are written: what YAML would take otherwise than it was meant, refused before it is read.

The workflow engine loads the files; what it has loaded shows no more that a key stood twice, or that 010 became 8.
"""

import json
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from scegg_core.errors import InputError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is ten times faster

#: Whole numbers that YAML and people read alike: not 010 (eight) and 1:30 (ninety).
DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9_]*|0[xb][0-9a-fA-F_]+)")


def check_written(files: Iterable[str | Path]) -> None:
    """Refuse the first of the config files `files` (YAML or JSON) that has a key twice or an ambiguous number."""
    for file in files:
        text = Path(file).read_text(encoding="utf-8")
        try:
            json.loads(text, object_pairs_hook=partial(_distinct, file))
        except json.JSONDecodeError:
            _check_node(yaml.compose(text, LOADER), file, set())


def typed(values: dict, given: Iterable[str] | None) -> dict:
    """Return `values` with the mappings and lists of the command line, `key=value` each, read as YAML.

    The engine has laid them over `values` with every number in them as text.
    """
    for entry in given or ():
        key, _, text = entry.partition("=")
        try:
            value = yaml.load(text, LOADER)
        except yaml.YAMLError:  # the engine's reading stands
            continue
        if isinstance(value, dict | list):
            values = _laid_over(values, {key.strip(): value})
    return values


def _distinct(file: str | Path, pairs: list[tuple[str, Any]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InputError(f"config: {file} has the key {twice} twice in one section; keep one.")
    return found


def _check_node(node: yaml.Node | None, file: str | Path, known: set[int]) -> None:
    """Check what lies below `node`; `known` holds the nodes met, since one may stand in several places."""
    if node is None or id(node) in known:
        return
    known.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        _check_number(node, file)
    elif isinstance(node, yaml.MappingNode):
        _check_keys(node, file)
        for pair in node.value:
            for part in pair:
                _check_node(part, file, known)
    else:
        for part in node.value:
            _check_node(part, file, known)


def _check_keys(node: yaml.MappingNode, file: str | Path) -> None:
    met: dict[str, int] = {}
    for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
        line = key.start_mark.line + 1
        if key.value in met:
            raise InputError(
                f"config: {file} has the key {key.value} twice in one section, in lines {met[key.value]} and {line}; "
                "keep one."
            )
        met[key.value] = line


def _check_number(node: yaml.ScalarNode, file: str | Path) -> None:
    kind, text = node.tag.rpartition(":")[2], node.value
    if (kind == "int" and not DECIMAL.fullmatch(text)) or (kind == "float" and ":" in text):
        read = yaml.load(text, LOADER)
        raise InputError(
            f"config: {file} has {text} in line {node.start_mark.line + 1}, which YAML reads as {read}; write {read}, "
            f"or '{text}' in quotes if it is text."
        )


def _laid_over(values: dict, layer: dict) -> dict:
    merged = dict(values)
    for key, value in layer.items():
        both = isinstance(value, dict) and isinstance(values.get(key), dict)
        merged[key] = _laid_over(values[key], value) if both else value
    return merged
