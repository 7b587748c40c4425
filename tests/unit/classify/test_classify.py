"""Scaling, synthesis of unseen features, and the final classifier (section 3.3)."""

import pytest
import torch
from torch import nn

from scegg_core.classify.classifier import classifier_input
from scegg_core.eggn.synthesis import synthesize
from scegg_core.eggn.train import start_eggn
from scegg_core.errors import InputError
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.names import LARGEST_SEED
from scegg_core.settings.synthesis import SynthesisSettings
from scegg_core.training.linear import linear_of, positions, train_classifier

EGGN_SETTINGS = EggnSettings(hidden_width=8, latent_size=3)


def random(*size: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


# --- scaling ---


def test_scaler_by_hand_with_a_constant_channel_and_values_outside():
    scaler = MinMaxScaler.fit(torch.tensor([[0.0, 7.0], [4.0, 7.0]]))
    found = scaler.transform(torch.tensor([[1.0, 7.0], [-1.0, 6.0], [9.0, 8.0]]))
    assert torch.equal(found, torch.tensor([[0.25, 0.0], [0.0, 0.0], [1.0, 0.0]]))


def test_one_range_for_all_channels_keeps_how_large_they_are_beside_each_other():
    scaler = MinMaxScaler.fit(torch.tensor([[0.0, 7.0], [4.0, 8.0]]), "all")
    assert torch.equal(
        scaler.transform(torch.tensor([[0.0, 7.0], [4.0, 8.0]])) * 8, torch.tensor([[0.0, 7.0], [4.0, 8.0]])
    )


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_features_that_are_not_finite_are_not_taken_for_constant_channels(value):
    with pytest.raises(InputError, match="features of training images are not finite"):
        MinMaxScaler.fit(torch.tensor([[0.0, value], [1.0, 2.0]]))


def test_scaled_training_features_fill_0_to_1_and_come_back():
    features = random(20, 5)
    features[:, 2] = 3.0
    scaler = MinMaxScaler.fit(features)
    scaled = scaler.transform(features)
    varying = [0, 1, 3, 4]
    assert torch.equal(scaled.amin(0), torch.zeros(5))
    assert torch.equal(scaled.amax(0)[varying], torch.ones(4))
    torch.testing.assert_close(scaler.inverse(scaled), features)


# --- synthesis ---


def synthetic(classes: list[int], seed: int = 5, generator: str = "tf-vaegan", **settings):
    eggn = start_eggn(6, 4, EggnSettings(hidden_width=8, latent_size=3, generator=generator), seed=1)
    given = SynthesisSettings(**{"per_class": 7, **settings})
    return synthesize(eggn, random(5, 4), torch.tensor(classes), given, seed)


def test_synthesis_gives_per_class_features_of_each_class_in_the_unit_cube():
    made = synthetic([3, 1])
    assert made.labels.tolist() == [3] * 7 + [1] * 7
    assert made.features.shape == (14, 6)
    assert 0 <= made.features.min() < made.features.max() <= 1


@pytest.mark.parametrize("classes", [[3, 1, 4], [0, 1, 3], [1, 3]])
def test_adding_or_reordering_classes_leaves_the_others_features_as_they_are(classes):
    before, after = synthetic([3, 1]), synthetic(classes)
    for label in (3, 1):
        torch.testing.assert_close(
            after.features[after.labels == label], before.features[before.labels == label], rtol=0, atol=1e-6
        )


def test_synthesis_in_several_batches_is_synthesis_in_one(monkeypatch):
    whole = synthetic([3, 1, 2])
    monkeypatch.setattr("scegg_core.eggn.synthesis.ROWS", 4)
    parts = synthetic([3, 1, 2])
    assert torch.equal(parts.labels, whole.labels)
    torch.testing.assert_close(parts.features, whole.features, rtol=0, atol=1e-6)


def test_synthesis_follows_its_seed_and_every_class_has_its_own_noise():
    assert torch.equal(synthetic([1]).features, synthetic([1]).features)
    assert not torch.equal(synthetic([1]).features, synthetic([1], seed=6).features)
    eggn = start_eggn(6, 4, EGGN_SETTINGS, seed=1)
    same_vectors = torch.ones(2, 4)
    made = synthesize(eggn, same_vectors, torch.tensor([0, 1]), SynthesisSettings(per_class=7), seed=5)
    assert not torch.equal(*made.features.chunk(2))


def test_synthesis_takes_the_largest_seed():
    assert torch.equal(synthetic([1], seed=LARGEST_SEED).features, synthetic([1], seed=LARGEST_SEED).features)
    assert not torch.equal(synthetic([1], seed=LARGEST_SEED).features, synthetic([1], seed=LARGEST_SEED - 1).features)


def test_synthesis_is_the_generator_on_the_classs_vector_with_feedback():
    eggn, vectors = start_eggn(6, 4, EGGN_SETTINGS, seed=1), random(5, 4)
    z = torch.randn(7, 3, generator=torch.Generator().manual_seed(5 * 1_000_003 + 2))
    for generator, strength in (("tf-vaegan", 0.3), ("f-vaegan", None), ("f-clswgan", None)):
        expected = eggn.generate(z, vectors[2].expand(7, 4), strength)
        assert torch.equal(synthetic([2], generator=generator, feedback_strength=0.3).features, expected)


# --- the classifier ---


def clusters(classes: torch.Tensor, per_class: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    """Well separated clusters, one for each of `classes`."""
    labels = classes.repeat_interleave(per_class)
    return nn.functional.one_hot(labels, 10).float() + 0.1 * random(len(labels), 10, seed=3), labels


def fit(classes: torch.Tensor, seed: int = 1, **settings):
    inputs, labels = clusters(classes)
    given = ClassifierSettings(**{"epochs": 30, "batch_size": 16, "learning_rate": 0.05, **settings})
    return inputs, labels, *train_classifier(inputs, labels, classes, given, seed)


@pytest.mark.parametrize("classes", [[0, 1, 2], [7, 2, 9], [4]])
def test_classifier_learns_separable_classes_whatever_their_numbers(classes):
    inputs, labels, classifier, curve = fit(torch.tensor(classes))
    assert torch.equal(classifier.classes[classifier.scores(inputs).argmax(1)], labels)
    assert [point[:3] for point in curve.points] == [("classifier", epoch, "cross_entropy") for epoch in range(1, 31)]
    assert len(classes) == 1 or curve.points[-1][3] < 0.1 * curve.points[0][3]


def test_epochs_of_one_batch_are_steps_of_adam_down_the_cross_entropy():
    classes = torch.tensor([2, 5, 1])
    inputs, labels, classifier, _ = fit(classes, epochs=3, batch_size=60, learning_rate=1e-3, weight_decay=0.1)
    with torch.random.fork_rng():
        torch.manual_seed(1)
        plain = nn.Linear(10, 3)
    optimizer = torch.optim.Adam(plain.parameters(), 1e-3, (0.5, 0.999), weight_decay=0.1)
    targets = torch.tensor([[2, 5, 1].index(label) for label in labels.tolist()])
    for _ in range(3):
        log_probabilities = plain(inputs) - plain(inputs).logsumexp(1, keepdim=True)
        optimizer.zero_grad()
        (-log_probabilities[torch.arange(60), targets].mean()).backward()
        optimizer.step()
    torch.testing.assert_close(classifier.layer.weight, plain.weight, rtol=0, atol=1e-6)
    torch.testing.assert_close(classifier.layer.bias, plain.bias, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_same_seed_same_classifier_other_seed_another():
    classes = torch.tensor([0, 1, 2])
    weights = [fit(classes, seed)[2].layer.weight for seed in (1, 1, 2)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_positions_are_places_in_the_class_list():
    assert positions(torch.tensor([5, 2, 5]), torch.tensor([2, 9, 5])).tolist() == [2, 0, 2]


@pytest.mark.parametrize("label", [3, 11])
def test_a_label_the_classifier_does_not_know_is_an_error(label):
    with pytest.raises(ValueError, match=f"label {label} is not among the 2 classes"):
        positions(torch.tensor([5, label]), torch.tensor([5, 9]))


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_classifier_sees_g_alone_or_transformed(batch):
    eggn, features = start_eggn(6, 4, EGGN_SETTINGS, seed=1), random(5, 6).sigmoid()
    assert classifier_input(features, eggn, ClassifierSettings()) is features
    assert classifier_input(features, None, ClassifierSettings(input="transformed")) is features
    found = classifier_input(features, eggn, ClassifierSettings(input="transformed"), batch)
    torch.testing.assert_close(found, eggn.transform(features))
    assert not found.requires_grad


def test_linear_of_is_the_given_layer_and_draws_nothing():
    before, weight, bias = torch.get_rng_state(), random(3, 4), random(3)
    layer = linear_of(weight, bias)
    torch.testing.assert_close(layer(torch.eye(4)), weight.T + bias)
    assert torch.equal(torch.get_rng_state(), before)


def test_synthesis_and_classifier_leave_the_global_random_numbers_alone():
    before = torch.get_rng_state()
    synthetic([1, 3])
    fit(torch.tensor([0, 1]), epochs=2)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_classification_loss_of_f_clswgan_reads_a_classifier_of_the_seen_classes():
    from scegg_core.eggn.data import SeenFeatures
    from scegg_core.eggn.generators.f_clswgan import seen_guide

    centres = torch.eye(4)[:3] * 0.9
    labels = torch.arange(3).repeat(400)
    features = (centres[labels] + 0.02 * torch.randn(1200, 4, generator=torch.Generator().manual_seed(0))).clamp(0, 1)
    seen = torch.tensor([True, True, True, False])
    guide = seen_guide(SeenFeatures(features, labels, torch.eye(4), seen), 0.01, seed=0)
    scores = guide.scores(features)
    assert (scores[:, :3].argmax(1) == labels).float().mean() > 0.9
    assert torch.equal(scores[:, 3], torch.zeros(1200))
    assert (guide.seen_weight, guide.unseen_weight, guide.apart) == (0.01, 0.0, True)
