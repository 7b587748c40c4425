"""The closed-form yardsticks against least squares written out, answers known on paper, and an exhaustive calibration."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from scegg_core.data import blocks
from scegg_core.data.tables import NO_LABEL, DatasetIndex
from scegg_core.data.validation import class_split
from scegg_core.evaluate.closed_form import (
    GRID,
    YARDSTICKS,
    Bilinear,
    Yardstick,
    calibrate,
    fit_eszsl,
    fit_prototypes,
    predict_closed_form,
)
from scegg_core.evaluate.metrics import harmonic_mean, mean_class_accuracy
from scegg_core.settings.datasets import DatasetSettings

CHANNELS = 6


def index_of(percent: np.ndarray, unseen: int, images: list[tuple[int, str]]) -> DatasetIndex:
    """The classes that the rows of `percent` describe, the last `unseen` of them unseen; images as (label, split)."""
    classes, attributes = percent.shape
    return DatasetIndex(
        classes=tuple(f"class {number}" for number in range(classes)),
        seen=np.arange(classes) < classes - unseen,
        percent=percent.astype(np.float32),
        attributes=tuple(f"attribute {number}" for number in range(attributes)),
        words=("word",) * attributes,
        parts=("",) * attributes,
        paths=tuple(f"{number}.jpg" for number in range(len(images))),
        labels=np.array([label for label, _ in images], np.int32),
        split=tuple(split for _, split in images),
        rows=np.arange(len(images), dtype=np.int32),
    )


@pytest.fixture
def index() -> DatasetIndex:
    """Eight classes of unequal sizes, three of them unseen; class 4 has no training image. Splits are mixed."""
    training = [(0, 18), (1, 8), (2, 12), (3, 10)]
    images = [(label, "trainval") for label, count in training for _ in range(count)]
    images += [(label, "test_seen") for label in range(5) for _ in range(4)]
    images += [(label, "test_unseen") for label in range(5, 8) for _ in range(4)]
    draw = np.random.default_rng(0)
    return index_of(draw.integers(1, 100, (8, 5)), 3, [images[place] for place in draw.permutation(len(images))])


def features_of(index: DatasetIndex, seed: int = 1) -> np.ndarray:
    """Features that attributes tell something about; the last channel is always 3."""
    draw = np.random.default_rng(seed)
    found = (
        draw.normal(size=(len(index.labels), CHANNELS))
        + 4 * (index.vectors @ draw.normal(size=(5, CHANNELS)))[index.labels]
    )
    found[:, -1] = 3
    return found.astype(np.float32)


def scores_of(fit, features: np.ndarray, index: DatasetIndex, *ridge: float) -> np.ndarray:
    """The scores of all images."""
    ((_, found),) = fit(features, index)(*ridge).scores(np.arange(len(index.labels)))
    return found


def strengths_of(name: str) -> list[tuple[float, ...]]:
    """All strengths of regularization that a yardstick can be given."""
    return [(one,) for one in GRID] if name == "prototype" else [(one, other) for one in GRID for other in GRID]


def standardized(features: np.ndarray, index: DatasetIndex) -> np.ndarray:
    """One channel at a time, by what training images have."""
    training = [image for image, split in enumerate(index.split) if split == "trainval"]
    found = np.zeros(features.shape)
    for channel in range(features.shape[1]):
        values = [float(features[image, channel]) for image in training]
        mean = sum(values) / len(values)
        spread = (sum((value - mean) ** 2 for value in values) / len(values)) ** 0.5
        found[:, channel] = (features[:, channel].astype(float) - mean) / (spread if spread > 1e-9 else 1)
    return found


def training_classes(index: DatasetIndex) -> list[int]:
    return sorted({int(label) for label, split in zip(index.labels, index.split, strict=True) if split == "trainval"})


@pytest.mark.parametrize("ridge", GRID)
def test_prototypes_are_those_of_least_squares_with_a_row_for_every_penalty(index, ridge):
    features = features_of(index)
    plain, seen = standardized(features, index), training_classes(index)
    vectors = index.vectors.astype(float) - np.mean([index.vectors[label].astype(float) for label in seen], axis=0)
    rows = np.vstack([vectors[seen], ridge**0.5 * np.eye(5)])
    prototypes = np.zeros((8, CHANNELS))
    for channel in range(CHANNELS):
        means = [
            np.mean(
                [
                    plain[i, channel]
                    for i in range(len(plain))
                    if index.labels[i] == label and index.split[i] == "trainval"
                ]
            )
            for label in seen
        ]
        prototypes[:, channel] = vectors @ np.linalg.lstsq(rows, [*means, *[0] * 5])[0]
    cosines = [[row @ p / ((row @ row) * (p @ p)) ** 0.5 for p in prototypes] for row in plain]
    np.testing.assert_allclose(scores_of(fit_prototypes, features, index, ridge), cosines, rtol=0, atol=1e-5)


@pytest.mark.parametrize("of_images", GRID)
@pytest.mark.parametrize("of_classes", GRID)
def test_eszsl_minimizes_its_objective_written_as_one_least_squares_problem(index, of_images, of_classes):
    """||X W S' - Y||^2 + g ||W S'||^2 + l ||X W||^2 + g l ||W||^2, its four terms being blocks of one product."""
    features = features_of(index)
    plain, seen = standardized(features, index), training_classes(index)
    training = [image for image, split in enumerate(index.split) if split == "trainval"]
    x, s = plain[training], index.vectors[seen].astype(float)
    g, l = (ridge * (side**2).sum() / side.shape[1] for ridge, side in ((of_images, x), (of_classes, s)))  # noqa: E741
    left, right = np.vstack([x, g**0.5 * np.eye(CHANNELS)]), np.vstack([s, l**0.5 * np.eye(5)])
    targets = np.zeros((len(left), len(right)))
    for row, image in enumerate(training):
        targets[row, : len(seen)] = [1 if index.labels[image] == label else -1 for label in seen]
    weights = np.linalg.lstsq(np.kron(left, right), targets.ravel())[0].reshape(CHANNELS, 5)
    expected = plain @ weights @ index.vectors.astype(float).T
    found = scores_of(fit_eszsl, features, index, of_images, of_classes)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


# --- known answers: features are a linear function of attributes ---


@pytest.fixture
def linear() -> tuple[DatasetIndex, np.ndarray]:
    """Classes with two or three of four attributes are seen, those with one are not; two equal images of each."""
    had = [chosen for count in (2, 3, 1) for chosen in combinations(range(4), count)]
    percent = np.array([[100 * (number in chosen) for number in range(4)] for chosen in had])
    images = [(label, "trainval" if label < 10 else "test_unseen") for label in range(14)]
    images += [(label, "test_seen") for label in range(10)]
    index = index_of(percent, 4, images)
    return index, (index.vectors @ np.random.default_rng(2).normal(size=(4, 7)) + 5)[index.labels]


def test_prototypes_of_unseen_classes_are_their_features_where_attributes_determine_these(linear):
    index, features = linear
    scores = scores_of(fit_prototypes, features, index, 1e-9)
    np.testing.assert_allclose(scores[np.arange(24), index.labels], 1, atol=1e-6)
    assert np.partition(scores, -2)[:, -2].max() < 0.999  # no other class is as near
    np.testing.assert_array_equal(scores.argmax(axis=1), index.labels)


def test_eszsl_scores_are_known_and_right_for_unseen_classes_where_attributes_determine_features(linear):
    """Without regularization x W a(c) is 2 (a - mean a)' (S'S)^-1 a(c): so the targets +1 and -1 come out."""
    index, features = linear
    seen, vectors = index.vectors[:10].astype(float), index.vectors.astype(float)
    expected = 2 * (vectors - seen.mean(axis=0)) @ np.linalg.inv(seen.T @ seen) @ vectors.T
    scores = scores_of(fit_eszsl, features, index, 1e-9, 1e-9)
    np.testing.assert_allclose(scores, expected[index.labels], atol=1e-6)
    images = index.in_split("test_unseen")
    np.testing.assert_array_equal(10 + scores[images, 10:].argmax(axis=1), index.labels[images])


# --- what the validation split chooses ---


def validation_of(index: DatasetIndex) -> DatasetIndex:
    """The validation split, as the workflow makes it."""
    return class_split(index, DatasetSettings(format="folder", folder="unused"))


def h_of(scores: np.ndarray, index: DatasetIndex, bias: float) -> float:
    """The harmonic mean on test images with `bias` taken off the seen classes' scores."""
    test, classes = index.test_images, np.arange(len(index.classes))
    predicted = (scores - bias * index.seen)[test].argmax(axis=1)
    sides = classes[index.seen], classes[~index.seen]
    return harmonic_mean(*(mean_class_accuracy(index.labels[test], predicted, side) for side in sides))


