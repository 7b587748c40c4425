"""The frame around one job of a workflow: its log, its errors as sentences, its provenance.

Knows of the workflow engine only that a task has `input`, `output`, `params`, `log`, `threads` and `rule`.
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Any, TextIO

from scegg_core.artifacts.files import Provenance, input_digest, input_origin
from scegg_core.artifacts.paths import IndexFiles, SpaceFiles
from scegg_core.artifacts.provenance import computed_on
from scegg_core.errors import InputError
from scegg_core.settings.base import parse_section
from scegg_core.workflow.digests import refuse_edited
from scegg_core.workflow.logs import LOG_ALONE, took

#: Inputs whose name means one and the same artifact in all stages of a run.
SHARED = ("scen", "dazle", "features", "scaler", "eggn", "synthetic")

#: Inputs that come from runs on another split of the data set, and so from other artifacts with the names of SHARED.
FOREIGN = ("selection", "calibration")

#: How the names of inputs begin that say nothing of the features that a result was reached with.
OTHER_SPLIT = (*FOREIGN, "val_")

#: Signs of a digest that tell weights apart in print.
SHORT = 8

#: What a job says that asks for memory that there is not.
LACKING = "there is not enough memory; lower what the job's settings make large (widths, batch_size, per_class), or give it more"


@dataclass(frozen=True)
class Job:
    """A running job."""

    task: Any

    def settings(self, kind: type, name: str = "settings"):
        """Return the slice of settings handed over as parameter `name`, as an instance of `kind`."""
        return parse_section(kind, dict(self.task.params[name]), f"{self.task.rule}.{name}")

    def index_files(self, prefix: str = "") -> IndexFiles:
        """Return the tables of an index among the job's inputs, whose names begin with `prefix`."""
        return _index_files(self.task.input, prefix)

    def index_outputs(self) -> IndexFiles:
        """Return the tables of an index among the job's outputs."""
        return _index_files(self.task.output)

    def space_files(self) -> SpaceFiles:
        """Return the files of a feature space among the job's inputs."""
        files = self.task.input
        return SpaceFiles(self.index_files(), Path(files.features), Path(files.scaler), _path(files, "scen"))

    def provenance(
        self,
        settings: dict | None = None,
        seed: int | None = None,
        device: Any = None,
        further: dict[str, str] | None = None,
    ) -> Provenance:
        """Return what the job's outputs are made from; `device` is the torch device of a job that computes on one,
        `further` the digests, by name, of what it reads besides its inputs.

        Raises InputError for an input that was made from another version of an input that the job also reads.
        """
        files = {name: [paths] if isinstance(paths, str) else list(paths) for name, paths in self.task.input.items()}
        inputs = {name: "+".join(map(input_digest, paths)) for name, paths in files.items()}
        origins = [(name, path, input_origin(path)) for name, paths in files.items() for path in paths]
        computed, backbones = set(), set()
        for name, path, origin in origins:
            if origin and name not in FOREIGN:
                _refuse_mismatched(path, origin["inputs"], inputs)
            computed.update(origin["computed"] if origin else ())
            if not name.startswith(OTHER_SPLIT):
                backbones.update(origin.get("backbones", ()) if origin else ())
        if "weights" in inputs:  # whatever these were trained from
            backbones = {inputs["weights"][:SHORT]}
        if device is not None:
            computed.update(computed_on(device.type, self.task.params.deterministic, self.task.params.get("threads")))
        settings = settings or dict(self.task.params.get("settings", {}))
        return Provenance(
            stage=self.task.rule,
            settings=settings,
            code=self.task.params.code,
            inputs=inputs | (further or {}),
            seed=seed,
            computed=tuple(sorted(computed)),
            backbones=tuple(sorted(backbones)),
        )


def _index_files(files: Any, prefix: str = "") -> IndexFiles:
    classes, images, attributes = (Path(files[prefix + name]) for name in ("classes", "images", "attributes"))
    return IndexFiles(classes, images, attributes, _path(files, f"{prefix}test_labels"))


def _path(files: Any, name: str) -> Path | None:
    """The file called `name`; None where there is none."""
    path = files.get(name)
    return Path(path) if path else None


def _refuse_mismatched(path: str, made_from: dict[str, str], inputs: dict[str, str]) -> None:
    for name in SHARED:
        if name in made_from and name in inputs and made_from[name] != inputs[name]:
            raise InputError(
                f"{path} was made from another {name} than the one there is now; delete it to have it made again."
            )


def _lacks_memory(error: Exception) -> bool:
    """Whether memory was asked for that there is not: torch says so on a CPU by an error of no kind of its own."""
    kinds = isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError"
    return kinds or "can't allocate memory" in str(error)


class _Said:
    """Writes to the log and to the terminal; to the log alone if it is read there and its disk has room."""

    def __init__(self, terminal: TextIO, log: RawIOBase):
        self.terminal, self.log = terminal, log

    def write(self, text: str) -> int:
        """Write the text to the log, and to the terminal where that is wanted; return its length."""
        kept = _done(self.log.write, text.encode(errors="backslashreplace"))
        if not (kept and LOG_ALONE in os.environ):
            _done(self.terminal.write, text)
        return len(text)

    def flush(self) -> None:
        """Send to the terminal what is written."""
        _done(self.terminal.flush)

    def isatty(self) -> bool:
        """Return whether the terminal is one."""
        return self.terminal.isatty()


def _done(action: Callable, *arguments: str | bytes) -> bool:
    """Do it, and return whether there was a place to write to."""
    try:
        action(*arguments)
    except OSError:
        return False
    return True


def _use_threads(task: Any) -> None:
    """Compute with as many threads as the settings say, also where the machine has fewer cores: they decide the bits."""
    threads = task.params.get("threads")
    if threads is not None:
        from scegg_core.training.device import use_threads  # torch is slow to import

        use_threads(threads)


def _sentence(task: Any, error: BaseException) -> str | None:
    """What a job says that `error` ends; None if nobody expected it."""
    if isinstance(error, InputError):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "stopped by Ctrl-C"
    if isinstance(error, SystemExit):
        return str(error.code)
    if isinstance(error, (MemoryError, RuntimeError)) and _lacks_memory(error):
        return f"{LACKING} ({str(error).strip().splitlines()[0][:150]})."
    if isinstance(error, OSError) and (error.filename is not None or error.errno is not None):
        reason = os.strerror(error.errno) if error.errno else error.strerror  # libraries word it as they like
        return f"{reason}: {error.filename or f'while writing {task.output[0]}'}"
    return None


@contextmanager
def run_job(task: Any) -> Iterator[Job]:
    """Yield the job of `task`; what ends it is said in the log's last line, after the traceback of what nobody expected.

    SIGTERM ends it as an error would, so that no half-written file stays; training stages save their state first.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped by SIGTERM"))
    log, start = Path(task.log[0]), time.monotonic()
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb", buffering=0) as file, redirect_stderr(_Said(sys.stderr, file)):
        try:
            refuse_edited(task.params.get("code"))
            _use_threads(task)
            yield Job(task)
            _done(file.write, f"{took(start)}\n".encode())
        except (Exception, KeyboardInterrupt, SystemExit) as error:
            sentence = _sentence(task, error)
            if sentence is None:
                traceback.print_exc()
                sentence = f"{type(error).__name__}: {error}"
            print(f"{task.rule}: {sentence}", file=sys.stderr)
            sys.exit(1)
