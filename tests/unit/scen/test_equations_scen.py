"""SCEN's Eqs. 1-8, 16, 17 against the plain transcription in reference.py, in float64, values and gradients."""

from dataclasses import dataclass, replace

import pytest
import reference
import torch
from agreement import assert_equal, assert_same_function
from torch import Tensor
from torch.autograd import gradcheck

from scegg_core.scen import compression as scen
from scegg_core.scen import losses, stages
from scegg_core.scen.compression import SemanticCompression, mean_compression, uprightness
from scegg_core.scen.model import SCEN
from scegg_core.scen.train import ScenTrainer, start_scen
from scegg_core.settings.scen import ScenSettings


@dataclass(frozen=True)
class Shape:
    batch: int = 3
    regions: int = 5
    attributes: int = 4
    channels: int = 6
    words: int = 3
    classes: int = 5
    unseen: int = 2


SHAPES = {
    "usual": Shape(),
    "batch 1": Shape(batch=1),
    "R=1": Shape(regions=1),
    "A=1": Shape(attributes=1),
    "one unseen class": Shape(classes=3, unseen=1),
    "one channel": Shape(channels=1),
    "wide": Shape(batch=2, regions=9, attributes=11, channels=7, words=8, classes=4),
}


class Case:
    """A float64 SCEN of one shape, a batch for it, and what the transcription makes of both."""

    def __init__(self, shape: Shape, **settings):
        draw = torch.Generator().manual_seed(7)
        random = lambda *size: torch.randn(*size, generator=draw, dtype=torch.float64)  # noqa: E731
        self.shape, self.settings = shape, ScenSettings(**settings)
        self.vectors = random(shape.classes, shape.attributes)
        words = random(shape.attributes, shape.words)
        self.model = start_scen(words, self.vectors, shape.channels, self.settings, seed=1).double()
        with torch.no_grad():  # away from the start, where attention and SC hardly differ from a mean
            self.model.local.attend.mul_(3)
            for weight in self.model.glob.parameters():
                weight.copy_(random(*weight.shape))
        self.regions = random(shape.batch, shape.regions, shape.channels)
        self.labels = torch.arange(shape.batch) % (shape.classes - shape.unseen)
        self.seen = torch.arange(shape.classes) < shape.classes - shape.unseen

    @property
    def weights(self) -> dict[str, Tensor]:
        return dict(self.model.named_parameters())

    @property
    def trainer(self) -> ScenTrainer:
        return ScenTrainer(self.model, FixedBatches(self), self.seen, self.settings)

    def plain(self) -> dict[str, Tensor]:
        return reference.scen(self.regions, self.weights, self.vectors)


@dataclass(frozen=True)
class FixedBatches:
    """The case's batch, once an epoch."""

    case: Case
    steps: int = 1

    def epoch(self, number: int, start: int = 0):
        yield self.case.regions, self.case.labels


#: `make check` sees one shape.
CASES = [pytest.param(SHAPES[name], id=name, marks=[] if name == "usual" else pytest.mark.slow) for name in SHAPES]


@pytest.fixture(params=CASES)
def case(request) -> Case:
    return Case(request.param)


def outputs(case: Case) -> dict[str, Tensor]:
    """What SCEN computes, by the paper's names; h is built here only."""
    local, whole = case.model(case.regions)
    h = torch.einsum("bra,brd->bad", local.attention, case.model.prepare(case.regions))
    return {"h": h, "e_l": local.semantic, "p_l": local.scores, "g": whole.feature, "p_g": whole.scores}


@pytest.mark.parametrize(
    "name", [pytest.param(n, id=f"eq{i}") for i, n in enumerate(("h", "e_l", "p_l", "g", "p_g"), 1)]
)
def test_forward_equals_the_transcription(case, name):
    assert_same_function(outputs(case)[name], case.plain()[name], list(case.weights.values()))


def test_attention_of_eq1_is_the_same_alone_and_within_the_forward_pass(case):
    regions = case.model.prepare(case.regions)
    assert_equal(case.model.local.attention(regions), case.model.local(regions).attention)


