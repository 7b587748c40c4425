"""Settings of the archives and files that rule `fetch` brings."""

from pydantic import Field

from scegg_core.settings.base import settings


@settings
class Download:
    """One archive or file to fetch."""

    url: str = Field(description="address to fetch from")
    file: str = Field(description="where the fetched file lies; a copy put there by hand is accepted")
    checksum: str | None = Field(None, description="'md5:…' or 'sha256:…'; null where none is published")
    unpack_to: str | None = Field(None, description="folder that the archive is unpacked into; null: not an archive")
    provides: tuple[str, ...] = Field(
        (), description="paths that exist after unpacking, checked; relative to unpack_to"
    )
