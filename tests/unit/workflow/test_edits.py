"""The digests of the project's own scripts: which of them an edit of a well-known definition changes."""

from pathlib import Path

import pytest

from scegg_core.workflow.code import code_digest, reachable
from tests.workflow.conftest import copy_project
from tests.workflow.edits import EDITS, undo

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return copy_project(tmp_path_factory.mktemp("edits") / "project")


def digests(project: Path) -> dict[str, str]:
    scripts = sorted((project / "workflow_scripts").glob("*.py"))
    return {script.stem: code_digest(script, project) for script in scripts}


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.what)
@pytest.mark.slow
def test_an_edit_changes_the_code_of_the_rules_that_reach_it(project, edit):
    before = digests(project)
    files = edit.make(project)
    after = digests(project)
    undo(files)
    assert {name for name in after if after[name] != before[name]} == edit.first


@pytest.mark.slow
def test_a_checkout_elsewhere_has_the_same_digests(project):
    assert digests(project) == digests(ROOT)


def test_the_docs_have_the_same_table():
    page = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    for edit in EDITS:
        assert f"| {edit.what} | {', '.join(sorted(edit.first)) or 'none'} |" in page


def test_no_rule_reads_docstrings():
    """They are no part of a digest."""
    for script in (ROOT / "workflow_scripts").glob("*.py"):
        for file in (script, *reachable(script, ROOT)):
            assert "__doc__" not in file.read_text(encoding="utf-8"), file
