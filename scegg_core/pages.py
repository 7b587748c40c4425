"""Tables as pages of their own, for the report and for a browser without a network."""

from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from scegg_core.artifacts import write_text
from scegg_core.tables import display, right_aligned, row_remarks

if TYPE_CHECKING:
    from pandas import DataFrame

STYLE = """
body { font: 14px/1.45 system-ui, sans-serif; color: #1b1f24; margin: 1.5rem; }
h1 { font-size: 1.15rem; margin: 0 0 .8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .65rem; text-align: left; white-space: nowrap; border-bottom: 1px solid #e3e6ea; }
thead th { border-bottom: 2px solid #1b1f24; position: sticky; top: 0; background: #fff; white-space: normal;
  vertical-align: bottom; }
.number { text-align: right; }
tbody tr:hover { background: #f2f6fa; }
b { color: #004c7a; }
.key, li { color: #555; font-size: .86rem; }
"""


def to_page(title: str, table: "DataFrame", remarks: Sequence[str] = ()) -> str:
    """Return the table as a whole HTML page that needs nothing else; best bold, second best italic, remarks below."""
    head, *body = display(table, ("%s", "<b>%s</b>", "<i>%s</i>"), escape) or [[]]
    kinds = [' class="number"' if right else "" for right in right_aligned(table)]
    rows = ["".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True)) for row in body]
    marked = any(mark in row for row in rows for mark in ("<b>", "<i>"))
    notes = "".join(f"<li>{escape(note)}</li>" for note in (*remarks, *row_remarks(table)))
    parts = [
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1>",
        '<div class="wide"><table><thead><tr>',
        "".join(f"<th{kind}>{name}</th>" for kind, name in zip(kinds, head, strict=True)),
        "</tr></thead><tbody>",
        *(f"<tr>{row}</tr>" for row in rows),
        "</tbody></table></div>" if rows else "</tbody></table></div><p>No results.</p>",
        '<p class="key">Bold: best of a column; italic: second best.</p>' if marked else "",
        f"<ul>{notes}</ul>" if notes else "",
        "</body></html>",
    ]
    return "\n".join(filter(None, parts)) + "\n"


def write_csv_and_page(
    csv: str | Path, page: str | Path, title: str, table: "DataFrame", remarks: Sequence[str] = ()
) -> None:
    """Write the table as CSV to `csv` and, with its remarks, as a page to `page`."""
    write_text(csv, table.to_csv(index=False))
    write_text(page, to_page(title, table, remarks))
