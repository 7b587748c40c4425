"""The predictions of a data set's runs, variant by variant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scegg_core.classify.predictions import Predictions, read_predictions
from scegg_core.settings.tables import RunNames


@dataclass(frozen=True)
class VariantRuns:
    """The predictions of one variant, one per seed."""

    variant: str
    title: str
    runs: tuple[Predictions, ...]

    def pooled(self) -> tuple[np.ndarray, np.ndarray]:
        """Return labels and predicted classes of all seeds, one after the other."""
        return (
            np.concatenate([run.labels for run in self.runs]),
            np.concatenate([run.predicted for run in self.runs]),
        )


def read_runs(paths: Sequence[str], names: RunNames) -> Iterator[VariantRuns]:
    """Yield each variant's predictions; `paths` are in the order of `names.runs`. Only one variant is in memory at a time."""
    for variant in dict.fromkeys(name for name, _ in names.runs):
        files = [Path(path) for path, (name, _) in zip(paths, names.runs, strict=True) if name == variant]
        yield VariantRuns(variant, names.titles[variant], tuple(map(read_predictions, files)))
