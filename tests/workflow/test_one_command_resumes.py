"""A run that is at work, killed, and continued: who may work in the folder, and what is left of the killed one."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.conftest import comes_true
from tests.reliability import kill
from tests.workflow.conftest import copy_run

pytestmark = pytest.mark.slow
RESUME = [sys.executable, str(kill.ROOT / "resume.py")]


@dataclass(frozen=True)
class Story:
    """One run: a second run and a continuation that were tried while it lived, and the continuation after its death."""

    folder: Path
    second: subprocess.CompletedProcess
    too_early: subprocess.CompletedProcess
    orphans: list[str]
    continued: subprocess.CompletedProcess


def execute(command: list[str], folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(command, cwd=folder, env=kill.environment(), capture_output=True, text=True, check=False)


def signal_scripts(folder: Path, number: int) -> None:
    """Send a signal to scripts at work in `folder` and, where they run in forks, to these: what forks them stands in /."""
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended
            words = (place / "cmdline").read_bytes()
            if (place / "cwd").readlink() == folder and (b".snakemake/scripts/" in words or b"--serve" in words):
                os.kill(int(place.name), number)


def from_scen_on(undisturbed, folder: Path) -> None:
    """Copy what the run has made before SCEN's training."""
    copy_run(undisturbed, folder)
    results = folder / "results/aviary"
    for name in ("spaces", "variants"):
        shutil.rmtree(results / name)
    for path in results.glob("table.*"):
        path.unlink()


def paused_in_training(command: list[str], folder: Path) -> subprocess.Popen | None:
    """Return a run whose training of SCEN stands still after its first saved state, or None if it was over too soon."""
    scen = folder / "results/aviary/spaces/sc-egg/seed0/scen.safetensors"
    run = subprocess.Popen(command, env=kill.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while not scen.with_name(f"{scen.name}.state").exists() and not scen.exists():
        assert run.poll() is None
        time.sleep(0.02)
    signal_scripts(folder, signal.SIGSTOP)  # or it would have ended before the rest of the story
    if not any(path.suffix != ".state" for path in scen.parent.glob("[!.]*")):
        return run
    signal_scripts(folder, signal.SIGKILL)
    run.wait()
    return None


def continued(folder: Path) -> subprocess.CompletedProcess:
    """Continue the run; its training stands still until it is asked to stop, or it might have ended by itself."""
    said = folder.parent / f"{folder.name}.log"
    with said.open("w") as file:
        run = subprocess.Popen(RESUME, cwd=folder, env=kill.environment(), stdout=subprocess.DEVNULL, stderr=file)
    assert comes_true(lambda: "processes that it left behind" in said.read_text() or run.poll() is not None)
    signal_scripts(folder, signal.SIGCONT)
    run.wait()
    return subprocess.CompletedProcess(RESUME, run.returncode, stderr=said.read_text())


@pytest.fixture(scope="module")
def story(undisturbed, tmp_path_factory) -> Story:
    """The workflow engine is killed in the middle of SCEN's training, whose process lives on."""
    for _ in range(5):
        folder = tmp_path_factory.mktemp("killed").resolve()
        from_scen_on(undisturbed, folder)
        plain = [sys.executable, "-m", "snakemake", *kill.command(folder)[2:]]
        run = paused_in_training(plain, folder)
        if run is not None:
            break
    assert run is not None, "SCEN's training was over before it could be paused, five times"
    second, too_early = execute(plain, folder), execute(RESUME, folder)
    run.kill()
    run.wait()
    orphans = kill.at_work(folder)
    return Story(folder, second, too_early, orphans, continued(folder))


def test_a_second_run_of_the_same_files_is_refused(story):
    assert story.second.returncode == 1
    assert "Directory cannot be locked" in story.second.stderr
    assert "Traceback" not in story.second.stderr


def test_nothing_is_continued_while_the_run_lives(story):
    assert story.too_early.returncode == 1
    assert f"is at work in {story.folder}; wait until it ends, or stop it." in story.too_early.stderr
    assert "Building DAG" not in story.too_early.stderr


def test_after_the_kill_one_command_stops_what_is_left_and_goes_on(story):
    assert story.orphans == ["train_scen"]
    assert story.continued.returncode == 0, story.continued.stderr[-3000:]
    for said in ("was cut off", "processes that it left behind", "removed 2 locks", "running: snakemake"):
        assert said in story.continued.stderr
    assert "continuing from scen.safetensors.state" in story.continued.stderr


def test_the_result_is_that_of_an_undisturbed_run(story, undisturbed):
    expected = kill.contents(undisturbed.folder)
    assert any(name.endswith("table.csv") for name in expected)
    kill.compare(expected, kill.contents(story.folder))
