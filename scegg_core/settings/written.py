"""Config files as they are written: what YAML would take otherwise than it was meant, refused before it is read.

The workflow engine loads the files; what it has loaded shows no more that a key stood twice, or that 010 became 8.
"""

import contextlib
import json
import re
from collections.abc import Iterable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from scegg_core.errors import InputError
from scegg_core.settings.existing import is_file, is_folder, is_there

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is ten times faster

#: Levels of sections and lists in each other; the settings have seven.
DEEPEST = 50

#: Values of a file, those that it names again by * each time; a list of all classes of a large data set has some 20,000.
MOST = 100_000

#: Whole numbers that YAML and people read alike: not 010 (eight) and 1:30 (ninety).
DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9_]*|0[xb][0-9a-fA-F_]+)")

THOUSANDS = 3  # digits behind a comma that may part thousands


def check_written(files: Iterable[str | Path]) -> None:
    """Refuse the first of the config files `files` (YAML or JSON) that cannot be read as one mapping, or has a key twice, an
    ambiguous number or a part that contains itself."""
    for file in files:
        written = _text(file)
        text = _without_tabs(written)
        try:
            check_extent(text, file)
        except yaml.YAMLError as error:
            raise _unreadable(file, error) from None
        _check_readable(text, file)
        try:
            json.loads(written, object_pairs_hook=partial(_distinct, file))
        except json.JSONDecodeError:
            _check_node(yaml.compose(text, LOADER), file)


def _text(file: str | Path) -> str:
    if is_there(file) and not is_file(file) and not is_folder(file):
        raise InputError(f"config: {file} is a pipe or a device, not a file; put the settings into a file.")
    try:
        return Path(file).read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"config: {file} cannot be read ({error.strerror}); put the file there.") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise InputError(f"config: {file} is not UTF-8 in line {line}; save it as UTF-8.") from None


def _without_tabs(text: str) -> str:
    """Return JSON that is indented by tabs without them, which YAML would not read; other text as it is."""
    if "\t" in text:
        with contextlib.suppress(ValueError, RecursionError):
            return json.dumps(json.loads(text))
    return text


def check_extent(text: str, where: str | Path) -> None:
    """Refuse YAML that lies so deep that its readers, which go down by recursion, would end the process, and what is so
    much where its aliases (by *) are written out that they would never end. Raises YAMLError for what is no YAML."""
    inside: list[tuple[str | None, int]] = []  # of each part that is open: its anchor, and what was counted before it
    sizes: dict[str, int] = {}
    count = 0
    for event in yaml.parse(text, LOADER):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = inside.pop()
            sizes[anchor] = count - before
        elif isinstance(event, yaml.NodeEvent):
            count += sizes.get(event.anchor, 1) if isinstance(event, yaml.AliasEvent) else 1
            if isinstance(event, yaml.CollectionStartEvent):
                inside.append((event.anchor, count - 1))
        if len(inside) > DEEPEST:
            line = event.start_mark.line + 1
            raise InputError(f"config: {where} has in line {line} more than {DEEPEST} sections or lists in each other.")
        if count > MOST:
            raise InputError(
                f"config: {where} has up to line {event.start_mark.line + 1} more than {MOST} values, each * written out; "
                "write less."
            )


def _check_readable(text: str, file: str | Path) -> None:
    """Refuse what no value can be made of: a tag that is not known, the date 2024-13-45, a list as a key."""
    # the engine reads with the loader in Python, which takes no tab and no ? in places where the one in C does
    loader = yaml.SafeLoader if {"\t", "?"} & set(text) else LOADER
    try:
        found = yaml.load(text, loader)
    except yaml.YAMLError as error:
        raise _unreadable(file, error) from None
    except (ValueError, TypeError) as error:
        raise InputError(f"config: {file} cannot be read as YAML ({error}); correct it, or put it in quotes.") from None
    if not isinstance(found, dict):
        raise InputError(f"config: {file} holds no sections such as eggn: {{epochs: 100}}; correct it.")


def _unreadable(file: str | Path, error: yaml.YAMLError) -> InputError:
    mark = getattr(error, "problem_mark", None)
    line = f" in line {mark.line + 1}" if mark else ""
    why = getattr(error, "problem", None) or " ".join(str(error).split())
    return InputError(
        f"config: {file} cannot be read as YAML{line} ({why}); correct it (indent by blanks, not by tabs)."
    )


def typed(values: dict, given: Iterable[str] | None) -> dict:
    """Return `values` with the mappings and lists of the command line, `key=value` each, read as YAML.

    The engine has laid them over `values` with every number in them as text.
    """
    for entry in given or ():
        key, _, text = entry.partition("=")
        try:
            value = yaml.load(text, LOADER)
        except (yaml.YAMLError, ValueError, TypeError):  # the engine's reading stands
            continue
        if isinstance(value, dict | list):
            _check_node(yaml.compose(text, LOADER), f"--config {key.strip()}")
            values = _laid_over(values, {key.strip(): value})
    return values


def _distinct(file: str | Path, pairs: list[tuple[str, Any]]) -> dict:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise InputError(f"config: {file} has the key {twice} twice in one section; keep one.")
    return found


def _check_node(
    node: yaml.Node | None, file: str | Path, around: tuple[int, ...] = (), known: set | None = None
) -> None:
    """Check what lies below `node`; `around` are the nodes it lies in, `known` those met: one may stand in several places."""
    known = set() if known is None else known
    if node is not None and id(node) in around:
        raise InputError(
            f"config: {file} has in line {node.start_mark.line + 1} a part that contains itself (by *); write it out."
        )
    if node is None or id(node) in known:
        return
    known.add(id(node))
    if isinstance(node, yaml.ScalarNode):
        _check_number(node, file)
        return
    mapping = isinstance(node, yaml.MappingNode)
    if mapping:
        _check_keys(node, file)
    for part in (part for pair in node.value for part in pair) if mapping else node.value:
        _check_node(part, file, (*around, id(node)), known)


def _check_keys(node: yaml.MappingNode, file: str | Path) -> None:
    _check_commas(node, file)
    met: dict[str, int] = {}
    for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
        line = key.start_mark.line + 1
        if key.value in met:
            raise InputError(
                f"config: {file} has the key {key.value} twice in one section, in lines {met[key.value]} and {line}; "
                "keep one."
            )
        met[key.value] = line


def _check_commas(node: yaml.MappingNode, file: str | Path) -> None:
    """Refuse 0,5 in a mapping: YAML reads 0, and a key 5 without a value."""
    for (key, before), (after, none) in pairwise(node.value):
        numbers = all(_kind(part) == "int" for part in (before, after)) and _kind(none) == "null" and not none.value
        if numbers:
            whole, behind = before.value, after.value
            thousands = f" {whole}{behind} or" * (len(behind) == THOUSANDS)
            raise InputError(
                f"config: {file} has {key.value}: {whole},{behind} in line {after.start_mark.line + 1}, and a comma ends a "
                f"value; write{thousands} {whole}.{behind}, or [{whole}, {behind}] where a list is meant."
            )


def _kind(node: yaml.Node) -> str:
    return node.tag.rpartition(":")[2]


def _check_number(node: yaml.ScalarNode, file: str | Path) -> None:
    kind, text = _kind(node), node.value
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
