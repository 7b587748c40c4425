"""Generators are files: the registry, the files and the settings name the same ones; each says what is its own."""

import pytest
import torch
from eggn_case import Case, Shape
from trainers import eggn_trainer, random

from scegg_core.eggn.data import SeenFeatures
from scegg_core.eggn.draws import Batch
from scegg_core.eggn.files import eggn_of
from scegg_core.eggn.generators import GENERATORS, NETWORKS
from scegg_core.eggn.generators.base import AdamSettings, Term
from scegg_core.eggn.generators.f_vaegan import FVaegan
from scegg_core.eggn.model import EGGN
from scegg_core.errors import InputError
from scegg_core.scen.space import Space
from scegg_core.settings.eggn import GENERATORS as NAMES
from scegg_core.settings.eggn import EggnSettings

EVERY = pytest.mark.parametrize("name", GENERATORS)


def test_registry_and_files_name_the_same_generators():
    assert tuple(sorted(GENERATORS)) == NAMES
    assert set(NETWORKS) == set(GENERATORS)
    for name, kind in GENERATORS.items():
        assert kind.__module__ == f"scegg_core.eggn.generators.{name.replace('-', '_')}"


@EVERY
def test_the_generator_of_the_settings_is_the_one_that_trains(name):
    assert type(eggn_trainer(generator=name).generator) is GENERATORS[name]


@EVERY
def test_only_networks_that_take_part_have_an_optimizer_and_each_is_trained(name):
    generator = eggn_trainer(generator=name).generator
    trained = {*generator.trained(feedback=generator.has_feedback), "critic"}
    assert set(GENERATORS[name].optimizers(generator.settings)) == trained


@pytest.mark.parametrize("name", ["f-vaegan", "tf-vaegan"])
def test_a_classification_loss_is_refused_where_there_is_none(name):
    settings = EggnSettings(generator=name, classification_weight=0.5)
    data = SeenFeatures(random(3, 2), torch.arange(3), random(4, 2), torch.tensor([True, True, True, False]))
    with pytest.raises(InputError, match=rf"classification_weight is 0.5, but generator '{name}' has no"):
        GENERATORS[name].guide_of(Space(None, data.features, None, None), data, settings, seed=0)


class CycleEggn(EGGN):
    """Networks of a later method: one more than the five, and a synthesis of its own."""

    kept = (*EGGN.kept, "regressor")

    def __init__(self, channels: int, attributes: int, settings: EggnSettings):
        super().__init__(channels, attributes, settings)
        self.regressor = torch.nn.Linear(channels, attributes)

    def synthesize(self, z, vector, settings):
        return 1 - super().synthesize(z, vector, settings)


class Cycle(FVaegan):
    """A later method: its own network with its own optimizer, and an additional loss."""

    @classmethod
    def optimizers(cls, settings):
        return super().optimizers(settings) | {"regressor": AdamSettings(1e-2, 0.9)}

    def trained(self, feedback):
        return [*super().trained(feedback), "regressor"]

    def terms(self, made):
        yield from super().terms(made)
        yield Term("cycle", 0.1, (self.model.regressor(made.feature) - made.batch.vector).square().mean())


@pytest.fixture
def cycle(monkeypatch) -> None:
    monkeypatch.setitem(GENERATORS, "f-vaegan", Cycle)
    monkeypatch.setitem(NETWORKS, "f-vaegan", CycleEggn)


@pytest.mark.usefixtures("cycle")
def test_a_method_with_its_own_networks_losses_and_synthesis_needs_no_other_file():
    trainer = eggn_trainer(generator="f-vaegan")
    before = trainer.model.regressor.weight.detach().clone()
    names = {name for _, _, name, _ in trainer.run().points}
    assert "cycle" in names
    assert not torch.equal(trainer.model.regressor.weight, before)
    again = eggn_of(trainer.model.state_dict(), trainer.settings)
    assert torch.equal(again.regressor.weight, trainer.model.regressor.weight)


def test_z_of_f_clswgan_is_the_priors():
    case = Case(Shape(), generator="f-clswgan")
    assert case.trainer.generator.encode(Batch(case.feature, case.vector, case.labels)) is None
