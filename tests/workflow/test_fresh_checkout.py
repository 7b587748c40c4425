"""A fresh checkout is the same code: neither dates nor comments nor the place of the project re-run anything."""

import os
import shutil
import time

import pytest

from tests.workflow.conftest import Workflow, copy_project

pytestmark = pytest.mark.slow


def touch_all(project) -> None:
    """Give all files of a project the date of now, as a checkout does."""
    for path in project.rglob("*"):
        os.utime(path)


@pytest.fixture
def kept(finished):
    """The finished project; its files are put back after the test."""
    names = ("workflow_scripts/train_eggn.py", "resources/published_table1.csv")
    before = {finished.project / name: (finished.project / name).read_bytes() for name in names}
    yield finished
    for file, content in before.items():
        file.write_bytes(content)


def test_dates_and_comments_rerun_nothing(kept):
    script = kept.project / "workflow_scripts/train_eggn.py"
    script.write_text(script.read_text() + "\n# a remark\n")
    touch_all(kept.project)
    assert kept.dry() == set()


def test_a_changed_published_figure_remakes_the_tables(kept):
    figures = kept.project / "resources/published_table1.csv"
    figures.write_text(figures.read_text().replace("68.5", "68.4"))
    assert kept.dry() - {"all"} == {"tabulate", "summarize", "build_page"}


@pytest.mark.parametrize("records", [True, False])
def test_results_under_a_fresh_checkout_elsewhere(finished, tmp_path, records):
    """`records`: Snakemake's own records are brought along; without them dates alone decide."""
    time.sleep(0.1)
    project = copy_project(tmp_path / "elsewhere")
    touch_all(project)
    left_out = shutil.ignore_patterns(*(() if records else (".snakemake",)))
    shutil.copytree(finished.folder, project, dirs_exist_ok=True, ignore=left_out)
    assert Workflow(project, project).dry() == set()
