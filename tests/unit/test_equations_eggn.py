"""EGGN's Eqs. 9-15, 18 against the plain transcription in reference.py, in float64, values and gradients."""

import copy
import math
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import reference
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck

from scegg_core import losses
from scegg_core.models.classifier import linear_of
from scegg_core.models.eggn import EGGN, Critic, Latent
from scegg_core.scaling import MinMaxScaler
from scegg_core.settings.eggn import EggnSettings
from scegg_core.train_eggn import EggnTrainer, Guide, SeenFeatures, start_eggn

TOLERANCE = 1e-9  # of the largest entry of each tensor
PASSES = pytest.mark.parametrize("feedback", [False, True], ids=["first pass", "with feedback"])


@dataclass(frozen=True)
class Shape:
    batch: int = 3
    channels: int = 6
    attributes: int = 4
    latent: int = 5
    width: int = 7
    classes: int = 5
    unseen: int = 2


SHAPES = {
    "usual": Shape(),
    "batch 1": Shape(batch=1),
    "A=1": Shape(attributes=1, latent=1),
    "one unseen class": Shape(classes=3, unseen=1),
    "one channel": Shape(channels=1, width=2),
}


class Case:
    """A float64 trainer of one shape with weights large enough to bend every LeakyReLU, and one batch."""

    def __init__(self, shape: Shape, guide: bool = True, **settings):
        self.shape, draw = shape, torch.Generator().manual_seed(11)
        self.random = lambda *size: torch.randn(*size, generator=draw, dtype=torch.float64)
        self.settings = EggnSettings(**{"hidden_width": shape.width, "latent_size": shape.latent, "batch_size": shape.batch, "feedback_strength": 0.7, **settings})
        self.model = start_eggn(shape.channels, shape.attributes, self.settings, seed=1).double()
        with torch.no_grad():
            for weight in self.model.parameters():
                weight.copy_(0.5 * self.random(*weight.shape))
        vectors = nn.functional.normalize(self.random(shape.classes, shape.attributes), dim=1)
        self.data = SeenFeatures(self.random(9, shape.channels).sigmoid(), torch.arange(9) % (shape.classes - shape.unseen), vectors, torch.arange(shape.classes) < shape.classes - shape.unseen)
        self.classify = linear_of(self.random(shape.classes, shape.channels), self.random(shape.classes))
        span = self.random(shape.channels).abs()
        span[0] = 0  # a constant channel
        self.scaler = MinMaxScaler(self.random(shape.channels), span)
        self.trainer = EggnTrainer(self.model, self.data, Guide(self.classify, self.scaler) if guide else None, self.settings, seed=2)
        self.feature, self.labels = self.data.features[: shape.batch], self.data.labels[: shape.batch]
        self.vector, self.tau = vectors[self.labels], torch.rand(shape.batch, 1, generator=draw, dtype=torch.float64)
        self.lambdas = {"w": 10.0, "r": 0.01, "s": 0.1, "u": 0.1, "": 10.0}

    @property
    def weights(self) -> dict[str, Tensor]:
        return dict(self.model.named_parameters())

    def of(self, *parts: str) -> list[Tensor]:
        return [weight for part in parts for weight in getattr(self.model, part).parameters()]

    def strength(self, feedback: bool) -> float | None:
        return 0.7 if feedback else None

    def losses(self, feedback: bool) -> tuple[Tensor, dict[str, Tensor]]:
        return self.trainer.generator_loss(self.feature, self.vector, self.labels, feedback)

    def draws(self, synthesized: bool = False) -> SimpleNamespace:
        """What the next generator_loss will draw: E's noise, the prior's z of Eq. 14, unseen labels and their z."""
        twin = torch.Generator()
        twin.set_state(self.trainer.generator.get_state())
        normal = lambda: torch.randn(self.shape.batch, self.model.latent, generator=twin, dtype=torch.float64)  # noqa: E731
        noise, prior = normal(), normal() if synthesized else None
        rows = torch.randint(self.shape.unseen, (self.shape.batch,), generator=twin)
        return SimpleNamespace(noise=noise, prior=prior, unseen=rows + self.shape.classes - self.shape.unseen, z=normal())

    def plain_scores(self, made: Tensor) -> Tensor:
        high = self.scaler.low + self.scaler.span
        return reference.rescaled_scores(made, self.scaler.low, high, self.classify.weight, self.classify.bias)

    def plain_made(self, z: Tensor, labels: Tensor, feedback: bool) -> Tensor:
        rows = zip(z, self.data.vectors[labels], strict=True)
        return torch.stack([reference.generate(self.weights, *row, self.strength(feedback)) for row in rows])

    def plain(self, draws: SimpleNamespace, feedback: bool) -> dict[str, Tensor]:
        """Every term of generator_loss, by its name there, and L_VG, the fakes and L_EGS."""
        w, rows = self.weights, zip(self.feature, self.vector, draws.noise, strict=True)
        kl, bce, made = zip(*[reference.vae(w, *row, self.strength(feedback)) for row in rows], strict=True)
        made = torch.stack(made)
        seen = self.plain_scores(made if draws.prior is None else self.plain_made(draws.prior, self.labels, feedback)), self.labels
        unseen = self.plain_scores(self.plain_made(draws.z, draws.unseen, feedback)), draws.unseen
        return {
            "KL": reference.mean(kl),
            "BCE": reference.mean(bce),
            "adversarial": -reference.mean([reference.criticize(w, *row) for row in zip(made, self.vector, strict=True)]),
            "L_Rec": reference.decoding(w, made, self.vector),
            "L_SCE": reference.cross_entropy(*seen),
            "L_UCE": reference.cross_entropy(*unseen),
            "L_VG": reference.basic_objective(w, self.feature, self.vector, draws.noise, self.tau, self.strength(feedback), self.lambdas)[0],
            "L_EGS": reference.guided_synthesis(seen, unseen, self.lambdas),
            "fake": made.detach(),
        }