@pytest.mark.parametrize("name", ["p_l", "p_g"], ids=["eq6", "eq7"])
@pytest.mark.parametrize("softmax", ["all", "seen"])
def test_cross_entropy_equals_the_transcription(case, name, softmax):
    classes = case.seen if softmax == "seen" else None
    plain_classes = torch.nonzero(case.seen).flatten().tolist() if softmax == "seen" else None
    ours = losses.class_cross_entropy(outputs(case)[name], case.labels, classes)
    plain = reference.cross_entropy(case.plain()[name], case.labels, plain_classes)
    if softmax == "seen" and case.seen.sum() == 1:
        assert float(ours.detach()) == 0
    else:
        assert_same_function(ours, plain, list(case.weights.values()))


def test_eq8_semantic_consistency_equals_the_transcription(case):
    found, plain = outputs(case), case.plain()
    ours = losses.semantic_consistency(found["p_l"], found["p_g"])
    assert_same_function(ours, reference.consistency(plain["p_l"], plain["p_g"]), list(case.weights.values()))


@pytest.mark.parametrize("lambda_g", [1.0, 0.3, 0.0])
def test_eq16_stage_1_loss_equals_the_transcription_for_every_weight(case, lambda_g):
    case.settings = replace(case.settings, global_weight=lambda_g)
    trainer = case.trainer
    loss, _ = trainer.losses(trainer._stages()[0], case.regions, case.labels)
    plain = reference.stage1(case.regions, case.labels, case.weights, case.vectors, lambda_g)
    assert_same_function(loss, plain, list(case.weights.values()))


def test_a_curve_holds_only_terms_that_are_minimized(case):
    """What is not minimized does not fall, and would be warned of as a loss that stands still."""
    case.settings = replace(case.settings, global_weight=0.0, calibration_weight=0.5)
    trainer = case.trainer
    assert list(trainer.losses(trainer._stages()[0], case.regions, case.labels)[1]) == ["L_LCE", "L_cal"]


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_eq17_stage_2_loss_equals_the_transcription_for_gen(case, reduction):
    case.settings = replace(case.settings, stage2_reduction=reduction)
    trainer = case.trainer
    loss, _ = trainer.losses(trainer._stages()[1], case.regions, case.labels)
    plain = reference.stage2(case.regions, case.weights, case.vectors)
    plain = plain / case.shape.classes if reduction == "mean" else plain
    assert_same_function(loss, plain, [w for name, w in case.weights.items() if name.startswith("glob.")])


def test_eq17_gives_len_no_gradient(case):
    trainer = case.trainer
    loss, _ = trainer.losses(trainer._stages()[1], case.regions, case.labels)
    gradients = torch.autograd.grad(loss, list(case.model.local.parameters()), allow_unused=True)
    assert gradients == (None, None, None)


def test_a_training_run_leaves_len_as_stage_1_left_it():
    short, both = (Case(Shape(), stage1_epochs=3, stage2_epochs=epochs) for epochs in (0, 4))
    for case in (short, both):
        case.trainer.run()
    for name, weight in short.weights.items():
        assert torch.equal(weight, both.weights[name]) == name.startswith("local."), name


def test_one_step_of_each_stage_is_adams_step_down_the_plain_gradient():
    ours, plain = Case(Shape(), stage1_epochs=1, stage2_epochs=1), Case(Shape())
    ours.trainer.run()
    for parameters, loss in (
        (plain.model, lambda: reference.stage1(plain.regions, plain.labels, plain.weights, plain.vectors, 1.0)),
        (plain.model.glob, lambda: reference.stage2(plain.regions, plain.weights, plain.vectors)),
    ):
        optimizer = torch.optim.Adam(parameters.parameters(), 1e-4)
        plain.model.zero_grad()
        loss().backward()
        optimizer.step()
    _, whole = plain.model(plain.regions)
    if uprightness(whole.feature, plain.model.prepare(plain.regions).mean(dim=1)) < 0:
        plain.model.glob.turn_over()  # as after stage 2, test_orientation.py
    for name, weight in plain.weights.items():
        torch.testing.assert_close(ours.weights[name], weight, rtol=0, atol=1e-9, check_device=True)


