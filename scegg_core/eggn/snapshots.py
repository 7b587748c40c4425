"""Snapshots: a generator as it was at evenly spaced epochs, so that epochs can be compared without training again.

Only the networks that synthesis and the classifier's input need are kept (`Networks.kept`), one file an epoch.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from scegg_core.artifacts.files import Provenance, read_description, read_tensors, write_tensors
from scegg_core.eggn.files import eggn_of
from scegg_core.eggn.model import Networks
from scegg_core.errors import InputError
from scegg_core.settings.base import as_mapping, parse_section
from scegg_core.settings.eggn import EggnSettings


@dataclass(frozen=True)
class Snapshot:
    """The generator of one epoch, in evaluation mode; its E and D are untrained."""

    epoch: int
    eggn: Networks
    settings: EggnSettings


def snapshot_epochs(epochs: int, count: int) -> list[int]:
    """Return at most `count` evenly spaced ones of the epochs 1 to `epochs`, the last among them."""
    return sorted({-(-epochs * place // count) for place in range(1, count + 1)})


class SnapshotKeeper:
    """Writes the snapshots of one training, each to a file of its own when its epoch ends."""

    def __init__(self, folder: Path, settings: EggnSettings, provenance: Provenance):
        self.folder, self.settings, self.provenance = folder, settings, provenance
        self.epochs = snapshot_epochs(settings.epochs, settings.snapshots)

    def take(self, epoch: int, eggn: Networks) -> None:
        """Keep `eggn` if `epoch` is one of those wanted."""
        if epoch in self.epochs:
            kept = eggn.kept
            tensors = {name: value for name, value in eggn.state_dict().items() if name.split(".")[0] in kept}
            extra = {"epoch": epoch, "settings": as_mapping(self.settings)}
            write_tensors(self.folder / _name(epoch), "snapshot", tensors, self.provenance, extra)

    def publish(self, folder: Path) -> None:
        """Put all snapshots into `folder`, which appears whole or not at all."""
        folder.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(prefix=f".{folder.name}.", suffix=".part", dir=folder.parent) as temporary:
            whole = Path(temporary) / folder.name
            whole.mkdir()
            for epoch in self.epochs:
                os.link(self.folder / _name(epoch), whole / _name(epoch))
            shutil.rmtree(folder, ignore_errors=True)
            whole.rename(folder)


@contextmanager
def keeping(folder: str | Path, settings: EggnSettings, provenance: Provenance) -> Iterator[SnapshotKeeper]:
    """Yield the keeper of a training's snapshots, which are in `folder` when the block ends without an error.

    Until then they lie beside it, under a name that stands for what is being trained, so that a training which is
    interrupted and continued finds those it has taken already, and no others.
    """
    folder = Path(folder)
    key = hashlib.sha256(json.dumps(asdict(provenance), sort_keys=True).encode()).hexdigest()[:16]
    keeper = SnapshotKeeper(folder.with_name(f"{folder.name}.{key}"), settings, provenance)
    yield keeper
    keeper.publish(folder)
    for left in folder.parent.glob(f"{folder.name}.*"):
        shutil.rmtree(left, ignore_errors=True)


def read_snapshots(folder: str | Path) -> Iterator[Snapshot]:
    """Yield the snapshots in `folder` in order of epochs, one in memory at a time; InputError if there is none."""
    files = sorted(Path(folder).glob("*.safetensors"))
    if not files:
        raise InputError(
            f"{folder} holds no snapshots: they are taken where epochs are compared, which needs eggn.snapshots above 0 "
            "and, on the validation split, a variant with selection: validation, else tables.oracle: true."
        )
    for file in files:
        yield _read(file)


def _read(file: Path) -> Snapshot:
    tensors, extra = read_tensors(file, "snapshot"), read_description(file)["extra"]
    settings = parse_section(EggnSettings, extra["settings"], str(file))
    return Snapshot(extra["epoch"], eggn_of(tensors, settings, complete=False), settings)


def _name(epoch: int) -> str:
    return f"epoch{epoch:05d}.safetensors"
