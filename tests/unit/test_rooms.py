"""The plan of the house: a stage has one name everywhere, and a room imports earlier rooms alone."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.conftest import ROOT

CORE = ROOT / "scegg_core"
#: The stages, in the order in which data walk through them.
STAGES = ("data", "words", "regions", "scen", "dazle", "eggn", "classify", "evaluate", "report", "using")
#: Every room; each imports those before it. `fetch` serves the rules alone.
ROOMS = ("settings", "artifacts", "training", "workflow", "aviary", *STAGES[:3], "fetch", *STAGES[3:])
HELPERS = {"common", "records", "resources", "resume", "screen", "targets", "written"}  # rule files without rules
TOP = {"__init__.py", "__main__.py", "errors.py"}
MODULES = sorted(CORE.rglob("*.py"))
LONGEST_MODULE, LONGEST_FUNCTION = 300, 40


@dataclass(frozen=True)
class Module:
    """What the plan asks of a module: the rooms it imports, also within functions and for type checking; the names of
    its functions with their lines."""

    imports: set[str]
    functions: list[tuple[str, int]]


@cache
def read(path: Path) -> Module:
    """Parse a module, once for all tests."""
    imported, functions = set(), []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            imported.add(node.module or "")
        elif isinstance(node, ast.Import):
            imported.update(alias.name for alias in node.names)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            functions.append((node.name, node.end_lineno - node.lineno + 1))
    return Module({name.split(".")[1] for name in imported if name.startswith("scegg_core.")}, functions)


def test_a_stage_has_one_name_everywhere():
    rules = {path.stem for path in (ROOT / "rules").glob("*.smk")} - HELPERS
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    headings = [line.removeprefix("### ").strip("`") for line in page.splitlines() if line.startswith("### ")]
    assert rules == set(STAGES)
    assert headings == list(STAGES)
    assert all((ROOT / "tests/unit" / room).is_dir() for room in STAGES)


def test_every_rule_but_those_that_fetch_records_the_digest_of_its_code():
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "rules").glob("*.smk")]
    rules = [rule for text in texts for rule in text.split("\nrule ")[1:] if "script:" in rule.split("\nuse rule ")[0]]
    without = {rule.partition(":")[0] for rule in rules if "code=code(" not in rule}
    assert without == {"fetch", "fetch_weights", "fetch_vectors"} and len(rules) > 30


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
    assert read(path).imports <= allowed


def test_only_rules_use_the_room_that_opens_connections():
    users = {path.relative_to(CORE).parts[0] for path in MODULES if "fetch" in read(path).imports}
    assert users == {"fetch"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(CORE).as_posix())
def test_modules_and_functions_are_short(path):
    assert path.read_text(encoding="utf-8").count("\n") <= LONGEST_MODULE
    assert [found for found in read(path).functions if found[1] > LONGEST_FUNCTION] == []
