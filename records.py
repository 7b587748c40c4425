"""What Snakemake remembers of each file, kept beside the file: results that are moved, copied or restored stay true.

Snakemake keeps these records in `.snakemake/`, apart from the files that they are of: a folder of results that comes
without it, or is put over another, stands for settings it was not made with. Here the record of `folder/table.csv` is
`folder/.made/table.csv.json`, and holds for the very file it was written of: made again is what has no record, is not
what its record says, or was made from inputs that have changed since, whatever their dates; inputs that are gone, as
region features are deleted to save space, count by what would make them now. `snakemake --touch` accepts what is there.
rules/records.smk turns this on.
"""

import json
import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path
from types import ModuleType

from snakemake.io import _IOFile
from snakemake.logging import logger
from snakemake.persistence import RECORD_FORMAT_VERSION, MetadataRecord
from snakemake.persistence.file import FilePersistence
from snakemake_interface_executor_plugins.settings import ExecMode

from scegg_core.artifacts.files import file_digest, input_digest, input_origin, write_text
from scegg_core.artifacts.json_text import parse_json
from scegg_core.artifacts.provenance import json_digest
from scegg_core.artifacts.sets import RECORDS as FOLDER
from scegg_core.data.raw import raw_digest
from scegg_core.errors import InputError
from scegg_core.using.places import require_output

LARGE = 100e6  # bytes; an artifact's digest lies in its metadata, but that of a user's word vectors takes seconds
MEMORY = Path(".snakemake/scegg_raw")  # what raw_digest has read
KEPT = ("results", "data", "logs")  # folders of what rules make and people give
DRAWN = "aviary.json"  # stands for the drawn data set, the whole folder that it lies in


@dataclass(frozen=True)
class State:
    """What a file is: its date (ns), its size and its digest, which is not read of a large file with the same date."""

    date: int
    size: int
    digest: str


class RecordsBesideFiles(FilePersistence):
    """Snakemake's records of files, read and written beside them."""

    def __init__(self, *args, dag=None, **settings):
        super().__init__(*args, dag=dag, **settings)
        if dag is not None:
            refuse_blindness(dag.workflow.rerun_triggers)
        self._at_start: dict[str, dict[str, State]] = {}  # by output: what its inputs were when its job started
        self._makers: dict = {}  # by output: the job that makes it
        self._origins: dict = {}  # by job: what its outputs come from

    def started(self, job, external_jobid: str | None = None) -> None:
        """Note what a job's inputs are before they can be exchanged under its hands."""
        super().started(job, external_jobid)
        if job.dag.workflow.exec_mode != ExecMode.DEFAULT:
            return  # one job on a cluster, whose records the main process writes
        found = _states(set(map(str, job.input)) - _still_made(job))
        self._at_start |= {self._get_key(file): found for file in job.output}

    def _serialize_param_pandas(self, value: object) -> str | object:
        # no rule has a table among its parameters, and importing pandas to see that takes half a second of each start
        return self._serialize_param_builtin(value)

    @lru_cache  # noqa: B019 - there is one object, and the engine clears its method's cache by this name
    def _read_record_cached(self, key: str) -> MetadataRecord | None:
        if not Path(key).exists():
            return None
        try:
            content = parse_json(record_of(key).read_text(encoding="utf-8"))
            record, change = MetadataRecord.model_validate(content["record"]), self._change(key, content)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):  # absent, or damaged
            record, change = None, "nothing says how this file was made"
        if change is None:
            return record
        # Snakemake makes a file again whose parameters have changed, and prints these as the reason.
        return MetadataRecord(params=[change], record_format_version=RECORD_FORMAT_VERSION)

    def _write_record(self, key: str, record: MetadataRecord) -> None:
        if not Path(key).exists():  # the job has failed, and what it left is removed
            return
        try:
            self._write_beside(key, record)
        except OSError as error:  # a full disk must not keep Snakemake from removing what a failed job has left
            logger.warning(f"SC-EGG: {key} will be made again: no record of it can be written ({error.strerror}).")

    def _write_beside(self, key: str, record: MetadataRecord) -> None:
        found = self._at_start.pop(key, {})
        inputs = _states(path for path in record.input or () if path not in found) | found
        content = {
            "record": dict(record.items()),
            "of": key,
            "file": asdict(state(key)),
            "inputs": {path: asdict(found) for path, found in inputs.items()},
            "origins": {path: self._origin(path) for path in inputs},
        }
        path = record_of(key)
        if path.parent.is_file():
            path.parent.unlink()
        elif path.is_dir():
            shutil.rmtree(path)
        write_text(path, json.dumps(content, sort_keys=True, ensure_ascii=False))

    def _change(self, key: str, content: dict) -> str | None:
        """Why the file `key` is not what its record tells of; None if it is."""
        if set(content["inputs"]) != set(content["record"]["input"]):
            return "nothing says what this file was made from"
        # The run of one seed may read the same files as that of another: then nothing else tells their results apart.
        if content.get("of", key) != key:
            return f"made as {content['of']}, and copied"
        if not _same(key, content["file"]):
            return "this file is not the one that was made"
        changed = [path for path, was in content["inputs"].items() if Path(path).exists() and not _same(path, was)]
        if changed:
            return f"made from another {changed[0]}"
        gone = {path: was for path, was in content.get("origins", {}).items() if was and not Path(path).exists()}
        others = [path for path, was in gone.items() if self._origin(path) not in (was, None)]
        return f"made from {others[0]} of other settings, inputs or code, which is gone" if others else None

    def _origin(self, path: str) -> str | None:
        """Return a digest of all that makes a file, as the workflow stands: the rules behind it with their parameters,
        code among them, and the files that people give; None of a file that no rule makes."""
        jobs = () if self.dag is None else self.dag.jobs
        if self._makers.get(path) not in jobs:  # behind checkpoints, jobs are added and replaced
            self._makers = {str(file): job for job in jobs for file in job.output}
        job = self._makers.get(path)
        if job is not None and job not in self._origins:
            behind = {str(file): self._origin(str(file)) or _given(file) for file in job.input}
            self._origins[job] = json_digest([job.rule.name, self._params(job), behind])
        return self._origins.get(job)

    def _delete_record(self, key: str) -> bool:
        path = record_of(key)
        found = path.is_file()
        path.unlink(missing_ok=True)
        return found


