"""Which edits change a script's digest: small packages, each with one of the ways in which code is reached."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scegg_core.workflow.code import code_digest, definitions, reachable

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = "from core.a import top\n\nprint(top(1))\n"
CORE = {
    "core/__init__.py": "",
    "core/a.py": "from core.b import SCALE, helper\n\n\ndef top(x, times=2):\n    return helper(x) * times * SCALE\n\n\ndef other():\n    return 0\n",
    "core/b.py": "SCALE = 3\nLIMIT = 4\n\n\ndef helper(x):\n    return x + 1\n\n\ndef unused(x):\n    return LIMIT\n",
}


@pytest.fixture
def project(tmp_path):
    """Return a function that writes files and returns the digest of script.py."""

    def digest(files: dict[str, str | None], script: str | None = None) -> str:
        for name, text in {**files, **({"script.py": script} if script else {})}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True) if text is None else path.write_text(text)
        return code_digest(tmp_path / "script.py", tmp_path)

    digest.root = tmp_path
    digest.reached = lambda: definitions(tmp_path / "script.py", tmp_path)
    return digest


def edited(name: str, old: str, new: str, files: dict[str, str] = CORE) -> dict[str, str]:
    assert old in files[name]
    return {name: files[name].replace(old, new)}


def test_what_is_reached_has_names(project):
    project(CORE, SCRIPT)
    assert project.reached() == ["core.a:top", "core.b:SCALE", "core.b:helper", "script:line 3"]
    assert reachable(project.root / "script.py", project.root) == [
        project.root / "core/a.py",
        project.root / "core/b.py",
    ]


@pytest.mark.parametrize(
    "edit",
    [
        edited("core/a.py", "return 0", "return 1"),  # a function that the script does not reach
        edited("core/b.py", "LIMIT = 4", "LIMIT = 5"),
        edited("core/b.py", "x + 1", "(x\n        +  1)  # a remark"),
        edited("core/b.py", "    return x + 1", '    """A docstring."""\n    return x + 1'),
        edited("core/b.py", "SCALE = 3", '"""About this file."""\n\nSCALE = 3\n"""About SCALE."""'),
        {"core/b.py": CORE["core/b.py"] + "\n\ndef added():\n    return helper(2)\n"},
    ],
)
def test_what_does_not_count(project, edit):
    before = project(CORE, SCRIPT)
    assert project(edit) == before


@pytest.mark.parametrize(
    "edit",
    [
        edited("core/b.py", "x + 1", "x + 2"),
        edited("core/b.py", "SCALE = 3", "SCALE = 4"),
        edited("core/b.py", "SCALE = 3", "SCALE: float = 3"),
        edited("core/a.py", "times=2", "times=3"),
        edited("core/b.py", "def helper", "from functools import cache\n\n\n@cache\ndef helper"),
        edited("core/b.py", "SCALE = 3", "SCALE = 3\nSCALE += 1"),
        {"script.py": "from core.a import top\n\nprint(top(2))\n"},
    ],
)
def test_what_counts(project, edit):
    before = project(CORE, SCRIPT)
    assert project(edit) != before


def test_order_and_place_do_not_count(project):
    before = project(CORE, SCRIPT)
    turned = "def unused(x):\n    return LIMIT\n\n\ndef helper(x):\n    return x + 1\n\n\nSCALE = 3\nLIMIT = 4\n"
    assert project({"core/b.py": turned}) == before
    moved = edited(
        "core/a.py", "from core.b import SCALE, helper", "from core.b import SCALE\nfrom core.room.c import helper"
    )
    emptied = edited("core/b.py", "def helper(x):\n    return x + 1\n", "")
    room = {"core/room/__init__.py": "", "core/room/c.py": "def helper(x):\n    return x + 1\n"}
    assert project({**moved, **emptied, **room}) == before
    renamed = {"core/d.py": moved["core/a.py"], "core/a.py": None}
    assert project(renamed, SCRIPT.replace("core.a", "core.d")) == before


def test_a_move_into_the_module_that_uses_it(project):
    before = project(CORE, SCRIPT)
    joined = CORE["core/a.py"].replace("SCALE, helper", "SCALE") + "\n\ndef helper(x):\n    return x + 1\n"
    assert project({"core/a.py": joined}) == before


def test_two_definitions_that_change_places_count(project):
    files = {
        "core/__init__.py": "",
        "core/a.py": "def f():\n    return 1\n",
        "core/b.py": "def f():\n    return 2\n",
    }
    before = project(files, "from core.a import f\nfrom core.b import f as g\nprint(f() - g())\n")
    assert project({}, "from core.b import f\nfrom core.a import f as g\nprint(f() - g())\n") != before


def test_a_foreign_name_counts_by_what_it_is_imported_from(project):
    before = project(
        {"core/__init__.py": "", "core/a.py": "from math import sin as f\n\ndef top(x):\n    return f(x)\n"}, SCRIPT
    )
    assert project({"core/a.py": "from math import cos as f\n\ndef top(x):\n    return f(x)\n"}) != before


CLASS = '''from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

if TYPE_CHECKING:
    from core.c import Shown


class Part:
    size = 1


@dataclass(frozen=True)
class Box:
    """What it is."""

    width: int = 1
    part: "Part | None" = None
    depth: int = Field(2, ge=1, description="how deep")

    def area(self, shown: "Shown | None" = None) -> int:
        """Return it."""
        return self.width * 2

    def never(self) -> int:
        return 0


def top(x):
    return Box(x).area()
'''
HIDDEN = {"core/c.py": "class Shown:\n    size = 1\n"}


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("self.width * 2", "self.width * 3", True),
        ("return 0", "return 1", True),  # a class counts whole
        ("width: int = 1", "width: float = 1", True),
        ("frozen=True", "frozen=False", True),
        ("size = 1", "size = 2", True),  # named by a field, as a string
        ("ge=1", "ge=2", True),
        ("how deep", "how deep it is", False),
        ("What it is.", "What it holds.", False),
        ("Return it.", "Return the area.", False),
    ],
)
def test_parts_of_a_class(project, old, new, counts):
    files = {"core/__init__.py": "", "core/a.py": CLASS, **HIDDEN}
    before = project(files, SCRIPT)
    assert (project(edited("core/a.py", old, new, files)) != before) == counts


def test_what_only_a_type_checker_imports_does_not_count(project):
    before = project({"core/__init__.py": "", "core/a.py": CLASS, **HIDDEN}, SCRIPT)
    assert project({"core/c.py": "class Shown:\n    size = 2\n"}) == before


def test_a_description_that_is_not_a_settings_field_counts(project):
    before = project({"core/__init__.py": "", "core/a.py": "def top(x):\n    return dict(description='a')\n"}, SCRIPT)
    assert project({"core/a.py": "def top(x):\n    return dict(description='b')\n"}) != before


#: How a script may reach core/b.py, and whether an edit of `unused` there then counts.
WAYS = {
    "module and name": ("from core import b\n\nprint(b.helper(1))\n", False),
    "dotted": ("import core.b\n\nprint(core.b.helper(1))\n", False),
    "dotted, renamed": ("import core.b as other\n\nprint(other.helper(1))\n", False),
    "inside a function": (
        "def act():\n    from core.b import helper\n\n    return helper(1)\n\n\nprint(act())\n",
        False,
    ),
    "star": ("from core.b import *\n\nprint(helper(1))\n", True),
    "getattr": ("from core import b\n\nprint(getattr(b, 'hel' + 'per')(1))\n", True),
    "passed as a value": ("from core import b\n\nprint(vars(b))\n", True),
    "importlib": ("import importlib\n\nimportlib.import_module('core.' + 'b')\n", True),
    "importlib, by name": ("from importlib import import_module\n\nimport_module('core.' + 'b')\n", True),
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_reach_a_module(project, way):
    script, whole = WAYS[way]
    before = project(CORE, script)
    assert project(edited("core/b.py", "x + 1", "x + 2")) != before
    project(CORE)
    assert (project(edited("core/b.py", "return LIMIT", "return -LIMIT")) != before) == whole


def test_names_that_a_package_passes_on(project):
    files = {**CORE, "core/__init__.py": "from .b import helper as help_, unused\n"}
    before = project(files, "from core import help_\n\nprint(help_(1))\n")
    assert project(edited("core/b.py", "return LIMIT", "return -LIMIT")) == before
    assert project(edited("core/b.py", "x + 1", "x + 2")) != before


def test_a_variable_of_a_function_is_not_the_module_s(project):
    files = {**CORE, "core/a.py": "from core.b import unused\n\n\ndef top(x):\n    unused = x\n    return unused\n"}
    before = project(files, SCRIPT)
    assert project(edited("core/b.py", "return LIMIT", "return -LIMIT")) == before
    spread = {**CORE, "core/a.py": "from core.b import unused\n\n\ndef top(x):\n    [unused for unused in unused(x)]\n"}
    before = project({**spread})
    assert project(edited("core/b.py", "return LIMIT", "return -LIMIT")) != before


def test_statements_that_define_nothing_count_for_all_who_import_the_module(project):
    files = {**CORE, "core/b.py": "import math\n\n" + CORE["core/b.py"]}
    before = project(files, SCRIPT)
    acting = project({"core/b.py": files["core/b.py"] + "\nmath.tau = 6\n"})
    assert acting != before
    assert project({"core/b.py": files["core/b.py"] + "\nmath.tau = 7\n"}) not in (before, acting)
    assert project({"core/b.py": files["core/b.py"] + "\nif __name__ == '__main__':\n    helper(1)\n"}) == before


REGISTRY = {
    "core/__init__.py": "",
    "core/known.py": "KNOWN = {}\n\n\ndef register(name):\n    def keep(kind):\n        KNOWN[name] = kind\n        return kind\n\n    return keep\n",
    "core/plain.py": "from core.known import register\n\n\n@register('plain')\nclass Plain:\n    size = 1\n\n\ndef unused():\n    return 1\n",
    "core/a.py": "import core.plain\nfrom core.known import KNOWN\n\n\ndef top(x):\n    return KNOWN['plain'].size\n",
}


@pytest.mark.parametrize(
    "registered",
    [
        REGISTRY["core/plain.py"],
        "from core.known import KNOWN\n\n\nclass Plain:\n    size = 1\n\n\nKNOWN['plain'] = Plain\n\n\ndef unused():\n    return 1\n",
        "from core.known import KNOWN\n\n\nclass Plain:\n    size = 1\n\n\nfor name in ('plain',):\n    KNOWN[name] = Plain\n\n\ndef unused():\n    return 1\n",
        "from core.known import KNOWN\n\n\nclass Plain:\n    size = 1\n\n\nMADE = KNOWN.setdefault('plain', Plain)\n\n\ndef unused():\n    return 1\n",
        "from core.known import register\n\n\nclass Plain:\n    size = 1\n\n\nMADE = register('plain')(Plain)\n\n\ndef unused():\n    return 1\n",
    ],
)
def test_what_is_registered_counts(project, registered):
    files = {**REGISTRY, "core/plain.py": registered}
    before = project(files, SCRIPT)
    assert project(edited("core/plain.py", "return 1", "return 2", files)) == before
    assert project(edited("core/plain.py", "size = 1", "size = 2", files)) != before


def test_subclasses_that_their_base_is_told_of_count(project):
    base = "KNOWN = []\n\n\nclass Base:\n    def __init_subclass__(cls):\n        KNOWN.append(cls)\n"
    plain = "from core.known import Base\n\n\nclass Plain(Base):\n    size = 1\n"
    before = project({**REGISTRY, "core/known.py": base, "core/plain.py": plain}, SCRIPT)
    assert project({"core/plain.py": plain.replace("1", "2")}) != before


def test_an_unknown_decorator_is_taken_to_register(project):
    files = {**REGISTRY, "core/plain.py": "import atexit\n\n\n@atexit.register\ndef last():\n    print(1)\n"}
    before = project(files, SCRIPT)
    assert project(edited("core/plain.py", "print(1)", "print(2)", files)) != before


def test_modules_that_import_from_each_other(project):
    files = {**CORE, "core/b.py": "import core.a\n" + CORE["core/b.py"]}
    before = project(files, SCRIPT)
    assert project(edited("core/a.py", "times=2", "times=3")) != before


SYNTAX = """
async def top(x, /, *rest: int, key=None, **more) -> "int":
    global done
    done, (a, *b) = x, rest
    match x:
        case None | True | {"k": [1, *_], **others} if (n := len(rest)) > 1:
            pass
        case Path(name="a") as found:
            return f"{x!r:>{key}} {a=}" "plain" f"{{{b}}}"
    try:
        async with x as y, y:
            yield [await z async for z in x if z], {**more, 1: 2}, (lambda q, w=a: q @ w)(*b)
    except* (OSError, ValueError) as error:
        raise ValueError from error
    else:
        del a, x[1:2, ...], more.b
    while (not x) < 1 <= 2: x += 1j; break
    return u"é" if 0 else -1.5e300
