"""Settings of the archives and files that rule `fetch` brings."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from scegg_core.settings.base import problem, settings, shown
from scegg_core.settings.paths import LocalPath

ADDRESS = r"https?://[^\s/]\S*"
CHECKSUM = r"md5:[0-9A-Fa-f]{32}|sha256:[0-9A-Fa-f]{64}"


def address(url: str) -> str:
    """Return `url`, or refuse what is no address on the web."""
    if not re.fullmatch(ADDRESS, url):
        raise problem(f"is {shown(url)}: should be an address that begins with http:// or https://")
    return url


def declared(checksum: str | None) -> str | None:
    """Return `checksum`, or refuse one that no file could have."""
    if checksum is not None and not re.fullmatch(CHECKSUM, checksum):
        raise problem(f"is {shown(checksum)}: should be md5: and 32, or sha256: and 64 of 0-9 and a-f, or null")
    return checksum


@settings
class Download:
    """One archive or file to fetch."""

    url: Annotated[str, AfterValidator(address)] = Field(description="address to fetch from")
    file: LocalPath = Field(description="where the fetched file lies; a copy put there by hand is accepted")
    checksum: Annotated[str | None, AfterValidator(declared)] = Field(
        None, description="'md5:…' or 'sha256:…'; null where none is published"
    )
    unpack_to: LocalPath | None = Field(
        None, description="folder that the archive is unpacked into; null: not an archive"
    )
    provides: tuple[str, ...] = Field(
        (), description="paths that exist after unpacking, checked; relative to unpack_to"
    )

    def brings(self, place: str | Path) -> bool:
        """Return whether `place` holds something that arrives, or lies in it; without `provides` all of unpack_to does."""
        unpacked = (
            [Path(self.unpack_to) / name for name in self.provides or ("",)] if self.unpack_to is not None else []
        )
        given, arriving = whole(place), map(whole, (self.file, *unpacked))
        return any(path.is_relative_to(given) or given.is_relative_to(path) for path in arriving)


def whole(place: str | Path) -> Path:
    """Return the whole path of `place`, as which paths are compared."""
    return Path(place).absolute()
