"""The plan of the house: a stage has one name everywhere, and a room imports earlier rooms alone."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

CORE = ROOT / "scegg_core"
#: The stages, in the order in which data walk through them.
STAGES = ("data", "words", "regions", "scen", "dazle", "eggn", "classify", "evaluate", "report", "using")
#: Every room; each imports those before it. `fetch` serves the rules alone.
ROOMS = ("settings", "artifacts", "training", "workflow", "aviary", *STAGES[:3], "fetch", *STAGES[3:])
HELPERS = {"common", "records", "resources", "resume", "screen"}  # rule files without rules
TOP = {"__init__.py", "__main__.py", "errors.py"}
MODULES = sorted(CORE.rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 300, 40


def imports(path: Path) -> Iterator[str]:
    """Yield the rooms that a module imports, also within functions and for type checking."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        yield from (name.split(".")[1] for name in names if name.startswith("scegg_core."))


def functions(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name, node.end_lineno - node.lineno + 1


def test_a_stage_has_one_name_everywhere():
    rules = {path.stem for path in (ROOT / "rules").glob("*.smk")} - HELPERS
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    headings = [line.removeprefix("### ").strip("`") for line in page.splitlines() if line.startswith("### ")]
    assert rules == set(STAGES)
    assert headings == list(STAGES)
    assert all((ROOT / "tests/unit" / room).is_dir() for room in STAGES)


def test_every_folder_of_the_core_is_a_room():
    folders = {path.name for path in CORE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(ROOMS)
    assert {path.name for path in CORE.glob("*.py")} == TOP


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(CORE).as_posix())
def test_a_room_imports_earlier_rooms_alone(path):
    room = path.relative_to(CORE).parts[0]
    if room not in ROOMS:  # the three modules at the top
        return
    allowed = {*ROOMS[: ROOMS.index(room) + 1], "errors"}
    assert set(imports(path)) <= allowed


def test_only_rules_use_the_room_that_opens_connections():
    assert [path for path in MODULES if "fetch" in imports(path) and path.relative_to(CORE).parts[0] != "fetch"] == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(CORE).as_posix())
def test_modules_and_functions_are_short(path):
    assert path.read_text(encoding="utf-8").count("\n") <= LONGEST_MODULE
    assert [found for found in functions(path) if found[1] > LONGEST_FUNCTION] == []
