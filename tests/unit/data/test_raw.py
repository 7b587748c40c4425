"""When a data set's own files count as changed."""

import os
import shutil

import pytest

from scegg_core.data import raw
from scegg_core.data.raw import raw_digest


@pytest.fixture
def folder(tmp_path):
    """A data set of two classes, one of them a link to a folder elsewhere."""
    for name in ("data/images/crow", "gulls"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "1.bmp").write_bytes(b"12")
    (tmp_path / "data/images/gull").symlink_to(tmp_path / "gulls")
    (tmp_path / "data/attributes.csv").write_text("class,big\ncrow,1\n")
    return tmp_path / "data"


def digest(*places) -> str:
    memory = places[0].parent / "memory"
    found = raw_digest(tuple(map(str, places)), memory)
    assert raw_digest(tuple(map(str, places)), memory) == found  # from what it remembers
    return found


def test_added_removed_renamed_and_exchanged_files_are_seen(folder):
    seen = {digest(folder)}
    for change in (
        lambda: (folder / "images/crow/2.bmp").write_bytes(b"12"),
        lambda: (folder / "images/crow/2.bmp").rename(folder / "images/crow/3.bmp"),
        lambda: (folder / "images/crow/3.bmp").write_bytes(b"123"),
        lambda: (folder / "images/crow/3.bmp").rename(folder / "images/gull/3.bmp"),
        (folder / "images/gull/3.bmp").unlink,  # as it was in the beginning
        lambda: (folder / "images/gull/3.bmp").symlink_to("nowhere"),
    ):
        change()
        seen.add(digest(folder))
    assert len(seen) == 6


@pytest.mark.parametrize("file", ["images/crow/1.bmp", "images/gull/1.bmp", "attributes.csv"])
def test_an_edit_that_keeps_size_and_date_is_seen_also_behind_a_link(folder, file, next_tick):
    was, found = digest(folder), (folder / file).stat()
    content = (folder / file).read_bytes()
    next_tick(folder / file)
    (folder / file).write_bytes(content[::-1])
    os.utime(folder / file, ns=(found.st_atime_ns, found.st_mtime_ns))
    assert digest(folder) != was
    (folder / file).write_bytes(content)
    assert digest(folder) == was


def test_a_copy_elsewhere_with_other_dates_is_the_same(folder, tmp_path_factory):
    copy = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(folder, copy, copy_function=shutil.copy)
    assert digest(folder) == digest(copy)


def test_which_place_a_file_belongs_to_counts(folder):
    assert digest(folder / "images", folder / "attributes.csv") != digest(folder / "attributes.csv", folder / "images")
    assert digest(folder / "absent") == digest(folder / "nowhere")


def test_links_back_and_pipes_end(folder):
    (folder / "images/again").symlink_to("..")
    was = digest(folder)
    os.mkfifo(folder / "pipe")
    assert digest(folder) != was


def test_a_file_is_read_once_and_a_damaged_memory_is_no_harm(folder, monkeypatch):
    was = digest(folder)
    (memory,) = (folder.parent / "memory").iterdir()
    for text in ("[1", "[]", '{"a": 1}'):
        memory.write_text(text)
        assert digest(folder) == was
    monkeypatch.setattr(raw, "file_digest", None)
    assert digest(folder) == was


def test_a_data_set_that_is_gone_as_a_whole_is_what_it_was(folder):
    was, memory = digest(folder), folder.parent / "memory"
    folder.rename(folder.parent / "away")
    assert raw_digest((str(folder),), memory) == was
    assert raw_digest((str(folder),), folder.parent / "another") != was
    folder.mkdir()
    (folder / "attributes.csv").write_text("class,big\ncrow,1\n")  # a part of it is another data set
    assert raw_digest((str(folder),), memory) != was
