"""Snakemake started often, without importing it each time: a process that has done so forks itself for every run.

Each line of its input is a run: its arguments, the folder of the project, the environment, the files for what it says,
and the folder where it starts. Its answer is a line with the exit status. It imports nothing of the project, so that a run meets its own
copy of it, as a new process does. Before it is asked, nothing is computed: there are no threads that a fork would lose.
"""

import json
import os
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path


@cache
def _starter() -> subprocess.Popen:
    """The process that starts Snakemake for all tests; it ends with this one."""
    return subprocess.Popen([sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def start_snakemake(
    arguments: list[str], project: Path, env: dict[str, str], folder: Path | None = None
) -> subprocess.CompletedProcess:
    """Run Snakemake on a copy of the project, in `folder` if it is given; return the finished process with its output as
    text."""
    with tempfile.TemporaryDirectory() as place:
        said = [Path(place) / name for name in ("stdout", "stderr")]
        environment = {**os.environ, "PYTHONPATH": str(project), **env}
        asked = {"arguments": arguments, "project": str(project), "env": environment, "said": list(map(str, said))}
        asked["folder"] = str(folder or Path.cwd())
        print(json.dumps(asked), file=_starter().stdin, flush=True)
        status = int(_starter().stdout.readline())
        return subprocess.CompletedProcess(arguments, status, *(file.read_text(encoding="utf-8") for file in said))


# --- what that process does ---


def answer() -> None:
    """Make the runs that are asked for, one after the other."""
    import pyarrow.parquet  # noqa: F401 - what every run needs
    import pydantic  # noqa: F401
    import snakemake.cli  # noqa: F401

    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            become(**json.loads(line))
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


def become(arguments: list[str], project: str, env: dict[str, str], said: list[str], folder: str) -> None:
    """Be `python -m snakemake` with these arguments, and end as it does."""
    from snakemake.cli import main

    for stream, name in enumerate([os.devnull, *said]):
        os.dup2(os.open(name, os.O_RDWR | os.O_CREAT, 0o600), stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(env)
    sys.path[0] = project
    sys.argv = ["snakemake", *arguments]
    main()


if __name__ == "__main__":
    answer()
