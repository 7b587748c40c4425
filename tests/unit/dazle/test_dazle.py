"""DAZLE against a plain transcription in float64, with known answers, and from regions to predictions."""

from dataclasses import replace

import numpy as np
import pytest
import reference
import torch
from agreement import assert_equal, assert_same_function
from torch import Tensor
from trainers import dazle_trainer

from scegg_core.artifacts.files import Provenance
from scegg_core.classify.predictions import predict_embedding
from scegg_core.data.tables import DatasetIndex
from scegg_core.dazle.embed import embed_by_dazle
from scegg_core.dazle.files import read_dazle, write_dazle
from scegg_core.dazle.model import Dazle
from scegg_core.dazle.train import DazleTrainer, start_dazle, train_dazle
from scegg_core.regions.backbone import FeatureMap
from scegg_core.regions.store import RegionStore, write_shard
from scegg_core.scen import stages
from scegg_core.settings.dazle import DazleSettings

CPU = torch.device("cpu")
BATCH, REGIONS, ATTRIBUTES, CHANNELS, WORDS, CLASSES, SEEN = 3, 5, 4, 6, 3, 5, 3
SETTINGS = {"usual": {}, "unit words": {"normalize_words": True}, "one attention": {"attribute_attention": False}}


def random(*size: int, seed: int) -> Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Case:
    """A float64 DAZLE away from its start, and a batch for it."""

    def __init__(self, **settings):
        self.settings = DazleSettings(**settings)
        words, self.vectors = random(ATTRIBUTES, WORDS, seed=1), random(CLASSES, ATTRIBUTES, seed=2)
        self.model = start_dazle(words, self.vectors, CHANNELS, self.settings, seed=1).double()
        with torch.no_grad():
            for seed, weight in enumerate(self.model.parameters(), 3):
                weight.copy_(2 * random(*weight.shape, seed=seed))
        self.regions = random(BATCH, REGIONS, CHANNELS, seed=9)
        self.labels, self.seen = torch.tensor([0, 2, 1]), torch.arange(CLASSES) < SEEN
        self.steps = 1  # of an epoch of these batches

    def epoch(self, number: int, start: int = 0):
        yield self.regions, self.labels

    @property
    def weights(self) -> dict[str, Tensor]:
        return dict(self.model.named_parameters())

    @property
    def trainer(self) -> DazleTrainer:
        return DazleTrainer(self.model, self, self.seen, self.settings)


@pytest.fixture(params=SETTINGS.values(), ids=SETTINGS.keys())
def case(request) -> Case:
    return Case(**request.param)


def plain(case: Case) -> dict[str, Tensor]:
    """DAZLE written down plainly, an image at a time: h in full, no fused products."""
    words = case.weights["words"]
    if case.settings.normalize_words:
        words = torch.stack([reference.unit(v) for v in words])
    images = []
    for image in case.regions:
        h = reference.local_features(torch.stack([reference.unit(r) for r in image]), words, case.weights["attend"])
        e = reference.semantic_embedding(h, case.weights["embed"], words)
        weights = torch.ones_like(e)
        if case.settings.attribute_attention:
            pairs = zip(words, h, strict=True)
            weights = torch.stack([1 / (1 + torch.exp(-(v @ case.weights["weigh"] @ own))) for v, own in pairs])
        scores = torch.stack([sum(w * x * a for w, x, a in zip(weights, e, c, strict=True)) for c in case.vectors])
        images.append({"weights": weights, "semantic": weights * e, "scores": scores})
    return {name: torch.stack([image[name] for image in images]) for name in images[0]}


def plain_loss(case: Case) -> Tensor:
    scores = plain(case)["scores"]
    classes = list(range(SEEN)) if case.settings.softmax_classes == "seen" else None
    masses = []
    for row in scores:
        shifted = torch.exp(torch.cat([row[:SEEN] - case.settings.margin, row[SEEN:] + case.settings.margin]))
        masses.append(-torch.log(shifted[SEEN:].sum() / shifted.sum()))
    return (
        reference.cross_entropy(scores, case.labels, classes) + case.settings.calibration_weight * sum(masses) / BATCH
    )


