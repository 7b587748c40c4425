"""Continues a run that was cut off (kill -9, power cut, a lost connection): python resume.py [arguments of snakemake].

Without arguments it gives the last run's own command again. It starts nothing while a run is at work in the folder,
stops the jobs that a killed run has left behind, clears its locks and half-written files, and says all that. The
rules use `hold`, `started` and `ended` (rules/resume.smk), so it knows of every run, however it was started.
"""

import argparse
import fcntl
import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from itertools import dropwhile
from pathlib import Path

LOCK = Path(".snakemake/scegg_run.lock")
RECORD = Path(".snakemake/scegg_run.json")
FOLDERS = (".snakemake", "results", "logs", "data")
GRACE = 60.0  # seconds that jobs left behind get to save their state; scancel's own grace time is about 30
FLAGS = "ntkfFlSDpa"  # snakemake's options of one letter without a value: -d may follow them in one word
RUN_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # how the executor calls its SLURM jobs


@dataclass(frozen=True)
class Run:
    """The last run in a folder: its command and where it was given, and where and since when it works or worked."""

    arguments: list[str]
    given_in: str
    host: str
    pid: int
    since: str
    ended: bool = False


# --- what every run does ---


def hold(exclusive: bool = False):
    """Return an open file that tells others that a run is at work in this folder, as long as the process lives.

    Ends the process with one sentence if it cannot be had: a run holds it shared, `resume` for itself. None where the
    folder cannot be written.
    """
    for name in FOLDERS:
        if os.path.lexists(name) and not Path(name).is_dir():
            sys.exit(f"SC-EGG: {Path(name).absolute()} is not a folder, but a run keeps its files there; move it away.")
    try:
        LOCK.parent.mkdir(exist_ok=True)
        file = LOCK.open("a")
    except OSError:
        return None
    try:
        fcntl.flock(file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except OSError:
        sys.exit(f"SC-EGG: {_who_holds()} is at work in {Path.cwd()}; wait until it ends, or stop it.")
    return file


def started(folder: str, directory: str | Path | None) -> None:
    """Record the run of this process in `folder`, which it has entered already where the command has --directory."""
    for name in ("results", "logs"):
        if Path(name).exists() and not os.access(name, os.W_OK):
            sys.exit(f"SC-EGG: {Path(name).resolve()} cannot be written (read-only, or another user's).")
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    _write(Run(sys.argv[1:], place_of(folder, directory), socket.gethostname(), os.getpid(), since))


def place_of(folder: str, directory: str | Path | None) -> str:
    """Return the folder where the command was given, from where its paths count; `directory` is that of --directory."""
    shell = os.environ.get("PWD", "")
    from_there = directory is not None and Path(shell).is_absolute() and Path(shell).is_dir()
    return shell if from_there and Path(shell, directory).resolve() == Path(folder).resolve() else folder


def ended() -> None:
    """Record that the run of this process came to its end, good or bad."""
    run = last_run()
    if run is not None and run.pid == os.getpid():
        _write(Run(**{**asdict(run), "ended": True}))


def last_run() -> Run | None:
    """Return the last run in this folder, or None if there is no record of one."""
    try:
        run = Run(**json.loads(RECORD.read_text(encoding="utf-8")))
        return run if all(isinstance(text, str) for text in [*run.arguments, run.given_in]) else None
    except (OSError, ValueError, TypeError):
        return None


def _write(run: Run) -> None:
    temporary = RECORD.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(asdict(run), indent=2) + "\n", encoding="utf-8")
    temporary.replace(RECORD)


def _who_holds() -> str:
    run = last_run()
    alive = run is not None and not run.ended
    return f"a run (process {run.pid} on {run.host}, since {run.since})" if alive else "another run"


# --- what resume does ---


def main(arguments: list[str]) -> None:
    """Clear up after the last run of the folder; become snakemake with `arguments` or else with those of that run."""
    given_in, folder = Path.cwd(), _folder(arguments)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.chdir(folder)
    except OSError as error:
        sys.exit(f"SC-EGG: --directory {folder} can be no folder to work in ({error.strerror}); name another.")
    lock, run = hold(exclusive=True), last_run()
    if run is not None and not run.ended:
        _announce(run, folder)
    _clear_up(folder)
    if lock is not None:
        lock.close()  # the run takes it again
    if not arguments:
        if run is None:
            sys.exit(f"SC-EGG: no run is recorded in {folder}; give the arguments of snakemake, e.g. --cores 8.")
        arguments, given_in = run.arguments, Path(run.given_in)
        if not given_in.is_dir():
            sys.exit(
                f"SC-EGG: the last run was started in {given_in}, which is not there any more; give its arguments."
            )
    os.chdir(given_in)
    os.environ["PWD"] = str(given_in)
    arguments = [argument for argument in arguments if argument != "--rerun-incomplete"]
    command = [sys.executable, "-m", "snakemake", "--rerun-incomplete", *arguments]
    _say(f"running: {shlex.join(command[2:])}")
    os.execv(command[0], command)


