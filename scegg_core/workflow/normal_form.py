"""Syntax trees as text on which all Pythons agree: fields by name, empty ones left out, so that new ones do not matter.

Comments, formatting, docstrings and `pass` are not part of it.
"""

import ast
from collections.abc import Callable
from functools import cache

SIMPLE = {str, int, bool, type(None)}
LEFT_OUT = ("ctx", "kind", "type_comment", "type_ignores")


class Writer:
    """Writes nodes to `text`; `readers` are the functions for the kinds of nodes that need care."""

    def __init__(self, readers: dict[type, Callable]):
        self.readers = readers
        self.text: list[str] = []

    def read(self, node: ast.AST) -> None:
        """Add the form of `node`."""
        self.readers.get(node.__class__, Writer.plain)(self, node)

    def plain(self, node: ast.AST) -> None:
        """Add a node that needs no care: its class and its fields."""
        self.fields(node, counting(node.__class__))

    def fields(self, node: ast.AST, names: tuple[str, ...]) -> None:
        """Add a node's class and those of its fields that are not empty."""
        text, readers = self.text, self.readers
        text.append("(" + node.__class__.__name__)
        for name in names:
            value = getattr(node, name, None)
            if value is None or value == []:
                continue
            text.append(name)
            kind = value.__class__
            if kind is list:
                self.several(value)
            elif kind in SIMPLE:
                text.append(ascii(value))
            else:
                readers.get(kind, Writer.plain)(self, value)
        text.append(")")

    def several(self, values: list) -> None:
        """Add a list of nodes, of names, or of None where a place is left empty."""
        self.text.append("[")
        for value in values:
            if value.__class__ in SIMPLE:
                self.text.append(ascii(value))
            else:
                self.readers.get(value.__class__, Writer.plain)(self, value)
        self.text.append("]")

    def constant(self, node: ast.Constant) -> None:
        """Add a literal; ascii, because what repr escapes depends on the Unicode tables of a Python."""
        self.text.append("=" + ascii(node.value))

    def f_string(self, node: ast.JoinedStr) -> None:
        """Add an f-string, its pieces of text joined: Pythons cut them differently."""
        self.text.append("(JoinedStr")
        piece = ""
        for value in [*node.values, None]:
            if isinstance(value, ast.Constant):
                piece += str(value.value)
                continue
            if piece:
                self.text.append("=" + ascii(piece))
                piece = ""
            if value is not None:
                self.formatted(value)
        self.text.append(")")

    def formatted(self, node: ast.AST) -> None:
        """Add one value of an f-string, without an empty format."""
        spec = getattr(node, "format_spec", None)
        names = tuple(n for n in node._fields if n != "format_spec" or (spec and spec.values))
        self.fields(node, names)

    def expression(self, node: ast.Expr) -> None:
        """Add an expression as a statement; docstrings and other lone literals are none."""
        if not isinstance(node.value, ast.Constant):
            self.plain(node)

    def nothing(self, node: ast.AST) -> None:
        """Add nothing, for `pass`."""


@cache
def counting(kind: type) -> tuple[str, ...]:
    """Return the fields of a kind of node that count."""
    return tuple(name for name in kind._fields if name not in LEFT_OUT)
