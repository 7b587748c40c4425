"""The jobs that made a file and all that it was made from, as the workflow's records beside the files tell of them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from scegg_core.artifacts.files import file_digest
from scegg_core.artifacts.provenance import json_digest
from scegg_core.artifacts.sets import RECORDS
from scegg_core.errors import InputError

#: Rules whose records hold no digest of code: what they have fetched is checked by its own.
FETCHES = ("fetch", "fetch_vectors", "fetch_weights")


@dataclass(frozen=True)
class Job:
    """What the record of a file says of the job that made it: when it began and ended (seconds since 1970), with what."""

    rule: str
    script: str
    log: str
    begin: float
    end: float
    params: tuple[str, ...]


def lineage(paths: Iterable[Path], root: Path) -> list[Job]:
    """Return the jobs that made `paths` and all that these were made from, each once; `paths` lie below `root`.

    Raises InputError for a path without a record, or whose record is of another file.
    """
    jobs: dict[tuple[str, ...], Job] = {}
    waiting, met = list(paths), set()
    while waiting:
        path = waiting.pop()
        if path in met:
            continue
        met.add(path)
        record = _record(path)
        log = tuple(record["log"])
        jobs[log] = _joined(jobs.get(log), record)
        waiting += [
            root / name for name in record["input"] if _record_of(root / name).is_file()
        ]  # others are the user's
    return list(jobs.values())


def refuse_other_code(jobs: Iterable[Job], digests: dict[str, str]) -> None:
    """Raise InputError unless every job ran the code of `digests`, by the names of scripts."""
    for job in jobs:
        if job.rule not in FETCHES and repr(digests.get(job.script)) not in job.params:
            raise InputError(
                f"rule {job.rule} ran other code than that of this commit ({job.log}); run the command again first."
            )


def busy_seconds(jobs: Iterable[Job]) -> float:
    """Return the seconds in which at least one of the jobs ran, so that pauses between two starts do not count."""
    total, until = 0.0, float("-inf")
    for job in sorted(jobs, key=lambda job: job.begin):
        total += max(0.0, job.end - max(job.begin, until))
        until = max(until, job.end)
    return total


def settings_digest(jobs: Iterable[Job]) -> str:
    """Return a short digest of what the rules were given, code and order left out."""
    given = sorted((job.rule, sorted(value for value in job.params if not _is_digest(value))) for job in jobs)
    return json_digest(given)[:8]


def _joined(known: Job | None, record: dict) -> Job:
    """A job as the records of its outputs tell of it, each of which ends at its own file's date."""
    begin, end = record["starttime"], record["endtime"]
    if known is not None:
        begin, end = min(known.begin, begin), max(known.end, end)
    script = Path(record["code"].strip().strip('"')).stem
    return Job(record["rule"], script, record["log"][0], begin, end, tuple(record["params"]))


def _record(path: Path) -> dict:
    try:
        content = json.loads(_record_of(path).read_text(encoding="utf-8"))
        record, digest = content["record"], content["file"]["digest"]
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f"nothing says how {path} was made; run the command again first.") from None
    if path.suffix == ".csv" and file_digest(path) != digest:
        raise InputError(f"{path} is not the file that was made; run the command again first.")
    return record


def _record_of(path: Path) -> Path:
    return path.parent / RECORDS / f"{path.name}.json"


def _is_digest(value: str) -> bool:
    """Whether a parameter is a digest of code or of files, which say nothing of settings."""
    text = value.strip("'")
    return len(text) in (16, 64) and all(sign in "0123456789abcdef" for sign in text)
