"""What EGGN's networks and steps are to do beside the equations: bounds, parts that are updated, settings."""

import copy
import math

import pytest
import torch
from eggn_case import PASSES, SHAPES, Case, Shape

from scegg_core.eggn import synthesis
from scegg_core.eggn.draws import ImageDraw
from scegg_core.eggn.model import EGGN, Latent
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.synthesis import SynthesisSettings


@pytest.fixture(params=SHAPES.values(), ids=SHAPES.keys())
def case(request) -> Case:
    return Case(request.param)


def test_latent_sample_has_the_given_mean_and_deviation():
    latent = Latent(torch.tensor([[1.0]]), torch.tensor([[math.log(9.0)]]))
    assert [float(latent.sample(torch.tensor([[noise]]))) for noise in (0.0, 1.0, -1.0)] == pytest.approx([1, 4, -2])


def test_decoder_output_has_unit_norm(case):
    lengths = case.model.decoder(case.feature).vector.norm(dim=1)
    torch.testing.assert_close(lengths, torch.ones_like(lengths))


def test_images_are_drawn_alike_or_classes_evenly():
    labels, generator = torch.tensor([5, 2, 5, 5, 9, 5]), torch.Generator().manual_seed(0)
    alike = ImageDraw(labels, balanced=False).rows(1000, 6, generator)
    torch.testing.assert_close(alike.bincount() / 6000, torch.full((6,), 1 / 6), atol=0.02, rtol=0)
    even = ImageDraw(labels, balanced=True).rows(2000, 5, generator)
    counts = torch.stack([labels[batch].bincount(minlength=10)[[2, 5, 9]] for batch in even.split(5)])
    assert counts.min() == 1 and counts.max() == 2  # every class once before any comes twice
    torch.testing.assert_close(counts.float().mean(dim=0), torch.full((3,), 5 / 3), atol=0.05, rtol=0)
    share = even.bincount()[[0, 2, 3, 5]] / (labels[even] == 5).sum()
    torch.testing.assert_close(share, torch.full((4,), 0.25), atol=0.03, rtol=0)


@pytest.mark.parametrize(("penalty", "factor"), [(0.5, 1 / 1.1), (1.0005, 1 / 1.1), (1.02, 1.0), (1.06, 1.1)])
@pytest.mark.parametrize("adaptive", [True, False])
def test_penalty_weight_follows_the_penalty_outside_its_band(penalty, factor, adaptive):
    generator = Case(Shape(), adaptive_penalty=adaptive).trainer.generator
    generator.adapt_penalty(torch.tensor(penalty, dtype=torch.float64))
    assert float(generator.penalty_weight) == pytest.approx(10 * factor if adaptive else 10)


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
    return {
        name.split(".")[0] for name, value in case.model.state_dict().items() if not torch.equal(value, before[name])
    }


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
    generator = case.trainer.generator
    feedback = feedback and generator.has_feedback
    assert changed_parts(case, feedback, generator.generator_step) == expected | ({"feedback"} if feedback else set())


@PASSES
@pytest.mark.parametrize(
    ("generator", "expected"),
    [("tf-vaegan", {"critic", "decoder"}), ("f-vaegan", {"critic"}), ("f-clswgan", {"critic"})],
)
def test_critic_steps_update_critic_and_decoder_alone(generator, expected, feedback):
    case = Case(Shape(), generator=generator)
    assert changed_parts(case, feedback and generator == "tf-vaegan", case.trainer.generator.critic_steps) == expected


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


@pytest.mark.parametrize("rows", [1, 3, 7, 100])
def test_features_made_in_parts_have_each_class_s_own_noise(rows, monkeypatch):
    """Whatever number of them is made at a time: classes begin and end within a part, and a part within a class."""
    monkeypatch.setattr(synthesis, "ROWS", rows)
    model, classes = EGGN(6, 4, EggnSettings(hidden_width=5)), torch.tensor([1, 2, 5])
    vectors = torch.rand(6, 4, generator=torch.Generator().manual_seed(0))
    found = synthesis.synthesize(model, vectors, classes, SynthesisSettings(per_class=5), seed=3)
    noise = [torch.randn(5, 4, generator=torch.Generator().manual_seed(3_000_009 + label)) for label in (1, 2, 5)]
    assert found.labels.tolist() == [1] * 5 + [2] * 5 + [5] * 5
    expected = model.generate(torch.cat(noise), vectors[found.labels]).detach()
    torch.testing.assert_close(found.features, expected)