@pytest.mark.parametrize(
    "shape",
    [
        Shape(batch=1, regions=2, attributes=2, channels=2, words=2, classes=3),
        Shape(batch=2, regions=1, attributes=1, channels=2),
    ],
)
@pytest.mark.slow
def test_gradients_of_stage_1_equal_finite_differences(shape):
    case = Case(shape)
    names, weights = zip(*case.weights.items(), strict=True)

    def loss(*values):
        local, whole = torch.func.functional_call(case.model, dict(zip(names, values, strict=True)), (case.regions,))
        return losses.class_cross_entropy(local.scores, case.labels) + losses.semantic_consistency(
            local.scores, whole.scores
        )

    assert gradcheck(loss, [weight.detach().clone().requires_grad_() for weight in weights])


# --- as at paper size: SC in groups of images, a step in parts of its batch ---


@pytest.fixture(params=[1, 2], ids=["an image a group", "two images a group"])
def grouped(case, request, monkeypatch) -> Case:
    """The case, the hidden layer of SC existing for so many images at a time; its regions have a gradient too."""
    hidden = case.model.glob.compress.reduce.out_features * case.shape.channels
    monkeypatch.setattr(scen, "GROUP", 1 if request.param == 1 else 2 * hidden)
    case.regions.requires_grad_()
    return case


@pytest.mark.parametrize("name", ["g", "p_g"], ids=["eq4", "eq5"])
def test_forward_in_groups_equals_the_transcription(grouped, name):
    assert_same_function(outputs(grouped)[name], grouped.plain()[name], [*grouped.weights.values(), grouped.regions])


def test_eq16_stage_1_loss_in_groups_equals_the_transcription(grouped):
    trainer = grouped.trainer
    loss, _ = trainer.losses(trainer._stages()[0], grouped.regions, grouped.labels)
    plain = reference.stage1(grouped.regions, grouped.labels, grouped.weights, grouped.vectors, 1.0)
    assert_same_function(loss, plain, [*grouped.weights.values(), grouped.regions])


def test_no_group_has_a_larger_hidden_layer_than_allowed_and_every_image_is_in_one(monkeypatch):
    case, hidden, groups = Case(Shape(batch=5)), scen._hidden, []
    monkeypatch.setattr(scen, "GROUP", 2 * (2 * 6))  # images, each with SC's width times channels
    monkeypatch.setattr(scen, "_hidden", lambda *given: groups.append(hidden(*given)) or groups[-1])
    case.model(case.regions)
    assert [tuple(group.shape) for group in groups] == [(2, 2, 6), (2, 2, 6), (1, 2, 6)]


def test_region_weights_do_not_depend_on_the_groups(monkeypatch):
    case = Case(Shape(batch=5))
    regions = case.model.prepare(case.regions)
    attention = case.model.local.attention(regions)
    whole = case.model.glob.region_weights(attention, regions)
    monkeypatch.setattr(scen, "GROUP", 1)
    assert_equal(case.model.glob.region_weights(attention, regions), whole)


def descend(case: Case, number: int) -> dict[str, Tensor]:
    """Take one step of a stage down the gradient itself: Adam's first steps hardly depend on its length."""
    trainer = case.trainer
    stage = trainer._stages()[number]
    return trainer.step(stage, torch.optim.SGD(stage.groups(attention_rate=1.0)), case.regions, case.labels)


@pytest.mark.parametrize(
    ("part", "images"),
    [(1, [1, 1, 1, 1, 1]), (2 * 5 * 6, [2, 2, 1]), (3 * 5 * 6, [3, 2])],
    ids=["an image a part", "two images a part", "three images a part"],
)
@pytest.mark.parametrize("number", [0, 1], ids=["stage 1", "stage 2"])
@pytest.mark.parametrize(
    "settings",
    [{}, {"softmax_classes": "seen", "calibration_weight": 0.3, "stage2_reduction": "mean"}, {"compression": "mean"}],
    ids=["usual", "seen classes", "mean compression"],
)
def test_a_step_in_parts_leaves_weights_and_terms_as_a_step_on_the_whole_batch(
    settings, number, part, images, monkeypatch
):
    whole, parted, untouched = (Case(Shape(batch=5), learning_rate=1.0, **settings) for _ in range(3))
    losses_of, sizes = ScenTrainer.losses, []
    monkeypatch.setattr(ScenTrainer, "losses", lambda *given: sizes.append(len(given[-1])) or losses_of(*given))
    terms = descend(whole, number)
    monkeypatch.setattr(stages, "PART", part)
    terms_of_parts = descend(parted, number)
    assert sizes == [5, *images]
    assert terms.keys() == terms_of_parts.keys()
    for name, value in terms.items():
        assert_equal(terms_of_parts[name], value)
    for name, weight in whole.weights.items():
        assert_equal(parted.weights[name], weight)
    moved = {name.split(".")[0] for name, weight in whole.weights.items() if (weight != untouched.weights[name]).any()}
    assert moved == ({"local", "glob"} if number == 0 else {"glob"})