@pytest.fixture(params=SHAPES.values(), ids=SHAPES.keys())
def case(request) -> Case:
    return Case(request.param)


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
    assert_equal(case.trainer._logits(z, case.vector, feedback).sigmoid(), ours)


def test_critic_equals_the_transcription(case):
    plain = [reference.criticize(case.weights, *row) for row in zip(case.feature, case.vector, strict=True)]
    assert_same_function(case.model.critic(case.feature, case.vector), torch.stack(plain), case.of("critic"))


def test_decoder_equals_the_transcription(case):
    plain = [reference.decode(case.weights, g) for g in case.feature]
    assert_same_function(case.model.decoder(case.feature).vector, torch.stack(plain), case.of("decoder"))


# --- Eqs. 9-15, 18 ---


TERMS = [("KL", "eq10"), ("BCE", "eq10"), ("adversarial", "eq11"), ("L_Rec", "eq12"), ("L_SCE", "eq14"), ("L_UCE", "eq15")]


@PASSES
@pytest.mark.parametrize("term", [pytest.param(term, id=f"{equation} {term}") for term, equation in TERMS])
def test_generator_term_equals_the_transcription(case, term, feedback):
    plain = case.plain(case.draws(), feedback)[term]
    assert_same_function(case.losses(feedback)[1][term], plain, list(case.model.parameters()))


@pytest.mark.parametrize("lambda_", [10.0, 0.0, 0.3])
def test_eq11_critic_loss_equals_the_double_backward_transcription(case, lambda_):
    case.trainer.penalty_weight.fill_(lambda_)
    fake = case.random(*case.feature.shape).sigmoid()
    loss, terms = case.trainer.critic_loss(case.feature, case.vector, fake, case.tau)
    plain = -10 * reference.wgan(case.weights, case.feature, fake, case.vector, case.tau, lambda_)
    assert_same_function(loss, plain, case.of("critic"))
    assert_equal(terms["wasserstein"], reference.wgan(case.weights, case.feature, fake, case.vector, case.tau, 0).detach())


