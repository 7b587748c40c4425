"""What a training curve warns of: a penalty that ran away, a latent space that collapsed, a loss that stood still.

The limits come from ten runs on the aviary (docs/notes/lead.md). With g upside down KL ended at 0.6 to 0.8, and on other
images a penalty went up to 75; upright, KL ended above 2 and no penalty of a later epoch was above 1.4.
"""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LARGEST_PENALTY = 10.0  # mean of an epoch after the first
SMALLEST_KL = 1.0  # mean of the last epoch
STILL = 0.02  # a loss has to fall by this fraction of its first epoch's mean within a third of its stage
FALLING = ("L_LCE", "L_GCE", "L_SCR", "L_CE")  # of SCEN and DAZLE; those of the generator pull against each other

Point = tuple[str, int, str, float]  # stage, epoch, term, mean over the epoch


@dataclass(frozen=True)
class Alarm:
    """One warning: the stage and the term it is about, and a sentence without them."""

    stage: str
    term: str
    reason: str

    @property
    def sentence(self) -> str:
        """Return the warning with its stage and term."""
        return f"stage {self.stage}, {self.term} {self.reason}"


def alarms(points: Iterable[Point]) -> list[Alarm]:
    """Return the warnings of one run's curve, of any of its stages; none where all went well."""
    series: dict[tuple[str, str], list[float]] = {}
    for stage, _, term, value in points:
        series.setdefault((stage, term), []).append(value)
    return [Alarm(*key, reason) for key, values in series.items() for reason in _reasons(key[1], values)]


def warn(points: Iterable[Point]) -> None:
    """Print one line per warning to standard error, where a job's log is kept."""
    for alarm in alarms(points):
        print(f"warning: {alarm.sentence}", file=sys.stderr)


def _reasons(term: str, values: list[float]) -> Iterator[str]:
    if term == "penalty" and max(values[1:], default=0.0) > LARGEST_PENALTY:
        epoch = values.index(max(values[1:])) + 1
        yield f"rose to {values[epoch - 1]:.3g} in epoch {epoch}, above {LARGEST_PENALTY:g}: the critic ran away"
    if term == "KL" and values[-1] < SMALLEST_KL:
        yield f"ended at {values[-1]:.2g}, below {SMALLEST_KL:g}: the generator hardly uses its latent variable"
    third = -(-len(values) // 3)
    if term in FALLING and len(values) > third and values[third] > (1 - STILL) * values[0]:
        yield f"stood still: {values[0]:.3g} in epoch 1, {values[third]:.3g} in epoch {third + 1} of {len(values)}"
