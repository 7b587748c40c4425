"""What a run shows: a line per finished job, a bar of those at work, and last the sentences of those that failed.

Snakemake hands every message to the filter of its own printer before it prints it; `show` puts a Screen there, which
says in its own words what concerns jobs, lets warnings and errors through, and drops the rest. All of it is in
`.snakemake/log/` as ever, and on the screen with `--printshellcmds` (`-p`) or any other option that says what Snakemake
prints. Jobs write to their logs alone then (scegg_core/workflow/job.py); their news and progress are read from there,
so those on a cluster are seen too. rules/screen.smk turns this on.
"""

import atexit
import logging
import os
import re
import signal
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from snakemake.common import NOTHING_TO_BE_DONE_MSG
from snakemake.logging import logger
from snakemake_interface_logger_plugins.common import LogEvent

from scegg_core.workflow.logs import LOG_ALONE, JobLog

GLANCE = 1.0  # seconds between two looks at the logs of the jobs at work, for the bar of a terminal
REPORT = 300.0  # seconds between two lines that tell of the jobs at work, where there is no terminal


def show(workflow) -> None:
    """Let this run of Snakemake show what Screen does, unless it only says what would run, or was told how to print."""
    settings = workflow.output_settings
    told = (settings.quiet, settings.verbose, settings.printshellcmds, settings.debug_dag, settings.show_failed_logs)
    if not workflow.is_main_process or settings.dryrun or any(told) or settings.log_handler_settings:
        return
    os.environ[LOG_ALONE] = "yes"
    for handler in logger.handlers:
        if handler.name == "DefaultStreamHandler":
            handler.addFilter(Screen(workflow, handler.stream))


@dataclass
class AtWork:
    """A job that was started: what it is, where it says what, and why it failed if it did."""

    name: str
    log: JobLog
    logs: list[str]  # of a failed job also those of the cluster
    reports: bool  # it makes no file: what it says is its result
    since: float
    why: str = ""

    @property
    def took(self) -> str:
        """Return the time since it was started."""
        return _clock(time.monotonic() - self.since)


