"""Reference runs: the tables that docs/results.md shows, a folder each in docs/results/, with what they were made by.

A folder has table.csv and paired.csv, or spaces.csv, as the run wrote them, and run.json. Nothing of it is typed by hand
but the command: commit, dates and settings are read from the run's own records (`.made/`), which say of every file what
made it.
"""

import hashlib
import json
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, date, datetime
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.lineage import busy_seconds, lineage, refuse_other_code, settings_digest
from benchmarks.measure import kind_of_machine
from scegg_core.artifacts.files import file_digest, write_json
from scegg_core.artifacts.json_text import parse_json
from scegg_core.errors import InputError
from scegg_core.workflow.digests import code_digests

FOLDER = Path("docs/results")

#: A kept run's tables: the first two of its rows, of which the second may be empty, or the third, or all.
TABLES = ("table.csv", "paired.csv", "spaces.csv")


@dataclass(frozen=True)
class ReferenceRun:
    """What a run's tables were made by; '' and 0.0 where it is not known.

    finished: the day, as 2026-11-28. seconds: in which any of its jobs ran; added_up: the same of each job by itself.
    settings: a digest of what all its rules were given. remark: what else is to be said. tables: sha256 of each file.
    """

    command: str
    commit: str
    finished: str
    tables: dict[str, str]
    machine: str = ""
    settings: str = ""
    seconds: float = 0.0
    added_up: float = 0.0
    remark: str = ""


def keep(
    folder: Path,
    tables: dict[str, bytes],
    made_from: Sequence[Path],
    root: Path,
    command: str,
    *,
    machine: str = "",
    remark: str = "",
) -> ReferenceRun:
    """Write `tables` (by the names of TABLES) to `folder`, and what they were made by.

    made_from: artifacts below `root`, the checkout in which the run was made, whose records lead to all others.
    machine: on which that was; '' for this one. Raises InputError where a record is missing or tells of other code than
    that of the commit, or files of the checkout differ from its commit.
    """
    jobs, commit = lineage(made_from, root), commit_of(root)
    refuse_other_code(jobs, code_digests(root / "workflow_scripts", root, root / ".snakemake/scegg_code.json"))
    run = ReferenceRun(
        command=command,
        commit=commit,
        finished=datetime.fromtimestamp(max(job.end for job in jobs), UTC).date().isoformat(),
        tables={name: hashlib.sha256(table).hexdigest() for name, table in tables.items()},
        machine=machine or kind_of_machine(),
        settings=settings_digest(jobs),
        seconds=round(busy_seconds(jobs)),
        added_up=round(sum(job.end - job.begin for job in jobs)),
        remark=remark,
    )
    folder.mkdir(parents=True, exist_ok=True)
    for name in TABLES:  # those of a run kept here before
        (folder / name).unlink(missing_ok=True)
    for name, table in tables.items():
        (folder / name).write_bytes(table)
    write_json(folder / "run.json", asdict(run))
    return run


def read_run(folder: Path) -> ReferenceRun:
    """Return what a kept run was made by; InputError where run.json is no record, or a table is not the one kept."""
    if not (folder / "run.json").is_file():
        kept = ", ".join(sorted(path.parent.name for path in folder.parent.glob("*/run.json")))
        raise InputError(f"{folder} keeps no run; kept are {kept or 'none'}.")
    try:
        content = parse_json((folder / "run.json").read_bytes())
        run = TypeAdapter(ReferenceRun).validate_json(json.dumps(asdict(ReferenceRun(**content))), strict=True)
        date.fromisoformat(run.finished)
    except (OSError, ValueError, TypeError):
        names = ", ".join(field.name for field in fields(ReferenceRun))
        raise InputError(f"{folder / 'run.json'} is no record of a run ({names}); keep the run again.") from None
    for name, digest in run.tables.items():
        if not (folder / name).is_file() or file_digest(folder / name) != digest:
            raise InputError(f"{folder / name} is not the table that was kept; keep the run again, and edit no number.")
    return run


def commit_of(root: Path) -> str:
    """Return the commit that is checked out in `root`; InputError if files differ from it, or there is none."""
    if changed := _git(root, "status", "--porcelain", "--untracked-files=no"):
        raise InputError(f"{root} differs from its commit ({changed.split()[1]}); commit first, and run again.")
    return _git(root, "rev-parse", "HEAD")


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(root), *arguments], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        raise InputError(f"{root} is no checkout of this project's repository, so no commit says what ran.") from None
    return done.stdout.strip()