@pytest.mark.parametrize("tau", [0.0, 0.4, 1.0])
def test_eq11_the_mixture_of_hidden_layers_is_the_hidden_layer_of_the_mixture(case, tau):
    fake = case.random(*case.feature.shape).sigmoid()
    hidden = [case.model.critic.embed(feature, case.vector) for feature in (tau * case.feature + (1 - tau) * fake, case.feature, fake)]
    assert_equal(torch.lerp(hidden[2], hidden[1], tau), hidden[0])


def test_eq11_slope_is_the_gradient_of_the_score(case):
    feature = case.feature.clone().requires_grad_()
    (plain,) = torch.autograd.grad(case.model.critic(feature, case.vector).sum(), feature)
    assert_equal(case.model.critic.slope(case.model.critic.embed(feature, case.vector)), plain)


@pytest.mark.parametrize(("form", "plain"), [("l1", reference.decoding), ("weighted_l1", reference.weighted_decoding)])
def test_eq12_distance_of_real_features_equals_the_transcription(form, plain):
    case = Case(Shape(), decoder_loss=form)
    ours = case.trainer._distance(case.model.decoder(case.feature).vector, case.vector)
    assert_same_function(ours, plain(case.weights, case.feature, case.vector), case.of("decoder"))


@PASSES
def test_eq13_guidance_is_the_weighted_sum_of_seen_and_unseen(case, feedback):
    draws = case.draws()
    plain = case.plain(draws, feedback)
    terms = case.losses(feedback)[1]
    assert_same_function(0.1 * terms["L_SCE"] + 0.1 * terms["L_UCE"], plain["L_EGS"], case.of("encoder", "generator", "feedback"))


@PASSES
def test_eqs9_18_gradients_of_all_steps_are_those_of_the_whole_objective(case, feedback):
    """E, G, F: of L_VG + L_EGS; Dec: its own step on real features adds Eq. 12's first term; D: of minus L_VG."""
    plain = case.plain(case.draws(), feedback)
    objective = plain["L_VG"] + plain["L_EGS"]
    ours, _ = case.losses(feedback)
    critic, _ = case.trainer.critic_loss(case.feature, case.vector, plain["fake"], case.tau)
    decoder = 0.01 * case.trainer._distance(case.model.decoder(case.feature).vector, case.vector)
    for loss, parts, sign in ((ours, ("encoder", "generator", "feedback"), 1), (ours + decoder, ("decoder",), 1), (critic, ("critic",), -1)):
        for mine, theirs in zip(gradients(loss, case.of(*parts)), gradients(objective, case.of(*parts)), strict=True):
            assert_equal(sign * mine, theirs)


@PASSES
def test_eq18_value_is_the_whole_objective_without_the_parts_that_e_g_f_cannot_change(case, feedback):
    plain = case.plain(case.draws(), feedback)
    real = reference.mean([reference.criticize(case.weights, *row) for row in zip(case.feature, case.vector, strict=True)])
    rows = zip(case.feature, plain["fake"], case.vector, case.tau, strict=True)
    penalty = reference.mean([reference.penalty(case.weights, *row) for row in rows])
    constant = 10 * (real - 10 * penalty) + 0.01 * reference.decoding(case.weights, case.feature, case.vector)
    assert_equal(case.losses(feedback)[0], plain["L_VG"] + plain["L_EGS"] - constant)


def test_weights_of_eqs_9_and_13_multiply_their_terms():
    weights = {"adversarial_weight": 3.0, "decoder_weight": 0.5, "kl_weight": 0.25, "seen_guidance": 2.0, "unseen_guidance": 7.0}
    loss, terms = Case(Shape(), **weights).losses(feedback=False)
    assert_equal(loss, terms["BCE"] + sum(w * terms[n] for w, n in zip(weights.values(), ("adversarial", "L_Rec", "KL", "L_SCE", "L_UCE"), strict=True)))


