"""Snapshots: a generator as it was at evenly spaced epochs, so that epochs can be compared without training again.

Only the networks that synthesis and the classifier's input need are kept (`Networks.kept`), one file an epoch.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from scegg_core.artifacts.files import Provenance, link_or_copy, read_description, read_tensors, write_tensors
from scegg_core.artifacts.sets import whole_folder
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
    """Writes the snapshots of one training into `beside`, each when its epoch ends, and at last all into `folder`."""

    def __init__(self, folder: Path, beside: Path, settings: EggnSettings, provenance: Provenance):
        self.folder, self.beside, self.settings, self.provenance = folder, beside, settings, provenance
        self.epochs = snapshot_epochs(settings.epochs, settings.snapshots)

    def take(self, epoch: int, eggn: Networks) -> None:
        """Keep `eggn` if `epoch` is one of those wanted."""
        if epoch in self.epochs:
            kept = eggn.kept
            tensors = {name: value for name, value in eggn.state_dict().items() if name.split(".")[0] in kept}
            extra = {"epoch": epoch, "settings": as_mapping(self.settings)}
            write_tensors(self.beside / _name(epoch), "snapshot", tensors, self.provenance, extra)

    def publish(self) -> None:
        """Put all snapshots into the folder, which appears whole or not at all; those beside it stay.

        They are what a training needs to go on, as long as its state is there.
        """
        with whole_folder(self.folder) as whole:
            for epoch in self.epochs:
                link_or_copy(self.beside / _name(epoch), whole / _name(epoch))


@contextmanager
def keeping(folder: str | Path, settings: EggnSettings, provenance: Provenance) -> Iterator[SnapshotKeeper]:
    """Yield the keeper of a training's snapshots, to be published within the block.

    Until it ends without an error they lie beside `folder`, under a name that stands for what is being trained, so that
    a training which is interrupted and continued finds those it has taken already, and no others. The training's state
    has to go before them (`resumable` within this block): a training that continued without them could not publish.
    """
    folder = Path(folder)
    key = hashlib.sha256(json.dumps(asdict(provenance), sort_keys=True).encode()).hexdigest()[:16]
    yield SnapshotKeeper(folder, folder.with_name(f"{folder.name}.{key}"), settings, provenance)
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
