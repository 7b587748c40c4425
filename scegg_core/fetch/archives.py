"""Fetching archives: downloads continue where they broke off, are checked before use, and are never made twice."""

import fcntl
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import requests
from tqdm import tqdm

from scegg_core.artifacts.files import ARRIVED, file_digest, write_json
from scegg_core.artifacts.json_text import parse_json
from scegg_core.errors import InputError
from scegg_core.fetch.unpack import content_is_there, is_unpacked, unpack
from scegg_core.settings.downloads import Download

#: Seconds to wait for a connection, and for the next bytes.
TIMEOUT = (20.0, 60.0)

#: How often a transfer that breaks off is tried, and the seconds by which the pause grows each time.
ATTEMPTS = 4

PAUSE = 2.0

_CHUNK = 1 << 16


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
    """The digest of a file, kept beside it to save computing it again; valid while size and time are the same."""

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
    if record is not None and record.verified == download.checksum:
        return record.sha256
    wrong = _checksum_fault(download, file)
    if wrong:
        raise InputError(
            f"{file} {wrong}; delete it to have it fetched from {download.url}, or put a complete copy there."
        )
    return _write_record(download, file)


def _download(download: Download, file: Path, progress: bool) -> str:
    """Download to `<file>.part`, verify, rename to `file`; returns the sha256."""
    if not download.url.lower().startswith(("http://", "https://")):
        raise InputError(f"the address {download.url!r} is not an http or https address; {_by_hand(download)}.")
    part = file.with_name(file.name + ".part")
    _transfer(download, part, progress)
    wrong = _checksum_fault(download, part)
    _validator_path(part).unlink(missing_ok=True)
    if wrong:
        part.unlink()
        raise InputError(f"what {download.url} sent {wrong}, so it was thrown away; {_by_hand(download)}.")
    part.replace(file)
    return _write_record(download, file)


def _by_hand(download: Download) -> str:
    checksum = download.checksum or "no checksum is published"
    return f"put a copy of it ({checksum}) at {download.file} by hand and run again"


def _checksum_fault(download: Download, file: Path) -> str:
    """Return what is wrong with the file's checksum, as the end of a sentence; '' where it is right or not declared."""
    if download.checksum is None:
        return ""
    algorithm, _, expected = download.checksum.partition(":")
    if algorithm not in ("md5", "sha256") or not expected:
        raise InputError(f"the checksum {download.checksum!r} of {download.url} has to read md5:… or sha256:….")
    digest = file_digest(file, algorithm)
    return "" if digest == expected.lower() else f"has the {algorithm} {digest}, but {expected} was expected"


def _write_record(download: Download, file: Path) -> str:
    digest, status = file_digest(file), file.stat()
    record = _Record(download.url, digest, download.checksum, status.st_size, status.st_mtime_ns)
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


def _transfer(download: Download, part: Path, progress: bool) -> None:
    """Download what `part` lacks; a transfer that breaks off is continued, in ATTEMPTS attempts at most."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _receive(download, part, progress)
        except requests.HTTPError as error:
            answer = f"{error.response.status_code} {error.response.reason}"
            raise InputError(f"{download.url} answers {answer}; {_by_hand(download)}.") from None
        except requests.RequestException as error:
            if attempt == ATTEMPTS or _unreachable(error):
                raise InputError(
                    f"cannot fetch {download.url} ({_reason(error, part)}); {_by_hand(download)}."
                ) from None
            time.sleep(PAUSE * attempt)


def _receive(download: Download, part: Path, progress: bool) -> None:
    """Append the missing bytes to `part`; raises requests' exceptions, a cut-off answer is a ConnectionError."""
    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity", **_resume_headers(part)}
    with requests.get(download.url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == 416:
            return _settle(part, have, answer)
        answer.raise_for_status()
        start = have if answer.status_code == 206 else 0
        _keep_validator(part, answer.headers)
        length = answer.headers.get("Content-Length", "")
        total = start + int(length) if length.isdecimal() else None
        with part.open("ab" if start else "wb") as target, _bar(part, total, start, progress) as bar:
            for chunk in answer.iter_content(_CHUNK):
                target.write(chunk)
                bar.update(len(chunk))
            target.flush()
            os.fsync(target.fileno())
    if total is not None and part.stat().st_size != total:
        raise requests.ConnectionError("cut off")


def _settle(part: Path, have: int, answer: requests.Response) -> None:
    """Accept `part` if the host says that it is complete, else delete it to begin again."""
    if answer.headers.get("Content-Range", "").endswith(f"/{have}"):
        return
    part.unlink()
    raise requests.ConnectionError("what was fetched before does not fit")


def _resume_headers(part: Path) -> dict[str, str]:
    """Return the headers that ask for the missing bytes only, if the host's file is still the same."""
    validator = _validator_path(part)
    if not part.exists() or not part.stat().st_size or not validator.exists():
        return {}
    value = validator.read_text(encoding="utf-8", errors="replace").strip()
    if not value.isascii() or not value.isprintable():  # damaged: begin again
        return {}
    return {"Range": f"bytes={part.stat().st_size}-", "If-Range": value}


def _keep_validator(part: Path, headers) -> None:
    etag = headers.get("ETag", "")
    value = etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", "")
    if value:
        _validator_path(part).write_text(value, encoding="utf-8")
    else:
        _validator_path(part).unlink(missing_ok=True)


def _validator_path(part: Path) -> Path:
    return part.with_name(part.name + ".etag")


def _unreachable(error: Exception) -> bool:
    """Return whether no connection was made at all: then it is not tried again."""
    return isinstance(error, requests.exceptions.ConnectTimeout) or "Max retries exceeded" in str(error)


def _reason(error: Exception, part: Path) -> str:
    kept = part.stat().st_size if part.exists() else 0
    if kept:
        return f"cut off after {kept} bytes, which are kept"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "the host is not reached" if _unreachable(error) else f"{type(error).__name__}"


def _bar(part: Path, total: int | None, start: int, progress: bool) -> tqdm:
    interval = 0.2 if sys.stderr.isatty() else 30.0
    name = part.name.removesuffix(".part")
    return tqdm(
        desc=name, total=total, initial=start, unit="B", unit_scale=True, mininterval=interval, disable=not progress
    )
