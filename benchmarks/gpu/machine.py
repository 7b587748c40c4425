"""What the machine can do at best: products in each precision, copies, and what it is."""

from collections.abc import Iterator

import torch

from benchmarks.gpu.record import Figure
from benchmarks.gpu.runner import Run, attempt
from benchmarks.measure import describe_machine, measure_machine, take_turns

PRECISIONS = {"float32": ("highest", torch.float32), "TF32": ("high", torch.float32), "bfloat16": ("highest", torch.bfloat16)}  # fmt: skip
MIB = 1 << 20


def machine(run: Run) -> Iterator[Figure]:
    """Yield what the machine is, and its best rates."""
    for line in describe_machine():
        name, said = line.split(": ", 1)
        yield Figure(name, said)
    size = 64 if run.tiny else 8192
    for name in PRECISIONS:
        yield attempt(f"large products, {name}", "TFLOP/s", lambda name=name: product_rate(name, size) / 1e12)
    yield attempt("copies within the memory", "GB/s", lambda: measure_machine(64 if run.tiny else 4096).bandwidth / 1e9)
    if torch.cuda.is_available():
        yield attempt(
            "from pinned main memory to the device", "GB/s", lambda: upload_rate(1 if run.tiny else 512) / 1e9
        )


def set_precision(name: str) -> torch.dtype:
    """Let products of float32 be computed as the precision called `name` says; return the type to hold numbers in."""
    products, dtype = PRECISIONS[name]
    torch.set_float32_matmul_precision(products)
    torch.backends.cudnn.allow_tf32 = name != "float32"
    return dtype


def forget_peak() -> None:
    """Give back what is held and not used, and count the most memory anew; nothing where there is no device."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def peak(name: str) -> Iterator[Figure]:
    """Yield the most memory that torch held on the device since `forget_peak`; nothing where there is none.

    Held, not in use: a CUDA graph's own memory counts as in use only while it is captured.
    """
    if torch.cuda.is_available():
        yield attempt(f"{name}: peak memory", "MiB", lambda: torch.cuda.max_memory_reserved() / MIB)


def product_rate(name: str, size: int) -> float:
    """Return the best rate of a product of size x size, in floating-point operations a second."""
    dtype, device = set_precision(name), "cuda" if torch.cuda.is_available() else "cpu"
    left, right = (torch.rand(size, size, device=device).to(dtype) for _ in range(2))
    out = torch.empty_like(left)
    return 2 * size**3 / min(take_turns({"product": lambda: torch.mm(left, right, out=out)}, 5)["product"])


def upload_rate(mib: int) -> float:
    """Return the best rate of copies of `mib` MiB from pinned memory, in bytes a second."""
    source = torch.zeros(mib * MIB, dtype=torch.uint8).pin_memory()
    target = torch.empty_like(source, device="cuda")
    taken = take_turns({"copy": lambda: target.copy_(source, non_blocking=True)}, 5)["copy"]
    return source.numel() / min(taken)