@PASSES
def test_eq14_on_the_synthesis_path_equals_the_transcription(feedback):
    case = Case(Shape(), seen_path="synthesis")
    plain = case.plain(case.draws(synthesized=True), feedback)
    terms = case.losses(feedback)[1]
    for name in ("BCE", "L_SCE", "L_UCE"):
        assert_same_function(terms[name], plain[name], list(case.model.parameters()))


def test_guidance_over_seen_and_over_unseen_classes_apart():
    case = Case(Shape(), guidance_classes="seen_unseen")
    draws = case.draws()
    made = case.plain(draws, False)["fake"], case.plain_made(draws.z, draws.unseen, False)
    terms = case.losses(False)[1]
    assert_equal(terms["L_SCE"], reference.cross_entropy(case.plain_scores(made[0]), case.labels, [0, 1, 2]))
    assert_equal(terms["L_UCE"], reference.cross_entropy(case.plain_scores(made[1]), draws.unseen, [3, 4]))


def plain_iteration(case: Case, feedback: bool) -> None:
    """One iteration as the text says it: each of the critic's batches in turn, then E, G, F and Dec."""
    w, given, twin = case.weights, case.settings, torch.Generator()
    twin.set_state(case.trainer.generator.get_state())
    count, strength = given.critic_steps * given.batch_size, case.strength(feedback)
    adam = lambda rate, *parts, beta=0.5: torch.optim.Adam(case.of(*parts), rate, betas=(beta, 0.999))  # noqa: E731
    rows = torch.randint(len(case.data.features), (count,), generator=twin)
    noise = torch.randn(count, case.model.latent, generator=twin, dtype=torch.float64)
    tau, data = torch.rand(count, 1, generator=twin, dtype=torch.float64), case.data
    critic, decoder, penalties = adam(1e-4, "critic"), adam(1e-4, "decoder"), []

    def step(optimizer, loss):
        case.model.zero_grad()
        loss.backward()
        optimizer.step()

    for part in torch.arange(count).split(given.batch_size):
        g, a = data.features[rows[part]], data.vectors[data.labels[rows[part]]]
        step(decoder, 0.01 * reference.decoding(w, g, a))
        made = torch.stack([reference.vae(w, *row, strength)[2] for row in zip(g, a, noise[part], strict=True)]).detach()
        penalties.append(reference.mean([reference.penalty(w, *row) for row in zip(g, made, a, tau[part], strict=True)]).item())
        step(critic, -10 * reference.wgan(w, g, made, a, tau[part], 10.0))
    case.penalty = sum(penalties) / len(penalties)
    rows = torch.randint(len(data.features), (given.batch_size,), generator=twin)
    case.feature, case.labels = data.features[rows], data.labels[rows]
    case.vector = data.vectors[case.labels]
    case.trainer.generator.set_state(twin.get_state())
    plain = case.plain(case.draws(), feedback)
    objective = plain["KL"] + plain["BCE"] + 10 * plain["adversarial"] + 0.01 * plain["L_Rec"] + plain["L_EGS"]
    case.model.zero_grad()
    objective.backward()
    parts = [adam(1e-4, "encoder", beta=0.9), adam(1e-4, "generator"), decoder] + ([adam(1e-5, "feedback")] if feedback else [])
    for optimizer in parts:
        optimizer.step()


@PASSES
def test_an_iteration_equals_its_steps_taken_one_by_one(feedback):
    ours, plain = Case(Shape(), critic_steps=3), Case(Shape(), critic_steps=3)
    start = copy.deepcopy(plain.weights)
    report = ours.trainer.iterate(feedback)
    plain_iteration(plain, feedback)
    assert_equal(report["penalty"], torch.tensor(plain.penalty, dtype=torch.float64))
    for name, weight in plain.weights.items():
        torch.testing.assert_close(ours.weights[name] - start[name], weight - start[name], rtol=0, atol=1e-9, msg=name)


