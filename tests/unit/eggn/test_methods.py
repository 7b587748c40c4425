"""f-VAEGAN-D2, CADA-VAE, CE-GZSL, LisGAN and FREE: each loss against a plain float64 transcription, and what their classifiers see."""

import math

import pytest
import reference
import torch
from agreement import assert_equal, assert_same_function
from eggn_case import Case, Shape
from small_run import CPU
from torch import Tensor
from trainers import random

from scegg_core.classify.train import repeated, training_inputs
from scegg_core.eggn.data import SeenFeatures
from scegg_core.eggn.draws import Batch
from scegg_core.eggn.generators import ce_gzsl
from scegg_core.eggn.generators.cada_vae import CadaVaeNetworks
from scegg_core.eggn.generators.ce_gzsl import CeGzslNetworks, Comparator, contrast
from scegg_core.eggn.generators.lisgan import soul_samples
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.synthesis import SynthesisSettings

CADA = {
    "image_encoder_width": 7, "image_decoder_width": 6, "vector_encoder_width": 5, "vector_decoder_width": 4,
    "kl_weight": 0.25,
}  # fmt: skip
CE = {"embedding_size": 7, "projection_size": 4, "comparator_width": 6, "instance_weight": 0.3, "class_weight": 0.2}
TRANSFORMED = ClassifierSettings(input="transformed")


def normal(case: Case, *counts: int) -> list[Tensor]:
    """What the next steps draw from the prior, and nothing else drawn between."""
    twin = torch.Generator()
    twin.set_state(case.trainer.random.get_state())
    return [torch.randn(count, case.model.latent, generator=twin, dtype=torch.float64) for count in counts]


def relu(x: Tensor) -> Tensor:
    return torch.maximum(x, torch.zeros_like(x))


# --- f-VAEGAN-D2 ---


def test_f_vaegan_d2_reconstructs_with_es_z_and_criticizes_with_the_priors():
    case = Case(Shape(), generator="f-vaegan-d2", guide=False, kl_weight=0.5, adversarial_weight=3.0)
    noise, prior = normal(case, 3, 3)
    loss, _ = case.losses(feedback=False)
    rows = zip(case.feature, case.vector, noise, strict=True)
    kl, bce, _ = zip(*[reference.vae(case.weights, *row, None) for row in rows], strict=True)
    made = [reference.generate(case.weights, z, a, None) for z, a in zip(prior, case.vector, strict=True)]
    score = reference.mean([reference.criticize(case.weights, g, a) for g, a in zip(made, case.vector, strict=True)])
    plain = 0.5 * reference.mean(kl) + reference.mean(bce) - 3.0 * score
    assert_same_function(loss, plain, case.of("encoder", "generator"))


def test_f_vaegan_d2_shows_its_critic_features_of_the_prior():
    case = Case(Shape(), generator="f-vaegan-d2", guide=False)
    (prior,) = normal(case, 3)
    fake = case.trainer.generator.features_for_critic(case.batch, feedback=False)
    plain = [reference.generate(case.weights, z, a, None) for z, a in zip(prior, case.vector, strict=True)]
    assert_equal(fake, torch.stack(plain).detach())


# --- CADA-VAE ---


def cada(**settings) -> Case:
    return Case(Shape(batch=4), generator="cada-vae", guide=False, **{**CADA, **settings})


def encoded(w: dict, name: str, x: Tensor) -> tuple[Tensor, Tensor]:
    hidden = relu(reference.dense(w, f"{name}.hidden", x))
    return reference.dense(w, f"{name}.mean", hidden), reference.dense(w, f"{name}.log_variance", hidden)


def decoded(w: dict, name: str, z: Tensor) -> Tensor:
    return reference.dense(w, f"{name}.out", relu(reference.dense(w, f"{name}.hidden", z)))


