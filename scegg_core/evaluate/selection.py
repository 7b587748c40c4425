"""The epoch that the validation split selects: scores of a generator's epochs on disk, and the best of them."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields, replace
from pathlib import Path

import numpy as np

from scegg_core.artifacts.files import Provenance, read_table, write_table
from scegg_core.errors import InputError
from scegg_core.settings.eggn import EggnSettings


@dataclass(frozen=True)
class EpochScore:
    """What final classifiers on the generator of one epoch reach; accuracies in [0, 1].

    `constant` taken off the seen classes' scores would give the highest H on the same images.
    """

    epoch: int
    acc: float
    u: float
    s: float
    h: float
    ausuc: float
    constant: float


def best_epoch(scores: Sequence[EpochScore]) -> EpochScore:
    """Return the epoch with the highest H, the earliest of equal ones."""
    return max(scores, key=lambda score: (score.h, -score.epoch))


def selected_epoch(path: str | Path | None) -> EpochScore | None:
    """Return the best epoch of the table at `path`; None without a table: then nothing is selected."""
    return best_epoch(read_epochs(path)) if path else None


def up_to(settings: EggnSettings, chosen: EpochScore | None) -> EggnSettings:
    """Return the settings of a training that ends at the chosen epoch, or at its last one if none was chosen."""
    return replace(settings, epochs=chosen.epoch) if chosen else settings


def write_epochs(path: str | Path, scores: Sequence[EpochScore], provenance: Provenance) -> None:
    """Write scores as a table of kind `epochs`."""
    names = [field.name for field in fields(EpochScore)]
    columns = dict(zip(names, map(np.array, zip(*map(astuple, scores), strict=True)), strict=True))
    write_table(path, "epochs", columns, provenance)


def read_epochs(path: str | Path) -> list[EpochScore]:
    """Return the scores at `path` in order of epochs; InputError if there is none."""
    rows = read_table(path, "epochs").to_pylist()
    if not rows:
        raise InputError(f"{path} has the scores of no epoch; delete it to have it made again.")
    return [EpochScore(**row) for row in rows]
