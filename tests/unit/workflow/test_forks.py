"""A script that runs in a fork does what it does in a process of its own."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from scegg_core.workflow import forks
from tests.conftest import PATIENCE, comes_true

#: Says what it was given, and whether it was forked from a process that had loaded `wave`.
SCRIPT = """
import os, sys
print(sys.argv, os.getcwd(), os.environ["WORD"], sys.stdin.readline(), "wave" in sys.modules, __name__, sys.path[0])
print("aside", file=sys.stderr)
sys.exit(7)
"""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks are made on Linux alone")


@pytest.fixture
def owner(monkeypatch):
    """The process with which the forked ones end; the path of their folder is short, as TMPDIR may not be."""
    monkeypatch.setattr(tempfile, "tempdir", "/tmp")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        monkeypatch.setenv(forks.OWNER, f"{process.pid}-{forks.start_of(process.pid)}")
        yield process


@pytest.fixture
def words(owner):
    """What stands before a script, with processes that end after this test."""
    return forks.command(sys.executable, ("wave",))


def written(folder: Path, text: str) -> str:
    (folder / "script.py").write_text(text)
    return str(folder / "script.py")


def run(words: list[str], *further: str, **options) -> subprocess.CompletedProcess:
    pipes = {"capture_output": True, "text": True, "input": "line\n", **options}
    return subprocess.run([*words, *further], check=False, timeout=PATIENCE, **pipes)


def test_arguments_folder_environment_streams_and_status_are_those_of_a_process(words, tmp_path, monkeypatch):
    monkeypatch.setenv("WORD", "said")
    script = written(tmp_path, SCRIPT)
    forked, plain = (run(before, script, "a b", cwd=tmp_path) for before in (words, [sys.executable]))
    assert forked.stdout == plain.stdout.replace("False", "True")
    assert (forked.returncode, forked.stderr) == (7, "aside\n") == (plain.returncode, plain.stderr)


def test_each_fork_meets_the_code_that_is_there(words, tmp_path):
    for number in (1, 2):
        # of another length, or Python takes its bytecode of the same second for this one's
        (tmp_path / "part.py").write_text(f"print({number})" + number * "\n")
        assert run(words, written(tmp_path, "import part"), cwd=tmp_path).stdout == f"{number}\n"


def test_an_error_is_told_and_ends_the_script(words, tmp_path):
    done = run(words, written(tmp_path, "raise ValueError('no')"))
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: no\n")


def test_other_threads_settings_meet_another_process(words, tmp_path, monkeypatch):
    script = written(tmp_path, "import os; print(os.getppid())")
    found = set()
    for threads in ("1", "2", "1"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        found.add(run(words, script).stdout)
    assert len(found) == 2


def started(words: list[str], script: str) -> tuple[subprocess.Popen, int]:
    """A script that runs, and the process in which it does."""
    process = subprocess.Popen([*words, script], stdout=subprocess.PIPE, text=True)
    return process, int(process.stdout.readline())


SLEEPER = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(5))
print(os.getpid(), flush=True)
time.sleep(300)  # longer than a test waits
"""


def test_signals_reach_the_script(words, tmp_path):
    script = written(tmp_path, SLEEPER)
    for number, status in ((signal.SIGTERM, 5), (signal.SIGINT, -signal.SIGINT), (signal.SIGHUP, -signal.SIGHUP)):
        if signal.getsignal(number) == signal.SIG_IGN:  # as nohup leaves it; then it stays so
            continue
        process, _ = started(words, script)
        with process:
            process.send_signal(number)
            assert process.wait(PATIENCE) == status


def test_a_script_is_killed_with_the_process_that_asked_for_it(words, tmp_path):
    process, running = started(words, written(tmp_path, SLEEPER))
    with process:
        process.kill()
    assert comes_true(lambda: not forks.start_of(running))


def test_a_script_does_not_outlive_the_process_it_was_forked_from(words, tmp_path):
    script = written(tmp_path, SLEEPER.replace("os.getpid()", "os.getppid()"))
    process, server = started(words, script)
    with process:
        os.kill(server, signal.SIGKILL)
        assert process.wait(PATIENCE) == 1
    again = run(words, written(tmp_path, "print('as before')"))  # another one is started
    assert again.stdout == "as before\n"


def test_what_was_forked_ends_with_its_owner_and_leaves_nothing(owner, words, tmp_path):
    run(words, written(tmp_path, ""))
    folder = Path(words[3])
    assert folder.exists()
    owner.communicate()
    assert comes_true(lambda: not folder.exists(), forks.IDLE - 5)  # then it would end in any case


def test_what_few_need_is_loaded_when_no_script_waits(owner, tmp_path):
    words = forks.command(sys.executable, ("wave",), ("no_such_module", "chunk"))
    script = written(tmp_path, "import sys; print('wave' in sys.modules, 'chunk' in sys.modules)")
    end = time.monotonic() + PATIENCE
    while (said := run(words, script).stdout) == "True False\n" and time.monotonic() < end:
        time.sleep(0.05)
    assert said == "True True\n"


def test_where_no_fork_can_be_made_the_script_is_started_as_usual(words, tmp_path):
    Path(words[3]).mkdir()
    Path(words[3]).chmod(0o755)  # somebody else may read it
    script = written(tmp_path, "import sys; print('wave' in sys.modules)")
    assert run(words, script).stdout == "False\n"
    Path(words[3]).rmdir()
    assert run(words, "-c", "print('no script')").stdout == "no script\n"


def test_where_the_path_of_a_socket_would_be_too_long_scripts_are_started_as_usual(owner, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/tmp/" + "long" * 20)
    assert forks.command("python", ("torch",)) == ["python"]


def test_it_can_be_turned_off(monkeypatch):
    monkeypatch.setenv(forks.OWNER, "0")
    assert forks.command("python", ("torch",)) == ["python"]
