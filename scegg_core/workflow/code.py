"""Which definitions a script can reach by name, across modules, and a digest of them: a stage's code.

Functions, classes and constants count one by one, wherever they lie. What a module does when it is imported counts
for all that import it, directly or through others. Where names cannot be followed all of a module counts, so that it
is wrong only on the safe side. docs/architecture.md says what that means for an edit.
"""

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import sha256
from pathlib import Path

from scegg_core.workflow.modules import Module, Stamp, Statement, read_module, stamp
from scegg_core.workflow.names import Chain

Target = Statement | Module | str  # a definition, a whole module, or the dotted name of somebody else's

#: Ways to reach code without naming it: after one of these all of the project's packages count.
UNNAMED = {"importlib.import_module", "pkgutil.iter_modules", "pkgutil.walk_packages", "sys.modules", "__import__"}
UNNAMED |= {"runpy.run_module", "runpy.run_path", "importlib.util.spec_from_file_location", "importlib.__import__"}
#: After one of these all of the module that uses it counts.
ANY_NAME = {"globals", "vars", "locals", "eval", "exec"}
#: Decorators of others that register nothing. All others are taken to, so what they decorate counts where it is imported.
PLAIN = {"dataclass", "cache", "lru_cache", "cached_property", "wraps", "contextmanager", "total_ordering", "overload"}
PLAIN |= {"no_grad", "inference_mode", "singledispatch", "final", "override", "runtime_checkable", "unique"}
PLAIN |= {
    "field_validator",
    "model_validator",
    "abstractmethod",
    "once_differentiable",
    "asynccontextmanager",
    "singledispatchmethod",
}
DEPTH = 2  # how far the digest of a definition looks at what its names stand for


def code_digest(script: Path, root: Path) -> str:
    """Return a digest of the definitions that `script` reaches in the packages under `root`."""
    return digests_of([script], root)[script]


def digests_of(scripts: Iterable[Path], root: Path) -> dict[Path, str]:
    """Return `code_digest` of each script, for files that nobody changes meanwhile."""
    with _without_collecting():
        project = _project(root)
        return {script: project.digest(script) for script in scripts}


def reachable(script: Path, root: Path) -> list[Path]:
    """Return the files, but for `script` itself, that hold what it reaches, sorted."""
    return sorted({statement.module.path for statement in _project(root).reach(script)} - {script})


def definitions(script: Path, root: Path) -> list[str]:
    """Return what `script` reaches as "module:name", sorted; statements that define nothing as "module:line 7"."""
    return sorted(str(statement) for statement in _project(root).reach(script))


