"""Seen-unseen curves of a data set's runs."""

from collections.abc import Iterator

import numpy as np

from scegg_core.data.tables import DatasetIndex
from scegg_core.figures.tradeoff import VariantCurves
from scegg_core.metrics import mean_class_accuracy, trade_off
from scegg_core.predictions import Predictions
from scegg_core.run_predictions import VariantRuns


def trade_offs(variants: Iterator[VariantRuns], index: DatasetIndex) -> list[VariantCurves]:
    """Return each variant's seen-unseen curves and operating points, one per seed, of its GZSL predictions."""
    return [
        VariantCurves(
            one.title,
            tuple(trade_off(run.labels, run.scores, index.seen) for run in one.runs),
            tuple(_operating_point(run, index) for run in one.runs),
        )
        for one in variants
    ]


def _operating_point(run: Predictions, index: DatasetIndex) -> tuple[float, float]:
    """(S, U) of the predictions as they are."""
    kinds = (np.flatnonzero(index.seen), np.flatnonzero(~index.seen))
    present = [kind[np.isin(kind, run.labels)] for kind in kinds]
    return tuple(mean_class_accuracy(run.labels, run.predicted, kind) if len(kind) else 0.0 for kind in present)
