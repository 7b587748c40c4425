"""Dotted names in source code: those of an expression, and those that an import binds."""

import ast

Chain = tuple[str, ...]  # a.b.c as ("a", "b", "c")


def imported_names(node: ast.Import | ast.ImportFrom, package: Chain) -> list[tuple[str, Chain, Chain]]:
    """Return (bound name, where it leads, what is executed) of an import; the name is '*' for all names."""
    if isinstance(node, ast.Import):
        dotted = [(alias, tuple(alias.name.split("."))) for alias in node.names]
        return [(alias.asname or path[0], path if alias.asname else path[:1], path) for alias, path in dotted]
    above = package[: len(package) - node.level + 1] if node.level else ()
    origin = (*above, *(node.module.split(".") if node.module else ()))
    names = [alias for alias in node.names if origin != ("__future__",)]
    return [(alias.asname or alias.name, (*origin, alias.name), (*origin, alias.name)) for alias in names]


def is_type_checking(node: ast.AST) -> bool:
    """Return whether this is `if TYPE_CHECKING:`, whose body is never executed."""
    test = chain_of(node.test) if isinstance(node, ast.If) else None
    return test is not None and test[-1] == "TYPE_CHECKING"


def chain_of(node: ast.AST) -> Chain | None:
    """Return the names of a.b.c, or None where the expression is anything else."""
    names = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *reversed(names)) if isinstance(node, ast.Name) else None