def plain_cada(case: Case, one: Tensor, other: Tensor) -> dict[str, Tensor]:
    """The four terms, one sample at a time: each encoder with each decoder."""
    w, terms = case.weights, {"KL": [], "reconstruction": [], "cross-alignment": [], "distribution alignment": []}
    for x, a, first, second in zip(case.feature, case.vector, one, other, strict=True):
        (mu, s), (nu, t) = encoded(w, "image_encoder", x), encoded(w, "vector_encoder", a)
        z, y = mu + torch.sqrt(s.exp()) * first, nu + torch.sqrt(t.exp()) * second
        image, vector = (lambda z: decoded(w, "image_decoder", z)), (lambda z: decoded(w, "vector_decoder", z))
        terms["KL"].append(0.5 * sum((v.exp() + m**2 - 1 - v).sum() for m, v in ((mu, s), (nu, t))))
        terms["reconstruction"].append((image(z) - x).abs().sum() + (vector(y) - a).abs().sum())
        terms["cross-alignment"].append((image(y) - x).abs().sum() + (vector(z) - a).abs().sum())
        spread = (torch.sqrt(s.exp()) - torch.sqrt(t.exp())) ** 2
        terms["distribution alignment"].append(torch.sqrt(((mu - nu) ** 2).sum() + spread.sum()))
    return {name: reference.mean(values) for name, values in terms.items()}


def test_cada_vaes_loss_and_terms_equal_the_transcription():
    case = cada(warm_up=0.0, cross_weight=2.0, alignment_weight=3.0)
    draws = normal(case, 4, 4)
    loss, terms = case.trainer.generator.loss(case.batch)
    plain = plain_cada(case, *draws)
    weights = list(case.model.parameters())
    for name, value in plain.items():
        assert_same_function(terms[name], value, weights)
    whole = plain["reconstruction"] + 0.25 * plain["KL"] + 2 * plain["cross-alignment"]
    assert_same_function(loss, whole + 3 * plain["distribution alignment"], weights)


@pytest.mark.parametrize(
    ("passes", "shares"),
    [(0, (0, 0, 0)), (6, (6 / 93, 0, 0)), (14, (14 / 93, 0, 0.5)), (48, (48 / 93, 0.5, 1)), (99, (1, 1, 1))],
)
@pytest.mark.parametrize("length", [1.0, 2.0])
def test_cada_vaes_weights_rise_over_passes(passes, shares, length):
    generator = cada(warm_up=length).trainer.generator
    assert generator.steps_per_pass == 3  # nine images by four
    generator.steps.fill_(math.floor(3 * passes * length) + 2)  # the last step of the pass
    found = generator.weights()
    expected = [weight * share for weight, share in zip((0.25, 2.37, 8.13), shares, strict=True)]
    assert [float(value) for value in (found.kl, found.cross, found.alignment)] == pytest.approx(expected)


def test_cada_vaes_classifier_learns_drawn_latent_features_and_is_asked_for_their_means():
    model = CadaVaeNetworks(6, 4, EggnSettings(generator="cada-vae", latent_size=3, **CADA))
    real, made = random(5, 6), model.synthesize(random(2, 3), random(2, 4), SynthesisSettings())
    assert torch.equal(model.transform(real), model.image_encoder(real).mean)
    inputs = training_inputs(real, made, model, TRANSFORMED, seed=8, device=CPU)
    noise = torch.randn(5, 3, generator=torch.Generator().manual_seed(8))
    assert torch.equal(inputs, torch.cat([model.image_encoder(real).sample(noise), made]))
    assert torch.equal(training_inputs(None, made, model, TRANSFORMED, seed=8, device=CPU), made)


def test_each_class_gives_as_many_rows_as_asked_its_own_in_turn():
    assert repeated(torch.tensor([4, 0, 4, 0, 0, 2]), 2).tolist() == [1, 3, 5, 5, 0, 2]
    assert repeated(torch.tensor([4, 0, 4, 0, 0, 2]), 5).tolist() == [1, 3, 4, 1, 3, *[5] * 5, 0, 2, 0, 2, 0]


# --- CE-GZSL ---


def ce(**settings) -> Case:
    return Case(Shape(batch=5, classes=4), generator="ce-gzsl", guide=False, **{**CE, **settings})


