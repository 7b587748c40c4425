"""The plain steps that the other methods are measured against change networks as ours do, draws being equal."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from benchmarks.methods import at_size, dazle_trainer, method_steps, method_trainer, presets
from benchmarks.plain_methods import PLAIN, PlainDazle
from benchmarks.shapes import PAPER, QUICK
from benchmarks.steps import make_inputs
from scegg_core.eggn.draws import Batch
from scegg_core.eggn.generators import GENERATORS

CPU, SHAPE = torch.device("cpu"), QUICK[0]


@pytest.fixture(scope="module")
def config():
    return presets()


class SameDraws:
    """Draws that are alike in every batch, for ours and for the plain steps."""

    def __init__(self, draws):
        self.draws, self.latent = draws, draws.latent
        labels = draws.data.labels[: draws.batch_size]
        self.batch = Batch(draws.data.features[: len(labels)], draws.data.vectors[labels], labels)

    def __getattr__(self, name: str):
        return getattr(self.draws, name)

    def images(self, batches: int) -> Batch:
        many = [torch.cat([part] * batches) for part in vars(self.batch).values()]
        return Batch(*many)

    def normal(self, count: int, size: int | None = None) -> Tensor:
        size = size or self.latent
        period = len(self.batch.labels) * size
        return torch.sin(torch.arange(count * size) % period).double().reshape(count, size)

    def uniform(self, count: int, size: int = 1) -> Tensor:
        return self.normal(count, size).abs()

    def prior(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        return self.normal(len(labels)), self.data.vectors[labels]


class PlainDraws(SameDraws):
    def images(self):
        return tuple(vars(self.batch).values())


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_step_of_a_method_changes_its_networks_as_ours_does(name, config):
    settings = replace(at_size(config.eggn_of("cub", name), SHAPE), other_center="nearest")
    trainer = method_trainer(SHAPE, settings, CPU, torch.float64)
    plain, start = PLAIN[name](trainer), PLAIN[name](trainer)
    plain.draws = PlainDraws(trainer.draws)
    trainer.generator.draws = SameDraws(trainer.draws)
    trainer.iterate(False)
    plain.iterate()
    trained = set(GENERATORS[name].optimizers(settings))
    for part, network in plain.networks.items():
        ours, before = trainer.network(part).state_dict(), start.networks[part].state_dict()
        for weight, value in network.state_dict().items():
            torch.testing.assert_close(ours[weight], value, rtol=0, atol=1e-9, msg=f"{part}.{weight}")
        assert (part in trained) == any(not torch.equal(before[weight], own) for weight, own in ours.items())


def test_a_plain_step_of_dazle_changes_its_weights_as_ours_does():
    trainer = dazle_trainer(SHAPE, make_inputs(SHAPE, CPU))
    trainer.model.double()
    start = {name: weight.detach().clone() for name, weight in trainer.model.named_parameters()}
    plain, (regions, labels) = PlainDazle(trainer), (trainer.batches.features, trainer.batches.labels)
    for _ in range(2):
        trainer.step(trainer.stages[0], trainer.optimizers[0], regions, labels)
        plain.step(regions, labels)
    for name, weight in plain.named_parameters():
        ours = trainer.model.state_dict()[name]
        assert not torch.equal(ours, start[name])
        torch.testing.assert_close(ours, weight.detach(), rtol=0, atol=1e-9, msg=name)


def test_every_method_has_a_step_of_both_sides_and_sizes_are_its_own(config):
    steps = list(method_steps(SHAPE, make_inputs(SHAPE, CPU)))
    assert len(steps) == 1 + len(PLAIN)
    for step in steps:
        assert list(step.works) == ["ours", "plain, cached"] and step.least_bytes > 0
    at_paper = {name: at_size(config.eggn_of("cub", name), PAPER[0]) for name in PLAIN}
    assert (at_paper["cada-vae"].batch_size, at_paper["ce-gzsl"].batch_size, at_paper["free"].critic_steps) == (
        50,
        64,
        1,
    )
    assert (at_paper["cada-vae"].latent_size, at_paper["f-vaegan"].hidden_width) == (64, 4096)
