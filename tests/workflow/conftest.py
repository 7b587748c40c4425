"""Running the workflow on a reduced aviary, in a folder of its own; finished runs that tests share."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scegg_core.workflow import forks
from tests.reliability import kill
from tests.workflow.starts import start_snakemake

ROOT = Path(__file__).resolve().parents[2]
os.environ.setdefault(forks.OWNER, f"{os.getpid()}-{forks.start_of(os.getpid())}")  # runs share what their jobs load
TINY = Path(__file__).with_name("tiny.yaml")


@dataclass(frozen=True)
class Workflow:
    """A copy of the project and a folder to work in, so that tests may edit code and settings."""

    project: Path
    folder: Path

    def run(self, *arguments: str, overlays: tuple = (TINY,), cores: int = 2, env: dict | None = None):
        """Run the workflow on targets and flags (--dry-run); return the finished process with its output as text."""
        flags = [argument for argument in arguments if argument.startswith("--")]
        targets = [argument for argument in arguments if argument not in flags]
        command = ["--snakefile", self.project / "Snakefile", *flags]
        command += ["--directory", self.folder, "--cores", str(cores), "--configfile", *overlays, "--", *targets]
        return start_snakemake(list(map(str, command)), self.project, env or {})

    def dry(self, *arguments: str, overlays: tuple = (TINY,)) -> set[str]:
        """Return the names of the rules that a run would execute."""
        done = self.run("--dry-run", *arguments, overlays=overlays)
        assert done.returncode == 0, done.stdout + done.stderr
        return rules_in(done.stdout + done.stderr)


def rules_in(text: str) -> set[str]:
    """The rule names in the job table of a dry run, or in the first line of a run."""
    if found := re.search(r"^SC-EGG: \d+ jobs?: (.+)$", text, re.MULTILINE):
        return {rule.split()[-1] for rule in found[1].split(", ")}
    if "Job stats:" not in text:
        return set()
    table = text.split("Job stats:")[1].split("total", maxsplit=1)[0]
    rows = [line.split() for line in table.splitlines()]
    return {row[0] for row in rows if len(row) == 2 and row[1].isdigit()}


def copy_project(target: Path) -> Path:
    """Copy what the workflow consists of."""
    target.mkdir(parents=True)
    for name in ("Snakefile", "config.yaml", "resume.py", "records.py", "screen.py", "targets.py"):
        shutil.copy(ROOT / name, target / name)
    for name in ("rules", "workflow_scripts", "scegg_core", "resources", "report", "profiles"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__"))
    return target


def copy_run(workflow: Workflow, folder: Path, *names: str) -> Workflow:
    """Copy what a run has made into `folder` (of it `names` alone, if there are any), to be changed there.

    The dates are kept, so the workflow takes the copy for what it made itself."""
    for name in names or (path.name for path in workflow.folder.iterdir()):
        source = workflow.folder / name
        if source.is_dir():
            shutil.copytree(source, folder / name, symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(source, folder / name)
    return Workflow(workflow.project, folder)


def describe_moon(folder: Path) -> None:
    """Write moon.csv into the folder of a run: two new classes, described by the data set's attributes."""
    names = pd.read_parquet(folder / "results/aviary/attributes.parquet")["name"]
    table = pd.DataFrame(np.random.default_rng(0).integers(0, 101, (2, len(names))), columns=names)
    table.insert(0, "class", ["Moon Finch", "Moon Thrush"])
    table.to_csv(folder / "moon.csv", index=False)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items) -> None:
    """Mark the tests that share the finished run: `make test` gives them a process of their own."""
    for item in items:
        if "finished" in getattr(item, "fixturenames", ()):
            item.add_marker("finished")


@pytest.fixture(scope="session")
def finished(tmp_path_factory) -> Workflow:
    """A project whose reduced aviary has run to its table and pictures; what that said is in the file `said` beside.
    Tests leave it as they found it."""
    base = tmp_path_factory.mktemp("finished")
    workflow = Workflow(copy_project(base / "project"), base / "work")
    workflow.folder.mkdir()
    done = workflow.run()
    assert done.returncode == 0, done.stdout + done.stderr
    (base / "said").write_text(done.stderr, encoding="utf-8")
    return workflow


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory) -> Workflow:
    """The run that kill.py kills, undisturbed: in the project itself, as resume.py starts it. Tests leave it as it is."""
    folder = tmp_path_factory.mktemp("undisturbed").resolve()
    kill.undisturbed(folder)
    return Workflow(ROOT, folder)
