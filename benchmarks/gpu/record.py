"""What has been measured on a GPU, and its file gpu.json, which is whole at any moment.

Needs Python alone, so that a machine where packages are missing can still say so in the file.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Figure:
    """One thing that was measured or looked up; `error` says why there is no value.

    `goal` is what the value should be at least, or with `less` at most; None: there is no goal.
    """

    name: str
    value: float | str | None
    unit: str = ""
    goal: float | None = None
    less: bool = False
    error: str = ""

    @property
    def reached(self) -> bool:
        """Return whether the value is as its goal says; False without a value."""
        if not isinstance(self.value, (int, float)) or self.goal is None:
            return False
        return self.value <= self.goal if self.less else self.value >= self.goal


@dataclass
class Outcome:
    """What one step found, in how many seconds; `error` says why it did not end as it should."""

    name: str
    title: str
    figures: list[Figure] = field(default_factory=list)
    seconds: float = 0.0
    error: str = ""


@dataclass
class Record:
    """All steps so far; `tiny` numbers say nothing of speed."""

    minutes: float
    tiny: bool
    outcomes: list[Outcome] = field(default_factory=list)

    def figure(self, name: str) -> Figure | None:
        """Return the figure called `name`, None where it is not known."""
        found = (figure for outcome in self.outcomes for figure in outcome.figures if figure.name == name)
        return next(found, None)

    def write(self, path: Path) -> None:
        """Write everything to `path`, completely or not at all."""
        part = path.with_name(path.name + ".part")
        with part.open("w", encoding="utf-8") as file:
            json.dump(asdict(self), file, indent=1, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)


def read_record(path: Path) -> Record:
    """Return the record at `path`."""
    content = json.loads(path.read_text(encoding="utf-8"))
    outcomes = [
        Outcome(**{**outcome, "figures": [Figure(**figure) for figure in outcome["figures"]]})
        for outcome in content["outcomes"]
    ]
    return Record(content["minutes"], content["tiny"], outcomes)


def sentence_of(error: BaseException) -> str:
    """Return one line that names the error and says its first line."""
    first = (str(error).strip().splitlines() or [""])[0][:300]
    return f"{type(error).__name__}: {first}" if first else type(error).__name__
