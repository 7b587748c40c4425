"""When a data set's own files count as changed."""

import os
import shutil

import pytest

from scegg_core.data.raw import raw_digest


@pytest.fixture
def folder(tmp_path):
    """A data set of two classes."""
    raw_digest.cache_clear()
    for name in ("crow", "gull"):
        (tmp_path / "images" / name).mkdir(parents=True)
        (tmp_path / "images" / name / "1.jpg").write_bytes(b"12")
    (tmp_path / "attributes.csv").write_text("class,big\ncrow,1\n")
    return tmp_path


def digests(*places) -> tuple[str, str]:
    raw_digest.cache_clear()
    return tuple(raw_digest(tuple(map(str, places)), dates) for dates in (False, True))


def test_added_removed_renamed_and_exchanged_files_are_seen(folder):
    seen = {digests(folder)}
    for change in (
        lambda: (folder / "images/crow/2.jpg").write_bytes(b"12"),
        lambda: (folder / "images/crow/2.jpg").rename(folder / "images/crow/3.jpg"),
        lambda: (folder / "images/crow/3.jpg").write_bytes(b"123"),
        lambda: (folder / "images/crow/3.jpg").rename(folder / "images/gull/3.jpg"),
        (folder / "images/gull/3.jpg").unlink,
        lambda: (folder / "images/gull/3.jpg").symlink_to("nowhere"),
    ):
        change()
        seen.add(digests(folder))
    assert len({names for names, _ in seen}) == len({dates for _, dates in seen}) == 6


def test_an_edit_that_keeps_the_size_is_seen_by_its_date(folder):
    names, dates = digests(folder)
    (folder / "attributes.csv").write_text("class,big\ncrow,0\n")
    os.utime(folder / "attributes.csv", (1, 1))
    assert digests(folder)[0] == names
    assert digests(folder)[1] != dates


def test_a_copy_has_the_same_names_and_sizes(folder, tmp_path_factory):
    copy = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(folder, copy)
    assert digests(folder)[0] == digests(copy)[0]


def test_which_place_a_file_belongs_to_counts(folder):
    assert digests(folder / "images", folder / "attributes.csv") != digests(
        folder / "attributes.csv", folder / "images"
    )
    assert digests(folder / "absent") == digests()
