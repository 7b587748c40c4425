"""Kills a run of the reduced aviary again and again at random moments, continues it each time with resume.py, and
compares every byte with an undisturbed run: python -m tests.reliability.kill --kills 20
"""

import argparse
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import records

ROOT = Path(__file__).resolve().parents[2]
OVERLAYS = (ROOT / "tests/workflow/tiny.yaml", ROOT / "tests/reliability/kill.yaml")
TARGET = "results/aviary/table.csv"
OUTPUTS = ("data", "results")


@dataclass
class Tally:
    """What the kills hit, how often a training went on from its state, and the runs that came to their end."""

    kills: int = 0
    hit: Counter = field(default_factory=Counter)
    continued: int = 0
    finished: int = 0

    def __str__(self) -> str:
        hit = ", ".join(f"{name} {count}" for name, count in sorted(self.hit.items()))
        return (
            f"{self.kills} kills, all recovered; {self.finished} runs finished, each byte for byte as the undisturbed one; "
            f"{self.continued} times a training went on from its state; killed while at work: {hit}"
        )


def command(folder: Path, *more: str) -> list[str]:
    """Return the documented command that starts or continues the run in `folder`."""
    given = [
        "--snakefile",
        ROOT / "Snakefile",
        "--directory",
        folder,
        "--cores",
        "2",
        *more,
    ]
    return [str(part) for part in (sys.executable, ROOT / "resume.py", *given, "--configfile", *OVERLAYS, "--", TARGET)]


def environment() -> dict[str, str]:
    """Return the environment of runs: this copy of the project, whatever is installed."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def contents(folder: Path) -> dict[str, bytes]:
    """Return every file that a run has made, by its path; half-written ones and saved states would be among them.

    Snakemake's records of files hold times, so they are left out.
    """
    files = (path for name in OUTPUTS for path in sorted((folder / name).rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files if path.parent.name != records.FOLDER}


def scripts(folder: Path) -> dict[int, str]:
    """Return the rules whose scripts are running in `folder`, by the numbers of their processes."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if (place / "cwd").readlink() == folder:
                text = (place / "cmdline").read_bytes().decode(errors="replace")
                if match := re.search(r"\.snakemake/scripts/[^/\0]*?\.(\w+)\.py", text):
                    found[int(place.name)] = match[1]
        except OSError:
            continue
    return found


def at_work(folder: Path) -> list[str]:
    """Return the names of the rules whose scripts are running in `folder`."""
    return sorted(set(scripts(folder).values()))


def undisturbed(folder: Path) -> dict[str, bytes]:
    """Run to the end; return every file made."""
    subprocess.run(command(folder), check=True, env=environment(), capture_output=True)
    return contents(folder)


def kill_again_and_again(
    folder: Path, expected: dict[str, bytes], kills: int, draw: random.Random, longest: float, tally: Tally
) -> None:
    """Start and kill the run in `folder` until `tally` counts `kills`; compare it when it ends. Every third kill hits
    the workflow engine alone, so that its jobs live on as orphans; the others hit all processes."""
    while True:
        said = (folder.parent / f"{folder.name}.log").open("a+b")
        run = subprocess.Popen(
            command(folder), stdout=said, stderr=subprocess.STDOUT, env=environment(), start_new_session=True
        )
        try:
            code = run.wait(draw.uniform(0, longest) if tally.kills < kills else None)
        except subprocess.TimeoutExpired:
            hit = at_work(folder)
            if tally.kills % 3 == 2:
                run.kill()
            else:
                os.killpg(run.pid, signal.SIGKILL)
            run.wait()
            tally.kills += 1
            tally.hit.update(hit or ["no job"])
            print(f"kill {tally.kills}: {', '.join(hit) or 'no job at work'}", flush=True)
            continue
        said.seek(0)
        text = said.read().decode(errors="replace")
        if code != 0:
            raise SystemExit(f"a run could not be continued; the end of what it said:\n{text[-3000:]}")
        tally.continued += text.count("continuing from")
        compare(expected, contents(folder))
        tally.finished += 1
        return


def compare(expected: dict[str, bytes], found: dict[str, bytes]) -> None:
    """Raise SystemExit naming the files that differ, lack, or should not be there."""
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise SystemExit(f"{len(wrong)} files differ from those of the undisturbed run: {', '.join(wrong[:10])}")


def torture(base: Path, expected: dict[str, bytes], kills: int, seed: int, longest: float) -> Tally:
    """Kill runs in new folders under `base` until there were `kills` kills; return what happened. `expected` are the
    files of an undisturbed run."""
    tally, draw = Tally(), random.Random(seed)
    while tally.kills < kills:
        kill_again_and_again(base / f"killed{tally.finished}", expected, kills, draw, longest, tally)
    return tally


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, default=30.0, help="seconds before a kill, at most")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scegg_kill_") as place:
        start = time.monotonic()
        base = Path(place).resolve()
        expected = undisturbed(base / "undisturbed")
        print(torture(base, expected, options.kills, options.seed, options.longest))
        print(f"{time.monotonic() - start:.0f} s")
