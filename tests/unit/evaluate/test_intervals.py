"""Intervals: equal to a plain loop, the same in every run, and as often right as they say."""

from dataclasses import replace

import numpy as np
import pytest

from scegg_core.artifacts.files import Provenance
from scegg_core.classify.predictions import Predictions
from scegg_core.data.tables import DatasetIndex
from scegg_core.errors import InputError
from scegg_core.evaluate.intervals import image_weights, interval, resampled_metrics, weighted_metrics
from scegg_core.evaluate.metrics import harmonic_mean
from scegg_core.evaluate.outcomes import Outcomes, outcomes, read_outcomes, write_outcomes
from scegg_core.evaluate.scores import score
from scegg_core.evaluate.summary import METRICS

SEEN = np.array([True, True, True, False, False])


def predictions(seed: int = 0) -> tuple[Predictions, Predictions]:
    """CZSL and GZSL predictions of images of 3 seen and 2 unseen classes, of unlike sizes and with equal scores."""
    rng, labels = np.random.default_rng(seed), np.repeat(np.arange(5), [4, 1, 6, 5, 3])
    scores = rng.integers(0, 6, (len(labels), 5)).astype(np.float32)
    scores[np.arange(len(labels)), labels] += 2
    images, unseen = 10 + np.arange(len(labels)), ~SEEN[labels]
    gzsl = Predictions(images, labels, scores, np.arange(5))
    return Predictions(images[unseen], labels[unseen], scores[unseen][:, 3:], np.array([3, 4])), gzsl


def found(seed: int = 0) -> Outcomes:
    return outcomes(*predictions(seed), SEEN)


def index_of(classes: int) -> DatasetIndex:
    empty = np.zeros((classes, 1), np.float32)
    names = tuple(map(str, range(classes)))
    return DatasetIndex(names, SEEN, empty, ("a",), ("a",), ("",), (), np.array([]), (), np.array([]))


def by_loop(run: Outcomes, weights: np.ndarray) -> list[float]:
    """Acc, U, S, H and AUSUC under the weights of the images, class by class and constant by constant."""
    acc, u, s = 0.0, 0.0, 0.0
    for image, weight in enumerate(weights):
        acc += weight * run.right_czsl[image]
        u += weight * (run.right_gzsl[image] and not run.seen[image])
        s += weight * (run.right_gzsl[image] and run.seen[image])
    curve = []
    for constant in [-np.inf, *sorted(set(run.flip))]:
        points = {True: 0.0, False: 0.0}
        for image, weight in enumerate(weights):
            flipped = run.flip[image] <= constant
            points[bool(run.seen[image])] += weight * (run.right_own[image] and flipped != run.seen[image])
        curve.append((points[False], points[True]))
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in zip(curve, curve[1:], strict=False))
    return [acc, u, s, harmonic_mean(s, u), area]


def test_resamples_are_those_of_a_plain_loop_with_equal_scores_and_a_class_of_one_image():
    run = found()
    assert len(set(run.flip)) < len(run.flip)
    weights = image_weights(run.label, run.seen, 7, np.random.default_rng(3))
    fast = weighted_metrics(run, weights)
    slow = np.array([by_loop(run, weights[:, place]) for place in range(7)]).T
    assert np.allclose(fast, slow, atol=1e-12)
    assert len(set(fast[3])) > 1


def test_with_each_image_once_the_metrics_are_those_of_the_run():
    run, (czsl, gzsl) = found(), predictions()
    counts, groups = np.bincount(run.label), np.where(SEEN, 3, 2)
    weights = (1 / (counts * groups))[run.label][:, None]
    expected = score(czsl, gzsl, index_of(5))
    assert np.allclose(weighted_metrics(run, weights)[:, 0], [getattr(expected, name) for name in METRICS.values()])


def test_weights_have_the_variance_of_a_class_mean():
    """The variance over resamples is s²/n, not (n - 1)/n of it, and every class weighs the same."""
    labels, values = np.repeat([0, 1], [3, 5]), np.array([0, 0, 1, 1, 0, 0, 1, 1.0])
    weights = image_weights(labels, np.array([True] * 8), 40_000, np.random.default_rng(0))
    for label in (0, 1):
        own = labels == label
        assert np.allclose(weights[own].sum(axis=0), 0.5)
        expected = values[own].var(ddof=1) / own.sum() / 4
        assert (values[own] @ weights[own]).var() == pytest.approx(expected, rel=0.03)


def test_classes_of_one_image_are_drawn_from_together_for_none_has_a_variance_of_its_own():
    """Four seen classes of one image and one of two, two unseen ones of one image: by hand the four add the variance of
    their values, 1/3, times 4, and the fifth 1/4, over 5 classes squared; the unseen ones add none where both are right."""
    labels, values = np.array([0, 1, 2, 3, 4, 4, 5, 6]), np.array([1, 0, 1, 0, 1, 0, 1, 1.0])
    seen = labels < 5
    weights = image_weights(labels, seen, 40_000, np.random.default_rng(0))
    assert np.allclose(weights[labels < 4].sum(axis=0), 4 / 5) and np.allclose(weights[~seen].sum(axis=0), 1)
    assert np.allclose(weights.mean(axis=1), [*[1 / 5] * 4, *[1 / 10] * 2, *[1 / 2] * 2], atol=0.005)
    assert (values[seen] @ weights[seen]).var() == pytest.approx((4 / 3 + 1 / 4) / 25, rel=0.03)
    assert (values[~seen] @ weights[~seen]).var() == pytest.approx(0, abs=1e-12)
    lone = image_weights(np.array([0, 1, 1]), np.array([True] * 3), 10, np.random.default_rng(0))
    assert np.allclose(lone[0], 1 / 2)


