"""When two float64 computations count as the same: 1e-9 of the largest entry, values and gradients."""

import torch
from torch import Tensor

TOLERANCE = 1e-9


def assert_equal(ours: Tensor, plain: Tensor) -> None:
    torch.testing.assert_close(ours, plain, rtol=0, atol=TOLERANCE * float(plain.detach().abs().max()) + 1e-14)


def gradients(value: Tensor, weights: list[Tensor]) -> list[Tensor]:
    return torch.autograd.grad(value, weights, retain_graph=True, materialize_grads=True)


def assert_same_function(ours: Tensor, plain: Tensor, weights: list[Tensor]) -> None:
    """Values and gradients by all weights agree; tensors are compared under a random linear form."""
    assert_equal(ours, plain)
    form = torch.randn(ours.shape, generator=torch.Generator().manual_seed(3), dtype=ours.dtype)
    for mine, theirs in zip(*(gradients((out * form).sum(), weights) for out in (ours, plain)), strict=True):
        assert_equal(mine, theirs)