class Screen(logging.Filter):
    """Says what a run does. A record that it lets through is printed by Snakemake."""

    def __init__(self, workflow, stream):
        super().__init__()
        self.workflow, self.stream = workflow, stream
        self.started = time.monotonic()
        self.at_work: dict[int, AtWork] = {}
        self.failed: dict[int, AtWork] = {}
        self.troubles: list[str] = []  # what was said of no job, such as an output that is missing
        self.done = self.total = 0
        self.running = self.stopped = self.over = False
        self._endings: dict[int, str] = {}  # how a thread's job has ended, of which Snakemake tells next
        self._bar = None
        self._lock = threading.RLock()
        self._events = {
            LogEvent.WORKFLOW_STARTED: self._workflow_started,
            LogEvent.RUN_INFO: self._jobs_known,
            LogEvent.JOB_INFO: self._job_started,
            LogEvent.JOB_FINISHED: self._job_finished,
            LogEvent.PROGRESS: self._progress,
            LogEvent.JOB_ERROR: self._job_failed,
            LogEvent.GROUP_ERROR: self._group_failed,
            LogEvent.ERROR: self._error,
        }

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether Snakemake shall print the record; say it in other words, or nothing, if not."""
        with self._lock:
            told = self._events.get(getattr(record, "event", None), self._other)
            passed = bool(told(record))
            if passed and self._bar is not None:
                self._bar.clear()
            return passed

    # --- what Snakemake tells ---

    def _workflow_started(self, _) -> None:
        self.running = True

    def _jobs_known(self, record) -> None:
        from tqdm import tqdm  # not where there is nothing to do

        self.total = record.stats["total"]
        rules = [rule if count == 1 else f"{count} {rule}" for rule, count in record.stats.items() if rule != "total"]
        self._say(f"SC-EGG: {_jobs(self.total)}: {', '.join(rules)}")
        seen = self.stream.isatty()
        look = "{n_fmt} of {total_fmt} |{bar:10}| {elapsed}  {desc}"
        self._bar = tqdm(
            total=self.total, file=self.stream, disable=not seen, leave=False, dynamic_ncols=True, bar_format=look
        )
        atexit.register(self._bar.close)
        threading.Thread(target=self._watch, args=(GLANCE if seen else REPORT,), daemon=True).start()

    def _job_started(self, record) -> None:
        if record.log:  # a rule without one only names what it asks for
            log, logs = JobLog(record.log[0], record.rule_name), list(record.log)
            name = _name(record.rule_name, dict(record.wildcards))
            self.at_work[record.jobid] = AtWork(name, log, logs, not record.output, time.monotonic())

    def _job_finished(self, record) -> None:
        self.done += 1
        self._bar.n = self.done
        self.failed.pop(record.job_id, None)  # it was tried again
        job = self.at_work.pop(record.job_id, None)
        if job is not None:
            self._tell(job, ended=True)
            width = len(str(self.total))
            self._say(f"{self.done:{width}} of {self.total}  {job.took}  {job.name}")

    def _progress(self, record) -> None:
        self.total = record.total  # a checkpoint can add jobs
        self._update()

    def _job_failed(self, record) -> None:
        if not record.indent:  # else one of a group, which was told as a whole
            self._fail([record.__dict__], record.rule_msg)

    def _group_failed(self, record) -> None:
        self._fail(record.job_error_info, None, record.aux_logs)

    def _error(self, record) -> bool:
        text = record.getMessage()
        if "CalledProcessError" in text:  # of the job that is told next
            self._endings[threading.get_ident()] = _ending(text)
            return False
        if "At least one job did not complete successfully" in text:
            return False
        self.troubles.append(text)
        return not self.stopped

    def _other(self, record) -> bool:
        text = str(record.msg or "")
        if record.levelno >= logging.ERROR:
            return not text.startswith("Exiting because a job execution failed")
        if record.levelno >= logging.WARNING:
            return True
        if text.startswith("Terminating processes on user request"):
            self.stopped = True
            self._say("SC-EGG: stopping the jobs at work …")
        if text.startswith("Will exit after finishing currently running jobs"):
            self.stopped = True
            self._say("SC-EGG: stopping when the jobs at work are done …")
        if text.startswith("Elapsed time: "):
            self._end()
        if text == NOTHING_TO_BE_DONE_MSG:
            self._say(text)
            self._say_results()
        return not self.running and not text.startswith("Assuming unrestricted shared filesystem")

    # --- what it says ---

    def _fail(self, infos: Iterable[dict], message: str | None, further: Iterable[str] = ()) -> None:
        """Tell of a job, or the jobs of a group, of which those count that say why."""
        ending = self._endings.pop(threading.get_ident(), "")
        numbers = [info["jobid"] for info in infos if info["jobid"] in self.at_work]
        jobs = {number: self.at_work.pop(number) for number in numbers}
        for job in jobs.values():
            self._tell(job, ended=True)
        goes_on = self.at_work or self.workflow.execution_settings.keep_going  # else all is said again at once
        spoken = {number: job for number, job in jobs.items() if job.log.sentence}
        for number, job in (spoken or jobs).items():
            job.why = job.log.sentence or ending or message or "it ended without saying why"
            job.logs = [*dict.fromkeys([*job.logs, *further])]
            if not self.stopped and not job.why.endswith("stopped by Ctrl-C"):
                self.failed[number] = job
                self._say(f"failed after {job.took}  {job.name}{f': {job.why}' if goes_on else ''}")

    def _end(self) -> None:
        self.over = True
        self._bar.close()
        took, failed = _clock(time.monotonic() - self.started), list(self.failed.values())
        if not failed and not self.troubles and not self.stopped:
            self._say(f"SC-EGG: {_jobs(self.done)} done in {took}.")
            self._say_results()
            return
        why = f"{max(len(failed), 1)} failed" if failed or self.troubles else "stopped"
        left = self.total - self.done - len(failed)
        self._say(
            f"SC-EGG: {why} after {took}; {self.done} of {_jobs(self.total)} done, {left} left. "
            "The same command goes on from here."
        )
        for job in failed:
            self._say(f"{job.log.rule}: {job.why}")
            self._say(f"    log: {', '.join(map(self._shown, job.logs))}")
        for trouble in self.troubles:
            self._say(trouble)

    def _say_results(self) -> None:
        """Say where the files lie that were asked for, folder by folder; with --until some may not be there."""
        folders: dict[str, list[str]] = {}
        for path in sorted(filter(os.path.exists, map(str, self.workflow.dag.derived_targetfiles))):
            folders.setdefault(str(Path(path).parent), []).append(Path(path).name)
        for folder, names in folders.items():
            self._say(f"    {self._shown(folder)}/{'' if len(names) == 1 else '  '}{', '.join(names)}")

    def _tell(self, job: AtWork, ended: bool = False) -> None:
        """Say what the job's log has said."""
        for line in job.log.news(ended):
            self._say(line if job.reports else f"{job.name} | {line}")

    def _watch(self, every: float) -> None:
        """Tell of the jobs at work again and again until the run is over."""
        while not self.over:
            time.sleep(every)
            with self._lock:
                if not self.over:
                    self._update()
                    if self._bar.disable and self.at_work:
                        self._say(f"at work after {_clock(time.monotonic() - self.started)}: {self._all_at_work()}")

    def _update(self) -> None:
        for job in list(self.at_work.values()):
            self._tell(job)
        self._bar.n, self._bar.total = self.done, self.total
        self._bar.set_description_str(self._all_at_work())

    def _all_at_work(self) -> str:
        return "; ".join(f"{job.name} {job.log.progress}".rstrip() for job in self.at_work.values())

    def _shown(self, path: str) -> str:
        """A path of the run as it can be used where the command was given: whole with --directory."""
        return path if self.workflow.overwrite_workdir is None else str(Path(path).absolute())

    def _say(self, text: str) -> None:
        with suppress(OSError, ValueError):  # the terminal was closed
            if self._bar is None:
                print(text, file=self.stream, flush=True)
            else:
                self._bar.write(text, file=self.stream)


def _name(rule: str, wildcards: dict[str, str]) -> str:
    """What a job is: data set, whatever else its wildcards say, and its rule."""
    keys = sorted(wildcards, key=lambda key: key != "dataset")
    words = [f"{key} {wildcards[key]}" if key in ("seed", "shard") else wildcards[key] for key in keys]
    return ": ".join(filter(None, [", ".join(words), rule]))


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count} jobs"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def _ending(text: str) -> str:
    """How a process has ended, from Snakemake's message; a shell's status is 128 more than the number of a signal."""
    signals = {str(128 + number): number.name for number in signal.Signals}
    status = re.search(r"Signals\.(\w+)|exit status (\d+)|$", text)
    name = status[1] or signals.get(status[2])
    if name is None:
        return f"it ended with exit status {status[2]} and said nothing in its log"
    return f"{name} ended it{'; maybe there was not enough memory' if name == 'SIGKILL' else ''}"