def plain_contrast(z: list[Tensor], labels: list[int], temperature: float, all_others: bool) -> Tensor:
    """A sample and a positive at a time."""
    losses, everyone = [], range(len(labels))
    score = lambda i, j: torch.exp((z[i] * z[j]).sum() / temperature)  # noqa: E731
    for i in everyone:
        positives = [p for p in everyone if p != i and labels[p] == labels[i]]
        negatives = [n for n in everyone if (n != i if all_others else labels[n] != labels[i])]
        rest = sum(score(i, n) for n in negatives)
        pairs = [-torch.log(score(i, p) / (rest if all_others else rest + score(i, p))) for p in positives]
        losses += [reference.mean(pairs)] * bool(pairs)
    return reference.mean(losses)


def projected(w: dict, g: Tensor) -> Tensor:
    return reference.unit(reference.dense(w, "embedding.out", relu(reference.dense(w, "embedding.hidden", g))))


def compared(w: dict, g: Tensor, a: Tensor) -> Tensor:
    """F of [E(g), a] as one layer on both."""
    both = torch.cat([relu(reference.dense(w, "embedding.hidden", g)), a])
    weight = torch.cat([w["comparator.hidden.weight"], w["comparator.vector.weight"]], dim=1)
    hidden = reference.leaky(weight @ both + w["comparator.hidden.bias"], 0.2)
    return reference.dense(w, "comparator.out", hidden)[0]


def plain_class_loss(case: Case, features: Tensor) -> Tensor:
    scores = [torch.stack([compared(case.weights, g, a) for a in case.data.vectors]) for g in features]
    seen = torch.nonzero(case.data.seen).flatten().tolist()
    return reference.cross_entropy(torch.stack(scores) / 0.1, case.labels, seen)


@pytest.mark.parametrize("contrast", ["other_classes", "all_others"])
def test_ce_gzsls_losses_of_real_features_equal_the_transcription(contrast):
    case = ce(contrast=contrast)
    weights, generator = case.of("embedding", "comparator"), case.trainer.generator
    z = [projected(case.weights, g) for g in case.feature]
    plain = plain_contrast(z, case.labels.tolist(), 0.1, contrast == "all_others")
    assert_same_function(generator.instance_loss(case.feature, case.labels), plain, weights)
    found = generator.class_loss(case.feature, case.labels)
    assert_same_function(found, plain_class_loss(case, case.feature), weights)


def test_ce_gzsls_generator_loss_equals_the_transcription():
    case = ce(adversarial_weight=2.0)
    (prior,) = normal(case, 5)
    loss, _ = case.losses(feedback=False)
    w = case.weights
    made = torch.stack([reference.generate(w, z, a, None) for z, a in zip(prior, case.vector, strict=True)])
    score = reference.mean([reference.criticize(w, g, a) for g, a in zip(made, case.vector, strict=True)])
    z = [projected(w, g) for g in made] + [projected(w, g).detach() for g in case.feature]
    instance = plain_contrast(z, [*case.labels.tolist(), *case.labels.tolist()], 0.1, all_others=False)
    plain = -2.0 * score + 0.3 * instance + 0.2 * plain_class_loss(case, made)
    assert_same_function(loss, plain, case.of("generator"))


def test_the_critics_steps_train_the_embedding_on_real_features_batch_by_batch():
    case, alone = ce(embedding_learning_rate=1e-2), ce(embedding_learning_rate=1e-2)
    case.trainer.generator.features_for_critic(case.batch, feedback=False)
    adam = torch.optim.Adam(alone.of("embedding", "comparator"), 1e-2, betas=(0.5, 0.999))
    loss = alone.trainer.generator.instance_loss(alone.feature, alone.labels)
    (loss + alone.trainer.generator.class_loss(alone.feature, alone.labels)).backward()
    adam.step()
    for name in ("embedding", "comparator"):
        for ours, theirs in zip(case.of(name), alone.of(name), strict=True):
            assert_equal(ours.detach(), theirs.detach())


def test_contrast_of_pairs_that_agree_with_opposite_ones_is_known():
    """Two classes of two, each pair at cosine 1 and the classes at -1: log(1 + 2 exp(-2 / t)) for every sample."""
    z = torch.tensor([[1.0], [1.0], [-1.0], [-1.0]], dtype=torch.float64)
    found = contrast(z, torch.tensor([3, 3, 5, 5]), 0.5)
    assert float(found) == pytest.approx(math.log(1 + 2 * math.exp(-4)), rel=1e-12)


