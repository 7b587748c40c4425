"""The reference page of config.yaml, made from its schema: every key with type, range, default and meaning."""

from collections.abc import Iterator

from scegg_core.settings.names import LARGEST_SEED
from scegg_core.settings.overrides import STAGES
from scegg_core.settings.schema import schema

HEAD = """# Settings

Every key of `config.yaml`, with its default. Made by `make schema` from `scegg_core/settings/`; do not edit.

- Change `config.yaml`, or lay files of your own over it, with `--configfile my.yaml --`.
- What is not said has the default below. Later layers win: the section's default, the section in `config.yaml`, the
  data set's overrides, those of the space or variant, the point of a tuning grid.
- Unknown keys are refused at every depth. Values are read as written: a text is no number (write `1.0e-4`: YAML reads
  `1e-4` as text), `true` is no number, `20.0` is no whole number.
- Names of data sets, spaces, variants, downloads and extensions become folders: 1 to 64 letters, digits, `-` and `_`,
  the first one not `-`; those of spaces, variants and downloads may have a `.` inside. `validation` and `none` are taken.
- Seeds are whole numbers from 0 to 9·10^18 - 1.
"""

WORDS = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}
SMALL = 1e-2  # numbers below it are shown with an exponent
RANGES = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}


def page_text() -> str:
    """Return the page as Markdown."""
    whole = schema()
    parts = [HEAD]
    for name, part in whole["properties"].items():
        parts += _section(name, part, whole["$defs"])
    return "\n".join(parts)


def _section(path: str, part: dict, defs: dict) -> Iterator[str]:
    """Yield the text of a section, then those of the sections inside it."""
    values = _values(part)
    below = path if values is None else f"{path}.<name>"
    name = _class_name(part if values is None else values)
    yield f"### `{path}`\n" if "." in path else f"## {path}\n"
    if name is None:
        yield f"{_capital(part['description'])}. Default: {_default(part)}.\n"
        return
    yield _capital(defs[name]["description"]) + (f" Keys of `{below}`:" if values else "") + "\n"
    yield "| key | type and range | default | meaning |\n|---|---|---|---|"
    required = defs[name].get("required", ())
    yield "\n".join(_row(key, own, key in required) for key, own in defs[name]["properties"].items()) + "\n"
    for key, own in defs[name]["properties"].items():
        if _class_name(own) and key not in STAGES:
            yield from _section(f"{below}.{key}", own, defs)


def _row(key: str, part: dict, required: bool) -> str:
    default = "required" if required else _default(part)
    cells = (f"`{key}`", _type(part, key), default, part.get("description", ""))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _type(part: dict, key: str) -> str:
    """The type and range in words."""
    if "anyOf" in part:
        return ", or ".join(_type(choice, key) for choice in part["anyOf"])
    if "$ref" in part:
        return f"settings of [{key}](#{key})" if key in STAGES else "section, below"
    if "enum" in part or "const" in part:
        return ", ".join(f"`{choice}`" for choice in part.get("enum", [part.get("const")]))
    kind = part.get("type", "any")
    if kind == "array":
        return f"list of {_type(part['items'], key)}" + (", not empty" if part.get("minItems") else "")
    if kind == "object":
        return f"mapping of names to {_type(_values(part) or {}, key)}"
    # the upper end of seeds is said above the tables
    limits = [f"{sign} {part[name]}" for name, sign in RANGES.items() if name in part and part[name] != LARGEST_SEED]
    return " ".join([WORDS.get(kind, kind), ", ".join(limits)]).strip()


def _default(part: dict) -> str:
    if "default" not in part:
        return "its own" if _class_name(part) and "$ref" in part else "empty"
    value = part["default"]
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    if isinstance(value, float) and 0 < value < SMALL:
        mantissa, _, exponent = f"{value:e}".partition("e")
        return f"{float(mantissa)}e{int(exponent)}"  # as config.yaml has it: 1.0e-4
    return str(value)


def _values(part: dict) -> dict | None:
    """The schema of a mapping's values, None for what is no mapping."""
    patterns = list(part.get("patternProperties", {}).values())
    more = part.get("additionalProperties")
    return patterns[0] if patterns else more if isinstance(more, dict) else None


def _class_name(part: dict) -> str | None:
    """The settings class that a property has, also beside null."""
    found = [choice["$ref"] for choice in (part, *part.get("anyOf", ())) if "$ref" in choice]
    return found[0].rpartition("/")[2] if found else None


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