# --- known answers ---


def test_penalty_of_a_critic_with_unit_gradient_is_0():
    critic = Critic(channels=2, attributes=1, width=3).double()
    with torch.no_grad():
        critic.hidden.weight.copy_(torch.tensor([[0.6, 0.8, 5.0], [0.0, 0.0, 1.0], [0.0, 0.0, 2.0]]))
        critic.hidden.bias.fill_(100.0)  # every LeakyReLU on its side of slope one
        critic.out.weight.copy_(torch.tensor([[1.0, 1.0, 1.0]]))
    slope = critic.slope(critic.embed(torch.rand(4, 2, dtype=torch.float64), torch.rand(4, 1, dtype=torch.float64)))
    assert float(losses.gradient_penalty(slope.detach())) == pytest.approx(0, abs=1e-14)


@pytest.mark.parametrize(("length", "expected"), [(0.0, 1.0), (1.0, 0.0), (3.0, 4.0)])
def test_penalty_is_the_squared_distance_of_the_slope_from_1(length, expected):
    slopes = torch.tensor([[length, 0.0], [0.0, -length]], dtype=torch.float64, requires_grad=True)
    penalty = losses.gradient_penalty(slopes)
    assert float(penalty.detach()) == pytest.approx(expected)
    assert torch.isfinite(torch.autograd.grad(penalty, slopes)[0]).all()


def test_kl_of_a_standard_normal_is_0():
    assert float(losses.kl_to_standard_normal(torch.zeros(3, 4), torch.zeros(3, 4))) == 0


def test_kl_sums_over_the_latent_axis_and_averages_over_the_batch():
    mean, log_variance = torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([[0.0, 0.0], [0.0, math.log(4.0)]])
    assert float(losses.kl_to_standard_normal(mean, log_variance)) == pytest.approx((2 + 0.5 * (4 - 1 - math.log(4))) / 2)


def test_latent_sample_has_the_given_mean_and_deviation():
    latent = Latent(torch.tensor([[1.0]]), torch.tensor([[math.log(9.0)]]))
    assert [float(latent.sample(torch.tensor([[noise]]))) for noise in (0.0, 1.0, -1.0)] == pytest.approx([1, 4, -2])


def test_reconstruction_of_a_coin_is_log_2_per_channel():
    assert float(losses.reconstruction(torch.zeros(3, 5), torch.rand(3, 5))) == pytest.approx(5 * math.log(2))


@pytest.mark.parametrize("logit", [-1e4, 1e4])
def test_reconstruction_is_finite_at_every_logit(logit):
    logits = torch.full((2, 2), logit, requires_grad=True)
    loss = losses.reconstruction(logits, torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    assert float(loss.detach()) == 1e4
    assert torch.isfinite(torch.autograd.grad(loss, logits)[0]).all()


def test_decoder_output_has_unit_norm(case):
    lengths = case.model.decoder(case.feature).vector.norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones_like(lengths))


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
        lambda x, y: losses.class_cross_entropy(x, torch.tensor([0, 2, 1])),
        losses.semantic_consistency,
        losses.kl_to_standard_normal,
        lambda x, y: losses.reconstruction(x, y.sigmoid()),
        lambda x, y: losses.gradient_penalty(x),
        losses.semantic_distance,
        losses.weighted_semantic_distance,
        lambda x, y: losses.self_calibration(x, torch.tensor([True, False, True, False])),
    ],
    ids=["eq6", "eq8", "eq10 KL", "eq10 BCE", "eq11", "eq12", "weighted", "calibration"],
)
def test_gradients_of_losses_equal_finite_differences(loss):
    draw = torch.Generator().manual_seed(5)
    inputs = [torch.randn(3, 4, generator=draw, dtype=torch.float64, requires_grad=True) for _ in range(2)]
    assert gradcheck(loss, inputs)


