"""EGGN's losses as pure functions of tensors: Eqs. 10-12. Eqs. 14 and 15 are `scen/losses.py` class_cross_entropy."""

from torch import Tensor
from torch.nn import functional


def kl_to_standard_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """Return KL(N(mean, variance) || N(0, I)), summed over the latent axis, mean over the batch (Eq. 10)."""
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(dim=1).mean()


def reconstruction(logits: Tensor, feature: Tensor) -> Tensor:
    """Return the binary cross-entropy of sigmoid(logits) against features in [0, 1] (Eq. 10).

    Summed over channels, mean over the batch; computed from the logits, so that it is finite for every input.
    """
    return functional.binary_cross_entropy_with_logits(logits, feature, reduction="sum") / len(feature)


def gradient_penalty(lengths: Tensor) -> Tensor:
    """Return the mean of (length - 1)^2 over the batch, `lengths` (batch,) of the critic's gradients (Eq. 11)."""
    return (lengths - 1).square().mean()


def semantic_distance(decoded: Tensor, vectors: Tensor) -> Tensor:
    """Return the L1 distance of Dec's output to the class vectors, mean over the batch (one term of Eq. 12)."""
    return (decoded - vectors).abs().sum(dim=1).mean()


def weighted_semantic_distance(decoded: Tensor, vectors: Tensor) -> Tensor:
    """Return TF-VAEGAN's form of Eq. 12: L1 distances weighted by squared error over its norm."""
    difference = decoded - vectors
    squares = difference.square()
    weights = squares / squares.sum(dim=1, keepdim=True).clamp_min(1e-24).sqrt()  # finite gradient at 0
    return (weights * difference.abs()).sum(dim=1).mean()


# DEVIATES: TF-VAEGAN's code weights the L1 distance; the paper's Eq. 12, the default, does not.
SEMANTIC_DISTANCES = {"l1": semantic_distance, "weighted_l1": weighted_semantic_distance}
