"""What Snakemake remembers of each file, kept beside the file: results that are moved, copied or restored stay true.

Snakemake keeps these records in `.snakemake/`, apart from the files that they are of: a folder of results that comes
without it, or is put over another, stands for settings it was not made with. Here the record of `folder/table.csv` is
`folder/.made/table.csv.json`, and holds for the very file it was written of: made again is what has no record, is not
what its record says, or was made from inputs that have changed since, whatever their dates. `snakemake --touch` accepts
what is there. rules/records.smk turns this on.
"""

import json
import os
import time
from dataclasses import asdict, dataclass
from functools import cache, lru_cache
from pathlib import Path

from snakemake.logging import logger
from snakemake.persistence import RECORD_FORMAT_VERSION, MetadataRecord
from snakemake.persistence.file import FilePersistence

from scegg_core.artifacts.files import input_digest, write_text
from scegg_core.artifacts.json_text import parse_json

FOLDER = ".made"
LARGE = 100e6  # bytes; an artifact's digest lies in its metadata, but that of a user's word vectors takes seconds
CLOCKS_DIFFER = 60.0  # seconds between machines that share a folder


@dataclass(frozen=True)
class State:
    """What a file is: its date (ns), its size and its digest, which is not read of a large file with the same date."""

    date: int
    size: int
    digest: str


class RecordsBesideFiles(FilePersistence):
    """Snakemake's records of files, read and written beside them."""

    @lru_cache  # noqa: B019 - there is one object, and the engine clears its method's cache by this name
    def _read_record_cached(self, key: str) -> MetadataRecord | None:
        if not Path(key).exists():
            return None
        try:
            content = parse_json(record_of(key).read_text(encoding="utf-8"))
            record, change = MetadataRecord.model_validate(content["record"]), _change(key, content)
        except (OSError, ValueError, TypeError, KeyError, AttributeError):  # absent, or damaged
            record, change = None, "nothing says how this file was made"
        # Snakemake makes a file again whose parameters have changed, and prints these as the reason.
        return (
            record if change is None else MetadataRecord(params=[change], record_format_version=RECORD_FORMAT_VERSION)
        )

    def _write_record(self, key: str, record: MetadataRecord) -> None:
        if not Path(key).exists():  # of a failed job
            return
        try:
            self._write_beside(key, record)
        except OSError as error:  # a full disk must not keep Snakemake from removing what a failed job has left
            logger.warning(f"SC-EGG: {key} will be made again: no record of it can be written ({error.strerror}).")

    def _write_beside(self, key: str, record: MetadataRecord) -> None:
        inputs = {path: state(path) for path in record.input or () if Path(path).exists()}
        content = {
            "record": dict(record.items()),
            "file": asdict(state(key)),
            "inputs": {path: asdict(found) for path, found in inputs.items()},
        }
        write_text(record_of(key), json.dumps(content, sort_keys=True, ensure_ascii=False))

    def _delete_record(self, key: str) -> bool:
        path = record_of(key)
        found = path.is_file()
        path.unlink(missing_ok=True)
        return found


def record_of(path: str | Path) -> Path:
    """Return where the record of a file or folder lies."""
    path = Path(path)
    return path.parent / FOLDER / f"{path.name}.json"


def date_back(folder: str | Path) -> None:
    """Give files below `folder` that are dated in the future (a wrong clock made them) the date of now.

    Else all that follows from them would be made again at every start, until that date has come.
    """
    for path in Path(folder).rglob("*"):
        if path.lstat().st_mtime > time.time() + CLOCKS_DIFFER and os.access(path, os.W_OK):
            os.utime(path, follow_symlinks=False)


def state(path: str | Path) -> State:
    """Return what a file or folder is now."""
    found = Path(path).stat()
    return State(
        found.st_mtime_ns, found.st_size, _digest(str(Path(path).absolute()), found.st_mtime_ns, found.st_size)
    )


@cache
def _digest(path: str, date: int, size: int) -> str:
    """The digest of a file; of a folder, of the names and sizes in it, where it holds no artifacts."""
    return input_digest(path) or " ".join(sorted(f"{file.name} {file.stat().st_size}" for file in Path(path).iterdir()))


def _change(key: str, content: dict) -> str | None:
    """Why the file `key` is not what its record tells of; None if it is."""
    if not _same(key, content["file"]):
        return "this file is not the one that was made"
    changed = [path for path, was in content["inputs"].items() if Path(path).exists() and not _same(path, was)]
    return f"made from another {changed[0]}" if changed else None


def _same(path: str, was: dict) -> bool:
    found = Path(path).stat()
    unread = found.st_size > LARGE and (found.st_mtime_ns, found.st_size) == (was["date"], was["size"])
    return unread or state(path).digest == was["digest"]
