"""TODO."""

from pathlib import Path

from scegg_core.artifacts.files import (
    Provenance,
    read_description,
    read_tensors,
    write_tensors,
)
from scegg_core.settings.base import as_mapping, parse_section
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.training.linear import ZeroShotClassifier, linear_of


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
