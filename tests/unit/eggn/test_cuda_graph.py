"""What a CUDA graph needs of an iteration, looked at on a CPU; that graphs change nothing is a check of benchmarks/gpu."""

import pytest
from eggn_case import SHAPES, Case


def places(trainer) -> list[int]:
    """Return the address of everything that an iteration keeps: weights, optimizer states, the penalty's weight."""
    states = [state for optimizer in trainer.optimizers.values() for state in optimizer.state.values()]
    kept = [value for state in states for _, value in sorted(state.items())]
    return [tensor.data_ptr() for tensor in (*trainer.model.parameters(), *kept, trainer.generator.penalty_weight)]


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
