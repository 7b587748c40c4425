"""Unpacking archives safely: no file outside the folder, no archive bombs, and all of the content or none of it."""

import json
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from scegg_core.artifacts.files import write_text
from scegg_core.artifacts.json_text import parse_json
from scegg_core.artifacts.sets import building_folder, sync_all
from scegg_core.errors import InputError
from scegg_core.words.streams import ZIP

#: Content larger than this many times the archive (counted as one megabyte at least) is taken for a bomb.
MAX_RATIO = 100

MIN_COUNTED = 1 << 20

MAX_MEMBERS = 5_000_000

_ROOM_KEPT = 1 << 28


def is_unpacked(archive: Path, target: Path, digest: str, provides: tuple[str, ...]) -> bool:
    """Return whether `target` holds the content of this archive (sha256 `digest`), or content put there by hand."""
    if _marked(archive, target) is None:
        return content_is_there(archive, target, provides)
    return _marked(archive, target) == digest and all((target / name).exists() for name in provides)


def content_is_there(archive: Path, target: Path, provides: tuple[str, ...]) -> bool:
    """Return whether all of `provides` is in `target` and no unpacking of `archive` was interrupted."""
    return bool(provides) and all((target / name).exists() for name in provides) and _marked(archive, target) != ""


def marker_path(archive: Path, target: Path) -> Path:
    """Return the file in `target` that records what was unpacked; its sha256 is '' until all of it is."""
    return target / f".unpacked-{archive.name}.json"