# --- known answers ---


def test_equal_attention_scores_give_the_mean_region():
    case = Case(Shape(), region_norm="none")
    with torch.no_grad():
        case.model.local.attend.zero_()
    h = outputs(case)["h"]
    assert_equal(h, case.regions.mean(dim=1, keepdim=True).expand_as(h))


def test_attention_goes_to_the_region_whose_score_stands_out():
    case = Case(Shape(attributes=1, words=1, channels=1), region_norm="none")
    with torch.no_grad():
        case.model.local.words.fill_(1)
        case.model.local.attend.fill_(1)
    regions = torch.tensor([0.0, 100.0, 0.0], dtype=torch.float64).reshape(1, 3, 1)
    torch.testing.assert_close(
        case.model.local.attention(regions).flatten().round(decimals=12), regions.flatten() / 100
    )


def test_class_scores_are_dot_products_times_the_scale():
    case = Case(Shape(), local_scale=2.0)
    semantic = torch.eye(4, dtype=torch.float64)[1:2]
    assert torch.equal(case.model.local.class_scores(semantic)[0], 2 * case.vectors[:, 1])


def test_equal_scores_have_the_cross_entropy_of_a_fair_die():
    labels, seen = torch.tensor([0, 1]), torch.tensor([True, True, False])
    scores = torch.zeros(2, 3, dtype=torch.float64)
    assert float(losses.class_cross_entropy(scores, labels).exp()) == pytest.approx(3)
    assert float(losses.class_cross_entropy(scores, labels, seen).exp()) == pytest.approx(2)


def test_semantic_consistency_sums_over_classes_and_averages_over_the_batch():
    local, whole = torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([[4.0, 6.0], [0.0, 1.0]])
    assert float(losses.semantic_consistency(local, whole)) == (25 + 1) / 2


def test_self_calibration_of_equal_scores_is_minus_log_of_the_shifted_unseen_mass():
    seen = torch.tensor([True, True, False])
    e = torch.exp(torch.tensor(1.0, dtype=torch.float64))
    found = losses.self_calibration(torch.zeros(4, 3, dtype=torch.float64), seen)
    torch.testing.assert_close(found, -torch.log(e / (e + 2 / e)))


def test_mean_compression_is_the_mean_of_h(case):
    regions = case.model.prepare(case.regions)
    assert_equal(mean_compression(case.model.local.attention(regions), regions), case.plain()["h"].mean(dim=1))


@pytest.mark.parametrize("norm", ["l2", "none"])
def test_regions_and_words_have_unit_length_only_where_asked(norm):
    case = Case(Shape(), region_norm=norm, word_norm=norm)
    lengths = case.model.prepare(case.regions.half()).norm(dim=2), case.model.local.words.norm(dim=1)
    for length in lengths:
        assert torch.allclose(length, torch.ones_like(length)) == (norm == "l2")


def test_norm_by_image_keeps_the_ratio_of_lengths_within_an_image():
    case = Case(Shape(), region_norm="image")
    before, after = case.regions.norm(dim=2), case.model.prepare(case.regions).norm(dim=2)
    torch.testing.assert_close(after.mean(dim=1), torch.ones_like(after[:, 0]))
    torch.testing.assert_close(after / after[:, :1], before / before[:, :1])


