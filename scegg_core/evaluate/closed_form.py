"""Closed-form yardsticks on the same features and splits: ridge prototypes and ESZSL, with calibrated stacking.

Seconds of work; whatever is learned has to be seen beside them. Strength of regularization and the constant taken off
the seen classes' scores are chosen on the validation split.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scegg_core.classify.predictions import Predictions
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.tasks import task_classes, task_images
from scegg_core.evaluate.metrics import harmonic_mean, trade_off

GRID = (0.01, 0.1, 1.0, 10.0, 100.0)  # strengths of regularization tried on the validation split

Scorer = Callable[[np.ndarray, DatasetIndex, float], np.ndarray]


@dataclass(frozen=True)
class Calibration:
    """What the validation split chose, and the harmonic mean it reached there, in [0, 1]."""

    ridge: float
    bias: float
    validation_h: float


def prototype_scores(features: np.ndarray, index: DatasetIndex, ridge: float) -> np.ndarray:
    """Return scores (images, classes): cosine of standardized features to prototypes regressed from attributes.

    The ridge regression maps class vectors to the seen classes' mean features.
    """
    features, training = _standardized(features, index), index.in_split("trainval")
    seen = np.unique(index.labels[training])
    means = np.stack([features[training][index.labels[training] == label].mean(axis=0) for label in seen])
    vectors = index.vectors.astype(np.float64) - index.vectors[seen].mean(axis=0)
    gram = vectors[seen].T @ vectors[seen] + ridge * np.eye(vectors.shape[1])
    prototypes = vectors @ np.linalg.solve(gram, vectors[seen].T @ means)
    return _unit(features) @ _unit(prototypes).T


def eszsl_scores(features: np.ndarray, index: DatasetIndex, ridge: float) -> np.ndarray:
    """Return scores (images, classes) of ESZSL (Romera-Paredes & Torr, 2015): x W a(c), both sides regularized.

    `ridge` is relative to the mean variance of each side, so that one grid serves every data set.
    """
    features, training = _standardized(features, index), index.in_split("trainval")
    seen = np.unique(index.labels[training])
    x, s = features[training], index.vectors[seen].astype(np.float64)
    targets = np.where(index.labels[training][:, None] == seen, 1.0, -1.0)
    left, right = _regularized(x.T @ x, ridge), _regularized(s.T @ s, ridge)
    weights = np.linalg.solve(left, x.T @ targets @ s) @ np.linalg.inv(right)
    return features @ weights @ index.vectors.T.astype(np.float64)


SCORERS: dict[str, Scorer] = {"prototype": prototype_scores, "eszsl": eszsl_scores}


def calibrate(scorer: Scorer, features: np.ndarray, validation: DatasetIndex) -> Calibration:
    """Return the regularization and the constant with the best harmonic mean on a validation split."""
    return max(
        (_calibrated(scorer, features, validation, ridge) for ridge in GRID), key=lambda tried: tried.validation_h
    )


def predict_closed_form(
    scorer: Scorer, features: np.ndarray, index: DatasetIndex, task: str, chosen: Calibration
) -> Predictions:
    """Return predictions of one task, the seen classes' scores lowered by the chosen constant."""
    scores = scorer(features, index, chosen.ridge) - chosen.bias * index.seen
    images, classes = task_images(index, task), task_classes(index, task)
    constant = chosen.bias if task == "gzsl" else None
    return Predictions(images, index.labels[images], scores[np.ix_(images, classes)], classes, constant)


def _calibrated(scorer: Scorer, features: np.ndarray, validation: DatasetIndex, ridge: float) -> Calibration:
    images = task_images(validation, "gzsl")
    curve = trade_off(validation.labels[images], scorer(features, validation, ridge)[images], validation.seen)
    best = curve.best
    return Calibration(ridge, curve.constant, float(harmonic_mean(curve.seen[best], curve.unseen[best])))


def _regularized(gram: np.ndarray, ridge: float) -> np.ndarray:
    """The matrix with `ridge` times its mean diagonal added there; times 1 where that is 0, so that it can be solved."""
    return gram + ridge * (np.trace(gram) / len(gram) or 1.0) * np.eye(len(gram))


def _standardized(features: np.ndarray, index: DatasetIndex) -> np.ndarray:
    training = features[index.in_split("trainval")]
    spread = training.std(axis=0, dtype=np.float64)
    return (features - training.mean(axis=0, dtype=np.float64)) / np.where(spread > 0, spread, 1.0)


def _unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
