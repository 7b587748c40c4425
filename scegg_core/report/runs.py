"""The predictions of a data set's runs, variant by variant."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from scegg_core.classify.predictions import Predictions, read_predictions
from scegg_core.settings.tables import RunNames


class StoredRuns(Sequence):
    """Predictions in files, each read whenever it is asked for: the scores of one run are in memory at a time."""

    def __init__(self, paths: Sequence[str]):
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, place: int) -> Predictions:
        return read_predictions(Path(self.paths[place]))


@dataclass(frozen=True)
class VariantRuns:
    """The predictions of one variant, one per seed."""

    variant: str
    title: str
    runs: Sequence[Predictions]

    def pooled(self) -> tuple[np.ndarray, np.ndarray]:
        """Return labels and predicted classes of all seeds, one after the other."""
        pairs = [(run.labels, run.predicted) for run in self.runs]
        labels, predicted = zip(*pairs, strict=True)
        return np.concatenate(labels), np.concatenate(predicted)


def read_runs(paths: Sequence[str], names: RunNames) -> Iterator[VariantRuns]:
    """Yield each variant's predictions, which are read when they are used; `paths` are in the order of `names.runs`."""
    for variant in dict.fromkeys(name for name, _ in names.runs):
        files = [path for path, (name, _) in zip(paths, names.runs, strict=True) if name == variant]
        yield VariantRuns(variant, names.titles[variant], StoredRuns(files))
