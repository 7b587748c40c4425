"""Tables in print: Markdown, LaTeX and pages of HTML, with mean ± deviation in one cell and the best of a column marked."""

import re
import unicodedata
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.artifacts.files import write_text
from scegg_core.evaluate.summary import METRICS
from scegg_core.report.results import DECIDING

if TYPE_CHECKING:
    from pandas import DataFrame, Series


#: Columns of intervals, in print H's alone, and how that is headed.
INTERVALS = {f"{own}_{end}" for own in METRICS.values() for end in ("low", "high", "sign")}
SHOWN = {"h_low": "H 95 %", "h_sign": "sign of H holds (%)"}

#: Metrics of which more is better: the best and the second best of a column are marked.
RANKED = ("Acc", "U", "S", "H", "AUSUC")

ABSENT = "–"

LATEX = {
    **{sign: f"\\{sign}" for sign in "&%$#_{}"},
    **{"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"},
    **{"[": "{[}", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': "''", "\n": " "},
    **{"±": r"$\pm$", "–": "--", "†": r"$\dagger$", "‡": r"$\ddagger$", "λ": r"$\lambda$"},
}

#: What Markdown would take for a mark: signs that it may not have for its own, `&` before an entity's name, and `_` at the
#: edge of a word.
_MARKS = re.compile(r"[\\|*`$<>\[~]|&(?=#?\w+;)|(?<!\w)_|_(?!\w)")

#: The last letter that LaTeX sets without a font of the user's own.
_LAST_LATIN = "\u017f"

#: Of a page.
STYLE = """
body { font: 14px/1.4 system-ui, sans-serif; color: #1b1f24; margin: 1.2rem; }
h1 { font-size: 1.15rem; margin: 0 0 .8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .6rem; text-align: left; border-bottom: 1px solid #e3e6ea; }
thead th { border-bottom: 2px solid #1b1f24; vertical-align: bottom; }
td { white-space: nowrap; }
th:nth-child(2), td:nth-child(2) { position: sticky; left: 0; background: #fff; }
.number { text-align: right; }
b { color: #004c7a; }
small { color: #555; font-weight: normal; font-style: normal; }
.key, li { color: #555; font-size: .86rem; }
@media (max-width: 1150px) { table { font-size: 12px; } th, td { padding: .2rem .4rem; } }
"""


def to_markdown(table: "DataFrame", remarks: Sequence[str] = (), ranked: bool = True) -> str:
    """Return the table as Markdown: mean ± std in one cell, remarks as a list below, and if the rows are to be `ranked`
    the best of a column bold and the second best italic."""
    head, *body = _display(table, ("%s", "**%s**", "*%s*") if ranked else ("%s",) * 3, escape_markdown)
    rule = ["---:" if right else "---" for right in _right_aligned(table)]
    lines = ["| " + " | ".join(row) + " |" for row in (head, rule, *body)] if head else ["(no results)"]
    notes = [f"- {escape_markdown(remark)}" for remark in (*remarks, *row_remarks(table))]
    return "\n".join([*lines, *(["", *notes] if notes else [])]) + "\n"


def to_latex(table: "DataFrame", remarks: Sequence[str] = ()) -> str:
    """Return the table as a booktabs tabular: best bold, second best underlined per metric, remarks below it."""
    shown = _display(table, ("%s", r"\textbf{%s}", r"\underline{%s}"), escape_latex)
    lines = [" & ".join(row) + r" \\" for row in shown]
    columns = "".join("r" if right else "l" for right in _right_aligned(table))
    notes = [escape_latex(remark) + r"\par" for remark in (*remarks, *row_remarks(table))]
    body = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", lines[0], r"\midrule", *lines[1:], r"\bottomrule"]
    text = "\n".join(["% needs \\usepackage{booktabs}", *body, r"\end{tabular}", *notes]) + "\n"
    return text if all(map(_is_set, text)) else f"% needs xelatex or lualatex, and a font with all letters\n{text}"


def escape_markdown(text: str) -> str:
    """Return `text` with Markdown's marks escaped, in one line."""
    return _MARKS.sub(r"\\\g<0>", text).replace("\n", " ")


def escape_latex(text: str) -> str:
    """Return `text` with LaTeX's special signs escaped."""
    return "".join(LATEX.get(sign, sign) for sign in text)


def to_page(title: str, table: "DataFrame", remarks: Sequence[str] = ()) -> str:
    """Return the table as a complete HTML page without other files; best bold, second best italic, remarks below."""
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>",
        to_html(table, (*remarks, *row_remarks(table))),
        "</body></html>",
    ]
    return "\n".join(parts) + "\n"


def to_html(table: "DataFrame", remarks: Sequence[str] = ()) -> str:
    """Return the table as a part of a page; best bold, second best italic, a line that says so, and remarks below it."""
    head, *body = _display(table, ("%s", "<b>%s</b>", "<i>%s</i>"), _for_page) or [[]]
    kinds = [' class="number"' if right else "" for right in _right_aligned(table)]
    rows = ["".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True)) for row in body]
    marked = any(mark in row for row in rows for mark in ("<b>", "<i>"))
    parts = [
        '<div class="wide"><table><thead><tr>',
        "".join(f"<th{kind}>{name}</th>" for kind, name in zip(kinds, head, strict=True)),
        "</tr></thead><tbody>",
        *(f"<tr>{row}</tr>" for row in rows),
        "</tbody></table></div>" if rows else "</tbody></table></div><p>No results.</p>",
        '<p class="key">Bold: best of a column; italic: second best.</p>' if marked else "",
        f"<ul>{''.join(f'<li>{escape(remark)}</li>' for remark in remarks)}</ul>" if remarks else "",
    ]
    return "\n".join(filter(None, parts))


