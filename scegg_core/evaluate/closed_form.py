"""Closed-form yardsticks on the same features and splits: ridge prototypes and ESZSL, with calibrated stacking.

Seconds of work; whatever is learned has to be seen beside them. Strength of regularization and the constant taken off
the seen classes' scores are chosen on the validation split.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from scegg_core.classify.predictions import Predictions
from scegg_core.data.blocks import blocks, by_class
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.tasks import task_classes, task_images
from scegg_core.evaluate.metrics import harmonic_mean, join, stacking, trade_off_of

GRID = (0.01, 0.1, 1.0, 10.0, 100.0)  # strengths of regularization tried on the validation split, alone or in pairs


@dataclass(frozen=True)
class Bilinear:
    """Scores as products of what is known of images, (images, size), and of classes, (size, classes)."""

    images: np.ndarray
    classes: np.ndarray

    def scores(self, images: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield the scores (n, classes) of some of the images at positions `images`, ascending, after their places there.

        Products are of neighbouring images, wanted or not: a product of chosen rows may round otherwise.
        """
        for some in blocks(len(self.images), self.classes.shape[1]):
            start, stop = np.searchsorted(images, [some.start, some.stop])
            if start < stop:
                yield slice(start, stop), (self.images[some] @ self.classes)[images[start:stop] - some.start]


Scores = Callable[..., Bilinear]  # of strengths of regularization


@dataclass(frozen=True)
class Yardstick:
    """A closed-form row: what gives its scores once training images are known, and how many strengths that asks for."""

    fit: Callable[[np.ndarray, DatasetIndex], Scores]
    strengths: int


@dataclass(frozen=True)
class Calibration:
    """What the validation split chose, and the harmonic mean it reached there, in [0, 1]."""

    ridge: tuple[float, ...]
    bias: float
    validation_h: float


def fit_prototypes(features: np.ndarray, index: DatasetIndex) -> Scores:
    """Return what gives the scores: cosine of standardized features to prototypes regressed from attributes.

    The ridge regression maps class vectors to the seen classes' mean features.
    """
    features, training = _standardized(features, index), index.in_split("trainval")
    groups = list(by_class(index.labels[training]))
    seen = np.array([label for label, _ in groups])
    means = np.stack([features[training[images]].mean(axis=0) for _, images in groups])
    vectors = index.vectors.astype(np.float64) - index.vectors[seen].mean(axis=0)
    gram, directions = vectors[seen].T @ vectors[seen], _unit(features)

    def scores(ridge: float) -> Bilinear:
        """Return the scores with so strong a ridge."""
        weights = np.linalg.solve(gram + ridge * np.eye(len(gram)), vectors[seen].T @ means)
        return Bilinear(directions, _unit(vectors @ weights).T)

    return scores


def fit_eszsl(features: np.ndarray, index: DatasetIndex) -> Scores:
    """Return what gives the scores of ESZSL (Romera-Paredes & Torr, 2015): x W a(c), both sides regularized.

    Each side has its strength, as gamma and lambda there; relative to the mean variance of the side, so that one grid
    serves every data set.
    """
    features, training = _standardized(features, index), index.in_split("trainval")
    labels, vectors = index.labels[training], index.vectors.astype(np.float64)
    seen = np.unique(labels)
    x, s = features[training], vectors[seen]
    left, right = x.T @ x, s.T @ s
    middle = np.zeros((x.shape[1], s.shape[1]))
    for some in blocks(len(seen), len(x)):  # the targets +1 and -1 of some classes at a time, (images, classes)
        middle += x.T @ np.where(labels[:, None] == seen[some], 1.0, -1.0) @ s[some]

    def scores(of_images: float, of_classes: float) -> Bilinear:
        """Return the scores with so strong a regularization of each side."""
        weights = np.linalg.solve(_regularized(left, of_images), middle) @ np.linalg.inv(
            _regularized(right, of_classes)
        )
        return Bilinear(features @ weights, vectors.T)

    return scores


YARDSTICKS = {"prototype": Yardstick(fit_prototypes, 1), "eszsl": Yardstick(fit_eszsl, 2)}


def calibrate(yardstick: Yardstick, features: np.ndarray, validation: DatasetIndex) -> Calibration:
    """Return the regularization and the constant with the best harmonic mean on a validation split.

    `features` (images, channels) are those of the images of `validation`, an index with all labels. Each strength of GRID,
    or pair of them, is tried, and for each the best constant; of equal ones the first is taken.
    """
    scores = yardstick.fit(features, validation)
    tried = (_calibrated(scores, validation, ridge) for ridge in product(GRID, repeat=yardstick.strengths))
    return max(tried, key=lambda calibration: calibration.validation_h)


def predict_closed_form(
    yardstick: Yardstick, features: np.ndarray, index: DatasetIndex, task: str, chosen: Calibration
) -> Predictions:
    """Return predictions of one task, the seen classes' scores lowered by the chosen constant."""
    model, lowered = yardstick.fit(features, index)(*chosen.ridge), chosen.bias * index.seen
    images, classes = task_images(index, task), task_classes(index, task)
    scores = np.empty((len(images), len(classes)), dtype=np.float32)
    for some, found in model.scores(images):
        found -= lowered
        scores[some] = found[:, classes]
    return Predictions(images, index.labels[images], scores, classes, chosen.bias if task == "gzsl" else None)


def _calibrated(scores: Scores, validation: DatasetIndex, ridge: tuple[float, ...]) -> Calibration:
    model, images, seen = scores(*ridge), task_images(validation, "gzsl"), validation.seen
    labels = validation.labels[images]
    stacked = join([stacking(labels[some], found, seen) for some, found in model.scores(images)])
    curve = trade_off_of(labels, stacked, seen)
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