@pytest.mark.parametrize("name", ["weights", "semantic", "scores"])
def test_the_network_equals_the_transcription(case, name):
    wanted = plain(case)[name]
    if not wanted.requires_grad:  # the weights of one attention alone are 1
        assert torch.equal(getattr(case.model(case.regions), name), wanted)
    else:
        assert_same_function(getattr(case.model(case.regions), name), wanted, list(case.weights.values()))


@pytest.mark.parametrize("more", [{}, {"softmax_classes": "seen", "margin": 0.3, "calibration_weight": 2.0}])
@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS.keys())
def test_the_loss_equals_the_transcription_for_every_weight(settings, more):
    case = Case(**settings, **more)
    loss, terms = case.trainer.losses(case.trainer.stages[0], case.regions, case.labels)
    assert list(terms) == ["L_CE", "L_cal"]
    assert_same_function(loss, plain_loss(case), list(case.weights.values()))


def test_a_step_is_rmsprops_step_down_the_plain_gradient():
    ours, other = Case(epochs=1), Case()
    given = other.settings
    ours.trainer.run()
    optimizer = torch.optim.RMSprop(
        other.model.parameters(), given.learning_rate, weight_decay=given.weight_decay, momentum=given.momentum
    )
    plain_loss(other).backward()
    optimizer.step()
    for name, weight in other.weights.items():
        torch.testing.assert_close(ours.weights[name], weight, rtol=0, atol=1e-9, check_device=True)


def test_a_step_in_parts_is_a_step_on_the_whole_batch(monkeypatch):
    """Which the logarithm of the batch's mean would not be."""
    whole, parted = Case(), Case()
    found = []
    for case, part in ((whole, stages.PART), (parted, 1)):
        monkeypatch.setattr(stages, "PART", part)
        trainer, stage = case.trainer, case.trainer.stages[0]
        found.append(trainer.step(stage, torch.optim.SGD(stage.parameters, 1.0), case.regions, case.labels))
    for name, value in found[0].items():
        assert_equal(found[1][name], value)
    for name, weight in whole.weights.items():
        assert_equal(parted.weights[name], weight)


# --- known answers ---


def test_at_the_start_it_looks_everywhere_alike_and_every_attribute_counts_half():
    case = Case()
    model = start_dazle(random(ATTRIBUTES, WORDS, seed=1), case.vectors, CHANNELS, DazleSettings(), 1).double()
    found = model(case.regions)
    assert_equal(found.attention, torch.full_like(found.attention, 1 / REGIONS))
    assert_equal(found.weights, torch.full_like(found.weights, 0.5))
    torch.testing.assert_close(model.words.norm(dim=1), torch.ones(ATTRIBUTES, dtype=torch.float64), atol=1e-6, rtol=0)


def test_the_first_losses_of_its_released_run_on_cub_are_those_of_equal_scores():
    """Of 150 seen and 50 unseen classes with scores near 0 its notebook prints 5.305 and 0.3404."""
    seen = torch.arange(200) < 150
    model = Dazle(random(2, 3, seed=1), torch.zeros(200, 2, dtype=torch.float64), 4, DazleSettings()).double()
    case = Case()
    case.model, case.seen = model, seen
    _, terms = case.trainer.losses(case.trainer.stages[0], random(6, 5, 4, seed=2), torch.arange(6))
    assert float(terms["L_CE"].detach()) == pytest.approx(np.log(200), abs=1e-9)
    assert float(terms["L_cal"].detach()) == pytest.approx(np.log(1 + 3 * np.exp(-2)), abs=1e-9)
    assert (round(np.log(200), 2), round(np.log(1 + 3 * np.exp(-2)), 3)) == (5.3, 0.341)


def test_a_margin_decides_between_equal_scores_in_gzsl_and_nothing_in_czsl(index):
    semantics, vectors = torch.zeros(len(index.paths), 4), torch.from_numpy(index.vectors)
    for margin, unseen in ((1.0, True), (0.0, False)):
        found = predict_embedding(semantics, vectors, index, "gzsl", margin=margin)
        assert (found.predicted >= SEEN).all() == unseen
        assert found.calibration is None
        np.testing.assert_array_equal(np.ptp(found.scores, axis=1), np.full(len(found.images), 2 * margin))
        assert np.ptp(predict_embedding(semantics, vectors, index, "czsl", margin=margin).scores) == 0
    calibrated = predict_embedding(semantics, vectors, index, "gzsl", -2.0, margin=1.0)
    assert (np.ptp(calibrated.scores), calibrated.calibration) == (0, -2.0)