def test_mean_start_makes_g_close_to_the_mean_of_h_times_the_root_of_the_channels():
    def ratio(start: str) -> Tensor:
        torch.manual_seed(0)
        compress = SemanticCompression(200, 50, ScenSettings(compression_start=start, compression_width=400))
        attention, regions = torch.rand(3, 7, 200).softmax(dim=1), torch.rand(3, 7, 50)
        return (compress(attention, regions) / mean_compression(attention, regions)).detach()

    started = ratio("mean")
    assert float(started.mean()) == pytest.approx(50**0.5, rel=0.1)
    assert float(started.std() / started.mean()) < 0.05
    assert float(ratio("default").abs().mean()) < 1


def test_no_weight_of_the_mean_start_is_through_zero_after_a_few_steps():
    """Adam moves each weight by the learning rate: of the paper's 312 attributes at 1e-3, ten steps turn almost none."""
    torch.manual_seed(0)
    compress = SemanticCompression(312, 1280, ScenSettings(compression_start="mean"))
    for weight in (compress.reduce.weight.detach(), compress.combine.weight.detach()):
        assert float((weight > 10 * 1e-3).float().mean()) > 0.75
        assert float(weight.mean()) == pytest.approx(0.0271, rel=0.1)


def test_a_region_of_zeros_stays_finite():
    case = Case(Shape())
    case.regions[0, 0] = 0
    assert all(torch.isfinite(value).all() for value in outputs(case).values())


def jacobian_weights(model: SCEN, attention: Tensor, regions: Tensor) -> Tensor:
    """Mean over channels of d g[c] / d r_i[c] at fixed attention, (batch, R)."""
    jacobian = torch.autograd.functional.jacobian(lambda r: model.glob(attention, r).feature, regions)
    return torch.einsum("bcbrc->brc", jacobian).mean(dim=2)


@pytest.mark.parametrize("compression", ["mlp", "mean"])
def test_region_weights_are_the_slopes_of_g(compression):
    case = Case(Shape(), compression=compression)
    regions = case.model.prepare(case.regions)
    attention = case.model.local.attention(regions).detach()
    ours = case.model.glob.region_weights(attention, regions)
    assert_equal(ours, jacobian_weights(case.model, attention, regions))


def test_g_is_nearby_a_weighted_sum_of_regions_channel_by_channel_plus_a_constant():
    case = Case(Shape())
    regions = case.model.prepare(case.regions)
    attention = case.model.local.attention(regions).detach()
    feature = lambda r: case.model.glob(attention, r).feature  # noqa: E731
    slopes = lambda r: torch.autograd.functional.jacobian(feature, r)  # noqa: E731
    constant = lambda r: feature(r) - torch.einsum("bcBrd,Brd->bc", slopes(r), r)  # noqa: E731
    near = regions + 1e-6 * torch.randn(regions.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    assert float((feature(near) - feature(regions)).abs().max().detach()) > 1e-8
    assert_equal(slopes(near), slopes(regions))
    assert_equal(constant(near), constant(regions))
    same_channel = torch.eye(6, dtype=torch.bool)[None, :, None, None, :]
    assert not (slopes(regions) != 0)[~same_channel.expand_as(slopes(regions))].any()


# --- properties ---


def test_permuting_regions_changes_nothing(case):
    before = outputs(case)
    case.regions = case.regions[:, torch.randperm(case.shape.regions, generator=torch.Generator().manual_seed(2))]
    for name, value in outputs(case).items():
        assert_equal(value, before[name])


def test_permuting_classes_permutes_local_scores(case):
    order = torch.arange(case.shape.classes - 1, -1, -1)
    before = outputs(case)["p_l"]
    case.model.local.class_vectors = case.vectors[order]
    assert_equal(outputs(case)["p_l"], before[:, order])


def test_an_image_does_not_depend_on_its_batch():
    case = Case(Shape())
    alone = [case.model(image.unsqueeze(0))[1].feature for image in case.regions]
    assert_equal(torch.cat(alone), outputs(case)["g"])


def test_the_released_global_classifier_has_a_hidden_layer():
    classify = Case(Shape(), classifier_width=3).model.glob.classify
    assert [tuple(weight.shape) for weight in classify.parameters()] == [(3, 6), (3,), (5, 3), (5,)]
