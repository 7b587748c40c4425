"""What a training step must not do: build anything as large as h, or make the host wait for the device."""

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from trainers import eggn_trainer, random, scen_trainer

from benchmarks.plain_scen import PlainScen
from scegg_core.regions.batches import ResidentBatches
from scegg_core.scen.train import ScenTrainer, make_optimizer, start_scen
from scegg_core.settings.scen import ScenSettings

BATCH, REGIONS, ATTRIBUTES, CHANNELS, CLASSES = 4, 9, 40, 64, 5


class Watch(TorchDispatchMode):
    """Records the numbers in the largest tensor that any operation makes, and the operations that wait."""

    WAITING = ("aten._local_scalar_dense", "aten.nonzero", "aten.equal", "aten.is_nonzero")

    def __init__(self):
        super().__init__()
        self.largest, self.waited = 0, []

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            if isinstance(tensor, torch.Tensor):
                self.largest = max(self.largest, tensor.numel())
        masks = [x for x in tree_leaves(args[1:]) if isinstance(x, torch.Tensor) and x.dtype == torch.bool]
        if str(function).startswith(self.WAITING) or (str(function).startswith("aten.index") and masks):
            self.waited.append(str(function))
        return made


def trainer_with_many_attributes(**settings) -> ScenTrainer:
    given = ScenSettings(**settings)
    vectors, labels = random(CLASSES, ATTRIBUTES), np.arange(BATCH) % (CLASSES - 1)
    model = start_scen(random(ATTRIBUTES, 3), vectors, CHANNELS, given, seed=0)
    batches = ResidentBatches(random(BATCH, REGIONS, CHANNELS).half(), labels, BATCH, 0)
    return ScenTrainer(model, batches, torch.arange(CLASSES) < CLASSES - 1, given)


def take_step(trainer: ScenTrainer, stage: int) -> None:
    given = trainer._stages()[stage]
    optimizer = make_optimizer(given, trainer.settings)
    trainer.step(given, optimizer, trainer.batches.features, trainer.batches.labels)


@pytest.mark.parametrize("settings", [{}, {"compression": "mean"}, {"compression_width": 3 * ATTRIBUTES}], ids=str)
@pytest.mark.parametrize("stage", [0, 1])
def test_no_step_of_scen_builds_anything_as_large_as_h(stage, settings, monkeypatch):
    monkeypatch.setattr("scegg_core.scen.compression.GROUP", ATTRIBUTES * CHANNELS)  # as the batch is small here
    trainer = trainer_with_many_attributes(**settings)
    with Watch() as watch:
        take_step(trainer, stage)
    width = settings.get("compression_width", 0)  # one image's hidden layer is the least that there can be
    assert 0 < watch.largest < max(BATCH * ATTRIBUTES * CHANNELS, width * CHANNELS + 1)


def test_the_watch_sees_h_in_the_plain_transcription():
    trainer = trainer_with_many_attributes()
    with Watch() as watch:
        PlainScen(trainer.model.state_dict())(trainer.batches.features)
    assert watch.largest >= BATCH * ATTRIBUTES * CHANNELS


@pytest.mark.parametrize("feedback", [False, True])
def test_an_iteration_of_eggn_never_waits_for_the_device(feedback):
    trainer = eggn_trainer()
    with Watch() as watch:
        for _ in range(2):
            trainer.iterate(feedback)
    assert watch.waited == []


@pytest.mark.parametrize("stage", [0, 1])
def test_a_step_of_scen_never_waits_for_the_device(stage):
    trainer = scen_trainer(calibration_weight=0.1)
    with Watch() as watch:
        take_step(trainer, stage)
    assert watch.waited == []


def test_the_watch_sees_a_wait():
    with Watch() as watch:
        float(torch.ones(2).sum())
        torch.ones(2)[torch.tensor([True, False])]
    assert watch.waited == ["aten._local_scalar_dense.default", "aten.index.Tensor"]