def test_the_same_resamples_for_every_run_whatever_runs_are_beside_it():
    runs = [found(seed) for seed in range(3)]
    all_three, alone = resampled_metrics(runs, 300), resampled_metrics(runs[1:2], 300)
    assert np.array_equal(all_three[1], alone[0])
    assert np.array_equal(all_three, resampled_metrics(runs, 300))
    assert not np.array_equal(alone, resampled_metrics(runs[1:2], 300, seed=1))
    assert resampled_metrics([], 10).shape == (0, 5, 10)


def test_runs_on_other_images_are_refused():
    run = found()
    with pytest.raises(InputError, match="not scored on the same test images; delete their outcomes.parquet"):
        resampled_metrics([run, replace(run, image=run.image + 1)], 10)


def test_outcomes_come_back_from_their_file(tmp_path):
    write_outcomes(tmp_path / "o.parquet", found(), Provenance("score"))
    again = read_outcomes(tmp_path / "o.parquet")
    assert all(np.array_equal(value, getattr(again, name)) for name, value in vars(found()).items())


def test_one_seed_has_the_percentiles_of_the_images_and_equal_seeds_too():
    values = np.arange(2001.0)
    for seeds in (1, 3):
        one = interval(np.full(seeds, 1000.0), np.tile(values, (seeds, 1)))
        assert (one.low, one.high, one.sign_holds) == pytest.approx((50, 1950, 2000 / 2001))
    assert interval(np.array([-1.0]), np.array([[-1.0, 1.0, -3.0, 0.0]])).sign_holds == 0.5
    assert interval(np.zeros(2), np.zeros((2, 4))).sign_holds == 0  # no difference has no sign


def test_seeds_on_images_that_do_not_vary_have_students_interval():
    one = interval(np.array([1.0, 2.0, 3.0]), np.tile([[1.0], [2.0], [3.0]], (1, 4000)))
    assert (one.low, one.high) == pytest.approx((2 - 4.303 / 3**0.5, 2 + 4.303 / 3**0.5), abs=0.01)


def test_rounding_of_images_that_do_not_vary_is_no_shape():
    """Classes right or wrong as a whole: the resamples differ in the last digits alone, which may lie anywhere."""
    exact = np.tile([[1.0], [1.0], [0.8]], (1, 4000))
    noise = 1e-15 * np.random.default_rng(0).exponential(size=exact.shape) ** 4
    one, rounded = (interval(exact[:, 0], values) for values in (exact, exact + noise))
    assert (rounded.low, rounded.high, rounded.sign_holds) == pytest.approx((one.low, one.high, one.sign_holds))


@pytest.mark.parametrize(
    ("seeds", "spread", "own", "single"),
    [(1, 0.0, 0.0, 0), (3, 0.0, 0.3, 0), (3, 0.03, 0.3, 0), (3, 0.06, 0.3, 0), (5, 0.03, 0.3, 0), (1, 0.0, 0.0, 10)],
)
@pytest.mark.slow
def test_19_of_20_intervals_cover_h(seeds, spread, own, single):
    """Images of 20 + 20 classes, `single` of each kind with one image, the others with 6; a seed moves all accuracies by a
    normal step of deviation `spread`, and judges the share `own` of the images for itself. H is known, since the classes'
    accuracies are."""
    rng, classes, images, trials = np.random.default_rng(12), 20, 6, 1200
    sizes = np.tile(np.repeat([1, images], [single, classes - single]), 2)
    accuracy = rng.uniform(0.45, 0.65, (2, classes))
    level = accuracy.mean(axis=1)[:, None] + rng.normal(0, spread, (2, 100_000))
    truth = (2 * level[0] * level[1] / level.sum(axis=0)).mean()
    labels = np.repeat(np.arange(2 * classes), sizes)
    seen = labels < classes
    weights = image_weights(labels, seen, 500, rng)
    even = 1 / (sizes[labels] * classes)[:, None]
    hits = 0
    for _ in range(trials):
        common, single = rng.random(len(labels)), rng.random((seeds, len(labels)))
        drawn = np.where(rng.random(single.shape) < own, single, common)
        step = rng.normal(0, spread, (seeds, 2))[:, np.where(seen, 0, 1)]
        right = (drawn < accuracy.reshape(-1)[labels] + step).astype(float)
        values, points = harmonic(right, weights, seen), harmonic(right, even, seen)[:, 0]
        one = interval(points, values)
        hits += one.low <= truth <= one.high
    assert hits / trials == pytest.approx(0.95, abs=0.02)


def harmonic(right: np.ndarray, weights: np.ndarray, seen: np.ndarray) -> np.ndarray:
    s, u = (right[:, kind] @ weights[kind] for kind in (seen, ~seen))
    return 2 * s * u / (s + u)