# --- properties ---


@pytest.mark.parametrize(("penalty", "factor"), [(0.5, 1 / 1.1), (1.0005, 1 / 1.1), (1.02, 1.0), (1.06, 1.1)])
@pytest.mark.parametrize("adaptive", [True, False])
def test_penalty_weight_follows_the_penalty_outside_its_band(penalty, factor, adaptive):
    trainer = Case(Shape(), adaptive_penalty=adaptive).trainer
    trainer._adapt_penalty(torch.tensor(penalty, dtype=torch.float64))
    assert float(trainer.penalty_weight) == pytest.approx(10 * factor if adaptive else 10)


def test_feedback_of_strength_0_changes_nothing():
    case = Case(Shape())
    z = case.random(3, 5)
    assert torch.equal(case.model.generate(z, case.vector, 0.0), case.model.generate(z, case.vector))
    assert not torch.equal(case.model.generate(z, case.vector, 0.1), case.model.generate(z, case.vector))


def test_transformed_features_are_g_its_decoded_vector_and_the_hidden_layer():
    case = Case(Shape())
    decoded = case.model.decoder(case.feature)
    assert torch.equal(case.model.transform(case.feature), torch.cat([case.feature, decoded.vector, decoded.hidden], 1))


def changed_parts(case: Case, feedback: bool, step) -> set[str]:
    before = copy.deepcopy(case.model.state_dict())
    step(feedback)
    return {name.split(".")[0] for name, value in case.model.state_dict().items() if not torch.equal(value, before[name])}


@PASSES
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {"encoder", "generator", "decoder"}),
        ({"freeze_decoder": True}, {"encoder", "generator"}),
        ({"decoder_weight": 0.0}, {"encoder", "generator"}),
        ({"generator": "f-vaegan"}, {"encoder", "generator"}),
        ({"generator": "f-clswgan"}, {"generator"}),
    ],
    ids=str,
)
def test_generator_step_updates_exactly_its_parts(settings, expected, feedback):
    case = Case(Shape(), **settings)
    feedback = feedback and case.settings.generator == "tf-vaegan"
    assert changed_parts(case, feedback, case.trainer._generator_step) == expected | ({"feedback"} if feedback else set())


@PASSES
@pytest.mark.parametrize(("generator", "expected"), [("tf-vaegan", {"critic", "decoder"}), ("f-vaegan", {"critic"}), ("f-clswgan", {"critic"})])
def test_critic_steps_update_critic_and_decoder_alone(generator, expected, feedback):
    case = Case(Shape(), generator=generator)
    assert changed_parts(case, feedback and generator == "tf-vaegan", case.trainer._critic_steps) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, ["KL", "BCE", "adversarial", "L_Rec", "L_SCE", "L_UCE"]),
        ({"generator": "f-vaegan"}, ["KL", "BCE", "adversarial", "L_SCE", "L_UCE"]),
        ({"generator": "f-clswgan"}, ["adversarial", "L_SCE", "L_UCE"]),
        ({"seen_guidance": 0.0, "unseen_guidance": 0.0}, ["KL", "BCE", "adversarial", "L_Rec"]),
        ({"guide": False}, ["KL", "BCE", "adversarial", "L_Rec"]),
    ],
    ids=str,
)
def test_each_generator_has_its_terms(settings, expected):
    assert list(Case(Shape(), **settings).losses(feedback=False)[1]) == expected


def test_guidance_leaves_the_classifier_as_it_is():
    case = Case(Shape())
    before = copy.deepcopy(case.classify.state_dict())
    case.trainer.iterate(feedback=True)
    assert all(torch.equal(value, before[name]) for name, value in case.classify.state_dict().items())


def test_latent_size_is_the_number_of_attributes_unless_given():
    assert EGGN(3, 4, EggnSettings(hidden_width=2)).latent == 4
