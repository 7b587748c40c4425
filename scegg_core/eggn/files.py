"""Trained EGGNs and synthetic features on disk."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scegg_core.artifacts.files import (
    Provenance,
    matrix,
    read_description,
    read_table,
    read_tensors,
    write_table,
    write_tensors,
)
from scegg_core.eggn.data import SyntheticFeatures
from scegg_core.eggn.generators import NETWORKS
from scegg_core.eggn.model import Networks
from scegg_core.settings.base import as_mapping, parse_section
from scegg_core.settings.eggn import EggnSettings


def write_eggn(path: Path, eggn: Networks, settings: EggnSettings, provenance: Provenance) -> None:
    """Write EGGN's weights with its settings."""
    write_tensors(path, "eggn", eggn.state_dict(), provenance, {"settings": as_mapping(settings)})


def read_eggn(path: Path) -> tuple[Networks, EggnSettings]:
    """Return the trained networks at `path`, in evaluation mode, and the settings it was trained with."""
    tensors = read_tensors(path, "eggn")
    settings = parse_section(EggnSettings, read_description(path)["extra"]["settings"], str(path))
    return eggn_of(tensors, settings), settings


def eggn_of(tensors: dict[str, Tensor], settings: EggnSettings, complete: bool = True) -> Networks:
    """Return the networks whose weights are `tensors`, in evaluation mode; those missing if not `complete` are untrained."""
    kind = NETWORKS[settings.generator]
    eggn = kind(*kind.sizes(tensors, settings), settings)
    eggn.load_state_dict(tensors, strict=complete)
    return eggn.eval().requires_grad_(False)


def write_synthetic(path: Path, made: SyntheticFeatures, provenance: Provenance) -> None:
    """Write synthetic features as a table of kind `synthetic`."""
    columns = {"label": made.labels.cpu().numpy().astype(np.int32), "feature": made.features.cpu().numpy()}
    write_table(path, "synthetic", columns, provenance)


def read_synthetic(path: Path) -> SyntheticFeatures:
    """Return the synthetic features at `path`."""
    table = read_table(path, "synthetic")
    labels = torch.from_numpy(table.column("label").to_numpy().astype(np.int64))
    return SyntheticFeatures(torch.from_numpy(np.array(matrix(table.column("feature")))), labels)
