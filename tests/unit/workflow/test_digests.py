"""Digests of code that are remembered are those that would be found anew."""

import json

import pytest

from scegg_core.errors import InputError
from scegg_core.workflow import digests
from scegg_core.workflow.code import code_digest

CORE = "def top(x):\n    return x + 1\n\n\ndef unused(x):\n    return x\n"


@pytest.fixture
def project(tmp_path):
    """Two scripts, one of which uses a core."""
    for name, text in {
        "core/__init__.py": "",
        "core/a.py": CORE,
        "scripts/one.py": "from core.a import top\n\nprint(top(1))\n",
        "scripts/two.py": "print(2)\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def found(project) -> dict[str, str]:
    made = digests.code_digests(project / "scripts", project, project / "memory.json")
    assert made == {script.stem: code_digest(script, project) for script in (project / "scripts").glob("*.py")}
    return made


def test_nothing_is_read_again_as_long_as_no_source_has_changed(project, monkeypatch):
    first = found(project)
    monkeypatch.setattr(digests, "digests_of", None)  # cannot be called
    (project / "core/a.py").touch()
    assert digests.code_digests(project / "scripts", project, project / "memory.json") == first


@pytest.mark.parametrize(
    ("name", "text", "changed"),
    [
        ("core/a.py", CORE.replace("1", "2"), {"one"}),
        ("core/a.py", CORE.replace("return x\n", "return -x\n"), set()),
        ("scripts/two.py", "print(3)\n", {"two"}),
        ("scripts/three.py", "print(4)\n", {"three"}),
        ("core/__init__.py", "print('loud')\n", {"one"}),
        ("core/a/__init__.py", "def top(x):\n    return 0\n", {"one"}),
    ],
)
def test_an_edit_is_seen(project, name, text, changed):
    before = found(project)
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text(text)
    after = found(project)
    assert {script for script in after if before.get(script) != after[script]} == changed


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"of": 1, "digests": {}}'])
def test_a_damaged_memory_is_not_used(project, content):
    before = found(project)
    (project / "memory.json").write_text(content)
    assert found(project) == before
    assert json.loads((project / "memory.json").read_text())["digests"] == before


def test_a_memory_that_cannot_be_written_is_done_without(project):
    assert digests.code_digests(project / "scripts", project, project / "core/a.py/memory.json").keys() == {
        "one",
        "two",
    }


def test_a_job_of_code_that_was_edited_under_the_run_is_refused_until_the_edit_is_undone(project, monkeypatch):
    (project / "scripts").rename(project / "workflow_scripts")
    started = digests.code_digests(project / "workflow_scripts", project, project / "memory.json")
    monkeypatch.setenv(digests.CODE, str(project))
    monkeypatch.setenv(digests.MEMORY, str(project / "memory.json"))
    (project / "core/a.py").write_text(CORE.replace("1", "2"))
    with pytest.raises(InputError, match="the code was edited while the run was under way; start it again"):
        digests.refuse_edited(started["one"])
    digests.refuse_edited(started["two"])
    digests.refuse_edited(None)
    (project / "core/a.py").write_text("def top(")
    with pytest.raises(InputError, match="the code was edited"):
        digests.refuse_edited(started["one"])
    (project / "core/a.py").write_text(CORE)
    digests.refuse_edited(started["one"])
    monkeypatch.delenv(digests.CODE)
    digests.refuse_edited("of no run")
