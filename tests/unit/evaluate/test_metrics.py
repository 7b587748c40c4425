"""Metrics against answers counted by hand and by brute force."""

import time

import numpy as np
import pytest

from scegg_core.classify.predictions import Predictions
from scegg_core.data import blocks
from scegg_core.data.tables import DatasetIndex
from scegg_core.evaluate.metrics import class_accuracies, harmonic_mean, mean_class_accuracy, stacking, trade_off
from scegg_core.evaluate.scores import score

SEEN = np.array([True, True, True, False, False])


@pytest.mark.parametrize(
    ("seen", "unseen", "expected"),
    [(0.5, 0.5, 0.5), (1.0, 1.0, 1.0), (0.6, 0.3, 0.4), (0.0, 0.7, 0.0), (0.0, 0.0, 0.0)],
)
def test_harmonic_mean(seen, unseen, expected):
    assert harmonic_mean(seen, unseen) == pytest.approx(expected)


def test_class_accuracies_by_hand_on_unequal_classes():
    labels, predicted = np.array([0, 0, 0, 0, 2, 3, 3]), np.array([0, 0, 0, 1, 2, 2, 2])
    found = class_accuracies(labels, predicted, np.array([0, 1, 2, 3]))
    np.testing.assert_array_equal(found, [0.75, np.nan, 1.0, 0.0])
    assert mean_class_accuracy(labels, predicted, np.array([0, 1, 2, 3])) == pytest.approx(1.75 / 3)


def test_every_class_counts_the_same_however_many_images_it_has():
    labels = np.repeat([0, 1], [1, 99])
    assert mean_class_accuracy(labels, np.zeros(100, int), np.array([0, 1])) == 0.5


def test_a_class_outside_those_asked_for_does_not_count():
    assert mean_class_accuracy(np.array([0, 1]), np.array([0, 0]), np.array([0])) == 1.0


def test_classes_without_any_test_image_have_no_mean():
    with pytest.raises(ValueError, match="none of the classes has a test image"):
        mean_class_accuracy(np.array([0]), np.array([0]), np.array([1, 2]))


def test_predictions_of_classes_beyond_the_labels_are_wrong():
    assert mean_class_accuracy(np.array([0, 1]), np.array([7, 1]), np.array([0, 1])) == 0.5


def accuracies(labels, scores, seen, bias):
    """(S, U) with `bias` taken off the seen scores, one image and one class at a time."""
    hits = {label: [] for label in set(labels.tolist())}
    for label, row in zip(labels.tolist(), scores, strict=True):
        best = max(range(len(row)), key=lambda c: (row[c] - bias * seen[c], -c))
        hits[label].append(best == label)
    return tuple(np.mean([np.mean(hits[c]) for c in hits if seen[c] == side]) for side in (True, False))


def brute_force(labels, scores, seen):
    """Curve over constants between all those at which a prediction changes, by accuracies()."""
    flips = sorted({row[seen].max() - row[~seen].max() for row in scores})
    between = [(a + b) / 2 for a, b in zip([flips[0] - 1, *flips], [*flips, flips[-1] + 1], strict=True)]
    return [accuracies(labels, scores, seen, bias) for bias in between]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("tied", [False, True])
def test_trade_off_equals_brute_force_over_constants(seed, tied):
    draw = np.random.default_rng(seed)
    labels = np.concatenate([[0, 1, 3, 4], draw.choice([0, 1, 3, 4], 30)])  # class 2 has no image
    scores = draw.normal(size=(34, 5)) + 2 * np.eye(5)[labels] + SEEN
    scores = np.round(scores) if tied else scores
    plain = np.array(brute_force(labels, scores, SEEN))
    found = trade_off(labels, scores, SEEN)
    np.testing.assert_allclose(np.stack([found.seen, found.unseen], 1), plain, atol=1e-12)
    steps = zip(plain[:-1], plain[1:], strict=True)
    assert found.area == pytest.approx(sum((b[1] - a[1]) * (a[0] + b[0]) / 2 for a, b in steps))
    assert found.best == np.argmax([harmonic_mean(*point) for point in plain])


