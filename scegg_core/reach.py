"""Which code a script can reach by import, and a digest of it, so that editing a module re-runs what uses it.

Comments, docstrings, blank lines and formatting do not count: the digest is of the syntax trees.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = "scegg_core"


def code_digest(script: Path, root: Path) -> str:
    """Return a digest of `script` and of all modules of the package under `root` that it reaches by import."""
    digest = hashlib.sha256()
    for path in [script, *reachable(script, root)]:
        digest.update(f"{path.relative_to(root)}:{_digest(path, path.stat().st_mtime_ns)}".encode())
    return digest.hexdigest()[:16]


def reachable(script: Path, root: Path) -> list[Path]:
    """Return the package's modules that `script` imports, directly or through others, sorted."""
    found: set[Path] = set()
    waiting = [script]
    while waiting:
        for path in _imports(waiting.pop(), root):
            if path not in found:
                found.add(path)
                waiting.append(path)
    return sorted(found)


def _imports(path: Path, root: Path) -> set[Path]:
    names = _imported_names(path, path.stat().st_mtime_ns)
    return {file for name in names for file in _module_files(name, root)}


@cache
def _imported_names(path: Path, _changed: int) -> frozenset[str]:
    """Dotted names imported anywhere in the file, `from a import b` as a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(name for name in names if name.split(".")[0] == PACKAGE)


def _module_files(name: str, root: Path) -> set[Path]:
    """The files that importing `name` runs: its packages' __init__ and the module itself; a last part that is no
    module is a name inside one."""
    files, place = set(), root
    for part in name.split("."):
        place = place / part
        for file in (place / "__init__.py", place.with_suffix(".py")):
            if file.is_file():
                files.add(file)
    return files


@cache
def _digest(path: Path, _changed: int) -> str:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()
