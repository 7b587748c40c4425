"""CPU threads of a block of work: as many as asked for within it, as many as before after it."""

import pytest
import torch
from threadpoolctl import threadpool_info

from scegg_core.training.device import cpu_threads


def threads() -> set[int]:
    return {torch.get_num_threads(), *(pool["num_threads"] for pool in threadpool_info())}


def pools() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info()]


@pytest.mark.parametrize("count", [1, 3])
def test_within_the_block_all_libraries_compute_with_so_many_threads(count):
    before = torch.get_num_threads(), pools()
    with cpu_threads(count):
        assert threads() == {count}
    assert (torch.get_num_threads(), pools()) == before


def test_an_error_leaves_them_as_they_were_and_none_changes_nothing():
    before = torch.get_num_threads(), pools()
    with pytest.raises(ZeroDivisionError), cpu_threads(1):
        _ = 1 / 0
    with cpu_threads(None):
        assert (torch.get_num_threads(), pools()) == before
    assert (torch.get_num_threads(), pools()) == before
