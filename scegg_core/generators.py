"""Trained EGGNs, synthetic features and final classifiers on disk, and what their training is given."""

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
from scegg_core.data.tables import DatasetIndex
from scegg_core.eggn_data import Guide, SeenFeatures, SyntheticFeatures
from scegg_core.models.classifier import ZeroShotClassifier, linear_of
from scegg_core.models.eggn import EGGN
from scegg_core.models.scen import SCEN
from scegg_core.scaling import MinMaxScaler
from scegg_core.settings.base import as_mapping, parse_section
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.final import ClassifierSettings


def seen_features(index: DatasetIndex, features: Tensor) -> SeenFeatures:
    """Return what stage 3 learns from: features of the training images, which are all of seen classes."""
    rows = torch.from_numpy(index.in_split("trainval"))
    labels = torch.from_numpy(index.labels.astype(np.int64))
    return SeenFeatures(features[rows], labels[rows], torch.from_numpy(index.vectors), torch.from_numpy(index.seen))


def guide_of(scen: SCEN | None, scaler: MinMaxScaler, settings: EggnSettings, device: torch.device) -> Guide | None:
    """Return CLS_g as guide of synthesis, or None where the space has no SCEN or L_EGS has no weight."""
    if scen is None or settings.seen_guidance == settings.unseen_guidance == 0:
        return None
    return Guide(scen.glob.classify.to(device), scaler.to(device))


def write_eggn(path: Path, eggn: EGGN, settings: EggnSettings, provenance: Provenance) -> None:
    """Write EGGN's weights with its settings."""
    write_tensors(path, "eggn", eggn.state_dict(), provenance, {"settings": as_mapping(settings)})


def read_eggn(path: Path) -> tuple[EGGN, EggnSettings]:
    """Return the trained EGGN at `path`, in evaluation mode, and the settings it was trained with."""
    tensors = read_tensors(path, "eggn")
    settings = parse_section(EggnSettings, read_description(path)["extra"]["settings"], str(path))
    attributes, channels = tensors["decoder.out.weight"].shape[0], tensors["generator.out.weight"].shape[0]
    eggn = EGGN(channels, attributes, settings)
    eggn.load_state_dict(tensors)
    return eggn.eval().requires_grad_(False), settings


def write_synthetic(path: Path, made: SyntheticFeatures, provenance: Provenance) -> None:
    """Write synthetic features as a table of kind `synthetic`."""
    columns = {"label": made.labels.cpu().numpy().astype(np.int32), "feature": made.features.cpu().numpy()}
    write_table(path, "synthetic", columns, provenance)


def read_synthetic(path: Path) -> SyntheticFeatures:
    """Return the synthetic features at `path`."""
    table = read_table(path, "synthetic")
    labels = torch.from_numpy(table.column("label").to_numpy().astype(np.int64))
    return SyntheticFeatures(torch.from_numpy(np.array(matrix(table.column("feature")))), labels)


def write_classifier(
    path: Path, classifier: ZeroShotClassifier, settings: ClassifierSettings, provenance: Provenance
) -> None:
    """Write a final classifier with the classes it tells apart."""
    layer = classifier.layer
    tensors = {"weight": layer.weight, "bias": layer.bias, "classes": classifier.classes}
    write_tensors(path, "classifier", tensors, provenance, {"settings": as_mapping(settings)})


def read_classifier(path: Path) -> tuple[ZeroShotClassifier, ClassifierSettings]:
    """Return the final classifier at `path` and its settings."""
    tensors = read_tensors(path, "classifier")
    settings = parse_section(ClassifierSettings, read_description(path)["extra"]["settings"], str(path))
    return ZeroShotClassifier(linear_of(tensors["weight"], tensors["bias"]), tensors["classes"]), settings
