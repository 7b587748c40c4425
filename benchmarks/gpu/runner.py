"""Runs steps one after the other, each in a process of its own and for a bounded time.

A process of its own, because a kernel that fails leaves a CUDA process in which nothing works any more, and because a
step that hangs can be ended. It is forked where CUDA survives that, so that it need not import everything again; so the
parent itself never touches CUDA.
"""

import importlib
import json
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, suppress
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from multiprocessing.context import BaseContext
from pathlib import Path

import torch

from benchmarks.gpu.needs import Package, missing, said_of
from benchmarks.gpu.record import Figure, Outcome, Record, sentence_of

FORK, SPAWN = (multiprocessing.get_context(method) for method in ("fork", "spawn"))
YES, NO, LOST = 0, 1, 2  # whether CUDA is there; LOST: it may be, but not in a process that was forked from this one
RESERVE = 3.0  # seconds that are kept for ending a step and writing the file
LEAST = 5.0  # seconds with which a step is started at all
START = 60.0  # seconds in which a process says whether CUDA is there; a driver that hangs never does


@dataclass(frozen=True)
class Run:
    """What a step is told: where it may write, its seconds from `begin` on, and what the steps before it found."""

    out: Path
    tiny: bool
    begin: float
    seconds: float
    record: Record

    @property
    def left(self) -> float:
        """Return the seconds that the step still has."""
        return self.begin + self.seconds - time.monotonic()


@dataclass(frozen=True)
class Step:
    """One step: the function that does it, as "module:name", the share of all time that it may take, its packages."""

    name: str
    title: str
    work: str
    share: float
    needs: tuple[Package, ...]


@dataclass(frozen=True)
class Processes:
    """How processes are made here, and whether torch sees a CUDA device in them; `hung` says which never told."""

    context: BaseContext
    cuda: bool
    hung: str = ""


def prepare(steps: list[Step]) -> Processes:
    """Import what the steps need, once for all of them, and return how their processes are made."""
    for step in steps:
        with suppress(Exception):  # said by the step itself, when its turn comes
            _function(step)
    import torch._dynamo  # noqa: F401 - optimizers import it in their first step, which takes seconds

    return ask_for_cuda()


def ask_for_cuda() -> Processes:
    """Return how processes are made in which CUDA is there, by starting one of each kind; one that hangs is ended."""
    hung = []
    for context in (FORK, SPAWN):
        process = context.Process(target=_ask)
        process.start()
        process.join(START)
        if process.exitcode is None:
            process.kill()
            process.join(RESERVE)
            hung.append(
                f"a process made by {context.get_start_method()} did not say in {START:g} s whether CUDA is there"
            )
        elif process.exitcode != LOST:
            return Processes(context, process.exitcode == YES, "; ".join(hung))
    return Processes(SPAWN, False, "; ".join(hung))


def _ask() -> None:
    if torch.cuda._is_in_bad_fork():
        sys.exit(LOST)
    sys.exit(YES if torch.cuda.is_available() else NO)


def _function(step: Step) -> Callable[["Run"], Iterator[Figure]]:
    module, name = step.work.split(":")
    return getattr(importlib.import_module(module), name)


def run_steps(steps: list[Step], record: Record, out: Path, processes: Processes) -> None:
    """Take all steps; what they find is in `record` and in gpu.json of the folder `out` as soon as it is known."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped by SIGTERM; gpu.json holds what was known by then"))
    end = time.monotonic() + 60 * record.minutes - RESERVE
    for step in steps:
        outcome = Outcome(step.name, step.title)
        record.outcomes.append(outcome)
        begin = time.monotonic()
        seconds = min(60 * record.minutes * step.share, end - begin)
        if lacking := missing(step.needs):
            outcome.error = said_of(lacking)
        elif seconds < LEAST:
            outcome.error = "left out: its time was used up by the steps before it."
        else:
            _take(step, Run(out, record.tiny, begin, seconds, record), outcome, processes.context)
        outcome.seconds = time.monotonic() - begin
        record.write(out / "gpu.json")
        print(f"{step.name}: {outcome.error or 'done'} ({outcome.seconds:.0f} s)", file=sys.stderr)


def _take(step: Step, run: Run, outcome: Outcome, context: BaseContext) -> None:
    """Run the step in a process of its own and note what it sends, until it ends or its time is up."""
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(step, run, sending))
    process.start()
    sending.close()
    ended = False
    try:
        ended = _listen(receiving, run, outcome)
    finally:  # also where this process is told to stop
        if not ended:
            _end(process.pid)
        process.join(RESERVE)
    if ended and process.exitcode and not outcome.error:
        outcome.error = f"its process ended with code {process.exitcode}."


def _listen(receiving: Connection, run: Run, outcome: Outcome) -> bool:
    """Note what arrives, and write it down at once; return whether the step ended by itself."""
    while receiving.poll(max(0.0, run.left)):
        try:
            message = json.loads(receiving.recv_bytes())
        except EOFError:
            return True
        if "failed" in message:
            outcome.error = message["failed"]
        else:
            outcome.figures.append(Figure(**message))
        run.record.write(run.out / "gpu.json")
    outcome.error = f"stopped after its {run.seconds:.0f} seconds; what it had found by then stands."
    return False


def _child(step: Step, run: Run, sending: Connection) -> None:
    os.setsid()  # compilers that it starts are ended with it
    if run.tiny:
        torch.set_num_threads(1)  # a second thread costs more than it saves
    with (run.out / "gpu.log").open("a", encoding="utf-8", buffering=1) as log, redirect_stderr(log):
        os.dup2(log.fileno(), 2)  # for what libraries write past Python
        try:
            for figure in _function(step)(run):
                sending.send_bytes(json.dumps(asdict(figure)).encode())
        except Exception as error:
            traceback.print_exc()
            sending.send_bytes(json.dumps({"failed": sentence_of(error)}).encode())
    sending.close()


def _end(process: int) -> None:
    try:
        os.killpg(process, signal.SIGKILL)
    except ProcessLookupError:  # it ended in this moment, or has not yet a group of its own
        os.kill(process, signal.SIGKILL)


def attempts(name: str, work: Callable[[], Iterator[Figure]]) -> Iterator[Figure]:
    """Yield the figures of `work`; where it fails, at last one called `name` that says why."""
    try:
        yield from work()
    except Exception as error:
        traceback.print_exc()
        yield Figure(name, None, error=sentence_of(error))


def attempt(name: str, unit: str, measure: Callable[[], float], **further) -> Figure:
    """Return the figure that `measure` gives; where it fails, one that says why. `further` is the figure's goal."""
    try:
        return Figure(name, measure(), unit, **further)
    except Exception as error:  # what was tried may fail in any way, and the next figure is worth having
        traceback.print_exc()
        return Figure(name, None, unit, error=sentence_of(error), **further)
