"""One source file as its top-level statements: what it defines, what it imports, and what it does when imported."""

import ast
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

from scegg_core.workflow.names import Chain, chain_of, imported_names, is_type_checking
from scegg_core.workflow.syntax import Form, read_form

Stamp = tuple[int, int]  # when a file was changed, and its size


@dataclass(eq=False)
class Statement:
    """A top-level statement of `module`; `names` are those that it binds, none where it only does something.

    Its syntax tree is kept until its form is read. A block is an `if`, `try` or the like; `may_act` is False where executing it cannot do more than to bind
    a name, and where it is executed in a script alone.
    """

    module: "Module"
    names: tuple[str, ...]
    line: int
    is_block: bool
    may_act: bool
    node: ast.stmt | None

    @cached_property
    def form(self) -> Form:
        """Return its normal form, read when it is first asked for."""
        node, self.node = self.node, None
        return read_form(node, self.module.package, self.module.imports)

    def __str__(self) -> str:
        return f"{'.'.join(self.module.dotted)}:{self.names[0] if self.names else f'line {self.line}'}"


@dataclass(eq=False)
class Module:
    """A source file. `imports` are the names bound by its imports; `executed` is what they run; `stars` those of all names."""

    path: Path
    dotted: Chain
    statements: list[Statement] = field(default_factory=list)
    definitions: dict[str, list[Statement]] = field(default_factory=dict)
    imports: dict[str, set[Chain]] = field(default_factory=dict)
    executed: list[Chain] = field(default_factory=list)
    stars: list[Chain] = field(default_factory=list)

    @cached_property
    def package(self) -> Chain:
        """Return the package that relative imports start from."""
        return self.dotted if self.path.name == "__init__.py" else self.dotted[:-1]

    def add(self, node: ast.stmt) -> None:
        """Take in a top-level statement."""
        if is_type_checking(node):
            for part in node.orelse:
                self.add(part)
            return
        is_block = isinstance(node, BLOCKS)
        inner = list(ast.walk(node)) if is_block else [node]
        for part in inner:
            if isinstance(part, (ast.Import, ast.ImportFrom)):
                self._add_import(part)
        if not isinstance(node, (ast.Import, ast.ImportFrom)) and not _is_literal(node):
            names = tuple(dict.fromkeys(name for part in inner for name in _bound(part)))
            statement = Statement(self, names, node.lineno, is_block, _may_act(node), node)
            self.statements.append(statement)
            for name in names:
                self.definitions.setdefault(name, []).append(statement)

    def _add_import(self, node: ast.Import | ast.ImportFrom) -> None:
        for bound, path, executed in imported_names(node, self.package):
            if bound == "*":
                self.stars.append(path[:-1])
            else:
                self.imports.setdefault(bound, set()).add(path)
            self.executed.append(executed)


BLOCKS = (ast.If, ast.Try, ast.TryStar, ast.With, ast.For, ast.While, ast.Match)


def stamp(path: Path) -> Stamp | None:
    """Return what changes with a file or a folder; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size


@cache
def read_module(path: Path, dotted: Chain, _stamp: Stamp) -> Module:
    """Return the module in the file `path`, whose dotted name is `dotted`."""
    module = Module(path, dotted)
    for node in ast.parse(path.read_bytes()).body:
        module.add(node)
    return module


def _bound(node: ast.AST) -> list[str]:
    """Names that a statement binds; for a whole block it is asked of each of its parts."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.For, ast.withitem, ast.NamedExpr)):
        targets = getattr(node, "targets", None) or [getattr(node, "target", None) or node.optional_vars]
        parts = [part for target in targets if target is not None for part in ast.walk(target)]
        return [part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)]
    return [node.name.id] if node.__class__.__name__ == "TypeAlias" else []


def _is_literal(node: ast.stmt) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _may_act(node: ast.stmt) -> bool:
    """Whether importing its module executes it, and it may do more than to bind a name."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        defaults = [*node.args.defaults, *node.args.kw_defaults]
        return bool(node.decorator_list) or any(isinstance(value, ast.Call) for value in defaults)
    test = node.test if isinstance(node, ast.If) else None
    return not (isinstance(test, ast.Compare) and chain_of(test.left) == ("__name__",))
