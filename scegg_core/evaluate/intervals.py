"""95 % intervals over test images and seeds: what they cover, and with which sources, is in docs/statistics.md."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scegg_core.data.blocks import by_class
from scegg_core.errors import InputError
from scegg_core.evaluate.metrics import ROUNDING
from scegg_core.evaluate.outcomes import Outcomes
from scegg_core.evaluate.summary import METRICS

RESAMPLES = 2000
LEVEL = 0.95

#: Resamples whose weights are in memory at a time.
BLOCK = 250


@dataclass(frozen=True)
class Interval:
    """Ends of an interval, and in what share of the resamples the value has the sign of the mean over seeds."""

    low: float
    high: float
    sign_holds: float


def resampled_metrics(runs: Sequence[Outcomes], count: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Return the metrics of METRICS, in its order, of each run on each resample: (runs, metrics, count), in [0, 1].

    The test images of each class are drawn anew, the same ones for all runs. Raises InputError where the runs were not
    scored on the same images.
    """
    if not runs:
        return np.empty((0, len(METRICS), count))
    _refuse_other_images(runs)
    rng, values = np.random.default_rng(seed), np.empty((len(runs), len(METRICS), count))
    for start in range(0, count, BLOCK):
        weights = image_weights(runs[0].label, runs[0].seen, min(BLOCK, count - start), rng)
        for run, found in enumerate(runs):
            values[run, :, start : start + BLOCK] = weighted_metrics(found, weights)
    return values


def image_weights(labels: np.ndarray, seen: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Return the weight of each image in each resample, (images, count): over the images of seen classes they add up to
    1, and over those of unseen classes too, so that sums of right images are means of per-class accuracies.

    Of a class with n images, n - 1 are drawn with replacement, which makes the variance right for small n (Rao and Wu,
    1988). Classes of one image are drawn from together, as if they were one class; a single such class stays as it is.
    """
    weights = np.empty((len(labels), count))
    for _, own in by_class(_strata(labels, seen)):
        draws, classes = max(len(own) - 1, 1), len(np.unique(labels[own]))
        drawn = rng.multinomial(draws, np.full(len(own), 1 / len(own)), size=count)
        weights[own] = classes * drawn.T / draws
    groups = {kind: len(np.unique(labels[seen == kind])) for kind in (True, False)}
    return weights / np.where(seen, groups[True], groups[False])[:, None]


def weighted_metrics(found: Outcomes, weights: np.ndarray) -> np.ndarray:
    """Return the metrics of METRICS, in its order, with weights (images, count) of the images: (metrics, count)."""
    acc = weights[found.right_czsl].sum(axis=0)
    u, s = (weights[found.right_gzsl & (found.seen == kind)].sum(axis=0) for kind in (False, True))
    h = 2 * u * s / np.where(u + s > 0, u + s, 1.0)
    return np.stack([acc, u, s, h, _weighted_ausuc(found, weights)])


def interval(points: np.ndarray, resampled: np.ndarray) -> Interval:
    """Return the interval of a mean over seeds; `points` (seeds,) are the values, `resampled` (seeds, count) those on the
    resamples of the images.

    One seed: the percentile interval over the images. More: the same, stretched to the variance of images and seeds
    together and to Student's t, with the degrees of freedom of this sum (Satterthwaite, 1946).
    """
    means = resampled.mean(axis=0)
    values = _stretched(points, means, resampled) if points.std() > 0 else means
    low, high = np.percentile(values, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return Interval(float(low), float(high), float((values * points.mean() > 0).mean()))


def _strata(labels: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """What each image is drawn from: its class; -1 and -2 for the only images of seen and of unseen classes, of which none
    says by itself how far another image of its class would part from it."""
    alone = np.bincount(labels)[labels] == 1
    return np.where(alone, np.where(seen, -1, -2), labels)


def _stretched(points: np.ndarray, means: np.ndarray, resampled: np.ndarray) -> np.ndarray:
    """Means over seeds on the resamples, stretched around their own mean by what the seeds add to their variance.

    How single images part the seeds is in the variance over images and in the one between seeds, so it is taken off once.
    """
    from scipy.stats import norm, t

    of_images, of_seeds = means.var(ddof=1), points.var(ddof=1) / len(points)
    of_both = (resampled - means).var(axis=1, ddof=1).mean() / (len(points) - 1)
    total = of_images + max(of_seeds - of_both, 0)
    alike = of_images <= ROUNDING * total  # whole classes right or wrong: what is left is rounding, and has no shape
    freedom = (len(points) - 1) * max((total / of_seeds) ** 2, 1)
    shape = _normal(len(means)) if alike else (means - means.mean()) / np.sqrt(of_images)
    return means.mean() + shape * np.sqrt(total) * t.ppf((1 + LEVEL) / 2, freedom) / norm.ppf((1 + LEVEL) / 2)


def _normal(count: int) -> np.ndarray:
    """The quantiles of a normal distribution, for images that do not vary at all."""
    from scipy.stats import norm

    return norm.ppf((np.arange(count) + 0.5) / count)


def _weighted_ausuc(found: Outcomes, weights: np.ndarray) -> np.ndarray:
    """The area under the curve: the weight of all pairs of a right unseen image and a right seen one that flips later.

    Those that flip together count half, which is the trapezoid between two points of the curve.
    """
    lost, won = (np.flatnonzero(found.right_own & (found.seen == kind)) for kind in (True, False))
    lost = lost[np.argsort(found.flip[lost], kind="stable")]
    gone = np.vstack([np.zeros((1, weights.shape[1])), np.cumsum(weights[lost], axis=0)])
    before, upto = (np.searchsorted(found.flip[lost], found.flip[won], side=side) for side in ("left", "right"))
    kept = gone[-1] - (gone[before] + gone[upto]) / 2
    return np.einsum("ic,ic->c", weights[won], kept)


def _refuse_other_images(runs: Sequence[Outcomes]) -> None:
    first = runs[0]
    for other in runs[1:]:
        if not (np.array_equal(first.image, other.image) and np.array_equal(first.label, other.label)):
            raise InputError(
                "the runs of the table were not scored on the same test images; delete their outcomes.parquet to have "
                "them scored again."
            )
