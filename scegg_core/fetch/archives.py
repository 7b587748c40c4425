"""Fetching archives: downloads continue where they broke off, are checked before use, and are never made twice."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from scegg_core.artifacts.files import ARRIVED, file_digest, write_json
from scegg_core.artifacts.json_text import parse_json
from scegg_core.errors import InputError
from scegg_core.fetch.transfer import by_hand, transfer, validator_path
from scegg_core.fetch.unpack import content_is_there, is_unpacked, unpack
from scegg_core.settings.downloads import Download


@dataclass(frozen=True)
class Fetched:
    """A fetched file: its path, its sha256 for the provenance, and its origin.

    `origin` is 'downloaded', 'present' (the file existed, put there by hand or by an earlier run) or 'unpacked' (only
    its content existed; the sha256 is '' unless an earlier run recorded it).
    """

    file: Path
    sha256: str
    origin: str


@dataclass(frozen=True)
class _Record:
    """The digest of a file, kept beside it to save computing it again; valid while size and time are the same.

    `url` is where it was fetched from, '' for a copy put there by hand.
    """

    url: str
    sha256: str
    verified: str | None
    size: int
    changed_ns: int


def fetch(download: Download, progress: bool = True) -> Fetched:
    """Return the file of `download`: fetched, checked and unpacked, unless that is done already.

    A copy put at `download.file` by hand is taken, and so is content unpacked by hand (all of `download.provides` is
    there). `<file>.sha256.json` records the sha256 of what arrived. A second process that fetches the same file
    waits for the first. Raises InputError with one sentence where the host is not reached, the checksum is wrong,
    or the archive is not safe to unpack.
    """
    try:
        return _fetched(download, progress)
    except OSError as error:
        raise InputError(
            f"{download.file} cannot be written or read ({error.strerror or error}); make room, or correct the setting."
        ) from None


def _fetched(download: Download, progress: bool) -> Fetched:
    file = Path(download.file)
    file.parent.mkdir(parents=True, exist_ok=True)
    with _alone(file):
        if not file.exists() and _content(download):
            record = _read_record(file)
            if record is None or not _from_elsewhere(record, download):
                return Fetched(file, record.sha256 if record else "", "unpacked")
        origin = "present" if file.exists() else "downloaded"
        digest = _known_digest(download, file) if file.exists() else _download(download, file, progress)
        if download.unpack_to is not None:
            _unpack_once(download, file, digest)
        return Fetched(file, digest, origin)


def write_arrival(path: str | Path, fetched: Fetched) -> None:
    """Write the record that stands for a fetched file among a stage's inputs; `input_digest` finds its sha256 there."""
    write_json(path, {"file": fetched.file.name, ARRIVED: fetched.sha256 or "unpacked by hand"})


def record_path(file: Path) -> Path:
    """Return where the digest of a fetched file is recorded: `<file>.sha256.json`."""
    return file.with_name(file.name + ".sha256.json")


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    with file.with_name(f".{file.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _content(download: Download) -> bool:
    target = download.unpack_to
    return target is not None and content_is_there(Path(download.file), Path(target), download.provides)


def _unpack_once(download: Download, file: Path, digest: str) -> None:
    target = Path(download.unpack_to)
    if not is_unpacked(file, target, digest, download.provides):
        unpack(file, target, digest)
    for name in download.provides:
        if not (target / name).exists():
            raise InputError(
                f"{file} was unpacked into {target}, but {name} is not in it; it is another archive, replace it."
            )


def _known_digest(download: Download, file: Path) -> str:
    """Return the sha256 of an existing file; its checksum is verified unless that was done before."""
    record = _read_record(file)
    if record is not None and _from_elsewhere(record, download):
        raise InputError(
            f"{file} came from {record.url}, and no checksum says that {download.url} has the same; "
            f"delete it to have it fetched anew, or give its checksum, sha256:{record.sha256}, to keep it."
        )
    if record is not None and record.verified == download.checksum:
        return record.sha256
    wrong = _checksum_fault(download, file)
    if wrong:
        raise InputError(
            f"{file} {wrong}; delete it to have it fetched from {download.url}, or put a complete copy there."
        )
    return _write_record(file, file_digest(file), download.checksum, record.url if record is not None else "")


def _from_elsewhere(record: _Record, download: Download) -> bool:
    """Return whether what was fetched came from another address, and no checksum can tell whether it is the same."""
    return download.checksum is None and record.url not in ("", download.url)


def _download(download: Download, file: Path, progress: bool) -> str:
    """Download to `<file>.part`, verify, rename to `file`; returns the sha256."""
    if not download.url.lower().startswith(("http://", "https://")):
        raise InputError(f"the address {download.url!r} is not an http or https address; {by_hand(download)}.")
    part = file.with_name(file.name + ".part")
    transfer(download, part, progress)
    wrong = _checksum_fault(download, part)
    validator_path(part).unlink(missing_ok=True)
    if wrong:
        part.unlink()
        raise InputError(f"what {download.url} sent {wrong}, so it was thrown away; {by_hand(download)}.")
    digest = file_digest(part)  # which takes its time: a file killed before its record passes for one put there by hand
    part.replace(file)
    return _write_record(file, digest, download.checksum, download.url)


def _checksum_fault(download: Download, file: Path) -> str:
    """Return what is wrong with the file's checksum, as the end of a sentence; '' where it is right or not declared."""
    if download.checksum is None:
        return ""
    algorithm, _, expected = download.checksum.partition(":")
    if algorithm not in ("md5", "sha256") or not expected:
        raise InputError(f"the checksum {download.checksum!r} of {download.url} has to read md5:… or sha256:….")
    digest = file_digest(file, algorithm)
    return "" if digest == expected.lower() else f"has the {algorithm} {digest}, but {expected} was expected"


def _write_record(file: Path, digest: str, checksum: str | None, url: str) -> str:
    status = file.stat()
    record = _Record(url, digest, checksum, status.st_size, status.st_mtime_ns)
    write_json(record_path(file), asdict(record))
    return digest


def _read_record(file: Path) -> _Record | None:
    """Return the record of the file, None where there is none or the file has changed since; the file may be gone."""
    try:
        record = _Record(**parse_json(record_path(file).read_text(encoding="utf-8")))
        int(record.sha256, 16)
    except (OSError, ValueError, TypeError):
        return None
    if not file.exists():
        return record
    status = file.stat()
    return record if (status.st_size, status.st_mtime_ns) == (record.size, record.changed_ns) else None