@pytest.mark.parametrize("name", YARDSTICKS)
@pytest.mark.parametrize("seed", range(4))
def test_calibration_is_the_best_of_all_constants_and_ridges(index, name, seed):
    validation = validation_of(index)
    features = features_of(index, seed)[validation.rows]
    best = []
    for ridge in strengths_of(name):
        scores = scores_of(YARDSTICKS[name].fit, features, validation, *ridge)
        flips = {row[validation.seen].max() - row[~validation.seen].max() for row in scores}
        between = [(a + b) / 2 for a, b in zip(sorted(flips)[:-1], sorted(flips)[1:], strict=True)]
        best.append(max(h_of(scores, validation, bias) for bias in [min(flips) - 1, *between, max(flips) + 1]))
    chosen = calibrate(YARDSTICKS[name], features, validation)
    assert chosen.validation_h == pytest.approx(max(best))
    assert best[strengths_of(name).index(chosen.ridge)] == pytest.approx(max(best))
    scores = scores_of(YARDSTICKS[name].fit, features, validation, *chosen.ridge)
    assert h_of(scores, validation, chosen.bias) == pytest.approx(max(best))


def test_the_ridge_in_the_middle_is_chosen_where_it_alone_tells_classes_apart(index):
    validation = validation_of(index)
    answers = np.eye(5)[validation.labels] + 10 * validation.seen

    def fit(features: np.ndarray, given: DatasetIndex) -> Callable[[float], Bilinear]:
        return lambda ridge: Bilinear(answers if ridge == 1.0 else -answers, np.eye(answers.shape[1]))

    chosen = calibrate(Yardstick(fit, 1), np.zeros((len(answers), 1)), validation)
    assert (chosen.ridge, chosen.validation_h) == ((1.0,), 1.0)
    assert 9 <= chosen.bias <= 11


