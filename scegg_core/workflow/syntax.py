"""One statement in a normal form of our own, with the names that it uses: what a digest of code is made of.

Of an import only the names that it binds are part of the form: `code.py` follows where they lead. The `description=` of
pydantic's Field is not.
"""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from scegg_core.workflow.names import Chain, chain_of, imported_names, is_type_checking
from scegg_core.workflow.normal_form import Writer, counting

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
MUTABLE = (ast.Dict, ast.List, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp)
#: Calls whose result nobody adds to.
IMMUTABLE = {"tuple", "frozenset", "partial", "compile", "Path", "TypeVar", "ParamSpec", "namedtuple", "Field", "field"}
REFERENCE = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")


@dataclass(frozen=True)
class Form:
    """A statement: the digest of its normal form, and all it says about others.

    `imports` are (bound name, where it leads) of imports inside it; `decorators` and `calls` are evaluated when it is
    executed, not when what it defines is called; `state` tells whether it holds or changes what others may share, `acts`
    whether it changes it when executed, and `hook` whether it is told of its subclasses.
    """

    digest: str
    uses: frozenset[Chain]
    imports: tuple[tuple[str, Chain], ...]
    decorators: frozenset[Chain]
    calls: frozenset[Chain]
    bases: frozenset[Chain]
    state: bool
    acts: bool
    hook: bool


def read_form(node: ast.stmt, package: Chain, imports: dict[str, set[Chain]]) -> Form:
    """Return the form of a top-level statement in a module of `package` with these `imports`."""
    reader = _Reader(package, imports)
    reader.read(node)
    text = sha256("\n".join(reader.text).encode()).hexdigest()
    sets = (frozenset(reader.decorators), frozenset(reader.calls), frozenset(reader.bases))
    state = reader.state or bool(reader.frame.changed)
    return Form(text, frozenset(reader.frame.uses), tuple(reader.imported), *sets, state, reader.acts, reader.hook)


@dataclass
class _Frame:
    """The names of one scope; those of a comprehension are taken for names of the module, to be on the safe side."""

    bound: set[str] = field(default_factory=set)
    free: set[str] = field(default_factory=set)  # declared global, or imported here: looked up outside
    uses: set[Chain] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)