@pytest.mark.parametrize("labels", [[0, 1, 2], [0, 0, 0]], ids=["no positives", "no negatives"])
@pytest.mark.parametrize("all_others", [False, True])
def test_contrast_without_positives_or_negatives_has_a_finite_gradient(labels, all_others):
    z = random(3, 2).requires_grad_()
    contrast(torch.nn.functional.normalize(z, dim=1), torch.tensor(labels), 0.1, all_others).backward()
    assert torch.isfinite(z.grad).all()


def test_scores_of_some_classes_at_a_time_are_those_of_all_at_once(monkeypatch):
    compare, hidden, vectors = Comparator(3, 4, 5).double(), random(2, 3).double(), random(7, 4).double()
    whole = compare(hidden, vectors)
    monkeypatch.setattr(ce_gzsl, "NUMBERS", 21)  # two classes at a time, of ten numbers each
    assert_same_function(compare(hidden, vectors), whole, list(compare.parameters()))


def test_ce_gzsls_classifier_sees_the_embedding_of_real_and_of_made_features():
    model = CeGzslNetworks(6, 4, EggnSettings(generator="ce-gzsl", hidden_width=5, **CE))
    real, made = random(5, 6), model.synthesize(random(2, 4), random(2, 4), SynthesisSettings())
    assert made.shape == (2, 6)
    inputs = training_inputs(real, made, model, TRANSFORMED, seed=8, device=CPU)
    assert torch.equal(inputs, model.embedding(torch.cat([real, made])))
    torch.testing.assert_close(inputs[:5], model.transform(real))


# --- LisGAN ---


def lis(**settings) -> Case:
    return Case(Shape(batch=4), generator="lisgan", guide=False, **{"soul_samples": 2, "soul_made": 3, **settings})


def nearest(feature: Tensor, souls: Tensor) -> Tensor:
    return torch.stack([((feature - soul) ** 2).sum() for soul in souls]).min()


def test_lisgans_terms_equal_the_transcription():
    case = lis(soul_weight=0.3, soul_mean_weight=0.2, adversarial_weight=2.0)
    w, souls = case.weights, case.trainer.generator.souls
    prior, many = normal(case, 4, 9)
    loss, terms = case.losses(feedback=False)
    made = torch.stack([reference.generate(w, z, a, None) for z, a in zip(prior, case.vector, strict=True)])
    score = reference.mean([reference.criticize(w, g, a) for g, a in zip(made, case.vector, strict=True)])
    first = reference.mean([nearest(g, souls[label]) for g, label in zip(made, case.labels, strict=True)])
    means = []
    for label, z in enumerate(many.split(3)):
        means.append(reference.mean([reference.generate(w, one, case.data.vectors[label], None) for one in z]))
    second = reference.mean([nearest(mean, souls[label]) for label, mean in enumerate(means)])
    weights = case.of("generator")
    assert_same_function(terms["L_R1"], first, weights)
    assert_same_function(terms["L_R2"], second, weights)
    assert_same_function(loss, -2.0 * score + 0.3 * first + 0.2 * second, weights)


def test_soul_samples_are_the_means_of_a_classs_clusters():
    """Class 0 lies at 0 and around 10, class 2 in one place, class 1 nowhere."""
    features = torch.tensor([[0.0], [10.0], [12.0], [5.0], [5.0]])
    data = SeenFeatures(features, torch.tensor([0, 0, 0, 2, 2]), torch.eye(4), torch.tensor([True, True, True, False]))
    found = soul_samples(data, 2).squeeze(2)
    assert sorted(found[0].tolist()) == [0.0, 11.0]
    assert found[1:].tolist() == [[0.0, 0.0], [5.0, 5.0], [0.0, 0.0]]


# --- FREE ---


def free(**settings) -> Case:
    given = {"center_weight": 0.4, "center_margin": 1.5, "center_share": 0.6, "decoder_weight": 0.3, **settings}
    return Case(Shape(batch=4), generator="free", guide=False, **given)