@pytest.mark.parametrize("name", YARDSTICKS)
def test_the_chosen_constant_is_taken_off_the_scores_of_seen_classes_alone(index, name):
    features, validation = features_of(index), validation_of(index)
    chosen = replace(calibrate(YARDSTICKS[name], features[validation.rows], validation), bias=0.25)
    scores = scores_of(YARDSTICKS[name].fit, features, index, *chosen.ridge)
    czsl, gzsl = (predict_closed_form(YARDSTICKS[name], features, index, task, chosen) for task in ("czsl", "gzsl"))
    np.testing.assert_array_equal(gzsl.images, index.test_images)
    np.testing.assert_allclose(gzsl.scores[:, :5], scores[index.test_images, :5] - 0.25, rtol=0, atol=1e-6)
    np.testing.assert_allclose(gzsl.scores[:, 5:], scores[index.test_images, 5:], rtol=0, atol=1e-6)
    unseen = index.in_split("test_unseen")
    np.testing.assert_allclose(czsl.scores, scores[np.ix_(unseen, [5, 6, 7])], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", YARDSTICKS)
def test_blocks_of_images_and_of_classes_equal_the_whole(index, name, monkeypatch):
    features, validation = features_of(index), validation_of(index)

    def answers():
        chosen = calibrate(YARDSTICKS[name], features[validation.rows], validation)
        return chosen, *(
            predict_closed_form(YARDSTICKS[name], features, index, task, chosen) for task in ("czsl", "gzsl")
        )

    whole = answers()
    monkeypatch.setattr(blocks, "NUMBERS", 24)  # three images among eight classes; a class's targets at a time
    parts = answers()
    assert (parts[0].ridge, parts[0].bias) == (whole[0].ridge, pytest.approx(whole[0].bias))
    for part, found in zip(parts[1:], whole[1:], strict=True):
        np.testing.assert_array_equal(part.images, found.images)
        np.testing.assert_allclose(part.scores, found.scores, rtol=0, atol=1e-6 * np.abs(found.scores).max())


@pytest.mark.parametrize("name", YARDSTICKS)
def test_neither_permuted_nor_unknown_test_labels_change_scores_or_what_is_chosen(index, name):
    features, test = features_of(index), index.test_images
    permuted, unknown, retrained = index.labels.copy(), index.labels.copy(), index.labels.copy()
    permuted[test] = np.random.default_rng(3).permutation(permuted[test])
    unknown[test] = NO_LABEL
    training = index.in_split("trainval")
    retrained[training] = np.roll(retrained[training], 1)
    outcomes = []
    for labels in (index.labels, permuted, unknown, retrained):
        given = replace(index, labels=labels)
        validation = validation_of(given)
        chosen = calibrate(YARDSTICKS[name], features[validation.rows], validation)
        outcomes.append(
            (
                chosen,
                *(predict_closed_form(YARDSTICKS[name], features, given, task, chosen) for task in ("czsl", "gzsl")),
            )
        )
    (chosen, *known), *others, (_, *of_other_training) = outcomes
    for other_chosen, *found in others:
        assert other_chosen == chosen
        for before, after in zip(known, found, strict=True):
            np.testing.assert_array_equal(after.scores, before.scores)
            np.testing.assert_array_equal(after.predicted, before.predicted)
            assert (after.labels != before.labels).any()
    assert (of_other_training[1].scores != known[1].scores).any()  # labels of training images do count
