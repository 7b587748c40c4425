"""Transferring one file from its host: continued where it broke off, never with bytes of another file."""

import os
import sys
import time
from pathlib import Path

import requests
import urllib3
from tqdm import tqdm

from scegg_core.errors import InputError
from scegg_core.settings.downloads import Download

#: Seconds to wait for a connection, and for the next bytes.
TIMEOUT = (20.0, 60.0)

#: How often a transfer that breaks off is tried, and the seconds by which the pause grows each time.
ATTEMPTS = 4

PAUSE = 2.0

_CHUNK = 1 << 16

#: What a transfer can end with: requests turns what urllib3 raises into its own, but not for addresses, nor while bytes
#: are read as they come.
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError)


def transfer(download: Download, part: Path, progress: bool) -> None:
    """Download what `part` lacks; a transfer that breaks off is continued, in ATTEMPTS attempts at most."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _receive(download, part, progress)
        except requests.HTTPError as error:
            answer = f"{error.response.status_code} {error.response.reason}"
            raise InputError(f"{download.url} answers {answer}; {by_hand(download)}.") from None
        except _BROKEN as error:
            if attempt == ATTEMPTS or _unreachable(error):
                raise InputError(
                    f"cannot fetch {download.url} ({_reason(error, part)}); {by_hand(download)}."
                ) from None
            time.sleep(PAUSE * attempt)


def _receive(download: Download, part: Path, progress: bool) -> None:
    """Append the missing bytes to `part`; raises one of _BROKEN, for a cut-off answer too."""
    have = part.stat().st_size if part.exists() else 0
    resumed = _resume_headers(part, download.url)
    headers = {"Accept-Encoding": "identity", **resumed}
    with requests.get(download.url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
        goes_on = answer.status_code == 206 and _validator(answer.headers) in ("", resumed.get("If-Range"))
        if answer.status_code == 416 or (answer.status_code == 206 and not goes_on):
            return _settle(part, have, answer)
        answer.raise_for_status()
        start = have if goes_on else 0
        length = answer.headers.get("Content-Length", "")
        total = start + int(length) if length.isdecimal() else None
        with part.open("ab" if start else "wb") as target, _bar(part, total, start, progress) as bar:
            if not start:  # never before the bytes of an earlier answer are gone
                _keep_validator(part, download.url, answer.headers)
            for chunk in answer.raw.stream(_CHUNK, decode_content=False):  # servers call a .tar.gz encoded, too
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


def _resume_headers(part: Path, url: str) -> dict[str, str]:
    """Return the headers that ask for the missing bytes only, if `part` is of this address and the host's file is still
    the same."""
    validator = validator_path(part)
    if not part.exists() or not part.stat().st_size or not validator.exists():
        return {}
    value, _, address = validator.read_text(encoding="utf-8", errors="replace").strip().partition("\n")
    if address != url or not value.isascii() or not value.isprintable():  # of another file, or damaged: begin again
        return {}
    return {"Range": f"bytes={part.stat().st_size}-", "If-Range": value}


def _keep_validator(part: Path, url: str, headers) -> None:
    if value := _validator(headers):
        validator_path(part).write_text(f"{value}\n{url}", encoding="utf-8")
    else:
        validator_path(part).unlink(missing_ok=True)


def _validator(headers) -> str:
    """Return what tells the host's file from others that it had at this address; '' where the host does not say."""
    etag = headers.get("ETag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("Last-Modified", "")


def validator_path(part: Path) -> Path:
    """Return the file beside `part` that says of which address and which of its files it is."""
    return part.with_name(part.name + ".etag")


def _unreachable(error: Exception) -> bool:
    """Return whether no connection was made at all: then it is not tried again."""
    found_none = isinstance(error, requests.exceptions.ConnectTimeout) or "Max retries exceeded" in str(error)
    return found_none or _is_no_address(error)


def _is_no_address(error: Exception) -> bool:
    return isinstance(error, ValueError)  # as both libraries' errors of addresses are, and no others here


def _reason(error: Exception, part: Path) -> str:
    if _is_no_address(error):
        return "no host can have this address"
    kept = part.stat().st_size if part.exists() else 0
    if kept:
        return f"cut off after {kept} bytes, which are kept"
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError):
        return "no answer in time"
    return "the host is not reached" if _unreachable(error) else f"{type(error).__name__}"


def _bar(part: Path, total: int | None, start: int, progress: bool) -> tqdm:
    interval = 0.2 if sys.stderr.isatty() else 30.0
    name = part.name.removesuffix(".part")
    return tqdm(
        desc=name, total=total, initial=start, unit="B", unit_scale=True, mininterval=interval, disable=not progress
    )


def by_hand(download: Download) -> str:
    """Return what to do where the host has not sent the file."""
    checksum = download.checksum or "no checksum is published"
    return f"put a copy of it ({checksum}) at {download.file} by hand and run again"
