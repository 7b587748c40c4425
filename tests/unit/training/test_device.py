"""CPU threads of a block of work: as many as asked for within it, as many as before after it."""

import os
import subprocess
import sys

import pytest
import torch
from threadpoolctl import threadpool_info

from scegg_core.training.device import THREADS, cpu_threads


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


def test_libraries_that_are_loaded_later_have_as_many_threads_too():
    """The workflow engine sets the variables by its own count of cores, and t-SNE's libraries are loaded in the job."""
    code = """
from scegg_core.training.device import use_threads
use_threads(1)
import scipy.linalg, sklearn.decomposition
from threadpoolctl import threadpool_info
print({pool["num_threads"] for pool in threadpool_info()})
"""
    environment = os.environ | dict.fromkeys(THREADS, "2")
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "{1}\n"
