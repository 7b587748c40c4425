"""How well a feature space separates the unseen classes: nearest class mean and silhouettes, in numbers."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.data.blocks import blocks, by_class

if TYPE_CHECKING:
    from pandas import DataFrame


#: Most features that a silhouette is computed of; it compares all pairs.
SILHOUETTE_SAMPLE = 4000


@dataclass(frozen=True)
class Labelled:
    """Features (n, d) and the classes (n,) they are of."""

    features: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class Separation:
    """How well a space separates its unseen classes; accuracy and chance in percent, silhouettes in [-1, 1]."""

    space: str
    classes: int
    real: int
    synthetic: int
    ncm_accuracy: float
    chance: float
    silhouette_real: float
    silhouette_synthetic: float


def separation(space: str, real: Labelled, synthetic: Labelled, seed: int = 0) -> Separation:
    """Return the numbers of one space: `real` are the unseen classes' test features, `synthetic` the generated ones.

    `ncm_accuracy`: mean per-class accuracy on `real` of the nearest mean of the synthetic classes (Euclidean).
    """
    classes = np.unique(synthetic.labels)
    return Separation(
        space=space,
        classes=len(classes),
        real=len(real.labels),
        synthetic=len(synthetic.labels),
        ncm_accuracy=round(100 * nearest_mean_accuracy(synthetic, real), 2),
        chance=round(100 / len(classes), 2),
        silhouette_real=round(silhouette(real, seed), 4),
        silhouette_synthetic=round(silhouette(synthetic, seed), 4),
    )


def separation_table(rows: Sequence[Separation]) -> "DataFrame":
    """Return one row per space: the fields of Separation."""
    from pandas import DataFrame

    return DataFrame([asdict(row) for row in rows])


def nearest_mean_accuracy(known: Labelled, tested: Labelled) -> float:
    """Return the mean per-class accuracy in [0, 1] on `tested` of the nearest class mean of `known`."""
    groups = list(by_class(known.labels))
    classes = np.array([label for label, _ in groups])
    means = np.stack([known.features[rows].mean(axis=0) for _, rows in groups]).astype(np.float64)
    right = np.empty(len(tested.labels), dtype=bool)
    for some in blocks(len(right), len(classes)):
        # |x - m|^2 without its part that is the same for all m
        distances = (means**2).sum(axis=1) - 2 * tested.features[some].astype(np.float64) @ means.T
        right[some] = classes[distances.argmin(axis=1)] == tested.labels[some]
    return float(np.mean([right[rows].mean() for _, rows in by_class(tested.labels)]))


def silhouette(points: Labelled, seed: int = 0) -> float:
    """Return the mean silhouette (Euclidean) in [-1, 1], of a sample where there are many; NaN where undefined."""
    from sklearn.metrics import silhouette_score

    rows = np.random.default_rng(seed).permutation(len(points.labels))[:SILHOUETTE_SAMPLE]
    labels = points.labels[rows]
    if not 2 <= len(np.unique(labels)) < len(labels):
        return float("nan")
    return float(silhouette_score(points.features[rows], labels))
