"""docs/paper_map.md leads to code and settings that are there."""

import ast
import re
from dataclasses import fields

import pytest
import yaml

from scegg_core.settings.overrides import STAGES
from scegg_core.settings.resolve import read_configuration
from tests.conftest import ROOT

TEXT = (ROOT / "docs/paper_map.md").read_text(encoding="utf-8")
EQUATIONS = [line.split("|") for line in TEXT.split("## Algebra")[0].splitlines() if line.startswith(("| ", "|-"))][2:]

FILE = re.compile(r"`([\w/]+\.(?:py|js))`")


def defined(file: str) -> set[str]:
    """Names of all classes and functions of a module of the core."""
    tree = ast.parse((ROOT / "scegg_core" / file).read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, (ast.ClassDef, ast.FunctionDef))}


def test_every_equation_is_mapped():
    named = {int(number) for row in EQUATIONS for number in numbers(row[1])}
    assert named == set(range(1, 19))


def numbers(cell: str) -> list[int]:
    found = []
    for part in cell.replace(" ", "").replace("–", "-").split(","):
        if re.fullmatch(r"\d+(-\d+)?", part):
            first, _, last = part.partition("-")
            found += range(int(first), int(last or first) + 1)
    return found


@pytest.mark.parametrize("row", EQUATIONS, ids=lambda row: row[1].strip())
def test_functions_and_rules_of_an_equation_are_there(row):
    names = re.findall(r"`([^`]+)`", row[3])
    assert names
    known = set().union(*(defined(name) for name in names if name.endswith(".py")), *map(defined, default_files(row)))
    for name in names:
        if name.endswith(".py"):
            assert (ROOT / "scegg_core" / name).is_file(), name
        else:
            assert {part for part in name.split(".") if part} <= known, name
    for rule in row[4].split(","):
        assert (ROOT / "workflow_scripts" / f"{rule.strip()}.py").is_file(), rule


def default_files(row: list[str]) -> list[str]:
    """SCEN's rows name its file once."""
    return ["scen/model.py"] if "`LocalEmbeddingNetwork" in row[3] else []


def test_settings_named_in_the_map_exist():
    named = re.findall(r"`(scen|eggn|synthesis|classifier)\.(\w+)`", TEXT)
    assert len(named) > 15
    for stage, name in named:
        assert name in {field.name for field in fields(STAGES[stage])}, f"{stage}.{name}"


def test_every_file_with_an_assumption_is_named_among_the_open_points():
    section = TEXT.split("## Open points")[1].split("\n## ")[0]
    core = ROOT / "scegg_core"
    assuming = [
        path.relative_to(core).as_posix() for path in core.rglob("*.py") if "# ASSUME:" in path.read_text("utf-8")
    ]
    assert {"scen/model.py", "regions/decoding.py", "settings/eggn.py"} <= set(assuming)
    assert [name for name in sorted(assuming) if f"`{name}`" not in section] == []
    named = {name for line in section.splitlines() if line.startswith("|") for name in FILE.findall(line.split("|")[2])}
    assert [name for name in sorted(named) if "ASSUME:" not in (core / name).read_text("utf-8")] == []


def test_presets_named_in_the_map_exist():
    config = read_configuration(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")))
    table = TEXT.split("## Presets")[1].split("| the released code |")[0]
    named = set(re.findall(r"`([a-z-]+)`", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line)))
    assert {"sc-egg", "paper", "released-code", "wo-egs", "baseline", "f-clswgan", "len", "eszsl"} <= named
    assert named <= set(config.variants)