class _Reader(Writer):
    """Reads one statement; `frame` collects the names of the scope it is in."""

    def __init__(self, package: Chain, imports: dict[str, set[Chain]]):
        super().__init__(READERS)
        self.package, self.module_imports = package, imports
        self.frame = _Frame()
        self.imported: list[tuple[str, Chain]] = []
        self.decorators: set[Chain] = set()
        self.calls: set[Chain] = set()
        self.bases: set[Chain] = set()
        self.state = self.acts = self.hook = self.annotations_count = False
        self.depth = self.comprehensions = 0  # how many functions, and comprehensions, we are in

    def name(self, node: ast.Name) -> None:
        """Add a name: bound in its scope where it is assigned, used where it is read."""
        self.text.append("(" + ascii(node.id))
        if isinstance(node.ctx, ast.Load):
            self.frame.uses.add((node.id,))
        elif not self.comprehensions:
            self.frame.bound.add(node.id)

    def attribute(self, node: ast.Attribute) -> None:
        """Add a.b.c as one use."""
        chain = chain_of(node)
        if chain is None:
            return self.plain(node)
        self.text.append("." + ascii(chain))
        self.frame.uses.add(chain)
        if not isinstance(node.ctx, ast.Load):
            self.change(chain[0])

    def change(self, name: str) -> None:
        """Note that something of this name is changed."""
        self.frame.changed.add(name)
        self.acts |= not self.depth

    def subscript(self, node: ast.Subscript) -> None:
        """Add a[b]; assigned to, it changes a."""
        chain = chain_of(node.value)
        if chain and not isinstance(node.ctx, ast.Load):
            self.change(chain[0])
        self.plain(node)

    def call(self, node: ast.Call) -> None:
        """Add a call; the description of a pydantic field is for people."""
        chain = chain_of(node.func)
        if chain and not self.depth:
            self.calls.add(chain)
        if chain == ("setattr",) and node.args:
            self.change((chain_of(node.args[0]) or ("",))[0])
        if not (chain and chain[-1] == "Field" and self.is_pydantic(chain[0])):
            return self.plain(node)
        keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
        self.plain(ast.Call(func=node.func, args=node.args, keywords=keywords))

    def is_pydantic(self, name: str) -> bool:
        """Return whether a name is imported from pydantic."""
        return any(path[0] == "pydantic" for path in self.module_imports.get(name, ()))

    def branch(self, node: ast.If) -> None:
        """Add an `if`; of `if TYPE_CHECKING` what is executed alone."""
        self.fields(node, ("orelse",) if is_type_checking(node) else counting(ast.If))

    def imports(self, node: ast.Import | ast.ImportFrom) -> None:
        """Add an import inside a statement by the names that it binds."""
        for bound, path, executed in imported_names(node, self.package):
            self.imported += [(bound, path), ("", executed)]
            self.frame.free.add(bound)
            self.text.append("import " + bound)

    def declared_global(self, node: ast.Global) -> None:
        """Add `global`: the function changes what others share."""
        self.frame.free.update(node.names)
        self.frame.changed.update(node.names)
        self.frame.uses.update((name,) for name in node.names)
        self.plain(node)

    def assignment(self, node: ast.Assign | ast.AnnAssign) -> None:
        """Add an assignment; outside functions its annotation is evaluated, and its value may be there to be changed."""
        if not self.depth and node.value is not None:
            called = chain_of(node.value.func) if isinstance(node.value, ast.Call) else None
            self.state |= isinstance(node.value, MUTABLE) or bool(called and called[-1] not in IMMUTABLE)
        if isinstance(node, ast.AnnAssign):
            self.annotation(node.annotation, follow=not self.depth)
        self.fields(node, tuple(name for name in counting(node.__class__) if name != "annotation"))

    def annotation(self, node: ast.AST | None, follow: bool) -> None:
        """Add an annotation; the names in it, also those within strings, count where it is evaluated."""
        if node is None:
            return
        uses = self.frame.uses
        self.frame.uses = set()
        self.read(node)
        if follow:
            uses |= self.frame.uses
            texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
            uses.update(tuple(name.split(".")) for t in texts if isinstance(t, str) for name in REFERENCE.findall(t))
        self.frame.uses = uses

    def argument(self, node: ast.arg) -> None:
        """Add an argument, which is bound in the function's scope."""
        self.text.append("arg " + ascii(node.arg))
        self.frame.bound.add(node.arg)
        self.annotation(node.annotation, self.annotations_count)

    def comprehension(self, node: ast.AST) -> None:
        """Add a comprehension, whose targets are bound in itself."""
        self.comprehensions += 1
        self.plain(node)
        self.comprehensions -= 1

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Add a function. Annotations count as text; their names are followed where a decorator may read them."""
        self.frame.bound.add(node.name)
        self.hook |= node.name in ("__init_subclass__", "__set_name__")
        self.decorated(node)
        self.defaults(node.args)
        outer, self.annotations_count = self.annotations_count, bool(node.decorator_list)
        self.scope(lambda: self.fields(node, ("name", "type_params", "args", "body")), node)
        self.annotations_count = outer

    def function_lambda(self, node: ast.Lambda) -> None:
        """Add a lambda, a scope of its own."""
        self.defaults(node.args)
        self.scope(lambda: self.fields(node, ("args", "body")), node)

    def scope(self, read_inside: Callable[[], None], node: ast.AST) -> None:
        """Read a function's inside; what is not bound there is used of the scope around."""
        outer, self.frame = self.frame, _Frame()
        comprehensions, self.comprehensions = self.comprehensions, 0
        self.depth += 1
        read_inside()
        self.annotation(getattr(node, "returns", None), self.annotations_count)
        own = self.frame.bound - self.frame.free
        outer.uses.update(chain for chain in self.frame.uses if chain[0] not in own)
        outer.changed.update(self.frame.changed - own)
        self.depth -= 1
        self.frame, self.comprehensions = outer, comprehensions

    def defaults(self, args: ast.arguments) -> None:
        """Add default values, which are evaluated outside of the function."""
        self.several(args.defaults)
        self.several(args.kw_defaults)

    def arguments(self, node: ast.arguments) -> None:
        """Add arguments without their defaults."""
        self.fields(node, ("posonlyargs", "args", "vararg", "kwonlyargs", "kwarg"))

    def klass(self, node: ast.ClassDef) -> None:
        """Add a class; names bound in it are not seen by its methods."""
        self.decorated(node)
        outer, self.frame = self.frame, _Frame()
        self.bases.update(filter(None, map(chain_of, node.bases)))
        self.hook |= any(keyword.arg == "metaclass" for keyword in node.keywords)
        self.fields(node, ("name", "type_params", "bases", "keywords", "body"))
        outer.uses |= self.frame.uses
        outer.changed |= self.frame.changed
        self.frame = outer
        self.frame.bound.add(node.name)

    def decorated(self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        """Add the decorators, which are called when the statement is executed."""
        if not self.depth:
            called = (part.func if isinstance(part, ast.Call) else part for part in node.decorator_list)
            found = set(filter(None, map(chain_of, called)))
            self.decorators |= found
            self.state |= any(chain[-1] == "singledispatch" for chain in found)  # others register with it
        self.several(node.decorator_list)


READERS: dict[type, Callable[[_Reader, ast.AST], None]] = {
    ast.Name: _Reader.name,
    ast.Attribute: _Reader.attribute,
    ast.Subscript: _Reader.subscript,
    ast.Constant: Writer.constant,
    ast.JoinedStr: Writer.f_string,
    ast.Expr: Writer.expression,
    ast.Pass: Writer.nothing,
    ast.Call: _Reader.call,
    ast.If: _Reader.branch,
    ast.Import: _Reader.imports,
    ast.ImportFrom: _Reader.imports,
    ast.Global: _Reader.declared_global,
    ast.Assign: _Reader.assignment,
    ast.AnnAssign: _Reader.assignment,
    ast.arg: _Reader.argument,
    ast.arguments: _Reader.arguments,
    ast.FunctionDef: _Reader.function,
    ast.AsyncFunctionDef: _Reader.function,
    ast.Lambda: _Reader.function_lambda,
    ast.ClassDef: _Reader.klass,
    **dict.fromkeys(COMPREHENSIONS, _Reader.comprehension),
}
