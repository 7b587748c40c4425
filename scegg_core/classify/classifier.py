"""The final classifier of one task (paper section 3.3): what it sees of features, and its file."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scegg_core.artifacts.files import Provenance, read_description, read_tensors, write_tensors
from scegg_core.eggn.model import Networks, in_batches
from scegg_core.settings.base import as_mapping, parse_section
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.training.linear import ZeroShotClassifier, linear_of


@dataclass(frozen=True)
class FinalClassifier:
    """A classifier and its settings, which say what it sees of features.

    `calibration` was taken off the biases, so off the scores, of the seen classes (None: nothing was).
    """

    classifier: ZeroShotClassifier
    settings: ClassifierSettings
    calibration: float | None = None

    @property
    def device(self) -> torch.device:
        """Return the device of its weights."""
        return self.classifier.classes.device

    def to(self, device: torch.device) -> "FinalClassifier":
        """Return the same on `device`."""
        layer, classes = self.classifier.layer.to(device), self.classifier.classes.to(device)
        return replace(self, classifier=ZeroShotClassifier(layer, classes))

    def calibrated(self, constant: float | None, seen: np.ndarray) -> "FinalClassifier":
        """Return the same with `constant` taken off the seen classes' scores: calibrated stacking (Chao et al., 2016).

        `seen` (all classes,) bool. The same as it is for None, and where no seen class is among its classes.
        """
        own = torch.from_numpy(seen).to(self.device)[self.classifier.classes]
        if constant is None or not own.any():
            return self
        layer = linear_of(self.classifier.layer.weight.detach(), self.classifier.layer.bias.detach() - constant * own)
        return replace(self, classifier=ZeroShotClassifier(layer, self.classifier.classes), calibration=constant)

    def inputs(self, features: Tensor, eggn: Networks | None) -> Tensor:
        """Return what the classifier sees of scaled features (images, channels), on its device; moves `eggn` there."""
        eggn = eggn.to(self.device) if eggn else None
        return classifier_input(features.to(self.device), eggn, self.settings)


def classifier_input(
    features: Tensor, eggn: Networks | None, settings: ClassifierSettings, batch: int = 4096
) -> Tensor:
    """Return what a classifier with `settings` sees of scaled features (images, channels): (images, size)."""
    # ASSUME: g alone, as section 3.3 says; "transformed" is what the method makes of it, TF-VAEGAN's [g, Dec(g), hidden].
    if settings.input == "dense" or eggn is None:
        return features
    return in_batches(eggn.transform, features, batch=batch)


def write_classifier(path: Path, final: FinalClassifier, provenance: Provenance, variant: str | None = None) -> None:
    """Write a final classifier with the classes that it tells apart, its settings, and the variant that it is of.

    The folder that it lies in can be copied under another name; an extension's is told by the run that it lies in.
    """
    layer = final.classifier.layer
    tensors = {"weight": layer.weight, "bias": layer.bias, "classes": final.classifier.classes}
    extra = {"settings": as_mapping(final.settings)}
    if final.calibration is not None:
        extra["calibration"] = final.calibration
    if variant is not None:
        extra["variant"] = variant
    write_tensors(path, "classifier", tensors, provenance, extra)


def read_classifier(path: Path) -> FinalClassifier:
    """Return the final classifier at `path`."""
    tensors = read_tensors(path, "classifier")
    extra = read_description(path)["extra"]
    settings = parse_section(ClassifierSettings, extra["settings"], str(path))
    layer = linear_of(tensors["weight"], tensors["bias"])
    return FinalClassifier(ZeroShotClassifier(layer, tensors["classes"]), settings, extra.get("calibration"))
