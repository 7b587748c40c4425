"""What all training loops share: seeds, curves, the check for non-finite losses, and resumable checkpoints."""

import ctypes
import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scegg_core.artifacts import Provenance, whole_file, write_table
from scegg_core.errors import InputError


@dataclass
class Curve:
    """Mean of every loss term over each epoch, in the order recorded."""

    points: list[tuple[str, int, str, float]] = field(default_factory=list)  # stage, epoch, term, value

    def add_epoch(self, stage: str, epoch: int, first_step: int, terms: list[dict[str, Tensor]]) -> None:
        """Record the means of one epoch's steps; a non-finite value stops with a sentence naming stage, step, term."""
        for name in dict.fromkeys(name for step in terms for name in step):
            values = torch.stack([step[name].detach().float() for step in terms if name in step]).cpu()
            bad = torch.nonzero(~torch.isfinite(values))
            if len(bad):
                step = first_step + int(bad[0]) + 1
                raise InputError(
                    f"training stopped: in stage {stage}, step {step}, the term {name} is {float(values[bad[0]])}; lower the learning rate or the term's weight."
                )
            self.points.append((stage, epoch, name, float(values.mean())))

    def write(self, path: str | Path, provenance: Provenance) -> None:
        """Write the curve as a table of kind `curve`."""
        columns = list(zip(*self.points, strict=True)) if self.points else [[], [], [], []]
        stage, epoch, term, value = columns
        arrays = {
            "stage": list(stage),
            "epoch": np.array(epoch, np.int32),
            "term": list(term),
            "value": np.array(value, float),
        }
        write_table(path, "curve", arrays, provenance)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Within the block torch's global random numbers follow `seed`; afterwards they go on as before."""
    devices = range(torch.cuda.device_count())
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        yield


def pick_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; auto: CUDA where there is one."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f"device is {name!r}, but torch sees no CUDA device; use 'auto' or 'cpu'.")
    return torch.device(name)


def prepare_device(name: str, deterministic: bool = True) -> torch.device:
    """Return the device called `name`, asked for the same bits in every run on the same machine if so wanted."""
    keep_freed_memory()
    if deterministic:
        # cuBLAS reads it when the first CUDA tensor is made; without it its products may differ from run to run
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.benchmark = False
    return pick_device(name)


def keep_freed_memory(block: int = 256 << 20, reserve: int = 1 << 30) -> bool:
    """Let the C library keep freed blocks of up to `block` bytes, `reserve` in all, for the next step; return whether.

    It returns every tensor of more than 32 MiB to the system and fetches it again page by page, which costs more than
    most of what is computed on it (docs/benchmarks.md). Larger ones are returned as before. glibc alone can do it.
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


class Checkpoint:
    """A training state beside the output, saved at an interval and on SIGTERM, gone when the stage completes.

    `key` names what is being trained (settings, inputs, code): a state of anything else is not continued.
    The state before the last is kept, in case the last one is damaged.
    """

    def __init__(self, path: str | Path, key: str, interval: float = 60.0):
        """`interval` in seconds."""
        self.path, self.key, self.interval = Path(path), key, interval
        self._older = self.path.with_name(self.path.name + ".older")
        self._last = time.monotonic()
        self._stop = False

    def load(self) -> dict | None:
        """Return the newest usable state, or None."""
        for path in (self.path, self._older):
            if path.is_file() and (state := self._read(path)) is not None:
                print(f"continuing from {path.name}", file=sys.stderr)
                return state
        return None

    def due(self) -> bool:
        """Return whether it is time to save."""
        return self._stop or time.monotonic() - self._last >= self.interval

    def save(self, state: dict) -> None:
        """Save `state` (tensors, numbers, strings, lists and dicts of them); after SIGTERM, exit then.

        A state that cannot be written (disk full) costs no work but the states before it: training goes on.
        """
        try:
            self._write(state)
            saved = f"the state is saved in {self.path}"
        except (OSError, RuntimeError) as error:  # torch reports a full disk as RuntimeError
            saved = f"the state could not be saved in {self.path} ({str(error).splitlines()[0][:80]})"
            print(saved, file=sys.stderr)
        self._last = time.monotonic()
        if self._stop:
            raise SystemExit(f"stopped by SIGTERM; {saved}")

    def _write(self, state: dict) -> None:
        with whole_file(self.path) as temporary:
            torch.save({"key": self.key, "state": state}, temporary)
            with suppress(FileNotFoundError):  # the first state, or another writer was faster
                self.path.replace(self._older)

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """Within the block SIGTERM saves at the next step and ends the process there."""
        before = signal.signal(signal.SIGTERM, self._on_sigterm)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, before)

    def remove(self) -> None:
        """Delete the saved states: the stage's outputs are in place."""
        for path in (self.path, self._older):
            path.unlink(missing_ok=True)

    def _on_sigterm(self, *_) -> None:
        self._stop = True

    def _read(self, path: Path) -> dict | None:
        try:
            found = torch.load(path, map_location="cpu", weights_only=True)
            return found["state"] if found["key"] == self.key else None
        except Exception as error:  # a damaged file makes torch raise many kinds of errors
            print(f"{path.name} is damaged and passed over ({str(error)[:80]})", file=sys.stderr)
            return None


@contextmanager
def resumable(output: str | Path, provenance: Provenance, interval: float) -> Iterator[Checkpoint]:
    """Yield the checkpoint of a training that makes `output` from what `provenance` says; `interval` in seconds.

    It is deleted when the block ends without an error: by then the outputs have to be in place.
    """
    checkpoint = Checkpoint(f"{output}.state", json.dumps(asdict(provenance)), interval)
    with checkpoint.guarding():
        yield checkpoint
    checkpoint.remove()
