"""Sets of files: whole or not at all, whatever is killed; mixtures of two generations are refused."""

import os
import re

import pytest

from scegg_core.artifacts import sets
from scegg_core.artifacts.files import Provenance, file_digest, write_record
from scegg_core.artifacts.sets import refuse_changed, refuse_mixture, refuse_others, settle_folder, whole_folder
from scegg_core.errors import InputError


def write_set(path, text):
    with whole_folder(path) as folder:
        (folder / "inner").mkdir()
        for name in ("a.txt", "inner/b.txt"):
            (folder / name).write_text(text)


def content(path):
    return {file.relative_to(path).as_posix(): file.read_text() for file in path.rglob("*") if file.is_file()}


def names(folder):
    return [path.name for path in folder.iterdir()]


def whole(text):
    return {"a.txt": text, "inner/b.txt": text}


def test_a_set_replaces_another_as_a_whole(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set/gone.txt").write_text("old")
    write_set(tmp_path / "set", "new")
    assert content(tmp_path / "set") == whole("new")
    assert names(tmp_path) == ["set"]
    assert (tmp_path / "set").stat().st_mode & 0o777 == 0o777 & ~sets.current_umask()


def test_a_set_that_fails_leaves_the_earlier_one(tmp_path):
    write_set(tmp_path / "set", "old")
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "set") as folder:
        (folder / "a.txt").write_text("new")
        raise ZeroDivisionError
    assert content(tmp_path / "set") == whole("old")
    assert names(tmp_path) == ["set"]


def test_a_set_at_the_end_of_a_link(tmp_path):
    write_set(tmp_path / "place/set", "old")
    (tmp_path / "link").symlink_to(tmp_path / "place/set")
    write_set(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert content(tmp_path / "place/set") == whole("new")


def killed_at(step, work):
    """Run `work` in a child that is killed before its `step`-th call that changes a name or waits for the disk."""
    child = os.fork()
    if child == 0:
        count = 0

        def counted(call):
            def wrapper(*arguments, **options):
                nonlocal count
                count += 1
                if count > step:
                    os._exit(9)
                return call(*arguments, **options)

            return wrapper

        for name in ("rename", "fsync", "unlink", "rmdir", "chmod"):
            setattr(os, name, counted(getattr(os, name)))
        work()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_the_old_or_the_new_set(tmp_path):
    step, seen, place = 0, [], tmp_path / "set"
    write_set(place, "old")
    while killed_at(step, lambda: write_set(place, "new")):
        settle_folder(place)  # as readers do
        seen.append(content(place)["a.txt"])
        assert content(place) == whole(seen[-1])
        write_set(place, "old")
        assert names(tmp_path) == ["set"]  # nothing is left of the killed one
        step += 1
    assert content(place) == whole("new")
    assert seen == sorted(seen, reverse=True)  # "old" up to one moment, "new" from then on
    assert set(seen) == {"old", "new"}


def test_two_writers_at_once_leave_one_whole_set(tmp_path):
    place = tmp_path / "set"
    with whole_folder(place) as first:
        (first / "a.txt").write_text("first")
        write_set(place, "second")  # does not take the first's unfinished folder for one that a kill left
        assert content(place) == whole("second")
    assert content(place) == {"a.txt": "first"}
    assert names(tmp_path) == ["set"]


def test_leftovers_of_another_set_are_spared(tmp_path):
    for name in (".set.b.12345678.part", ".set.b.12345678.old", ".set.note.part"):
        (tmp_path / name).mkdir()
    write_set(tmp_path / "set", "new")
    assert len(names(tmp_path)) == 4


def test_other_files_are_spared(tmp_path):
    refuse_others(tmp_path / "none", (), "name a new one")
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match=re.escape("holds other files ('thesis.tex'), which would be lost; go away.")):
        refuse_others(tmp_path, ("a.txt",), "go away")
    with pytest.raises(InputError, match=r"thesis.tex is there already and is not a folder; go away\."):
        refuse_others(tmp_path / "thesis.tex", (), "go away")


def test_files_of_another_generation_are_refused(tmp_path):
    write_set(tmp_path / "set", "old")
    digests = {name: file_digest(tmp_path / "set" / name) for name in ("a.txt", "inner/b.txt")}
    refuse_changed(tmp_path / "set", digests, "make it again")
    (tmp_path / "set/inner/b.txt").write_text("new")
    with pytest.raises(InputError, match=r"inner/b.txt is missing or not the file that belongs to this set; make it"):
        refuse_changed(tmp_path / "set", digests, "make it again")


def record(path, content, **inputs):
    write_record(path, "metrics", content, Provenance("score", inputs=inputs))
    return path


def test_an_artifact_made_from_another_input_is_refused(tmp_path):
    parts = [record(tmp_path / f"part{number}.json", {"part": number}) for number in range(2)]
    made = record(
        tmp_path / "made.json", {}, parts="+".join(sets.input_digest(part) for part in parts), others="unknown"
    )
    refuse_mixture([made], {"parts": tuple(parts)}, "make it again")
    record(parts[1], {"part": 3})
    with pytest.raises(InputError, match=r"made.json was made from other parts than .*; make it again\."):
        refuse_mixture([made], {"parts": tuple(parts)}, "make it again")