# --- training ---


def test_scores_of_unseen_classes_run_away_where_the_seen_ones_alone_are_in_the_softmax():
    """Which is why all are: the self-calibration loss raises them, and the cross-entropy has nothing against it."""
    shares = {}
    for classes in ("all", "seen"):
        trainer = dazle_trainer(softmax_classes=classes, epochs=40, calibration_weight=1.0)
        model = trainer.run().model
        shares[classes] = model(trainer.batches.features.float()).scores.softmax(dim=1)[:, ~trainer.seen].sum(dim=1)
    assert shares["seen"].mean() > 0.9 > 0.5 > shares["all"].mean()


@pytest.fixture(scope="module")
def index() -> DatasetIndex:
    """Five classes, two of them unseen, eight images each for training or four for the test."""
    images = [(label, "trainval") for label in range(SEEN)] * 8 + [(label, "test_seen") for label in range(SEEN)] * 4
    images += [(label, "test_unseen") for label in range(SEEN, CLASSES)] * 4
    percent = 100 * np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [1, 1, 0, 0], [0, 1, 1, 0]], np.float32)
    return DatasetIndex(
        classes=tuple("abcde"),
        seen=np.arange(CLASSES) < SEEN,
        percent=percent,
        attributes=tuple("vwxy"),
        words=tuple("vwxy"),
        parts=("",) * 4,
        paths=tuple(f"{number}.jpg" for number in range(len(images))),
        labels=np.array([label for label, _ in images], np.int32),
        split=tuple(split for _, split in images),
        rows=np.arange(len(images), dtype=np.int32),
    )


@pytest.fixture(scope="module")
def store(index, tmp_path_factory) -> RegionStore:
    """One region of four shows an attribute of the class, the others show nothing: what DAZLE is made for."""
    draw = np.random.default_rng(1)
    regions = 0.1 * draw.random((len(index.paths), 4, CHANNELS)) + np.eye(CHANNELS)[5]
    for image, label in enumerate(index.labels):
        shown = np.flatnonzero(index.percent[label])
        for attribute, place in zip(shown, draw.permutation(4), strict=False):
            regions[image, place] = 0.1 * draw.random(CHANNELS) + 3 * np.eye(CHANNELS)[attribute]
    path = tmp_path_factory.mktemp("regions") / "part.parquet"
    with write_shard(path, FeatureMap(CHANNELS, 2, 2), Provenance("test")) as writer:
        writer.add(index.rows, regions)
    return RegionStore([path])


GIVEN = DazleSettings(epochs=40, batch_size=6, learning_rate=1e-2)


def words() -> np.ndarray:
    return np.random.default_rng(2).normal(size=(4, 8)).astype(np.float32)


@pytest.mark.parametrize(
    "settings", [{}, {"attribute_attention": False, "sampling": "class_balanced"}, {"normalize_words": True}]
)
def test_it_finds_the_region_and_knows_classes_that_it_never_saw(index, store, settings):
    trained = train_dazle(index, store, words(), replace(GIVEN, **settings), 1, CPU)
    semantics = embed_by_dazle(store, index.rows, trained.model, CPU)
    vectors = torch.from_numpy(index.vectors)
    found = predict_embedding(semantics, vectors, index, "czsl")
    assert (found.predicted == found.labels).all()
    assert {stage for stage, *_ in trained.curve.points} == {"dazle"}
    assert len(trained.curve.points) == 2 * 40


def test_streamed_regions_train_it_too(index, store):
    few = replace(GIVEN, epochs=2, memory_budget=1e-9)
    trained = train_dazle(index, store, words(), few, 1, CPU)
    assert np.isfinite([value for *_, value in trained.curve.points]).all()


def test_its_file_alone_says_how_it_is_built(index, store, tmp_path):
    for settings in ({}, {"attribute_attention": False, "normalize_words": True}):
        given = replace(GIVEN, epochs=1, **settings)
        model = train_dazle(index, store, words(), given, 1, CPU).model
        write_dazle(tmp_path / "dazle", model, given, Provenance("test"))
        again = read_dazle(tmp_path / "dazle")
        before, after = (embed_by_dazle(store, index.rows, one, CPU) for one in (model, again))
        assert torch.equal(before, after)
        assert (again.weigh is None, again.unit_words) == (bool(settings), bool(settings))