def _marked(archive: Path, target: Path) -> str | None:
    """Return the sha256 in the marker, '' for an unpacking that was broken off, None where there is no marker."""
    try:
        return str(parse_json(marker_path(archive, target).read_text(encoding="utf-8"))["sha256"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def unpack(archive: Path, target: Path, digest: str) -> None:
    """Unpack the zip or tar `archive` (sha256 `digest`) into the folder `target`, through a hidden folder in it.

    What an earlier archive of this name brought is removed, so that no mixture of two stays. Raises InputError, leaving
    nothing behind, for a damaged archive, a member that would leave the folder, a link that is not a plain relative one,
    a bomb, and for too little room on the disk.
    """
    try:
        target.mkdir(parents=True, exist_ok=True)
        with building_folder(target, archive.name) as temporary:
            _unpack_into(archive, temporary)
            sync_all(temporary)
            _take_over(temporary, archive, target, digest)
    except (tarfile.TarError, zipfile.BadZipFile, EOFError, zlib.error, NotImplementedError, OSError) as error:
        if isinstance(error, OSError) and error.errno:  # without a number it is a damage that gzip, bz2 or lzma found
            raise InputError(
                f"{archive} cannot be unpacked into {target} ({error.strerror}); make room or fetch it again."
            ) from None
        raise InputError(
            f"{archive} is a damaged archive ({str(error)[:80] or type(error).__name__}); delete it and fetch it again."
        ) from None


def _unpack_into(archive: Path, folder: Path) -> None:
    with archive.open("rb") as file:
        head = file.read(4)
    if head in ZIP:  # zipfile.is_zipfile looks at the end, where a tar may have a zip as its last member
        _unpack_zip(archive, folder)
    elif tarfile.is_tarfile(archive):
        _unpack_tar(archive, folder)
    else:
        raise InputError(f"{archive} is neither a zip nor a tar archive; fetch it again.")


def _take_over(temporary: Path, archive: Path, target: Path, digest: str) -> None:
    """Put the content of `temporary` in place of what the marker says of an earlier archive of the same name.

    Archives share folders, so that none can be renamed whole: the marker without a digest says that this is under way.
    """
    marker = marker_path(archive, target)
    earlier, members = set(_members(marker)), _files_in(temporary)
    _mark(marker, archive, "", sorted(earlier.union(members)))
    for name in earlier.difference(members):
        (target / name).unlink(missing_ok=True)
    _merge(temporary, target)
    _mark(marker, archive, digest, members)


def _mark(marker: Path, archive: Path, digest: str, members: list[str]) -> None:
    # in ASCII: names in an archive need not be Unicode
    write_text(marker, json.dumps({"archive": archive.name, "sha256": digest, "members": members}, indent=2) + "\n")


def _members(marker: Path) -> list[str]:
    """The files that came from the archive of this marker, as far as it says so."""
    try:
        names = parse_json(marker.read_bytes())["members"]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    return [name for name in names if isinstance(name, str) and not _leaves(name)] if isinstance(names, list) else []


def _files_in(folder: Path) -> list[str]:
    """The files below `folder`, links among them, by their paths in it."""
    files = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return sorted(file.relative_to(folder).as_posix() for file in files)


def _unpack_tar(archive: Path, folder: Path) -> None:
    limit = _Limit(archive, folder)
    with _as_damage(), tarfile.open(archive) as tar:
        tar.extractall(folder, members=_safe_members(tar, limit), filter="data")
        _require_end(tar)


def _require_end(tar: tarfile.TarFile) -> None:
    """Read on to the end of the archive, which is zeros: tarfile takes a damaged header for the end, and does not come
    to the checksum of what is packed."""
    tar.fileobj.seek(tar.offset)
    length = 0
    while data := tar.fileobj.read(1 << 20):
        length += len(data)
        if data.strip(b"\0"):
            raise tarfile.ReadError(f"after {len(tar.getmembers())} members it does not go on as an archive does")
    if not length:
        raise tarfile.ReadError(f"it has no end after {len(tar.getmembers())} members")


@contextmanager
def _as_damage() -> Iterator[None]:
    """Turn what the readers of the many ways of packing raise for a damaged archive into one kind of error."""
    try:
        yield
    except (InputError, OSError, tarfile.TarError, zipfile.BadZipFile):
        raise
    except Exception as error:
        raise tarfile.ReadError(str(error) or type(error).__name__) from None


def _safe_members(tar: tarfile.TarFile, limit: "_Limit") -> Iterator[tarfile.TarInfo]:
    # stricter than Python's `data` filter, which long chains of links can evade in some versions
    for member in tar:
        limit.count(member.name, member.size)
        _refuse_leaving(limit.archive, member.name)
        if member.issym() or member.islnk():
            _refuse_leaving(limit.archive, member.linkname, f"the link {member.name} to ")
        elif not (member.isreg() or member.isdir()):
            raise InputError(
                f"{limit.archive} holds {member.name!r}, which is neither file nor folder; do not use this archive."
            )
        yield member


def _unpack_zip(archive: Path, folder: Path) -> None:
    limit = _Limit(archive, folder)
    with _as_damage(), zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            limit.count(member.filename, member.file_size)
            _refuse_leaving(archive, member.filename)
            if stat.S_ISLNK(member.external_attr >> 16):
                raise InputError(f"{archive} holds the link {member.filename!r}; do not use this archive.")
            if member.flag_bits & 1:
                raise InputError(f"{archive} is encrypted; unpack it by hand.")
            if member.CRC and not member.file_size:  # of such a one zipfile reads nothing, so compares nothing
                raise zipfile.BadZipFile(f"{member.filename} has a checksum but no content")
        if not limit.members:
            raise zipfile.BadZipFile("it holds no file")
        for member in file.infolist():
            file.extract(member, folder)


def _refuse_leaving(archive: Path, name: str, what: str = "") -> None:
    if _leaves(name):
        raise InputError(f"{archive} holds {what}{name!r}, which would leave its folder; do not use this archive.")


def _leaves(name: str) -> bool:
    """Whether a member of this name would lie outside the folder it is unpacked into."""
    path = PurePosixPath(name.replace("\\", "/"))
    return path.is_absolute() or ".." in path.parts or ":" in (path.parts or ("",))[0]


class _Limit:
    """Adds up what an archive declares and raises InputError where that is too much for a normal archive."""

    def __init__(self, archive: Path, folder: Path):
        self.archive = archive
        self.most = MAX_RATIO * max(archive.stat().st_size, MIN_COUNTED)
        self.room = shutil.disk_usage(folder).free - _ROOM_KEPT
        self.total = self.members = 0

    def count(self, name: str, size: int) -> None:
        """Add one member; raises InputError at the first one that is too much."""
        self.total += size
        self.members += 1
        if self.total > self.most or self.members > MAX_MEMBERS:
            raise InputError(
                f"{self.archive} would unpack to more than {MAX_RATIO} times its size (at {name!r}), "
                "as only a bomb does; do not use this archive."
            )
        if self.total > self.room:
            raise InputError(
                f"{self.archive} needs more than the {self.room >> 20} MB free where it is unpacked; make room."
            )


def _merge(source: Path, target: Path) -> None:
    """Move the entries of `source` into `target`, each by one rename; existing folders are merged."""
    for entry in sorted(source.iterdir()):
        path = target / entry.name
        if path.is_dir() and entry.is_dir() and not entry.is_symlink():
            _merge(entry, path)
        else:
            entry.replace(path)
