"""Where and how training computes: seeds, devices, memory that is kept, one step of an optimizer."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from threadpoolctl import threadpool_limits
from torch import Tensor

from scegg_core.errors import InputError

#: Where libraries look, when they are loaded, for the number of their threads.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within the block torch's global random numbers follow `seed`; afterwards they go on as before."""
    # to ask a GPU for its state would make a context on it, also for a training on the CPU
    devices = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def global_generator(device: torch.device) -> torch.Generator:
    """Return the generator of torch's global random numbers on the device, which is named with its number on CUDA."""
    return torch.cuda.default_generators[device.index] if device.type == "cuda" else torch.default_generator


def use_threads(count: int) -> None:
    """Compute with `count` CPU threads from now on, in torch and in the libraries under numpy, those not yet loaded too."""
    os.environ |= dict.fromkeys(THREADS, str(count))
    threadpool_limits(count)
    torch.set_num_threads(count)


@contextmanager
def cpu_threads(count: int | None) -> Iterator[None]:
    """Within the block computes with `count` CPU threads (None: with those of now), afterwards with as many as before."""
    before = torch.get_num_threads()
    with threadpool_limits(count):
        torch.set_num_threads(count or before)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def pick_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; auto: CUDA where there is one. Raises InputError for one that is not there."""
    cuda = [f"cuda:{number}" for number in range(torch.cuda.device_count())] if torch.cuda.is_available() else []
    there = ["cpu", *(["cuda"] if cuda else []), *cuda]
    if name == "auto":
        return torch.device("cuda" if cuda else "cpu")
    if name not in there:
        raise InputError(f"device is {name!r}, but torch sees here: {', '.join(there)}; use one of these, or 'auto'.")
    return torch.device(name)


def prepare_device(name: str, deterministic: bool = True) -> torch.device:
    """Return the device called `name`; `deterministic` asks torch for the same bits in every run on the same machine."""
    keep_freed_memory()
    if deterministic:
        # cuBLAS reads it when the first CUDA tensor is made; without it its products may differ from run to run
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.set_deterministic_debug_mode("warn")  # use_deterministic_algorithms does it too, after 1.5 s of imports
        torch.backends.cudnn.benchmark = False
    device = pick_device(name)
    if device.index is not None:  # what names no device, such as the capture of a graph, then means this one
        torch.cuda.set_device(device)
    return device


def pinned(tensor: Tensor, device: torch.device) -> Tensor:
    """Return the tensor in memory from which its copy to `device` needs no waiting: on the host page-locked for a GPU."""
    return tensor.pin_memory() if device.type == "cuda" and tensor.device.type == "cpu" else tensor


def moved(tensor: Tensor, device: torch.device) -> Tensor:
    """Return the tensor on `device`; a GPU takes it after what it computes now, and the host goes on."""
    return pinned(tensor, device).to(device, non_blocking=device.type == "cuda")


def keep_freed_memory(block: int = 256 << 20, reserve: int = 1 << 30) -> bool:
    """Let the C library keep freed blocks of up to `block` bytes, `reserve` in all; return whether it can (glibc only).

    Without this, it returns every block of more than 32 MiB to the system and asks for it again in the next step, page
    by page: that costs more than most of what is computed in it (docs/benchmarks.md).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):
        return False
    trim_threshold, mmap_threshold = -1, -3  # names of malloc.h
    return bool(mallopt(mmap_threshold, block)) and bool(mallopt(trim_threshold, reserve))


def apply_gradients(optimizer: torch.optim.Optimizer, parameters: list, gradients: tuple) -> None:
    """Take one step of `optimizer` with `gradients`; a parameter without one stays as it is."""
    for parameter, gradient in zip(parameters, gradients, strict=True):
        parameter.grad = gradient
    optimizer.step()
