"""The frame around one job of a workflow: its log, its errors as sentences, its provenance.

Knows of the workflow engine only that a task has `input`, `output`, `params`, `log`, `threads` and `rule`.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from scegg_core.artifacts import Provenance, input_digest
from scegg_core.errors import InputError
from scegg_core.settings.base import parse_section


@dataclass(frozen=True)
class Job:
    """A running job."""

    task: Any

    def settings(self, kind: type, name: str = "settings"):
        """Return the slice of settings handed over as parameter `name`, as an instance of `kind`."""
        return parse_section(kind, dict(self.task.params[name]), f"{self.task.rule}.{name}")

    def provenance(self, settings: dict | None = None, seed: int | None = None) -> Provenance:
        """Return what the job's outputs are made from."""
        inputs = {name: self._digest(paths) for name, paths in self.task.input.items()}
        return Provenance(
            self.task.rule, settings or dict(self.task.params.get("settings", {})), self.task.params.code, inputs, seed
        )

    def _digest(self, paths) -> str:
        if isinstance(paths, str):
            return input_digest(paths)
        return "+".join(input_digest(path) for path in paths)


class _Tee:
    """Writes to the terminal and to the log."""

    def __init__(self, *streams: TextIO):
        self.streams = streams

    def write(self, text: str) -> int:
        for stream in self.streams:
            stream.write(text)
        return len(text)

    def flush(self) -> None:
        for stream in self.streams:
            stream.flush()

    def isatty(self) -> bool:
        return self.streams[0].isatty()


@contextmanager
def run_job(task: Any) -> Iterator[Job]:
    """Yield the job of `task`; bad input ends the process with its sentence, on the terminal and in the log."""
    log = Path(task.log[0])
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8", buffering=1) as file, redirect_stderr(_Tee(sys.stderr, file)):
        try:
            yield Job(task)
        except InputError as error:
            print(f"{task.rule}: {error}", file=sys.stderr)
            sys.exit(1)
        except OSError as error:
            if error.filename is None and error.errno is None:
                raise
            print(
                f"{task.rule}: {error.strerror}: {error.filename or 'while writing ' + str(task.output[0])}",
                file=sys.stderr,
            )
            sys.exit(1)
