"""Iterations replayed as CUDA graphs are the usual ones; on a CPU, what a graph needs of an iteration is looked at."""

import pytest
import torch
from eggn_case import SHAPES, Case

from scegg_core.eggn.guidance import guide_by
from scegg_core.eggn.train import EggnTrainer
from scegg_core.scen.scaling import MinMaxScaler

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


def places(trainer) -> list[int]:
    """Return the address of everything that an iteration keeps: weights, optimizer states, the penalty's weight."""
    states = [state for optimizer in trainer.optimizers.values() for state in optimizer.state.values()]
    kept = [value for state in states for _, value in sorted(state.items())]
    return [tensor.data_ptr() for tensor in (*trainer.model.parameters(), *kept, trainer.generator.penalty_weight)]


def trainer_on_cuda(graphs: bool) -> EggnTrainer:
    case = Case(SHAPES["usual"], cuda_graphs=graphs)
    scaler = MinMaxScaler(case.scaler.low.cuda(), case.scaler.span.cuda())
    guide = guide_by(case.classify.cuda(), scaler, case.settings)
    return EggnTrainer(case.model.cuda(), case.data.to("cuda"), guide, case.settings, seed=2)


@pytest.mark.parametrize("feedback", [False, True])
def test_all_that_an_iteration_keeps_stays_in_place(feedback):
    trainer = Case(SHAPES["usual"]).trainer
    trainer.iterate(feedback)  # makes the optimizers' states
    before, weight = places(trainer), float(trainer.generator.penalty_weight)
    trainer.iterate(feedback)
    assert places(trainer) == before
    assert float(trainer.generator.penalty_weight) != weight


def test_the_setting_changes_nothing_on_a_cpu():
    with_graphs, without = (Case(SHAPES["usual"], cuda_graphs=wanted).trainer for wanted in (True, False))
    assert not with_graphs.graphed
    assert with_graphs.iterate(True) == without.iterate(True)


@needs_cuda
def test_replayed_iterations_are_the_usual_ones():
    found = []
    for wanted in (False, True):
        trainer = trainer_on_cuda(graphs=wanted)
        terms = [trainer.iterate(step % 2 == 1) for step in range(14)]  # each kind: 3 as usual, 4 replayed
        assert [getattr(iteration, "graph", None) is not None for iteration in trainer.iterations] == [wanted] * 2
        found.append((terms, [weight.detach().cpu() for weight in trainer.model.parameters()], trainer))
    (usual, weights, one), (replayed, others, other) = found
    for terms, same in zip(usual, replayed, strict=True):
        assert {name: float(value) for name, value in same.items()} == pytest.approx(
            {name: float(value) for name, value in terms.items()}, rel=1e-9
        )
    torch.testing.assert_close(others, weights, rtol=1e-9, atol=1e-12)
    assert torch.equal(one.random.get_state(), other.random.get_state())
