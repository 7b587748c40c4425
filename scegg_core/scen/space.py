"""Visual feature spaces: dense-semantic features of SCEN, or pooled backbone features, scaled for EGGN."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scegg_core.artifacts.files import Provenance, matrix, read_table, read_tensors, write_table, write_tensors
from scegg_core.artifacts.paths import SpaceFiles
from scegg_core.data.tables import DatasetIndex, read_index
from scegg_core.errors import InputError
from scegg_core.scen.embed import Embedded
from scegg_core.scen.files import read_scen
from scegg_core.scen.model import SCEN
from scegg_core.scen.scaling import MinMaxScaler


@dataclass(frozen=True)
class Space:
    """A feature space of one data set, as stage 3 and the final classifier use it."""

    index: DatasetIndex
    features: Tensor  # (images, channels) in [0, 1]
    scaler: MinMaxScaler
    scen: SCEN | None  # None in backbone spaces


def read_space(files: SpaceFiles) -> Space:
    """Return the space in `files`, with SCEN in evaluation mode where they name one."""
    index = read_index(files.index)
    scen = read_scen(files.scen) if files.scen else None
    return Space(index, read_features(files.features, index), read_scaler(files.scaler), scen)


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
        write_semantics(semantics, embedded.semantics, provenance)
    write_tensors(scaler, "scaler", {"low": fitted.low, "span": fitted.span}, provenance)
    write_table(features, "features", {"image": images, "feature": scaled}, provenance)


def write_semantics(path: Path, semantics: Tensor, provenance: Provenance) -> None:
    """Write the semantic embeddings (images, attributes) of all images of an index, in its order."""
    images = np.arange(len(semantics), dtype=np.int32)
    write_table(path, "semantics", {"image": images, "semantic": semantics.numpy()}, provenance)


def read_features(path: Path, index: DatasetIndex) -> Tensor:
    """Return the scaled features (images, channels) of all images of `index`, in its order."""
    return _read_matrix(path, "features", "feature", index)


def read_semantics(path: Path, index: DatasetIndex) -> Tensor:
    """Return the semantic embedding, LEN's e_l or DAZLE's, (images, attributes) of all images of `index`, in its order."""
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
