"""The losses of SCEN: cross-entropies (Eqs. 6 and 7), semantic consistency (Eq. 8), and DAZLE's calibration."""

import torch
from torch import Tensor
from torch.nn import functional


def class_cross_entropy(scores: Tensor, labels: Tensor, classes: Tensor | None = None) -> Tensor:
    """Return the mean cross-entropy of `scores` (batch, all classes): Eqs. 6, 7, 14 and 15.

    `classes` is a bool mask (all classes,) of those that take part in the softmax; None: all of them.
    """
    if classes is not None:
        scores = scores.masked_fill(~classes, -torch.inf)
    return functional.cross_entropy(scores, labels)


def semantic_consistency(local_scores: Tensor, global_scores: Tensor) -> Tensor:
    """Return L_SCR (Eq. 8): the squared distance of p_l and p_g (batch, classes), mean over the batch."""
    return (local_scores - global_scores).square().sum(dim=1).mean()


def self_calibration(scores: Tensor, seen: Tensor, margin: float = 1.0) -> Tensor:
    """Return DAZLE's calibration loss: minus the log of the total probability of the unseen classes, mean over the batch.

    Before the softmax, `margin` is added to scores of unseen classes and taken from those of seen ones. Not in the
    paper of SC-EGG.
    """
    shifted = scores + margin * torch.where(seen, -1.0, 1.0).to(scores.dtype)
    unseen = shifted.masked_fill(seen, -torch.inf)  # rather than an index by the mask, for which the host waits
    return -(torch.logsumexp(unseen, dim=1) - torch.logsumexp(shifted, dim=1)).mean()
