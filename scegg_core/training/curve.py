"""The curve of a training: the mean of every loss term over each epoch; a value that is not finite ends the training."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scegg_core.artifacts.files import Provenance, write_table
from scegg_core.errors import InputError


@dataclass
class Curve:
    """Mean of every loss term over each epoch, in the order recorded."""

    points: list[tuple[str, int, str, float]] = field(default_factory=list)  # stage, epoch, term, value

    def add_epoch(self, stage: str, epoch: int, first_step: int, terms: list[dict[str, Tensor]]) -> None:
        """Record the means of one epoch's steps; InputError names stage, step and term of a value that is not finite."""
        for name in dict.fromkeys(name for step in terms for name in step):
            values = torch.stack([step[name].detach().float() for step in terms if name in step]).cpu()
            bad = torch.nonzero(~torch.isfinite(values))
            if len(bad):
                step = first_step + int(bad[0]) + 1
                raise InputError(
                    f"training stopped: in stage {stage}, step {step}, the term {name} is {float(values[bad[0]])}; lower the learning rate or the term's weight."
                )
            self.points.append((stage, epoch, name, float(values.mean())))

    def write(self, path: str | Path, provenance: Provenance) -> None:
        """Write the curve as a table of kind `curve`."""
        columns = list(zip(*self.points, strict=True)) if self.points else [[], [], [], []]
        stage, epoch, term, value = columns
        arrays = {
            "stage": list(stage),
            "epoch": np.array(epoch, np.int32),
            "term": list(term),
            "value": np.array(value, float),
        }
        write_table(path, "curve", arrays, provenance)