def test_blocks_of_images_stack_as_the_whole(monkeypatch):
    draw = np.random.default_rng(1)
    labels, scores = draw.integers(0, 5, 40), draw.normal(size=(40, 5))
    whole = stacking(labels, scores, SEEN)
    monkeypatch.setattr(blocks, "NUMBERS", 15)  # three images
    parts = stacking(labels, scores, SEEN)
    np.testing.assert_array_equal(parts.flips, whole.flips)
    np.testing.assert_array_equal(parts.right, whole.right)


@pytest.mark.parametrize(
    ("seen_flips", "unseen_flip", "area"), [([1, 3], 2, 0.5), ([2, 3], 1, 1.0), ([1, 2], 3, 0.0), ([1, 2], 2, 0.25)]
)
def test_area_by_hand_on_three_images(seen_flips, unseen_flip, area):
    scores = np.array([[flip, 0.0] for flip in [*seen_flips, unseen_flip]])
    assert trade_off(np.array([0, 0, 1]), scores, np.array([True, False])).area == pytest.approx(area)


def test_the_best_constant_separates_what_can_be_separated():
    found = trade_off(np.array([0, 0, 1]), np.array([[2.0, 0], [3, 0], [1, 0]]), np.array([True, False]))
    assert (found.seen[found.best], found.unseen[found.best], found.bias[found.best]) == (1, 1, 1)


def test_curve_ends_at_the_accuracies_of_each_side_alone():
    draw = np.random.default_rng(9)
    labels, scores = np.arange(50) % 5, draw.normal(size=(50, 5)) + np.eye(5)[np.arange(50) % 5]
    found = trade_off(labels, scores, SEEN)
    alone = [np.where(side, scores, -np.inf).argmax(1) for side in (SEEN, ~SEEN)]
    assert found.seen[0] == pytest.approx(mean_class_accuracy(labels, alone[0], np.flatnonzero(SEEN)))
    assert found.unseen[-1] == pytest.approx(mean_class_accuracy(labels, alone[1], np.flatnonzero(~SEEN)))
    assert (found.unseen[0], found.seen[-1]) == (0, pytest.approx(0))


def test_trade_off_does_not_depend_on_the_order_of_images_or_on_class_numbers():
    draw = np.random.default_rng(4)
    labels, scores = np.arange(40) % 5, draw.normal(size=(40, 5)) + np.eye(5)[np.arange(40) % 5]
    images, classes = draw.permutation(40), draw.permutation(5)
    number = np.argsort(classes)  # class c becomes number[c]
    found = trade_off(number[labels[images]], scores[images][:, classes], SEEN[classes])
    assert found.area == pytest.approx(trade_off(labels, scores, SEEN).area)


# --- at the size of SUN: 717 classes, 72 of them unseen, 2,580 and 1,440 test images ---


@pytest.fixture(scope="module")
def sun() -> DatasetIndex:
    """Seen classes have unequal numbers of test images, some of them none."""
    draw = np.random.default_rng(11)
    seen = draw.permutation(717) >= 72
    labels = np.concatenate([draw.choice(np.flatnonzero(seen), 2580), np.repeat(np.flatnonzero(~seen), 20)])
    labels = draw.permutation(labels).astype(np.int32)
    return DatasetIndex(
        classes=tuple(f"class {number}" for number in range(717)),
        seen=seen,
        percent=np.ones((717, 1), np.float32),
        attributes=("any",),
        words=("any",),
        parts=("",),
        paths=("any.jpg",) * 4020,
        labels=labels,
        split=tuple(np.where(seen[labels], "test_seen", "test_unseen").tolist()),
        rows=np.arange(4020, dtype=np.int32),
    )


@pytest.fixture(scope="module")
def sun_scores(sun) -> np.ndarray:
    """Random, those of right classes raised by 3 and those of seen classes by 0.5."""
    scores = np.random.default_rng(12).normal(size=(4020, 717)) + 0.5 * sun.seen
    scores[np.arange(4020), sun.labels] += 3
    return scores


def sun_predictions(sun: DatasetIndex, scores: np.ndarray) -> tuple[Predictions, Predictions]:
    """Predictions of both tasks, czsl first."""
    unseen, images = np.flatnonzero(~sun.seen), sun.in_split("test_unseen")
    czsl = Predictions(images, sun.labels[images], scores[np.ix_(images, unseen)], unseen)
    return czsl, Predictions(np.arange(4020), sun.labels, scores, np.arange(717))


