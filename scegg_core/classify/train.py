"""Training of the final classifier and prediction with it (paper section 3.3)."""

import torch
from torch import Tensor

from scegg_core.data.tasks import task_classes
from scegg_core.eggn.data import SyntheticFeatures, seen_features
from scegg_core.eggn.model import EGGN
from scegg_core.scen.space import Space
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.linear import ZeroShotClassifier, train_classifier


def classifier_input(features: Tensor, eggn: EGGN | None, settings: ClassifierSettings, batch: int = 4096) -> Tensor:
    """Return what the classifier sees of scaled features (images, channels)."""
    # ASSUME: g alone, as section 3.3 says; "transformed" is TF-VAEGAN's [g, Dec(g), hidden].
    if settings.input == "dense" or eggn is None:
        return features
    with torch.no_grad():
        return torch.cat([eggn.transform(part) for part in features.split(batch)])


def train_final(
    space: Space,
    synthetic: SyntheticFeatures,
    eggn: EGGN,
    task: str,
    settings: ClassifierSettings,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
) -> ZeroShotClassifier:
    """Return the classifier of one task: czsl learns from synthetic features alone, gzsl from real seen ones too."""
    features, labels = synthetic.features, synthetic.labels
    if task == "gzsl":
        real = seen_features(space.index, space.features)
        features, labels = torch.cat([real.features, features]), torch.cat([real.labels, labels])
    inputs = classifier_input(features.to(device), eggn.to(device), settings)
    classes = torch.from_numpy(task_classes(space.index, task)).to(device)
    classifier, _ = train_classifier(
        inputs, labels.to(device), classes, settings, seed, f"classifier {task}", checkpoint
    )
    return classifier
