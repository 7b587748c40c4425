"""The state of a training, saved and restored as one: the steps taken, and everything that the next step needs."""

from typing import Protocol

import torch
from torch import Tensor

from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.curve import Curve


class Stateful(Protocol):
    """What networks, optimizers and learning-rate schedules can do."""

    def state_dict(self) -> dict:
        """Return the state to save."""

    def load_state_dict(self, state: dict) -> None:
        """Take over a saved state."""


#: A tensor has to stay the same object: training changes its values, and so does restoring it.
Part = Stateful | torch.Generator | Tensor


class TrainingState:
    """The steps taken, the curve, the loss terms of the running epoch, and the parts that training changes, by name.

    A loop calls `restore` before its first step, `add_step` after each step, `end_epoch` after the last step of an
    epoch, and `save_if_due` at every point from which it can continue.
    """

    def __init__(self, parts: dict[str, Part], device: torch.device, checkpoint: Checkpoint | None = None):
        """`device` is that of the steps' loss terms; without a checkpoint nothing is saved or restored."""
        self.parts, self.device, self.checkpoint = parts, device, checkpoint
        self.step, self.curve = 0, Curve()
        self.terms: list[dict[str, Tensor]] = []  # of the running epoch's steps

    def add_step(self, terms: dict[str, Tensor]) -> None:
        """Count a step whose loss terms, by name, are `terms`."""
        self.terms.append(terms)
        self.step += 1

    def end_epoch(self, stage: str, epoch: int, begin: int = 0) -> None:
        """Record the epoch's mean terms in the curve; `begin` is the number of steps before `stage`."""
        self.curve.add_epoch(stage, epoch, self.step - begin - len(self.terms), self.terms)
        self.terms = []

    def save_if_due(self) -> None:
        """Save everything in the checkpoint if it is time to."""
        if self.checkpoint and self.checkpoint.due():
            self.checkpoint.save(self.collect())

    def collect(self) -> dict:
        """Return everything as tensors, numbers and strings in lists and dictionaries."""
        return {
            "step": self.step,
            "terms": self.terms,
            "curve": [list(point) for point in self.curve.points],
            "parts": {name: _saved(part) for name, part in self.parts.items()},
        }

    def restore(self) -> None:
        """Take over the state in the checkpoint; do nothing if there is none."""
        saved = self.checkpoint.load() if self.checkpoint else None
        if saved is None:
            return
        self.step = saved["step"]
        self.terms = [{name: value.to(self.device) for name, value in step.items()} for step in saved["terms"]]
        self.curve.points = [tuple(point) for point in saved["curve"]]
        for name, part in self.parts.items():
            _restore(part, saved["parts"][name])


def _saved(part: Part) -> Tensor | dict:
    if isinstance(part, torch.Generator):
        return part.get_state()
    return part if isinstance(part, Tensor) else part.state_dict()


def _restore(part: Part, saved: Tensor | dict) -> None:
    if isinstance(part, torch.Generator):
        part.set_state(saved)
    elif isinstance(part, Tensor):
        part.copy_(saved)
    else:
        part.load_state_dict(saved)