"""


@pytest.mark.parametrize(
    ("old", "new"), [("True", "False"), (">{key}", "<{key}"), ("1:2, ...", "1:3, ..."), ("é", "e")]
)
def test_all_of_the_language(project, old, new):
    text = SYNTAX
    before = project({"core/__init__.py": "", "core/a.py": text}, SCRIPT)
    assert project({"core/a.py": text.replace(old, new)}) != before
    assert project({"core/a.py": text + "\n\n# end\n"}) == before


def other_pythons() -> list[str]:
    folders = [*Path.home().glob(".pyenv/versions/3.1[1-9]*/bin"), *map(Path, os.get_exec_path())]
    found = [str(folder / f"python3.{minor}") for folder in folders for minor in range(11, 20)]
    return [path for path in found if shutil.which(path) and f"3.{sys.version_info.minor}" not in path]


@pytest.mark.slow
def test_other_pythons_agree():
    script = ROOT / "workflow_scripts/train_eggn.py"
    call = f"import sys; from pathlib import Path; from scegg_core.workflow.code import code_digest as d; print(d(Path({str(script)!r}), Path({str(ROOT)!r})), sys.version_info[1])"
    answers = {}
    for python in other_pythons():
        done = subprocess.run([python, "-c", call], capture_output=True, text=True, cwd=ROOT, check=False)
        if done.returncode == 0:
            digest, minor = done.stdout.split()
            answers[minor] = digest
    if not set(answers) - {str(sys.version_info.minor)}:
        pytest.skip("there is no other Python 3.11 or newer on this machine")
    assert set(answers.values()) == {code_digest(script, ROOT)}


def test_every_script_of_the_project_has_its_own_digest():
    scripts = sorted((ROOT / "workflow_scripts").glob("*.py"))
    assert len({code_digest(script, ROOT) for script in scripts}) == len(scripts)
