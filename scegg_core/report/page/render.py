"""The page as one file of HTML: template, style, scripts and data, none of it fetched from anywhere."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from scegg_core.report.page.model import Page

HERE = Path(__file__).parent
STYLE = HERE / "style.css"

#: In the order in which they run; what they need of each other stands before.
SCRIPTS = (
    *("basics", "chart", "tradeoff", "spaces", "attention", "confusion", "classes", "training"),
    *("ranking", "describe", "start"),
)

DIGITS = 5  # of a number that is not packed
LARGEST_INTEGER = 2**53 - 1  # that scripts have exactly


def render(page: Page) -> str:
    """Return the page of a data set as HTML; equal pages give equal text."""
    shown = {field.name: getattr(page, field.name) for field in fields(page)}
    shown |= {"facts": {"title": page.facts.title}, "tables": {"csv": page.tables.csv}}
    return fill(HERE / "template.html", page, shown, [STYLE], [script(name) for name in SCRIPTS])


def script(name: str) -> Path:
    """Return the file of a script, one of SCRIPTS."""
    return HERE / "scripts" / f"{name}.js"


def fill(template: Path, page: Any, shown: Any, styles: Sequence[Path], scripts: Sequence[Path]) -> str:
    """Return what `template`, which extends base.html, makes of `page`, with all that it needs; scripts find `shown` in DATA."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    folders = FileSystemLoader([template.parent, HERE])
    environment = Environment(
        loader=folders, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    style, run = ("\n".join(path.read_text(encoding="utf-8") for path in paths) for paths in (styles, scripts))
    return environment.get_template(template.name).render(page=page, style=style, scripts=run, data=to_json(shown))


def to_json(shown: Any) -> str:
    """Return what the scripts show as JSON that may stand inside a page: without the sign that begins a tag."""
    text = json.dumps(packed(shown), ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def packed(value: Any) -> Any:
    """Return `value` as JSON has it: dataclasses as objects, arrays as lists, half precision as base64 with its shape.

    Integers that scripts would round, such as large seeds, become text.
    """
    if is_dataclass(value):
        return {field.name: packed(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, np.ndarray):
        return _packed_array(value)
    if isinstance(value, Mapping):
        return {name: packed(own) for name, own in value.items()}
    if isinstance(value, list | tuple):
        return [packed(own) for own in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return str(value)
    return _number(value) if isinstance(value, float) else value


def _packed_array(values: np.ndarray) -> Any:
    if values.dtype == np.float16:
        data = base64.b64encode(np.ascontiguousarray(values, dtype="<f2").tobytes())
        return {"half": data.decode("ascii"), "shape": list(values.shape)}
    return packed(values.tolist())


def _number(value: float) -> float | int | None:
    """The number in few digits; None for what is none."""
    if not np.isfinite(value):
        return None
    short = float(f"{value:.{DIGITS}g}")
    return int(short) if short.is_integer() and abs(short) < 1e15 else short
