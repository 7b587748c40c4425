"""A job's log, read while it is written: lines without progress bars, how far the job is, the sentence of its end."""

import io
import os
import time

import pytest

from scegg_core.training.progress import bar
from scegg_core.workflow.logs import JobLog, took


@pytest.fixture
def path(tmp_path):
    return tmp_path / "train_scen.log"


def test_lines_come_once_and_when_they_are_whole(path):
    log = JobLog(path, "train_scen")
    assert log.news() == []
    path.write_text("one\n  two\n\nthr")
    assert log.news() == ["one", "  two", ""]
    assert log.news() == []
    path.write_text("one\n  two\n\nthree")
    assert log.news() == []
    assert log.news(ended=True) == ["three"]


def test_bars_are_no_lines_but_say_how_far_the_job_is(path, monkeypatch):
    """Whatever tqdm writes, and whatever is printed between."""
    log, written = JobLog(path, "train_scen"), io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    with bar(4, "SCEN stage 1") as progress:
        progress.update(1)
        progress.refresh()
        path.write_text(written.getvalue())
        assert log.news() == []
        assert log.progress.startswith("25%, 00:0")
        print("warning: no font", file=written)
        progress.update(3)
    path.write_text(written.getvalue())
    assert log.news() == ["warning: no font"]
    assert log.progress == "100%, 00:00 left"


def test_the_sentence_is_the_last_word_of_the_rule(path):
    log = JobLog(path, "train_scen")
    path.write_text("Traceback\n  somewhere\ntrain_scen: it lacks memory.\nGive it more.\n")
    assert log.news(ended=True) == ["Traceback", "  somewhere"]
    assert log.sentence == "it lacks memory.\nGive it more."


def test_what_a_job_took_is_in_the_log_alone(path):
    log = JobLog(path, "predict")
    path.write_text(f"a warning\n{took(time.monotonic())}\n", encoding="utf-8")
    assert log.news(ended=True) == ["a warning"]


def test_what_an_earlier_run_has_said_is_no_news(path):
    path.write_text("train_scen: an old sentence\n")
    log = JobLog(path, "train_scen")
    assert (log.news(ended=True), log.sentence) == ([], "")
    path.write_text("train_scen: another one\n")
    os.utime(path, (1, 1))  # also where the clock stands still
    assert (log.news(ended=True), log.sentence) == ([], "another one")


def test_a_log_that_is_damaged_is_read_as_well_as_can_be(path):
    log = JobLog(path, "score")
    path.write_bytes(b"\xff\xfe[12\nscore: stopped\n")
    assert log.news() == ["\ufffd\ufffd[12"]
    assert log.sentence == "stopped"