def looked_at(root: Path) -> list[Path]:
    """Return the files and folders that digests asked for so far depend on."""
    return sorted(_project(root).stamps)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Syntax trees are many objects at once, and looking through them for garbage takes as long as making them."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Project:
    """The modules under `root` as they are now, and where the names in them lead."""

    def __init__(self, root: Path):
        self.root = root
        self.stamps: dict[Path, Stamp | None] = {root: stamp(root)}
        self.paths: dict[Chain, Path | None] = {}
        self.names: dict[Chain, bool] = {}
        self.modules: dict[Chain, Module | None] = {}
        self.found: dict[tuple[Module, Chain], frozenset[Target]] = {}
        self.linked: dict[Statement, list[tuple[Chain, frozenset[Target]]]] = {}
        self.identities: dict[tuple[Statement, int], str] = {}
        self.done: dict[Module, list[Statement]] = {}
        self.needed: dict[Statement, list[Statement | Module]] = {}

    def is_current(self) -> bool:
        """Return whether no file has changed since it was read, and none was added beside."""
        return all(stamp(path) == before for path, before in self.stamps.items())

    # --- files ---

    def module(self, dotted: Chain) -> Module | None:
        """Return the module of this name, or None where the project has none."""
        if dotted not in self.modules:
            path = self.path(dotted)
            self.modules[dotted] = self.read(path, dotted) if path else None
        return self.modules[dotted]

    def read(self, path: Path, dotted: Chain) -> Module:
        """Return the module in a file."""
        for part in (path, path.parent):
            self.stamps.setdefault(part, stamp(part))
        return read_module(path, dotted, self.stamps[path])

    def path(self, dotted: Chain) -> Path | None:
        """Return the file of a module; a folder without __init__ is no file, but may hold some."""
        if dotted not in self.paths:
            place = self.root.joinpath(*dotted)
            files = (place / "__init__.py", place.with_suffix(".py"))
            there = (file for file in files if file.is_file())
            self.paths[dotted] = next(there, None) if dotted[1:] == () or self.has(dotted[:-1]) else None
        return self.paths[dotted]

    def has(self, dotted: Chain) -> bool:
        """Return whether the project has a module of this name, or a folder of modules."""
        if dotted not in self.names:
            self.names[dotted] = self.path(dotted) is not None or self.root.joinpath(*dotted).is_dir()
        return self.names[dotted]

    # --- names ---

    def lookup(self, module: Module, chain: Chain) -> frozenset[Target]:
        """Return what a.b.c means in `module`; nothing for what only a function or Python itself knows."""
        key = (module, chain)
        if key not in self.found:
            self.found[key] = frozenset()  # modules that import from each other
            targets: set[Target] = set(module.definitions.get(chain[0], ()))
            for path in module.imports.get(chain[0], ()):
                targets |= self.follow((*path, *chain[1:]))
            self.found[key] = frozenset(targets)
        return self.found[key]

    def follow(self, chain: Chain, length: int = 1) -> set[Target]:
        """Return what a dotted name stands for whose first `length` parts are a module or a folder of modules."""
        if not self.has(chain[:length]):
            return {".".join(chain)}
        module, inside = self.module(chain[:length]), chain[length:]
        if not inside:
            return {module} if module else {".".join(chain)}
        deeper = self.path(chain[: length + 1]) if module else self.has(chain[: length + 1])
        targets = self.follow(chain, length + 1) if deeper else set()
        if module and (inside[0] in module.definitions or inside[0] in module.imports):
            return targets | self.lookup(module, inside)
        if targets or module is None:
            return targets or {".".join(chain)}
        return set() if inside[0].startswith("__") else {module}

    def links(self, statement: Statement) -> list[tuple[Chain, frozenset[Target]]]:
        """Return the names that a statement uses, and what they stand for."""
        if statement not in self.linked:
            local: dict[str, set[Chain]] = {}
            for bound, path in statement.form.imports:
                local.setdefault(bound, set()).add(path)
            found = []
            for chain in statement.form.uses:
                targets = self.lookup(statement.module, chain)
                for path in local.get(chain[0], ()):
                    targets |= self.follow((*path, *chain[1:]))
                found.append((chain, targets))
            self.linked[statement] = found
        return self.linked[statement]

    # --- reaching ---

    def reach(self, script: Path) -> set[Statement]:
        """Return all statements that the script at `script` reaches, its own among them."""
        first = self.read(script, script.relative_to(self.root).with_suffix("").parts)
        waiting: list[Statement | Module] = [first, *first.statements]
        seen: set[Statement | Module] = set()
        while waiting:
            item = waiting.pop()
            if item not in seen:
                seen.add(item)
                waiting += self.run(item) if isinstance(item, Module) else self.needs(item)
        return {item for item in seen if isinstance(item, Statement)}

    def run(self, module: Module) -> list[Statement | Module]:
        """Return what importing a module executes: its statements that do something, and the modules it imports."""
        if module not in self.done:
            acting = [statement for statement in module.statements if statement.may_act and self.acts(statement)]
            self.done[module] = [*acting, *self.executed(module.executed)]
            for path in module.stars:
                self.done[module] += self.everything(self.module(path))
        return self.done[module]

    def executed(self, names: Iterable[Chain]) -> Iterator[Module]:
        """Yield the modules that importing these names executes, packages first."""
        for dotted in names:
            parts = (dotted[:length] for length in range(1, len(dotted) + 1) if self.has(dotted[:1]))
            yield from filter(None, map(self.module, parts))

    def needs(self, statement: Statement) -> list[Statement | Module]:
        """Return what a statement needs: its own module, those it imports, and what its names stand for."""
        if statement not in self.needed:
            self.needed[statement] = list(dict.fromkeys(self._needs(statement)))
        return self.needed[statement]

    def _needs(self, statement: Statement) -> list[Statement | Module]:
        found = [statement.module, *self.executed(path for bound, path in statement.form.imports if not bound)]
        for chain, targets in self.links(statement):
            for target in targets:
                if isinstance(target, Statement):
                    found.append(target)
                elif isinstance(target, Module):
                    found += self.everything(target)
            found += self.unnamed(statement.module, chain, targets)
        return found

    def unnamed(self, module: Module, chain: Chain, targets: frozenset[Target]) -> Iterator[Statement | Module]:
        """Yield what may be reached without being named, where `chain` is a way to do so."""
        names = {target for target in targets if isinstance(target, str)} | ({chain[0]} if not targets else set())
        if names & ANY_NAME:
            yield from self.everything(module)
        if names & UNNAMED or chain[-1] == "__subclasses__":
            for package in sorted(self.root.glob("*/__init__.py")):
                for path in sorted(package.parent.rglob("*.py")):
                    dotted = path.relative_to(self.root).with_suffix("").parts
                    yield from self.everything(self.read(path, dotted[:-1] if dotted[-1] == "__init__" else dotted))

    def everything(self, module: Module | None) -> Iterator[Statement | Module]:
        """Yield all of a module: itself, its statements, and what its imports name."""
        if module is not None:
            yield from (module, *module.statements)
            for name in module.imports:
                yield from (target for target in self.lookup(module, (name,)) if not isinstance(target, str))

    # --- definitions that do something beside ---

    def acts(self, statement: Statement) -> bool:
        """Return whether executing a statement may change something elsewhere, as registering a definition does."""
        if statement.is_block or not statement.names or statement.form.acts:
            return True
        form, module = statement.form, statement.module
        for chain in form.decorators | form.calls:
            for target in self.lookup(module, chain):
                foreign = target.rsplit(".", 1)[-1] if isinstance(target, str) else None
                if foreign and ((chain in form.decorators and foreign not in PLAIN) or "register" in foreign):
                    return True
                if not foreign and self.meets(target, "state"):
                    return True
        bases = [target for chain in form.bases for target in self.lookup(module, chain)]
        return any(self.meets(target, "hook") for target in bases if not isinstance(target, str))

    def meets(self, target: Target, flag: str) -> bool:
        """Return whether a definition, or one that it reaches, has this flag of its form set."""
        waiting, seen = [target], set()
        while waiting:
            item = waiting.pop()
            if item in seen or isinstance(item, str):
                continue
            if isinstance(item, Module) or getattr(item.form, flag):
                return True
            seen.add(item)
            waiting += [target for _, targets in self.links(item) for target in targets]
        return False

    # --- the digest ---

    def digest(self, script: Path) -> str:
        """Return a digest of all that a script reaches."""
        found = sorted(self.identity(statement, DEPTH) for statement in self.reach(script))
        return sha256("\n".join(found).encode()).hexdigest()[:16]

    def identity(self, statement: Statement, depth: int) -> str:
        """Return a digest of a statement and, `depth` deep, of what its names stand for; not of where it lies."""
        if depth == 0:
            return statement.form.digest
        key = (statement, depth)
        if key not in self.identities:
            lines = [
                f"{chain} {sorted(self.mark(t, depth - 1) for t in ts)}" for chain, ts in self.links(statement) if ts
            ]
            self.identities[key] = sha256("\n".join([statement.form.digest, *sorted(lines)]).encode()).hexdigest()
        return self.identities[key]

    def mark(self, target: Target, depth: int) -> str:
        """Return what tells a target from others."""
        if isinstance(target, Module):
            return " ".join(sorted(statement.form.digest for statement in target.statements))
        return target if isinstance(target, str) else self.identity(target, depth)


def _project(root: Path) -> _Project:
    project = _latest(root)
    if not project.is_current():
        _latest.cache_clear()
        project = _latest(root)
    return project


@cache
def _latest(root: Path) -> _Project:
    return _Project(root)
