"""g points the way of its regions: turning it over changes nothing of stages 1 and 2, and no training ends inverted."""

import pytest
import torch
from trainers import RELEASED, random, scen_trainer

from scegg_core.artifacts import kinds
from scegg_core.artifacts.files import write_tensors
from scegg_core.artifacts.provenance import Provenance
from scegg_core.errors import InputError
from scegg_core.scen import losses
from scegg_core.scen.compression import mean_compression, uprightness
from scegg_core.scen.files import read_scen
from scegg_core.scen.model import SCEN
from scegg_core.scen.train import start_scen
from scegg_core.settings.scen import ScenSettings

HEADS = {"one layer": {}, "hidden layer": {"classifier_width": 7}, "SC of width 2": {"compression_width": 2}}


@pytest.fixture(params=HEADS.values(), ids=HEADS.keys())
def head(request) -> dict:
    return request.param


def some_scen(dtype: torch.dtype = torch.float32, **settings) -> SCEN:
    model = start_scen(random(4, 3, seed=5), random(4, 4, seed=6), 6, ScenSettings(**settings), seed=3).to(dtype)
    return model.requires_grad_(False)


def turned(model: SCEN) -> SCEN:
    model.glob.turn_over()
    return model


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_turning_over_keeps_everything_but_the_sign_of_g(head, dtype):
    regions = random(5, 9, 6).to(dtype)
    local, before = some_scen(dtype, **head)(regions)
    same_local, after = turned(some_scen(dtype, **head))(regions)
    assert torch.equal(after.feature, -before.feature)
    assert before.feature.abs().max() > 0
    assert torch.equal(after.scores, before.scores)  # p_g, and so L_GCE, CZSL and GZSL by CLS_g
    assert torch.equal(same_local.scores, local.scores)
    same = (
        losses.semantic_consistency(local.scores, after.scores),
        losses.semantic_consistency(local.scores, before.scores),
    )
    assert torch.equal(*same)


def test_turning_over_twice_is_nothing(head):
    before, after = some_scen(**head).state_dict(), turned(turned(some_scen(**head))).state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_the_region_weights_of_g_turn_with_it(head):
    regions = random(5, 9, 6)
    weights = [
        model.glob.region_weights(model.local.attention(regions), regions)
        for model in (some_scen(**head), turned(some_scen(**head)))
    ]
    assert torch.equal(weights[0], -weights[1])


@pytest.mark.slow
def test_training_from_either_sign_ends_at_the_same_scen(head):
    """(SC, CLS_g) and (-SC, -CLS_g) get opposite gradients, and Adam's steps are odd in them."""
    trainers = [scen_trainer(**head), scen_trainer(**head)]
    trainers[1].model.glob.turn_over()
    first, second = (trainer.run() for trainer in trainers)
    assert first.curve.points == second.curve.points
    for (name, a), b in zip(first.model.state_dict().items(), second.model.state_dict().values(), strict=True):
        assert torch.equal(a, b), name


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("batch_size", [4, 1])
def test_a_trained_scen_is_upright(seed, batch_size):
    trainer = scen_trainer(seed=seed, batch_size=batch_size)
    model = trainer.run().model
    regions = model.prepare(trainer.batches.features)
    feature = model.glob.compress(model.local.attention(regions), regions)
    assert uprightness(feature, regions.mean(dim=1)) > 0


def test_uprightness_of_the_mean_of_regions():
    regions = torch.stack([torch.zeros(2, 3), torch.full((2, 3), 2.0)])  # two images, two regions, three channels
    feature = mean_compression(torch.full((2, 2, 4), 0.5), regions)
    assert uprightness(feature, regions.mean(dim=1)) == 6.0  # each of 3 channels: (-1)(-1) + (1)(1)
    assert uprightness(-feature + 5, regions.mean(dim=1)) == -6.0


def test_the_released_codes_g_is_left_as_it_is(monkeypatch):
    trainer = scen_trainer(**RELEASED)
    monkeypatch.setattr(trainer.model.glob, "turn_over", lambda: pytest.fail("turned over"))
    trainer.run()


def test_a_scen_of_an_older_schema_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "scen.safetensors"
    monkeypatch.setitem(kinds.KINDS, "scen", kinds.Kind("scen", 1))
    write_tensors(path, "scen", some_scen().state_dict(), Provenance("train_scen"), {"settings": {}})
    monkeypatch.undo()
    with pytest.raises(InputError, match="scen artifact of schema 1, expected scen of schema 2"):
        read_scen(path)
