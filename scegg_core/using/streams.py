"""Standard output and error of a command, whatever they are: closed, a pipe that nobody reads, a terminal without Unicode."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import TextIO


class _Lasting:
    """A stream whose reader may go away: what is written then is lost, and the work goes on."""

    def __init__(self, stream: TextIO):
        self.stream = stream

    def write(self, text: str) -> int:
        """Write the text where somebody still reads it; return its length."""
        with suppress(OSError):
            self.stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Send what is written, where somebody still reads it."""
        with suppress(OSError):
            self.stream.flush()

    def __getattr__(self, name: str):
        return getattr(self.stream, name)


@contextmanager
def usable_streams() -> Iterator[None]:
    """Within the block any letter can be printed, closed streams swallow what is printed, and errors of standard error
    stop nothing."""
    output, error = _opened(sys.stdout), _opened(sys.stderr)
    with redirect_stdout(output), redirect_stderr(_Lasting(error)):
        yield
        give_up_broken(error)


def give_up_broken(stream: TextIO) -> None:
    """Let a stream whose reader has gone lead nowhere, so that nothing is said of it when the process ends."""
    try:
        stream.flush()
    except OSError:
        with suppress(OSError):  # a stream without a descriptor
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _opened(stream: TextIO | None) -> TextIO:
    if stream is None:
        return Path(os.devnull).open("w", encoding="utf-8")
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")
    return stream
