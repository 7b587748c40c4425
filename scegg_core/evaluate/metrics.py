"""Zero-shot metrics: per-class top-1 accuracies, harmonic mean, and the seen-unseen trade-off."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scegg_core.data.blocks import blocks

#: What rounding may leave of a harmonic mean of 0; one right image of millions is worth more.
ROUNDING = 1e-12


@dataclass(frozen=True)
class TradeOff:
    """The seen-unseen curve of calibrated stacking: accuracies in [0, 1] as seen scores are lowered step by step."""

    seen: np.ndarray
    unseen: np.ndarray
    bias: np.ndarray  # constant taken off the seen classes' scores at each point

    @property
    def area(self) -> float:
        """Return AUSUC, the area under the curve."""
        order = np.argsort(self.unseen, kind="stable")
        return float(np.trapezoid(self.seen[order], self.unseen[order]))

    @property
    def best(self) -> int:
        """Return the point with the highest harmonic mean."""
        return int(np.argmax([harmonic_mean(s, u) for s, u in zip(self.seen, self.unseen, strict=True)]))

    @property
    def constant(self) -> float:
        """Return the constant with the highest harmonic mean; 0, which changes nothing, where it is 0 for all of them."""
        if harmonic_mean(self.seen[self.best], self.unseen[self.best]) < ROUNDING:
            return 0.0
        return float(self.bias[self.best : self.best + 2].mean())  # halfway to the next: at a point an image has a tie


@dataclass(frozen=True)
class Stacking:
    """What calibrated stacking makes of each image, (images,)."""

    flips: np.ndarray  # taken for an unseen class once the constant reaches this
    right: np.ndarray  # bool: whether the best class of the label's own kind, seen or unseen, is the label


def class_accuracies(labels: np.ndarray, predicted: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the fraction of right predictions of each of `classes`, in [0, 1]; NaN for a class without images."""
    size = int(max(classes.max(), labels.max(initial=0))) + 1
    counts = np.bincount(labels, minlength=size)[classes]
    right = np.bincount(labels[labels == predicted], minlength=size)[classes]
    return np.divide(right, counts, out=np.full(len(classes), np.nan), where=counts > 0)


def mean_class_accuracy(labels: np.ndarray, predicted: np.ndarray, classes: np.ndarray) -> float:
    """Return the mean over `classes` of their accuracies, in [0, 1]; classes without images do not count."""
    accuracies = class_accuracies(labels, predicted, classes)
    if np.isnan(accuracies).all():
        raise ValueError("none of the classes has a test image")
    return float(np.nanmean(accuracies))


def harmonic_mean(seen: float, unseen: float) -> float:
    """Return H = 2SU / (S + U); 0 where both are 0."""
    return 2 * seen * unseen / (seen + unseen) if seen + unseen > 0 else 0.0


def trade_off(labels: np.ndarray, scores: np.ndarray, seen: np.ndarray) -> TradeOff:
    """Return the curve of (S, U) over all constants taken off the seen classes' scores.

    `labels` (images,), `scores` (images, classes), `seen` (classes,) bool.
    """
    return trade_off_of(labels, stacking(labels, scores, seen), seen)


def trade_off_of(labels: np.ndarray, stacked: Stacking, seen: np.ndarray) -> TradeOff:
    """Return the same of what calibrated stacking makes of each image. One sort, no loop over constants."""
    weight = _class_weights(labels, seen)
    order = np.argsort(stacked.flips, kind="stable")
    bias, last = np.unique(stacked.flips[order], return_index=True)
    lost = (weight * (seen[labels] & stacked.right))[order]
    won = (weight * (~seen[labels] & stacked.right))[order]
    ends = np.append(last[1:], len(order))
    seen_curve = np.append(lost.sum(), lost.sum() - np.cumsum(lost)[ends - 1])
    unseen_curve = np.append(0.0, np.cumsum(won)[ends - 1])
    return TradeOff(np.maximum(seen_curve, 0), unseen_curve, np.append(bias[0] - 1, bias))


def stacking(labels: np.ndarray, scores: np.ndarray, seen: np.ndarray) -> Stacking:
    """Return at which constant each image's prediction flips, and whether it is right among its own kind of classes."""
    return join([_stacking(labels[some], scores[some], seen) for some in blocks(*scores.shape)])


def join(parts: Sequence[Stacking]) -> Stacking:
    """Return blocks of images as one."""
    return Stacking(np.concatenate([part.flips for part in parts]), np.concatenate([part.right for part in parts]))


def _stacking(labels: np.ndarray, scores: np.ndarray, seen: np.ndarray) -> Stacking:
    top_seen, margin_seen = _top(scores, seen)
    top_unseen, margin_unseen = _top(scores, ~seen)
    own = np.where(seen[labels], top_seen, top_unseen)
    return Stacking(margin_seen - margin_unseen, own == labels)


def _top(scores: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Best class and its score within a mask of classes."""
    columns = np.flatnonzero(mask)
    inside = scores[:, columns]
    best = inside.argmax(axis=1)
    return columns[best], inside[np.arange(len(scores)), best]


def _class_weights(labels: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Weight of each image such that sums over seen (or unseen) images are means of per-class accuracies."""
    counts = np.bincount(labels, minlength=len(seen))
    present = counts > 0
    groups = np.where(seen, (present & seen).sum(), (present & ~seen).sum())
    return 1.0 / (counts[labels] * groups[labels])
