"""Timing of pieces of work that take turns, peak memory, and what the machine can do at best."""

import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

Work = Callable[[], object]


@dataclass(frozen=True)
class Spread:
    """Median, minimum and maximum of some numbers."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: list[float]) -> "Spread":
        """Return the spread of `values`."""
        return cls(statistics.median(values), min(values), max(values))

    def show(self, digits: int = 2) -> str:
        """Return "median (minimum to maximum)"."""
        return f"{self.median:.{digits}f} ({self.low:.{digits}f} to {self.high:.{digits}f})"


@dataclass(frozen=True)
class Machine:
    """What the machine can do: rate of a large float32 product, and of reading and writing memory."""

    flops: float  # per second
    bandwidth: float  # bytes per second


def take_turns(
    works: dict[str, Work], rounds: int, before: Callable[[str], object] | None = None
) -> dict[str, list[float]]:
    """Return seconds of each work in each of `rounds` rounds, in which they take turns; one more round warms up.

    `before` is called with a work's name, untimed, before each of its turns.
    """
    seconds: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds + 1):
        for name, work in works.items():
            if before:
                before(name)
            taken = timed(work)
            if number:
                seconds[name].append(taken)
    return seconds


def timed(work: Work) -> float:
    """Return the seconds that `work` takes, the device's included."""
    _wait()
    start = time.perf_counter()
    work()
    _wait()
    return time.perf_counter() - start


def seconds_each(work: Work, budget: float, warm_up: int = 3) -> float:
    """Return the seconds that a call takes when calls follow each other, as steps of a training do: the median of five
    rows of calls, which in all take about `budget` seconds."""
    for _ in range(warm_up):
        work()
    calls = max(1, int(budget / 5 / timed(work)))
    return statistics.median(timed(lambda: [work() for _ in range(calls)]) for _ in range(5)) / calls


def ratios(slow: list[float], fast: list[float]) -> Spread:
    """Return how many times longer `slow` took, round by round."""
    return Spread.of([a / b for a, b in zip(slow, fast, strict=True)])


def peak_bytes(work: Work) -> int:
    """Return the most memory that tensors made by `work` hold at a time, as the allocator reports it."""
    work()  # so that what stays (gradients, Adam's moments) is there already
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        work()
        return torch.cuda.max_memory_allocated() - before
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True, acc_events=True) as profiler:
        work()
    held = most = 0
    events = [event for event in profiler.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    return most


def products(work: Work) -> int:
    """Return the floating-point operations in the matrix products of `work`."""
    with _Operations() as counted:
        work()
    return counted.total


class _Operations(TorchDispatchMode):
    """Counts as torch's FlopCounterMode does, which cannot follow gradients of gradients."""

    def __init__(self):
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        count = flop_registry.get(function.overloadpacket)
        self.total += count(*args, **(kwargs or {}), out_val=made) if count else 0
        return made


def measure_machine(size: int, rounds: int = 5) -> Machine:
    """Return the machine's best rates over `rounds`: a float32 product of size x size, a copy of as much as 32 of it."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    left, right, out = (torch.rand(size, size, device=device) for _ in range(3))
    source = torch.rand(32, size, size, device=device)
    target = torch.empty_like(source)
    seconds = take_turns(
        {"product": lambda: torch.mm(left, right, out=out), "copy": lambda: target.copy_(source)}, rounds
    )
    copied = 2 * source.numel() * source.element_size()  # read and written
    return Machine(2 * size**3 / min(seconds["product"]), copied / min(seconds["copy"]))


def describe_machine() -> list[str]:
    """Return one line each on processor, memory, device and versions."""
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    load = os.getloadavg()[0]
    return [
        f"processor: {_processor()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads used, {gib:.0f} GiB",
        f"CUDA device: {device}",
        f"versions: Python {platform.python_version()}, torch {torch.__version__}",
        f"load of the machine at the start: {load:.1f} (above 0.5, other work ran beside it)",
    ]


def kind_of_machine() -> str:
    """Return processor, cores, memory and device in one line, without a word on what is done with them."""
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no CUDA device"
    return f"{_processor()}, {os.cpu_count()} cores, {gib:.0f} GiB, {device}"


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
