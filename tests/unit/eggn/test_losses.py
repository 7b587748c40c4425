"""Losses with answers known on paper, and their gradients against finite differences."""

import math

import pytest
import torch
from torch.autograd import gradcheck

from scegg_core.eggn import losses
from scegg_core.eggn.model import Critic
from scegg_core.scen import losses as scen_losses


def test_penalty_of_a_critic_with_unit_gradient_is_0():
    critic = Critic(channels=2, attributes=1, width=3).double()
    with torch.no_grad():
        critic.hidden.weight.copy_(torch.tensor([[0.6, 0.8, 5.0], [0.0, 0.0, 1.0], [0.0, 0.0, 2.0]]))
        critic.hidden.bias.fill_(100.0)  # every LeakyReLU on its side of slope one
        critic.out.weight.copy_(torch.tensor([[1.0, 1.0, 1.0]]))
    random = lambda size: torch.rand(4, size, dtype=torch.float64)  # noqa: E731
    slope = critic.compare(random(2), random(2), random(1), random(1)).slope
    assert float(losses.gradient_penalty(slope.detach())) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize(("length", "expected"), [(0.0, 1.0), (1.0, 0.0), (3.0, 4.0)])
def test_penalty_is_the_squared_distance_of_the_slope_from_1(length, expected):
    penalty = losses.gradient_penalty(torch.full((2,), length))
    assert float(penalty) == pytest.approx(expected)


def test_a_critic_without_slope_gives_finite_gradients():
    critic = Critic(channels=2, attributes=1, width=3).double()
    with torch.no_grad():
        critic.out.weight.zero_()
    slope = critic.compare(*(torch.rand(4, size, dtype=torch.float64) for size in (2, 2, 1, 1))).slope
    assert slope.tolist() == [0, 0, 0, 0]
    for gradient in torch.autograd.grad(losses.gradient_penalty(slope), list(critic.hidden.parameters())):
        assert torch.isfinite(gradient).all()


def test_kl_of_a_standard_normal_is_0():
    assert float(losses.kl_to_standard_normal(torch.zeros(3, 4), torch.zeros(3, 4))) == 0


def test_kl_sums_over_the_latent_axis_and_averages_over_the_batch():
    mean, log_variance = torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([[0.0, 0.0], [0.0, math.log(4.0)]])
    assert float(losses.kl_to_standard_normal(mean, log_variance)) == pytest.approx(
        (2 + 0.5 * (4 - 1 - math.log(4))) / 2
    )


def test_reconstruction_of_a_coin_is_log_2_per_channel():
    assert float(losses.reconstruction(torch.zeros(3, 5), torch.rand(3, 5))) == pytest.approx(5 * math.log(2))


@pytest.mark.parametrize("logit", [-1e4, 1e4])
def test_reconstruction_is_finite_at_every_logit(logit):
    logits = torch.full((2, 2), logit, requires_grad=True)
    loss = losses.reconstruction(logits, torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    assert float(loss.detach()) == 1e4
    assert torch.isfinite(torch.autograd.grad(loss, logits)[0]).all()


def test_semantic_distance_by_hand():
    decoded, vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.0, 0.0], [3.0, -3.0]])
    assert float(losses.semantic_distance(decoded, vectors)) == (1 + 7) / 2
    assert float(losses.weighted_semantic_distance(decoded, vectors)) == pytest.approx((1 + (9 * 3 + 16 * 4) / 5) / 2)


@pytest.mark.parametrize("distance", [losses.semantic_distance, losses.weighted_semantic_distance])
def test_a_perfectly_decoded_vector_gives_distance_0_and_a_finite_gradient(distance):
    decoded = torch.eye(2, requires_grad=True)
    loss = distance(decoded, torch.eye(2))
    assert float(loss.detach()) == 0
    assert torch.isfinite(torch.autograd.grad(loss, decoded)[0]).all()


@pytest.mark.parametrize(
    "loss",
    [
        lambda x, y: scen_losses.class_cross_entropy(x, torch.tensor([0, 2, 1])),
        scen_losses.semantic_consistency,
        losses.kl_to_standard_normal,
        lambda x, y: losses.reconstruction(x, y.sigmoid()),
        lambda x, y: losses.gradient_penalty(x[:, 0]),
        losses.semantic_distance,
        losses.weighted_semantic_distance,
        lambda x, y: scen_losses.self_calibration(x, torch.tensor([True, False, True, False])),
    ],
    ids=["eq6", "eq8", "eq10 KL", "eq10 BCE", "eq11", "eq12", "weighted", "calibration"],
)
def test_gradients_of_losses_equal_finite_differences(loss):
    draw = torch.Generator().manual_seed(5)
    inputs = [torch.randn(3, 4, generator=draw, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    assert gradcheck(loss, inputs)
