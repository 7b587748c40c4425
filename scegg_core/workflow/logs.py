"""What a job's log says, read while the job writes it: its lines, its progress, and the sentence of its end."""

import re
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

#: Set in the environment of jobs whose logs another process shows on the terminal.
LOG_ALONE = "SCEGG_LOG_ALONE"

#: A progress bar as tqdm writes it: what ends with the times in brackets, between two moves of the cursor.
BAR = re.compile(r"[^\r\n]*\[\d+:\d\d[^\]\r\n]*\]")

#: The percents and the time that is left in it.
LEFT = re.compile(r"(\d+%)\|.*<([\d:]+)")


#: How the line begins that says what a job took; nobody needs it on the screen.
TOOK = "took "


def took(start: float) -> str:
    """Return what this process took since the time.monotonic() `start`: the line of the log that starts with TOOK.

    A job says it itself: in a fork it is no child of the process that the workflow engine measures.
    """
    used = resource.getrusage(resource.RUSAGE_SELF)
    memory = used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)  # there in bytes, elsewhere in KiB
    elapsed, processor = time.monotonic() - start, used.ru_utime + used.ru_stime
    return f"{TOOK}{elapsed:.1f} s, {processor:.1f} s of processor time, at most {memory:,.0f} MiB of memory"


class JobLog:
    """The log of a job that is about to start; what an earlier run has left there does not count.

    `sentence` is what the job says when it cannot go on: its rule, a colon, and the rest of the log.
    """

    def __init__(self, path: str | Path, rule: str):
        self.path, self.rule, self.sentence = Path(path), rule, ""
        self._earlier, self._read, self._bar = self._state(), 0, ""

    @property
    def progress(self) -> str:
        """Return how far the job is, such as "45%, 00:10 left"; nothing without a bar."""
        found = LEFT.search(self._bar)
        return f"{found[1]}, {found[2]} left" if found else ""

    def news(self, ended: bool = False) -> list[str]:
        """Return the lines written since the last call, without progress bars, what the job took and the sentence;
        `ended`: all of them."""
        if self._state() in (self._earlier, None):
            return []
        with self.path.open("rb") as file:
            file.seek(self._read)
            new = file.read()
        whole = len(new) if ended else max(new.rfind(b"\n") + 1, new.rfind(b"\r"), 0)
        self._read += whole
        self._bar = (BAR.findall(new.decode(errors="replace")) or [self._bar])[-1]
        lines = [line for line in _lines(new[:whole].decode(errors="replace")) if not line.startswith(TOOK)]
        return [line for line in lines if not self._of_sentence(line)]

    def _state(self) -> tuple | None:
        with suppress(OSError):
            found = self.path.stat()
            return found.st_mtime_ns, found.st_size, found.st_ino
        return None

    def _of_sentence(self, line: str) -> bool:
        if self.sentence:
            self.sentence += f"\n{line}"
        elif line.startswith(f"{self.rule}: "):
            self.sentence = line.removeprefix(f"{self.rule}: ")
        return bool(self.sentence)


def _lines(text: str) -> list[str]:
    """The lines without progress bars, and without those that only clear one."""
    lines = text.removesuffix("\n").split("\n") if text else []
    bare = [(line, BAR.sub("", line).replace("\r", "").rstrip()) for line in lines]
    return [rest for line, rest in bare if rest or "\r" not in line]
