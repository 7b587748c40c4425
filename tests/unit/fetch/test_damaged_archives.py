"""Damaged archives and records: all of the content or one sentence, never a part of it or a traceback."""

import gzip
import io
import os
import tarfile
import warnings
import zipfile
from pathlib import Path

import pytest
from mutations import each_mutated

from scegg_core.errors import InputError
from scegg_core.fetch.archives import fetch, record_path
from scegg_core.fetch.unpack import marker_path, unpack
from scegg_core.settings.downloads import Download

FILES = {"set/a.txt": b"one" * 50, "set/b.bin": bytes(range(256)), "set/c/d.txt": b"x"}


def tar_bytes(mode: str, files: dict[str, bytes] = FILES) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def zip_bytes(method: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def content(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".unpacked"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


PACKED = {
    "tar.gz": tar_bytes("w:gz"),
    "tar.bz2": tar_bytes("w:bz2"),
    "tar.xz": tar_bytes("w:xz"),
    "deflated zip": zip_bytes(zipfile.ZIP_DEFLATED),
    "bzip2 zip": zip_bytes(zipfile.ZIP_BZIP2),
    "lzma zip": zip_bytes(zipfile.ZIP_LZMA),
}


@pytest.mark.parametrize("kind", [*PACKED, "tar"])
@pytest.mark.slow
def test_damaged_archives_are_refused_or_whole(tmp_path, kind):
    whole, refused = PACKED.get(kind) or tar_bytes("w"), 0
    unpack(write(tmp_path / "whole", whole), tmp_path / "right", "x")
    assert content(tmp_path / "right") == FILES
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number, (_, data) in enumerate(each_mutated({kind: whole}, 30)):
            target = tmp_path / str(number)
            try:
                unpack(write(tmp_path / "a", data), target, "x")
            except InputError as error:
                assert "\n" not in str(error)
                assert content(target) == {}
                refused += 1
            else:
                # a plain tar has no checksum of its content; in a zip, names and sizes have none
                assert kind == "tar" or "zip" in kind or content(target) == FILES
    assert refused > 10


def write(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def spoiled_header() -> bytes:
    data = bytearray(tar_bytes("w"))
    data[data.index(b"set/b.bin")] ^= 1
    return bytes(data)


INCOMPLETE = {
    "a header in the middle": (spoiled_header(), "after 1 members it does not go on as an archive does"),
    "the same, packed": (gzip.compress(spoiled_header()), "after 1 members it does not go on as an archive does"),
    "cut between members": (
        tar_bytes("w")[: tar_bytes("w").index(b"set/c/d.txt")],
        "it has no end after 2 members",
    ),
    "wrong checksum of what is packed": (
        PACKED["tar.gz"][:-8] + bytes(4) + PACKED["tar.gz"][-4:],
        "CRC check failed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", INCOMPLETE)
def test_a_part_of_an_archive_is_not_taken_for_all_of_it(tmp_path, kind):
    data, reason = INCOMPLETE[kind]
    with pytest.raises(InputError) as error:
        unpack(write(tmp_path / "a.tgz", data), tmp_path / "out", "x")
    assert reason in str(error.value)
    assert content(tmp_path / "out") == {}


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path):
    files = FILES | {"set/labels.npz": zip_bytes(zipfile.ZIP_STORED)}
    whole = tar_bytes("w", files)
    unpack(write(tmp_path / "a.tar", whole), tmp_path / "out", "x")
    assert content(tmp_path / "out") == files
    with pytest.raises(InputError, match="is neither a zip nor a tar archive"):
        unpack(write(tmp_path / "b.tar", b"?" + whole[1:]), tmp_path / "damaged", "x")
    assert content(tmp_path / "damaged") == {}


def test_an_empty_zip_is_one_sentence(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w"):
        pass
    with pytest.raises(
        InputError, match=r"a\.zip is a damaged archive \(it holds no file\); delete it and fetch it again\."
    ):
        unpack(tmp_path / "a.zip", tmp_path / "out", "x")


@pytest.mark.parametrize(
    "text", ["[]", "5", "null", '"x"', "[" * 100_000, "\xff", '{"url": "u", "sha256": ["x"], "verified": null, "size": 1, "changed_ns": 1}']
)  # fmt: skip
def test_records_that_are_none_are_made_again(tmp_path, text):
    file = write(tmp_path / "a.zip", zip_bytes(zipfile.ZIP_STORED))
    download = Download(
        url="http://127.0.0.1:9/a", file=str(file), unpack_to=str(tmp_path / "out"), provides=("set/a.txt",)
    )
    first = fetch(download)
    status = file.stat()
    for record in (record_path(file), marker_path(file, tmp_path / "out")):
        record.write_text(text, encoding="latin-1")
    os.utime(file, ns=(status.st_mtime_ns, status.st_mtime_ns))
    assert fetch(download) == first
    assert content(tmp_path / "out").items() >= FILES.items()


@pytest.mark.parametrize(
    ("file", "reason"), [("file/a.zip", "File exists"), ("folder", "Is a directory"), ("a" * 300, "File name too long")]
)
def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path, file, reason):
    (tmp_path / "file").write_text("x")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError) as error:
        fetch(Download(url="http://127.0.0.1:9/a", file=str(tmp_path / file)))
    assert str(error.value) == (
        f"{tmp_path / file} cannot be written or read ({reason}); make room, or correct the setting."
    )
