"""Metrics against answers counted by hand and by brute force."""

import numpy as np
import pytest

from scegg_core.metrics import class_accuracies, harmonic_mean, mean_class_accuracy, trade_off

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
