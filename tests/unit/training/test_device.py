"""CPU threads and random numbers of a block of work, as before after it; what is asked of CUDA, on machines without it."""

import os
import subprocess
import sys
from unittest.mock import Mock

import pytest
import torch
from threadpoolctl import threadpool_info

from scegg_core.training.device import THREADS, cpu_threads, moved, prepare_device, seeded

CUDA = torch.device("cuda")


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


def test_random_numbers_of_a_block_open_no_cuda_context(monkeypatch):
    """Where a GPU is there but taken, or full, a training on the CPU goes on."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "_lazy_init", Mock(side_effect=RuntimeError("all CUDA devices are busy")))
    before = torch.get_rng_state()
    with seeded(3):
        first = torch.rand(4)
    with seeded(3):
        assert torch.equal(torch.rand(4), first)
    assert torch.equal(torch.get_rng_state(), before)


def test_random_numbers_of_each_gpu_in_use_go_on_as_before(monkeypatch):
    given = []
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.cuda, "manual_seed_all", lambda seed: None)
    monkeypatch.setattr(torch.cuda, "get_rng_state", lambda device: f"state of {device}")
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda state, device: given.append((state, device)))
    with seeded(3):
        assert given == []
    assert given == [("state of 0", 0), ("state of 1", 1)]


@pytest.mark.parametrize(("name", "current"), [("cpu", []), ("cuda", []), ("cuda:1", [torch.device("cuda:1")])])
def test_a_gpu_with_a_number_is_the_current_one(monkeypatch, name, current):
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    assert prepare_device(name, deterministic=False) == torch.device(name)
    assert chosen == current


def test_a_gpu_gets_a_batch_from_pinned_memory_while_the_host_goes_on():
    batch = Mock(device=torch.device("cpu"))
    assert moved(batch, CUDA) is batch.pin_memory.return_value.to.return_value
    batch.pin_memory.return_value.to.assert_called_once_with(CUDA, non_blocking=True)


def test_what_is_there_already_is_neither_pinned_nor_copied():
    there = Mock(device=CUDA)
    moved(there, CUDA)
    there.pin_memory.assert_not_called()
    tensor = torch.zeros(2)
    assert moved(tensor, torch.device("cpu")) is tensor
