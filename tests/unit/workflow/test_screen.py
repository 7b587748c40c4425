"""What a run shows, told by the records that Snakemake makes: known words for known stories."""

import io
import logging
import time
from types import SimpleNamespace

import pytest
from snakemake_interface_logger_plugins.common import LogEvent

from screen import Screen, show

ERROR = logging.ERROR


class Story:
    """A screen, and the records of a run in the current folder."""

    def __init__(self, folder, keep_going=False):
        self.folder, self.stream = folder, io.StringIO()
        asked = {"results/a/table.csv", "results/a/page.html", "results/summary.csv"}
        (folder / "results/a").mkdir(parents=True, exist_ok=True)
        for name in asked:
            (folder / name).touch()
        self.screen = Screen(
            SimpleNamespace(
                overwrite_workdir=None,
                execution_settings=SimpleNamespace(keep_going=keep_going),
                dag=SimpleNamespace(derived_targetfiles=asked),
            ),
            self.stream,
        )

    def tell(self, event, level=logging.INFO, msg="", **further) -> bool:
        """Give the screen a record; return whether Snakemake prints it."""
        return self.screen.filter(logging.makeLogRecord({"event": event, "levelno": level, "msg": msg, **further}))

    def begin(self, **jobs):
        self.tell(LogEvent.WORKFLOW_STARTED)
        self.tell(LogEvent.RUN_INFO, stats={**jobs, "total": sum(jobs.values())})

    def start(self, number, rule, says=None, output=("x",), **wildcards):
        log = f"{rule}{number}.log"
        self.tell(LogEvent.JOB_INFO, jobid=number, rule_name=rule, wildcards=wildcards, log=[log], output=output)
        if says is not None:
            (self.folder / log).write_text(says)

    def finish(self, number):
        self.tell(LogEvent.JOB_FINISHED, job_id=number)

    def fail(self, number, ending="exit status 1", **further):
        self.tell(LogEvent.ERROR, ERROR, f"CalledProcessError in file x: Command 'x' returned non-zero {ending}.")
        self.tell(LogEvent.JOB_ERROR, ERROR, **{"jobid": number, "rule_msg": None, "indent": False, **further})

    def end(self) -> list[str]:
        """Let the run end; return all lines on the screen, with no time in them."""
        self.tell(None, ERROR, "Exiting because a job execution failed. Look above for error messages")
        self.tell(None, msg="Elapsed time: 0:00:01")
        self.tell(LogEvent.ERROR, ERROR, "WorkflowError:\nAt least one job did not complete successfully.")
        return self.stream.getvalue().replace("0:00", "TIME").splitlines()


@pytest.fixture(autouse=True)
def _no_time_passes(monkeypatch):
    monkeypatch.setattr("screen.time", SimpleNamespace(monotonic=lambda: 0.0, sleep=time.sleep))


