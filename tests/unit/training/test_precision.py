"""bfloat16 products: near float32's results, on a CPU and, where there is one, on a CUDA device."""

import pytest
import torch
from torch.nn import functional
from trainers import SMALL, eggn_trainer, scen_trainer

from scegg_core.eggn.generators import GENERATORS
from scegg_core.scen.compression import SemanticCompression
from scegg_core.scen.train import ScenTrainer
from scegg_core.settings.scen import ScenSettings

DEVICES = pytest.mark.parametrize(
    "device",
    [
        "cpu",
        pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")),
    ],
)
PRECISIONS = ("float32", "bfloat16")


def on(device: str, trainer: ScenTrainer) -> ScenTrainer:
    trainer.model.to(device)
    trainer.batches.features, trainer.batches.labels = (
        tensor.to(device) for tensor in (trainer.batches.features, trainer.batches.labels)
    )
    trainer.seen = trainer.seen.to(device)
    return trainer


@pytest.mark.slow
@DEVICES
@pytest.mark.parametrize("stage", [0, 1])
def test_scens_losses_and_gradients_are_near(stage, device):
    found = {}
    for precision in PRECISIONS:
        trainer = on(device, scen_trainer(precision=precision))
        given = trainer._stages()[stage]
        loss, _ = trainer.losses(given, trainer.batches.features, trainer.batches.labels)
        gradients = torch.autograd.grad(loss, given.parameters, allow_unused=True)
        gradients = [gradient for gradient in gradients if gradient is not None]
        assert {gradient.dtype for gradient in gradients} == {torch.float32}
        found[precision] = loss.detach(), torch.cat([gradient.flatten() for gradient in gradients])
    for exact, low in zip(*(found[precision] for precision in PRECISIONS), strict=True):
        assert float((low - exact).norm()) < 0.05 * float(exact.norm())
    assert not torch.equal(*(found[precision][0] for precision in PRECISIONS))


@pytest.mark.slow
@DEVICES
def test_scen_learns_as_much(device):
    last = {}
    for precision in PRECISIONS:
        points = on(device, scen_trainer(precision=precision, stage1_epochs=20, stage2_epochs=20)).run().curve.points
        last[precision] = {name: value for _, _, name, value in points}
    for name, value in last["float32"].items():
        assert last["bfloat16"][name] == pytest.approx(value, rel=0.2), name


@DEVICES
def test_the_regions_products_alone_are_low(device):
    trainer = on(device, scen_trainer(precision="bfloat16"))
    regions = trainer.model.prepare(trainer.batches.features)
    local, whole = trainer.model(trainer.batches.features)
    assert regions.dtype == torch.bfloat16
    for tensor in (local.attention, local.semantic, local.scores, whole.feature, whole.scores):
        assert tensor.dtype == torch.float32


@DEVICES
def test_g_is_not_rounded(device):
    """Hidden layers of 1 and 1 with weights of 1 and 1/512: between 1 and 2 bfloat16 has steps of 1/128."""
    compress = SemanticCompression(attributes=2, channels=3, settings=ScenSettings(compression_width=2)).to(device)
    with torch.no_grad():
        compress.reduce.weight.copy_(torch.eye(2))
        compress.combine.weight.copy_(torch.tensor([[1, 1 / 512]]))
        for layer in (compress.reduce, compress.combine):
            layer.bias.zero_()
    attention = torch.ones(1, 1, 2, device=device)
    feature = compress(attention, torch.ones(1, 1, 3, dtype=torch.bfloat16, device=device))
    assert feature.dtype == torch.float32
    assert feature.tolist() == [[1 + 1 / 512] * 3]


@pytest.mark.parametrize("feedback", [False, True])
def test_eggns_terms_are_near_and_its_weights_stay_float32(feedback):
    exact, low = (eggn_trainer(precision=precision, learning_rate=1e-4) for precision in PRECISIONS)
    for _ in range(3):
        terms = [trainer.iterate(feedback) for trainer in (exact, low)]
        for name, value in terms[0].items():
            assert float(terms[1][name]) == pytest.approx(float(value), rel=0.05, abs=0.02), name
    assert not torch.equal(exact.model.critic.hidden.weight, low.model.critic.hidden.weight)
    assert {weight.dtype for weight in low.model.parameters()} == {torch.float32}
    assert {value.dtype for optimizer in low.optimizers.values() for state in optimizer.state.values() for value in state.values()} == {torch.float32}  # fmt: skip


def answers(weights) -> list[torch.Tensor]:
    """What layers of these weights say of ones; in the number type that is in force."""
    with torch.no_grad():
        return [functional.linear(torch.ones(1, weight.shape[1]), weight) for weight in weights if weight.dim() == 2]


@pytest.mark.parametrize("generator", GENERATORS)
def test_after_each_step_of_an_iteration_a_network_answers_by_its_new_weights(generator):
    """A copy of a weight has no history, so autocast has to round it anew: its answer is the right one."""
    rates = dict.fromkeys(("learning_rate", "decoder_learning_rate", "embedding_learning_rate"), 0.05)
    trainer = eggn_trainer(precision="bfloat16", generator=generator, critic_steps=3, **SMALL | rates)
    update, steps = trainer.update, []

    def watched(loss, names):
        update(loss, names)
        weights = [weight for name in names for weight in trainer.network(name).parameters()]
        found, right = answers(weights), answers([weight.detach().clone() for weight in weights])
        assert {answer.dtype for answer in found} == {torch.bfloat16}
        steps.append(all(torch.equal(*pair) for pair in zip(found, right, strict=True)))

    trainer.generator.update = watched
    trainer.iterate(True)
    assert steps == [True] * len(steps) != []