def refined(w: dict, g: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """FR's hidden layer, mean and standard deviation of one feature."""
    hidden = reference.leaky(reference.dense(w, "refiner.hidden", g), 0.2)
    mean, spread = reference.dense(w, "refiner.out", hidden).chunk(2)
    return hidden, mean, 1 / (1 + torch.exp(-spread))


def plain_cycle(w: dict, features: Tensor, vectors: Tensor, noise: Tensor) -> Tensor:
    losses = []
    for g, a, one in zip(features, vectors, noise, strict=True):
        _, mean, deviation = refined(w, g)
        losses.append((1 / (1 + torch.exp(-(mean + deviation * one))) - a).abs().sum())
    return reference.mean(losses)


@pytest.mark.parametrize("other", ["random", "nearest"])
def test_frees_refining_loss_equals_the_transcription(other):
    case = free(other_center=other)
    centers = case.trainer.generator.own["centers"].weight
    twin = torch.Generator()
    twin.set_state(case.trainer.random.get_state())
    steps = torch.randint(1, 3, (4, 1), generator=twin).flatten() if other == "random" else None
    noise = torch.randn(4, 4, generator=twin, dtype=torch.float64)
    losses = []
    for row, (g, label) in enumerate(zip(case.feature, case.labels.tolist(), strict=True)):
        far = [((refined(case.weights, g)[1] - center) ** 2).sum() for center in centers]
        others = [distance for place, distance in enumerate(far) if place != label]
        against = torch.stack(others).min() if steps is None else far[(label + int(steps[row])) % 3]
        losses.append(relu(1.5 + 0.6 * far[label] - 0.4 * against))
    plain = 0.4 * reference.mean(losses) + 0.3 * plain_cycle(case.weights, case.feature, case.vector, noise)
    ours = case.trainer.generator.refining_loss(case.batch)
    assert_same_function(ours, plain, [*case.of("refiner"), centers])


def test_the_critics_steps_train_fr_and_the_centers_on_real_features_batch_by_batch():
    rates = {"decoder_learning_rate": 1e-2, "learning_rate": 3e-2, "batch_size": 2, "other_center": "nearest"}
    case, alone = free(**rates), free(**rates)
    case.trainer.generator.features_for_critic(case.batch, feedback=False)
    centers = alone.trainer.generator.own["centers"]
    optimizers = [
        torch.optim.Adam(weights, rate, betas=(0.5, 0.999))
        for weights, rate in ((alone.of("refiner"), 1e-2), ([centers.weight], 3e-2))
    ]
    for start in (0, 2):  # four images, two at a time
        some = slice(start, start + 2)
        loss = alone.trainer.generator.refining_loss(Batch(alone.feature[some], alone.vector[some], alone.labels[some]))
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
    assert_equal(case.trainer.generator.own["centers"].weight.detach(), centers.weight.detach())
    for ours, theirs in zip(case.of("refiner"), alone.of("refiner"), strict=True):
        assert_equal(ours.detach(), theirs.detach())


def test_frees_generator_loss_is_f_vaegans_with_the_cycle_of_made_features():
    case = free()
    twin = torch.Generator()
    twin.set_state(case.trainer.random.get_state())
    noise, second = (torch.randn(4, size, generator=twin, dtype=torch.float64) for size in (case.model.latent, 4))
    loss, _ = case.losses(feedback=False)
    rows = zip(case.feature, case.vector, noise, strict=True)
    kl, bce, made = zip(*[reference.vae(case.weights, *row, None) for row in rows], strict=True)
    score = reference.mean([reference.criticize(case.weights, g, a) for g, a in zip(made, case.vector, strict=True)])
    cycle = plain_cycle(case.weights, torch.stack(made), case.vector, second)
    plain = reference.mean(kl) + reference.mean(bce) - 10.0 * score + 0.3 * cycle
    assert_same_function(loss, plain, case.of("encoder", "generator", "refiner"))


def test_frees_classifier_sees_the_feature_and_frs_layers():
    case = free()
    hidden, mean, _ = zip(*[refined(case.weights, g) for g in case.feature], strict=True)
    plain = torch.cat([case.feature, torch.stack(hidden), 1 / (1 + torch.exp(-torch.stack(mean)))], dim=1)
    assert_equal(case.model.transform(case.feature), plain)
