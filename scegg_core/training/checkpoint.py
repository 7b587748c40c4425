"""Checkpoints: a training state on disk, from which a training that was stopped continues."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path

import torch

from scegg_core.artifacts.files import Provenance, whole_file
from scegg_core.artifacts.weights import load_plain


class Checkpoint:
    """A training state beside the output: saved at an interval and on SIGTERM, deleted when the stage is complete.

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

        If it cannot be written (disk full), training continues, and the states saved before stay.
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
        """Delete the saved states: the stage's outputs are written."""
        for path in (self.path, self._older):
            path.unlink(missing_ok=True)

    def _on_sigterm(self, *_) -> None:
        self._stop = True

    def _read(self, path: Path) -> dict | None:
        try:
            saved = load_plain(path)
            return saved["state"] if saved["key"] == self.key else None
        except Exception as error:  # a damaged file makes torch raise many kinds of errors
            print(f"{path.name} is damaged and passed over ({str(error)[:80]})", file=sys.stderr)
            return None


@contextmanager
def resumable(output: str | Path, provenance: Provenance, interval: float) -> Iterator[Checkpoint]:
    """Yield the checkpoint of a training that makes `output` from what `provenance` says; `interval` in seconds.

    It is deleted when the block ends without an error: by then the outputs have to be written.
    """
    checkpoint = Checkpoint(f"{output}.state", json.dumps(asdict(provenance)), interval)
    with checkpoint.guarding():
        yield checkpoint
    checkpoint.remove()
