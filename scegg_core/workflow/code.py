"""Which code a script can reach by import, and a digest of it, so that editing a module re-runs what uses it.

Comments, docstrings, blank lines and formatting do not count: the digest is of the syntax trees.
"""

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PACKAGE = "scegg_core"

BODIES = ("body", "orelse", "finalbody", "handlers", "cases")  # fields of a statement that hold statements


@dataclass(frozen=True)
class Source:
    """What is known of a file: the package's names that it imports, `from a import b` as a.b, and its digest."""

    imports: frozenset[str]
    digest: str


def code_digest(script: Path, root: Path) -> str:
    """Return a digest of `script` and of all modules of the package under `root` that it reaches by import."""
    digest = hashlib.sha256()
    for path in [script, *reachable(script, root)]:
        digest.update(f"{path.relative_to(root)}:{_source(path).digest}".encode())
    return digest.hexdigest()[:16]


def reachable(script: Path, root: Path) -> list[Path]:
    """Return the package's modules that `script` imports, directly or through others, sorted."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        for name in _source(waiting.pop()).imports:
            for path in _module_files(name, root) - found:
                found.add(path)
                waiting.append(path)
    return sorted(found)


def _source(path: Path) -> Source:
    return _parse(path, path.stat().st_mtime_ns)


@cache
def _parse(path: Path, _changed: int) -> Source:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names: set[str] = set()
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            node.body = node.body[_has_docstring(node) :]
    imports = frozenset(name for name in names if name.split(".")[0] == PACKAGE)
    return Source(imports, hashlib.sha256(ast.dump(tree).encode()).hexdigest())


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the node and all statements below it; expressions hold neither imports nor docstrings."""
    yield node
    for field in BODIES:
        for child in getattr(node, field, ()):
            yield from _statements(child)


def _has_docstring(node: ast.AST) -> bool:
    first = node.body[0] if node.body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


@cache
def _module_files(name: str, root: Path) -> frozenset[Path]:
    """The files that importing `name` runs: its packages' __init__ and the module itself; a last part that is no
    module is a name inside one."""
    files, place = set(), root
    for part in name.split("."):
        place = place / part
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                files.add(file)
    return frozenset(files)
