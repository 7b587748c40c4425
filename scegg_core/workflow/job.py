"""The frame around one job of a workflow: its log, its errors as sentences, its provenance.

Knows of the workflow engine only that a task has `input`, `output`, `params`, `log`, `threads` and `rule`.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TextIO

from scegg_core.artifacts.files import Provenance, input_digest, input_origin
from scegg_core.artifacts.paths import IndexFiles, SpaceFiles
from scegg_core.artifacts.provenance import computed_on
from scegg_core.errors import InputError
from scegg_core.settings.base import parse_section

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


class _Tee:
    """Writes to the terminal and, as long as its disk has room, to the log."""

    def __init__(self, *streams: TextIO):
        self.streams = streams

    def write(self, text: str) -> int:
        for stream in self.streams:
            with suppress(OSError):
                stream.write(text)
        return len(text)

    def flush(self) -> None:
        for stream in self.streams:
            with suppress(OSError):
                stream.flush()

    def isatty(self) -> bool:
        return self.streams[0].isatty()


def _use_threads(task: Any) -> None:
    """Compute with as many threads as the settings say, also where the machine has fewer cores: they decide the bits."""
    threads = task.params.get("threads")
    if threads is not None:
        from scegg_core.training.device import use_threads  # torch is slow to import

        use_threads(threads)


def _end(task: Any, sentence: str) -> NoReturn:
    print(f"{task.rule}: {sentence}", file=sys.stderr)
    sys.exit(1)


@contextmanager
def run_job(task: Any) -> Iterator[Job]:
    """Yield the job of `task`; bad input ends the process with its sentence, on the terminal and in the log.

    SIGTERM ends it as an error would, so that no half-written file stays; training stages save their state first.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(f"{task.rule}: stopped by SIGTERM"))
    log = Path(task.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8", buffering=1) as file, redirect_stderr(_Tee(sys.stderr, file)):
        try:
            _use_threads(task)
            yield Job(task)
        except InputError as error:
            _end(task, str(error))
        except (MemoryError, RuntimeError) as error:
            if not _lacks_memory(error):
                raise
            _end(task, f"{LACKING} ({str(error).strip().splitlines()[0][:150]}).")
        except OSError as error:
            if error.filename is None and error.errno is None:
                raise
            reason = os.strerror(error.errno) if error.errno else error.strerror  # libraries word it as they like
            _end(task, f"{reason}: {error.filename or f'while writing {task.output[0]}'}")
