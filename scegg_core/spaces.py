"""Visual feature spaces: dense-semantic features of SCEN, or pooled backbone features, scaled for EGGN."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scegg_core.artifacts import (
    Provenance,
    matrix,
    read_description,
    read_table,
    read_tensors,
    write_table,
    write_tensors,
)
from scegg_core.data.tables import DatasetIndex, read_index_of
from scegg_core.errors import InputError
from scegg_core.models.scen import SCEN
from scegg_core.progress import bar
from scegg_core.regions import RegionStore
from scegg_core.scaling import MinMaxScaler
from scegg_core.settings.base import as_mapping, parse_section
from scegg_core.settings.scen import ScenSettings


@dataclass(frozen=True)
class Embedded:
    """Features of all images of an index, in its order, and LEN's semantic embedding where the space has a SCEN."""

    features: Tensor  # (images, channels), unscaled
    semantics: Tensor | None  # e_l, (images, attributes)


@dataclass(frozen=True)
class Space:
    """A feature space of one data set, as stage 3 and the final classifier use it."""

    index: DatasetIndex
    features: Tensor  # (images, channels) in [0, 1]
    scaler: MinMaxScaler
    scen: SCEN | None  # None in backbone spaces


def read_space(files: object) -> Space:
    """Return the space of a job whose inputs are named as those of the index, `features`, `scaler` and maybe `scen`."""
    index = read_index_of(files)
    scen = read_scen(Path(files.scen)) if getattr(files, "scen", None) else None
    return Space(index, read_features(Path(files.features), index), read_scaler(Path(files.scaler)), scen)


@torch.inference_mode()
def embed_images(
    store: RegionStore, rows: np.ndarray, scen: SCEN | None, device: torch.device, batch: int = 64
) -> Embedded:
    """Return the features of image `rows` of the region store: SCEN's g, or average-pooled regions without a SCEN."""
    place = store.places(rows)
    features = torch.empty(len(rows), store.size.channels)
    semantics = torch.empty(len(rows), scen.local.words.shape[0]) if scen else None
    with bar(len(rows), "embedding", unit="image") as progress:
        for images, block in store.scan():
            wanted = np.flatnonzero(place[images] >= 0)
            target = torch.from_numpy(place[images[wanted]])
            for start in range(0, len(wanted), batch):
                part = torch.from_numpy(block[wanted[start : start + batch]]).to(device)
                _embed_batch(part, scen, target[start : start + batch], features, semantics)
            progress.update(len(wanted))
    return Embedded(features, semantics)


def _embed_batch(part: Tensor, scen: SCEN | None, target: Tensor, features: Tensor, semantics: Tensor | None) -> None:
    if scen is None:
        features[target] = part.float().mean(dim=1).cpu()
        return
    local, whole = scen(part)
    features[target], semantics[target] = whole.feature.float().cpu(), local.semantic.float().cpu()


def write_space(
    embedded: Embedded,
    training: np.ndarray,
    features: Path,
    scaler: Path,
    semantics: Path | None,
    provenance: Provenance,
    scaling: str = "channel",
) -> None:
    """Write scaled features, the scaler fitted on the images at positions `training`, and the semantics."""
    fitted = MinMaxScaler.fit(embedded.features[torch.from_numpy(training)], scaling)
    images = np.arange(len(embedded.features), dtype=np.int32)
    scaled = fitted.transform(embedded.features).numpy()
    if semantics is not None:
        write_table(semantics, "semantics", {"image": images, "semantic": embedded.semantics.numpy()}, provenance)
    write_tensors(scaler, "scaler", {"low": fitted.low, "span": fitted.span}, provenance)
    write_table(features, "features", {"image": images, "feature": scaled}, provenance)


def read_features(path: Path, index: DatasetIndex) -> Tensor:
    """Return the scaled features (images, channels) of all images of `index`, in its order."""
    return _read_matrix(path, "features", "feature", index)


def read_semantics(path: Path, index: DatasetIndex) -> Tensor:
    """Return LEN's semantic embedding e_l (images, attributes) of all images of `index`, in its order."""
    return _read_matrix(path, "semantics", "semantic", index)


def _read_matrix(path: Path, kind: str, column: str, index: DatasetIndex) -> Tensor:
    values = matrix(read_table(path, kind).column(column))
    if len(values) != len(index.paths):
        raise InputError(
            f"{path} holds {len(values)} images, the index {len(index.paths)}; delete it to have it made again."
        )
    return torch.from_numpy(np.array(values))


def read_scaler(path: Path) -> MinMaxScaler:
    """Return the scaler at `path`."""
    tensors = read_tensors(path, "scaler")
    return MinMaxScaler(tensors["low"], tensors["span"])


def write_scen(path: Path, scen: SCEN, settings: ScenSettings, provenance: Provenance) -> None:
    """Write SCEN's weights with its settings."""
    write_tensors(path, "scen", scen.state_dict(), provenance, {"settings": as_mapping(settings)})


def read_scen(path: Path) -> SCEN:
    """Return the trained SCEN at `path`, in evaluation mode; the file says everything about its shape."""
    tensors = read_tensors(path, "scen")
    settings = parse_section(ScenSettings, read_description(path)["extra"]["settings"], str(path))
    classes, words = tensors["local.class_vectors"], tensors["local.words"]
    scen = SCEN(words, classes, tensors["local.attend"].shape[1], settings, tensors.get("local.share"))
    scen.load_state_dict(tensors)
    return scen.eval().requires_grad_(False)
