"""Generators are files: the registry, the files and the settings name the same ones; each says what is its own."""

from copy import deepcopy

import pytest
import torch
from eggn_case import Case, Shape
from trainers import KINDS, SMALL, eggn_trainer, random, result, run_steps, same

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
from scegg_core.settings.synthesis import SynthesisSettings
from scegg_core.training.checkpoint import Checkpoint

EVERY = pytest.mark.parametrize("name", GENERATORS)
#: A warm-up that ends within the few steps, and few soul samples.
SMALL = {**SMALL, "warm_up": 0.03, "soul_made": 2, "soul_samples": 2, "center_margin": 50.0}


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
    trainer = eggn_trainer(generator=name, **SMALL)
    networks = {**dict(trainer.model.named_children()), **trainer.generator.own}
    before = {part: deepcopy(network.state_dict()) for part, network in networks.items()}
    trainer.run()
    changed = lambda part, weight: not torch.equal(networks[part].state_dict()[weight], before[part][weight])  # noqa: E731
    trained = {part for part in networks if any(changed(part, weight) for weight in before[part])}
    assert trained == set(GENERATORS[name].optimizers(trainer.settings))


@pytest.mark.slow
@EVERY
@pytest.mark.parametrize("steps", [2, 7])
def test_a_stopped_training_goes_on_bit_identically(name, steps, tmp_path):
    make = lambda: Checkpoint(tmp_path / "state", "key", interval=0)  # noqa: E731
    run_steps(KINDS["eggn"], eggn_trainer(make(), generator=name, **SMALL), steps)
    whole = result(eggn_trainer(generator=name, **SMALL))
    assert same(result(eggn_trainer(make(), generator=name, **SMALL)), whole)


@EVERY
def test_networks_are_read_from_their_weights_and_from_those_that_snapshots_keep(name):
    model, settings = (trainer := eggn_trainer(generator=name, **SMALL)).model, trainer.settings
    kept = {key: value for key, value in model.state_dict().items() if key.split(".")[0] in model.kept}
    z, vector, making = random(5, model.latent), random(5, 4, seed=1), SynthesisSettings()
    for found in (eggn_of(model.state_dict(), settings), eggn_of(kept, settings, complete=False)):
        assert torch.equal(found.synthesize(z, vector, making), model.synthesize(z, vector, making))
        assert torch.equal(found.transform(random(5, 6)), model.transform(random(5, 6)))


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