def _folder(arguments: list[str]) -> Path:
    """The folder that snakemake will work in."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--directory", "-d", default="")
    for letter in FLAGS:
        parser.add_argument(f"-{letter}", action="store_true")
    try:
        return Path(parser.parse_known_args(arguments)[0].directory).resolve()
    except argparse.ArgumentError as error:
        sys.exit(f"SC-EGG: {error}.")


def _announce(run: Run, folder: Path) -> None:
    if run.host != socket.gethostname():
        sys.exit(
            f"SC-EGG: the last run here was started on {run.host}, and whether it lives cannot be seen from "
            f"{socket.gethostname()}; continue there, or delete {folder / RECORD} if you are sure."
        )
    _say(f"the run of {run.since} (process {run.pid}) was cut off; trainings go on from their saved states.")


def _clear_up(folder: Path) -> None:
    """Remove what a killed run leaves: jobs still at work, locks, half-written files. Nobody else is at work here."""
    _stop_cluster_jobs(folder)
    _stop_processes(folder)
    locks = list(folder.glob(".snakemake/locks/*.lock"))
    parts = list((folder / "results").rglob(".*.part"))
    for path in (*locks, *parts):
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if locks or parts:
        _say(f"removed {len(locks)} locks and {len(parts)} half-written files.")


def _stop_cluster_jobs(folder: Path) -> None:
    """Cancel the SLURM jobs that the killed run has submitted; they save their states."""
    jobs = _cluster_jobs(folder)
    if jobs:
        _say(f"cancelling {len(jobs)} SLURM jobs that it left behind: {' '.join(jobs)}")
        subprocess.run(["scancel", *jobs], check=False)
        _wait_until(lambda: not _cluster_jobs(folder))


def _cluster_jobs(folder: Path) -> list[str]:
    if shutil.which("squeue") is None:
        return []
    command = ["squeue", "--me", "--noheader", "--format", "%i|%j|%Z"]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    rows = [line.split("|", 2) for line in found.splitlines() if line.count("|") >= 2]
    return [number for number, name, place in rows if RUN_NAME.search(name) and Path(place) == folder]


def _stop_processes(folder: Path) -> None:
    """Stop the jobs' processes that the killed run has left behind on this machine; trainings save their states."""
    found = _processes(folder)
    if found:
        _say(f"stopping {len(found)} processes that it left behind: {' '.join(map(str, found))}")
        _signal(found, signal.SIGTERM)
        if not _wait_until(lambda: not _processes(folder)):
            _signal(_processes(folder), signal.SIGKILL)


def _processes(folder: Path) -> list[int]:
    """Processes of this folder that execute a rule's script, or snakemake for one; none where there is no /proc."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            words = (place / "cmdline").read_bytes().split(b"\0")
            own = int(place.name) == os.getpid() or (place / "cwd").readlink() != folder
        except OSError:
            continue
        if not own and _executes_job([os.fsdecode(word) for word in words]):
            found.append(int(place.name))
    return found


def _executes_job(words: list[str]) -> bool:
    """Whether a command is snakemake, or python with snakemake or a rule's script: whoever only names one is another's."""
    program = Path(words[0]).name
    if not program.startswith("python"):
        return program == "snakemake"
    executed = list(dropwhile(lambda word: word.startswith("-") and word != "-m", words[1:]))
    if executed and Path(executed[0]).name == "forks.py":  # before the script: its folder, and what it loads first
        executed = executed[3:]
    if executed[:1] == ["-m"]:
        return executed[1:2] == ["snakemake"]
    return bool(executed) and (Path(executed[0]).name == "snakemake" or ".snakemake/scripts/" in executed[0])


def _signal(processes: list[int], number: int) -> None:
    for process in processes:
        try:
            os.kill(process, number)
        except ProcessLookupError:
            continue


def _wait_until(condition) -> bool:
    end = time.monotonic() + GRACE
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def _say(text: str) -> None:
    print(f"SC-EGG: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
