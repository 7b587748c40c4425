"""EGGN's Eqs. 9-15, 18 against the plain transcription in reference.py, in float64, values and gradients."""

import pytest
import reference
import torch
from agreement import assert_equal, assert_same_function, gradients
from eggn_case import PASSES, SHAPES, Case, Shape


@pytest.fixture(params=SHAPES.values(), ids=SHAPES.keys())
def case(request) -> Case:
    return Case(request.param)


# --- the networks ---


def test_encoder_equals_the_transcription(case):
    found = case.model.encoder(case.feature, case.vector)
    plain = [torch.cat(reference.encode(case.weights, *row)) for row in zip(case.feature, case.vector, strict=True)]
    assert_same_function(torch.cat([found.mean, found.log_variance], 1), torch.stack(plain), case.of("encoder"))


@PASSES
def test_generator_equals_the_transcription(case, feedback):
    z = case.random(case.shape.batch, case.shape.latent)
    ours = case.model.generate(z, case.vector, case.strength(feedback))
    assert_same_function(ours, case.plain_made(z, case.labels, feedback), list(case.model.parameters()))
    assert_equal(case.trainer.generator.logits(z, case.vector, feedback).sigmoid(), ours)


def test_critic_equals_the_transcription(case):
    plain = [reference.criticize(case.weights, *row) for row in zip(case.feature, case.vector, strict=True)]
    assert_same_function(case.model.critic(case.feature, case.vector), torch.stack(plain), case.of("critic"))


def test_decoder_equals_the_transcription(case):
    plain = [reference.decode(case.weights, g) for g in case.feature]
    assert_same_function(case.model.decoder(case.feature).vector, torch.stack(plain), case.of("decoder"))


# --- Eqs. 9-15, 18 ---


TERMS = [
    ("KL", "eq10"),
    ("BCE", "eq10"),
    ("adversarial", "eq11"),
    ("L_Rec", "eq12"),
    ("L_SCE", "eq14"),
    ("L_UCE", "eq15"),
]


@PASSES
@pytest.mark.parametrize("term", [pytest.param(term, id=f"{equation} {term}") for term, equation in TERMS])
def test_generator_term_equals_the_transcription(case, term, feedback):
    plain = case.plain(case.draws(), feedback)[term]
    assert_same_function(case.losses(feedback)[1][term], plain, list(case.model.parameters()))


@pytest.mark.parametrize("lambda_", [10.0, 0.0, 0.3])
def test_eq11_critic_loss_equals_the_double_backward_transcription(case, lambda_):
    case.trainer.generator.penalty_weight.fill_(lambda_)
    fake = case.random(*case.feature.shape).sigmoid()
    loss, terms = case.trainer.generator.critic_loss(case.feature, case.vector, fake, case.tau)
    plain = -10 * reference.wgan(case.weights, case.feature, fake, case.vector, case.tau, lambda_)
    assert_same_function(loss, plain, case.of("critic"))
    assert_equal(
        terms["wasserstein"], reference.wgan(case.weights, case.feature, fake, case.vector, case.tau, 0).detach()
    )


@pytest.mark.parametrize("tau", [0.0, 0.4, 1.0])
def test_eq11_slope_is_the_length_of_the_gradient_of_the_score_at_the_mixture(case, tau):
    fake = case.random(*case.feature.shape).sigmoid()
    mixture = (tau * case.feature + (1 - tau) * fake).requires_grad_()
    (plain,) = torch.autograd.grad(case.model.critic(mixture, case.vector).sum(), mixture)
    found = case.model.critic.compare(case.feature, fake, case.vector, torch.full_like(case.tau, tau))
    assert_equal(found.slope, plain.norm(dim=1))
    for ours, feature in ((found.real, case.feature), (found.made, fake)):
        assert_equal(ours, case.model.critic(feature, case.vector))


@pytest.mark.parametrize(("form", "plain"), [("l1", reference.decoding), ("weighted_l1", reference.weighted_decoding)])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_eq12_distance_of_real_features_equals_the_transcription(form, plain, shape):
    if shape.attributes == 1 and form == "weighted_l1":
        pytest.skip("vectors of one attribute are 1 or -1: where they agree the weights are 0 / 0")
    case = Case(shape, decoder_loss=form)
    ours = case.trainer.generator.distance(case.model.decoder(case.feature).vector, case.vector)
    assert_same_function(ours, plain(case.weights, case.feature, case.vector), case.of("decoder"))


