"""What a generator is worth epoch by epoch: the scores of final classifiers on each of its snapshots."""

from collections.abc import Iterable

import torch

from scegg_core.eggn.snapshots import Snapshot
from scegg_core.evaluate.final import FinalSettings, run_final_steps
from scegg_core.evaluate.selection import EpochScore
from scegg_core.scen.space import Space


def score_snapshots(
    space: Space, snapshots: Iterable[Snapshot], settings: FinalSettings, device: torch.device
) -> list[EpochScore]:
    """Return the scores of each snapshot on the test images of the space's data set."""
    scores = []
    for snapshot in snapshots:
        metrics = run_final_steps(space, snapshot.eggn, settings, device).metrics
        reached = (metrics.acc, metrics.u, metrics.s, metrics.h, metrics.ausuc, metrics.constant)
        scores.append(EpochScore(snapshot.epoch, *reached))
    return scores