def _still_made(job) -> set[str]:
    """The inputs of a job that others of its group make before it: what lies there now is not what it will read."""
    makers = job.dag.dependencies.get(job, {}).items()
    return {str(file) for maker, files in makers if not job.dag.noneedrun_finished(maker) for file in files}


def _given(path: str) -> str | None:
    """The digest of a file that no rule makes."""
    return state(path).digest if Path(path).exists() else None


def _states(paths: Iterable[str]) -> dict[str, State]:
    return {path: state(path) for path in paths if Path(path).exists()}


def record_of(path: str | Path) -> Path:
    """Return where the record of a file or folder lies."""
    path = Path(path)
    return path.parent / FOLDER / f"{path.name}.json"


def let_content_decide(dag: type) -> None:
    """Let no date say what is made again: the records compare contents.

    Snakemake takes an input with a newer date for another one if it is larger than 1 MB: after `cp -r` of a folder, whose
    dates are those of the copying, all would be made again. It also fails a job that used a file dated in the future.
    """

    async def never(*_) -> bool:
        return False

    _IOFile.is_newer = never
    dag.check_output_mtime = never


def refuse_blindness(triggers) -> None:
    """End the run with a sentence if what the records say of settings, inputs and code would not be looked at."""
    lacking = sorted({"params", "input"} - {str(trigger) for trigger in triggers})
    if lacking:
        sys.exit(
            f"SC-EGG: --rerun-triggers lacks {' and '.join(lacking)}, so results of other settings, inputs or code would be "
            "taken for those of these; leave the option out (what is there is accepted by --touch)."
        )


def refuse_stale_reports(reports: ModuleType) -> None:
    """Let `--report` end with a sentence where results are not those of the settings, inputs and code that it shows, and
    where it would be written over one."""
    show = reports.auto_report

    async def auto_report(dag, plugin, settings, *rest):
        _judge_report(Path(settings.path))
        stale = sorted({str(path) for job in dag.needrun_jobs() for path in job.output})
        if stale and not any(Path(path).exists() for path in stale):
            sys.exit(
                f"SC-EGG: none of what --report is to show has been made yet; make it first: {_making(sys.argv[1:])}"
            )
        if stale:
            sys.exit(
                f"SC-EGG: {len(stale)} results are not those of these settings, inputs and code, {stale[0]} among them; run "
                "the same command without --report first."
            )
        await show(dag, plugin, settings, *rest)

    reports.auto_report = auto_report


def _judge_report(path: Path) -> None:
    """End the run with a sentence where a report cannot be written, or would take the place of something else."""
    inside = [kept for kept in KEPT if path.resolve().is_relative_to(Path(kept).resolve())]
    if inside:
        sys.exit(
            f"SC-EGG: --report {path} lies in {inside[0]}/, among what rules make; name another file: report.html."
        )
    try:
        require_output(path)
        path.parent.mkdir(parents=True, exist_ok=True)
    except InputError as error:
        sys.exit(f"SC-EGG: --report {error}")


def _making(arguments: Sequence[str]) -> str:
    """The command with these arguments that makes results in place of a report of them."""
    kept = [*arguments]
    for place in reversed([place for place, argument in enumerate(arguments) if argument.startswith("--report")]):
        valued = "=" not in arguments[place] and not "".join(arguments[place + 1 : place + 2]).startswith("-")
        del kept[place : place + 1 + valued]
    counted = any(argument.startswith(("--cores", "-c", "-j", "--jobs", "--profile")) for argument in kept)
    return shlex.join(["snakemake", *(() if counted else ("--cores", "2")), *kept])


def state(path: str | Path) -> State:
    """Return what a file or folder is now."""
    path = Path(path).absolute()
    found = path.stat()
    return State(found.st_mtime_ns, found.st_size, _digest(str(path), found.st_mtime_ns, found.st_size))


@cache
def _digest(path: str, date: int, size: int) -> str:
    """The digest of a file; of a folder, of the names and sizes in it, where it holds no artifacts."""
    if Path(path).name == DRAWN:
        return raw_digest((str(Path(path).parent),), MEMORY)
    if path.endswith(".json") and input_origin(path) is not None:
        return file_digest(path)  # people can edit it, and leave the digest in it alone
    return input_digest(path) or " ".join(sorted(f"{file.name} {file.stat().st_size}" for file in Path(path).iterdir()))


def _same(path: str, was: dict) -> bool:
    found = Path(path).stat()
    unread = found.st_size > LARGE and (found.st_mtime_ns, found.st_size) == (was["date"], was["size"])
    return unread or state(path).digest == was["digest"]