@pytest.fixture
def story(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Story(tmp_path)


def test_a_good_run(story):
    story.begin(train_scen=2, tabulate=1, all=1)
    story.start(1, "train_scen", "warning: stage 1 stood still\n", dataset="a", space="sc-egg", seed="0")
    story.start(2, "train_scen", "", space="sc-egg", dataset="a", seed="1")
    story.finish(2)
    story.finish(1)
    story.start(3, "tabulate", dataset="a/validation")
    story.finish(3)
    story.tell(LogEvent.JOB_INFO, jobid=4, rule_name="all", wildcards={}, log=[], output=[])
    story.finish(4)
    assert story.end() == [
        "SC-EGG: 4 jobs: 2 train_scen, tabulate, all",
        "1 of 4  TIME  a, sc-egg, seed 1: train_scen",
        "a, sc-egg, seed 0: train_scen | warning: stage 1 stood still",
        "2 of 4  TIME  a, sc-egg, seed 0: train_scen",
        "3 of 4  TIME  a/validation: tabulate",
        "SC-EGG: 4 jobs done in TIME.",
        "    results/a/  page.html, table.csv",
        "    results/summary.csv",
    ]


def test_the_sentences_of_all_failed_jobs_are_the_last_lines(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    story = Story(tmp_path, keep_going=True)
    story.begin(index_dataset=3, score=5)
    story.start(1, "index_dataset", "index_dataset: there is no a.csv; write one.\n", dataset="a")
    story.start(2, "index_dataset", "", dataset="b")
    story.start(3, "index_dataset", "one\n", dataset="c")
    story.fail(1)
    story.fail(2, "exit status 137")
    story.fail(3, "exit status 2")
    assert story.end() == [
        "SC-EGG: 8 jobs: 3 index_dataset, 5 score",
        "failed after TIME  a: index_dataset: there is no a.csv; write one.",
        "failed after TIME  b: index_dataset: SIGKILL ended it; maybe there was not enough memory",
        "c: index_dataset | one",
        "failed after TIME  c: index_dataset: it ended with exit status 2 and said nothing in its log",
        "SC-EGG: 3 failed after TIME; 0 of 8 jobs done, 5 left. The same command goes on from here.",
        "index_dataset: there is no a.csv; write one.",
        "    log: index_dataset1.log",
        "index_dataset: SIGKILL ended it; maybe there was not enough memory",
        "    log: index_dataset2.log",
        "index_dataset: it ended with exit status 2 and said nothing in its log",
        "    log: index_dataset3.log",
    ]


def test_a_sentence_that_is_said_again_at_once_is_said_once(story):
    story.begin(score=1)
    story.start(1, "score", "score: no\n")
    story.fail(1)
    assert story.end()[1:] == [
        "failed after TIME  score",
        "SC-EGG: 1 failed after TIME; 0 of 1 job done, 0 left. The same command goes on from here.",
        "score: no",
        "    log: score1.log",
    ]


def test_a_job_that_succeeds_when_it_is_tried_again_has_not_failed(story):
    story.begin(score=1)
    story.start(1, "score", "score: stopped by SIGTERM\n")
    story.fail(1)
    story.start(1, "score", "continuing\n")
    story.finish(1)
    assert story.end()[-4:-2] == ["1 of 1  TIME  score", "SC-EGG: 1 job done in TIME."]


def test_of_a_group_the_jobs_that_say_why_have_failed(story):
    """On a cluster: all jobs of the group are told as failed."""
    story.begin(synthesize=1, predict=1)
    story.start(1, "synthesize", "synthesized\n")
    story.start(2, "predict", "predict: no disk\n")
    story.tell(LogEvent.GROUP_ERROR, ERROR, job_error_info=[{"jobid": 1}, {"jobid": 2}], aux_logs=["slurm.log"])
    story.fail(1, indent=True)
    assert story.end()[-2:] == ["predict: no disk", "    log: predict2.log, slurm.log"]


def test_what_the_cluster_says_stands_for_a_job_that_says_nothing(story):
    story.begin(score=1)
    story.start(1, "score")
    story.tell(LogEvent.JOB_ERROR, ERROR, jobid=1, rule_msg="SLURM-job '7' failed: OUT_OF_MEMORY.", indent=False)
    assert story.end()[-2:] == ["score: SLURM-job '7' failed: OUT_OF_MEMORY.", "    log: score1.log"]


def test_after_ctrl_c_no_job_has_failed(story):
    story.begin(score=2)
    story.start(1, "score", "score: stopped by Ctrl-C\n")
    story.tell(None, msg="Terminating processes on user request, this might take some time.")
    story.fail(1)
    assert story.end()[1:] == [
        "SC-EGG: stopping the jobs at work …",
        "SC-EGG: stopped after TIME; 0 of 2 jobs done, 2 left. The same command goes on from here.",
    ]


def test_what_a_check_says_is_shown_as_it_is(story):
    story.begin(check_a=1)
    story.start(1, "check_a", "a\n  images  12\nready\n", output=[])
    story.finish(1)
    assert story.end()[1:4] == ["a", "  images  12", "ready"]


def test_errors_and_warnings_of_snakemake_are_passed_on_and_its_talk_is_not(story):
    assert story.tell(None, msg="Unlocked working directory.")  # no run
    story.begin(score=1)
    assert not story.tell(None, msg="Select jobs to execute...")
    assert story.tell(None, logging.WARNING, "a file is late")
    assert story.tell(LogEvent.ERROR, ERROR, "MissingOutputException: x.csv")
    assert story.end()[-1] == "MissingOutputException: x.csv"


def test_nothing_to_do_and_where_it_lies(story):
    story.tell(LogEvent.WORKFLOW_STARTED)
    assert not story.tell(None, msg="Nothing to be done (all requested files are present and up to date).")
    assert story.stream.getvalue().splitlines()[0].startswith("Nothing to be done")
    assert "results/a/  page.html, table.csv" in story.stream.getvalue()


def test_what_was_asked_for_and_is_not_there_is_not_listed(story):
    """--until ends before it."""
    (story.folder / "results/a/table.csv").unlink()
    story.begin(index_dataset=1)
    story.start(1, "index_dataset", dataset="a")
    story.finish(1)
    assert story.end()[-2:] == ["    results/a/page.html", "    results/summary.csv"]


def test_a_closed_terminal_stops_nothing(story):
    story.begin(score=1)
    story.start(1, "score")
    story.stream.close()
    story.finish(1)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [({}, True), ({"dryrun": True}, False), ({"quiet": {"all"}}, False), ({"printshellcmds": True}, False)],
)
def test_who_tells_snakemake_how_to_print_gets_its_own_output(asked, shown, monkeypatch):
    monkeypatch.setattr("screen.os.environ", {})
    names = ("quiet", "verbose", "printshellcmds", "debug_dag", "show_failed_logs", "dryrun", "log_handler_settings")
    settings = SimpleNamespace(**{name: asked.get(name) for name in names})
    handler = logging.StreamHandler(io.StringIO())
    handler.name = "DefaultStreamHandler"
    monkeypatch.setattr("screen.logger", SimpleNamespace(handlers=[handler]))
    show(SimpleNamespace(output_settings=settings, is_main_process=True))
    assert bool(handler.filters) == shown