@PASSES
def test_eq13_guidance_is_the_weighted_sum_of_seen_and_unseen(case, feedback):
    draws = case.draws()
    plain = case.plain(draws, feedback)
    terms = case.losses(feedback)[1]
    assert_same_function(
        0.1 * terms["L_SCE"] + 0.1 * terms["L_UCE"], plain["L_EGS"], case.of("encoder", "generator", "feedback")
    )


@PASSES
def test_eqs9_18_gradients_of_all_steps_are_those_of_the_whole_objective(case, feedback):
    """E, G, F: of L_VG + L_EGS; Dec: its own step on real features adds Eq. 12's first term; D: of minus L_VG."""
    plain = case.plain(case.draws(), feedback)
    objective = plain["L_VG"] + plain["L_EGS"]
    ours, _ = case.losses(feedback)
    critic, _ = case.trainer.generator.critic_loss(case.feature, case.vector, plain["fake"], case.tau)
    decoder = 0.01 * case.trainer.generator.distance(case.model.decoder(case.feature).vector, case.vector)
    for loss, parts, sign in (
        (ours, ("encoder", "generator", "feedback"), 1),
        (ours + decoder, ("decoder",), 1),
        (critic, ("critic",), -1),
    ):
        for mine, theirs in zip(gradients(loss, case.of(*parts)), gradients(objective, case.of(*parts)), strict=True):
            assert_equal(sign * mine, theirs)


@PASSES
def test_eq18_value_is_the_whole_objective_without_the_parts_that_e_g_f_cannot_change(case, feedback):
    plain = case.plain(case.draws(), feedback)
    real = reference.mean(
        [reference.criticize(case.weights, *row) for row in zip(case.feature, case.vector, strict=True)]
    )
    rows = zip(case.feature, plain["fake"], case.vector, case.tau, strict=True)
    penalty = reference.mean([reference.penalty(case.weights, *row) for row in rows])
    constant = 10 * (real - 10 * penalty) + 0.01 * reference.decoding(case.weights, case.feature, case.vector)
    assert_equal(case.losses(feedback)[0], plain["L_VG"] + plain["L_EGS"] - constant)


def test_weights_of_eqs_9_and_13_multiply_their_terms():
    weights = {
        "adversarial_weight": 3.0,
        "decoder_weight": 0.5,
        "kl_weight": 0.25,
        "seen_guidance": 2.0,
        "unseen_guidance": 7.0,
    }
    loss, terms = Case(Shape(), **weights).losses(feedback=False)
    assert_equal(
        loss,
        terms["BCE"]
        + sum(
            w * terms[n]
            for w, n in zip(weights.values(), ("adversarial", "L_Rec", "KL", "L_SCE", "L_UCE"), strict=True)
        ),
    )


@PASSES
def test_eq14_on_the_synthesis_path_equals_the_transcription(feedback):
    case = Case(Shape(), seen_path="synthesis")
    plain = case.plain(case.draws(synthesized=True), feedback)
    terms = case.losses(feedback)[1]
    for name in ("BCE", "L_SCE", "L_UCE"):
        assert_same_function(terms[name], plain[name], list(case.model.parameters()))


def test_the_critic_learns_from_z_of_the_prior_where_it_is_asked_to():
    case = Case(Shape(), critic_path="synthesis")
    draw = torch.Generator().manual_seed(3)
    case.trainer.random.manual_seed(3)
    found = case.trainer.generator.z_for_critic(case.batch)
    assert torch.equal(found, torch.randn(*found.shape, generator=draw, dtype=found.dtype))


def test_guidance_over_seen_and_over_unseen_classes_apart():
    case = Case(Shape(), guidance_classes="seen_unseen")
    draws = case.draws()
    made = case.plain(draws, False)["fake"], case.plain_made(draws.z, draws.unseen, False)
    terms = case.losses(False)[1]
    assert_equal(terms["L_SCE"], reference.cross_entropy(case.plain_scores(made[0]), case.labels, [0, 1, 2]))
    assert_equal(terms["L_UCE"], reference.cross_entropy(case.plain_scores(made[1]), draws.unseen, [3, 4]))