def shares_by_class(labels: np.ndarray, predicted: np.ndarray) -> dict[int, float]:
    """Share of right predictions of every class that has images, one class after the other."""
    found = {}
    for label in range(717):
        right = [guess == label for guess in predicted[labels == label].tolist()]
        if right:
            found[label] = sum(right) / len(right)
    return found


def means_of_sides(shares: dict[int, float], seen: np.ndarray) -> tuple[float, float]:
    """(S, U)"""
    sides = [[share for label, share in shares.items() if seen[label] == side] for side in (True, False)]
    return tuple(sum(side) / len(side) for side in sides)


def test_scores_at_the_size_of_sun_equal_a_loop_over_classes(sun, sun_scores):
    czsl, gzsl = sun_predictions(sun, sun_scores)
    shares = shares_by_class(sun.labels, sun_scores.argmax(axis=1))
    s, u = means_of_sides(shares, sun.seen)
    among_unseen = np.where(sun.seen, -np.inf, sun_scores).argmax(axis=1)
    _, acc = means_of_sides(shares_by_class(sun.labels, among_unseen), sun.seen)
    found = score(czsl, gzsl, sun)
    assert (found.acc, found.u, found.s, found.h) == pytest.approx((acc, u, s, 2 * s * u / (s + u)), abs=1e-12)
    assert found.per_class == pytest.approx({sun.classes[label]: share for label, share in shares.items()})
    assert len(found.classes_without_images) == 717 - len(shares) > 0
    everything = mean_class_accuracy(sun.labels, gzsl.predicted, np.arange(717))
    assert everything == pytest.approx(sum(shares.values()) / len(shares), abs=1e-12)


def test_trade_off_at_the_size_of_sun_equals_a_loop_over_classes_at_25_constants(sun, sun_scores):
    found = trade_off(sun.labels, sun_scores, sun.seen)
    heights = []
    for constant in np.linspace(-1, 3, 25):
        point = np.searchsorted(found.bias, constant, side="right") - 1
        predicted = (sun_scores - constant * sun.seen).argmax(axis=1)
        s, u = means_of_sides(shares_by_class(sun.labels, predicted), sun.seen)
        assert (found.seen[point], found.unseen[point]) == pytest.approx((s, u), abs=1e-12)
        heights.append(harmonic_mean(s, u))
    highest = harmonic_mean(found.seen[found.best], found.unseen[found.best])
    assert max(heights) <= highest < max(heights) + 0.02
    assert max(heights) > heights[0] + 0.1 and max(heights) > heights[-1] + 0.1


@pytest.mark.slow
def test_area_at_the_size_of_sun_is_the_weighted_share_of_pairs_that_one_constant_gets_right(sun, sun_scores):
    """Of a seen and an unseen image, each right on its own side: those whose seen image flips at a larger constant."""
    flips = [row[sun.seen].max() - row[~sun.seen].max() for row in sun_scores]
    images = {True: [], False: []}
    for flip, row, label in zip(flips, sun_scores, sun.labels, strict=True):
        side = bool(sun.seen[label])
        if row[label] == row[sun.seen == side].max():
            weight = 1 / (sun.labels == label).sum() / len(set(sun.labels[sun.seen[sun.labels] == side]))
            images[side].append((flip, weight))
    (seen_flips, seen_weights), (unseen_flips, unseen_weights) = (np.array(images[side]).T for side in (True, False))
    area = seen_weights @ (seen_flips[:, None] > unseen_flips) @ unseen_weights
    assert 0.05 < area < 0.95
    assert trade_off(sun.labels, sun_scores, sun.seen).area == pytest.approx(area, abs=1e-12)
    assert score(*sun_predictions(sun, sun_scores), sun).ausuc == pytest.approx(area, abs=1e-12)


def test_all_metrics_at_the_size_of_sun_take_less_than_two_seconds_of_the_processor(sun, sun_scores):
    czsl, gzsl = sun_predictions(sun, sun_scores)
    start = time.process_time()
    score(czsl, gzsl, sun)
    trade_off(sun.labels, sun_scores, sun.seen).best
    mean_class_accuracy(sun.labels, gzsl.predicted, np.arange(717))
    assert time.process_time() - start < 2