def write_csv_and_page(
    csv: str | Path, page: str | Path, title: str, table: "DataFrame", remarks: Sequence[str] = ()
) -> None:
    """Write the table as CSV to `csv` and, with its remarks, as a page to `page`."""
    write_text(csv, table.to_csv(index=False))
    write_text(page, to_page(title, table, remarks))


def _is_set(sign: str) -> bool:
    return sign <= _LAST_LATIN or unicodedata.category(sign) in ("Pd", "Pi", "Pf", "Po")


def _for_page(text: str) -> str:
    """The escaped text, with the deviation small on a second line: narrow enough for a laptop."""
    mean, sign, spread = escape(text).partition(" ± ")
    return f"{mean}<br><small>± {spread}</small>" if sign else mean


def _columns(table: "DataFrame") -> list[str]:
    """The columns that are printed: without stds, empty ones, a second name of a row, and what all rows have in common."""
    hidden = {
        "remark",
        *(name for name in table if name.endswith("differs")),
        *_common(table),
        *(["variant"] if "title" in table else []),
        *(INTERVALS - SHOWN.keys()),
    }
    return [name for name in table if name not in hidden and not name.endswith("_std") and not table[name].isna().all()]


def _common(table: "DataFrame") -> dict[str, str]:
    """What decides a comparison and is the same in all rows that say it: one remark in place of columns."""
    found = {name: table[name].dropna().unique() for name in DECIDING if name in table}
    return {name: str(values[0]) for name, values in found.items() if len(values) == 1}


def _right_aligned(table: "DataFrame") -> list[bool]:
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    return [
        name in SHOWN or (is_numeric_dtype(table[name]) and not is_bool_dtype(table[name])) for name in _columns(table)
    ]


def _display(table: "DataFrame", marks: Sequence[str], escape: Callable[[str], str]) -> list[list[str]]:
    """Head and rows as text; `marks` are the patterns of plain cells and of the best and second best of a metric."""
    names = _columns(table)
    columns = []
    for name in names:
        texts = [escape(_cell(row, name)) for _, row in table.iterrows()]
        columns.append([marks[rank] % text for text, rank in zip(texts, _ranks(table, name), strict=True)])
    called = {"title": "variant", "dataset": "data set"} | SHOWN
    heads = [escape(called.get(name, name.replace("_", " "))) for name in names]
    return [heads, *map(list, zip(*columns, strict=True))]


def _cell(row: "Series", name: str) -> str:
    from pandas import isna

    value, spread = row[name], row.get(f"{name}_std")
    if isna(value):
        return ABSENT
    if not isinstance(value, float):
        text = {True: "yes", False: "no"}[value] if isinstance(value, bool | np.bool_) else str(value)
        return text + _marks(row) if name in ("title", "method") else text
    if name == "h_low":
        return f"{value:.1f} to {row['h_high']:.1f}"
    as_printed = name.startswith("published_") or row.get("family") in ("embedding", "generative")
    text = f"{value:.1f}" if as_printed else f"{value:.2f}"
    return text if spread is None or isna(spread) else f"{text} ± {spread:.2f}"


def _marks(row: "Series") -> str:
    return (" †" if row.get("remark") else "") + (" ‡" if row.get("differs") else "")


def _ranks(table: "DataFrame", name: str) -> list[int]:
    """1 for the best and 2 for the second best value of a metric column, 0 for all else.

    Ranked are at least two rows that were reached alike: ours without those that differ, and the published ones.
    """
    ranks = np.zeros(len(table), dtype=int)
    if name.rpartition(" ")[2] in RANKED and "reference" not in table and "seed" not in table:
        for values in _ranked_together(table, name):
            ordered = sorted(set(values), reverse=True)[: 2 * (len(values) > 1)]
            for place, value in enumerate(ordered, 1):
                ranks[values.index[values == value]] = place
    return ranks.tolist()


def _ranked_together(table: "DataFrame", name: str) -> list["Series"]:
    """The values of a metric that compete: ours and the published ones apart, and the points of a grid of one variant."""
    differs = f"{name.rpartition(' ')[0]} differs".lstrip()
    alike = table[table[differs].fillna("") == ""] if differs in table else table
    if "family" in table:
        parts = alike.groupby(alike["family"] == "ours")
    elif "point" in table:
        parts = alike.groupby("variant")
    else:
        return [alike[name].dropna()]
    return [part[name].dropna() for _, part in parts]


def row_remarks(table: "DataFrame", said: Sequence[str] = ()) -> list[str]:
    """Return what all rows have in common, but for columns that are `said` elsewhere, and what the marks † and ‡ mean."""
    found = {name.replace("_", " "): value for name, value in _common(table).items() if value and name not in said}
    common = "; ".join(f"{name}: {value}" for name, value in found.items())
    rows = "Every row of ours" if "family" in table else "Every row"
    return [*([f"{rows} has {common}."] if common else []), *_marks_of(table)]


def _marks_of(table: "DataFrame") -> list[str]:
    notes = []
    for _, row in table.iterrows():
        called = row.get("method", row.get("title"))
        notes += [f"† {called}, {row['remark']}."] if row.get("remark") else []
        notes += [f"‡ {called} is not ranked beside the others: {row['differs']}."] if row.get("differs") else []
    return notes
