"""Training of the final classifier of one task (paper section 3.3)."""

import torch

from scegg_core.classify.classifier import FinalClassifier, classifier_input
from scegg_core.data.tasks import task_classes
from scegg_core.eggn.data import SyntheticFeatures, seen_features
from scegg_core.eggn.model import EGGN
from scegg_core.scen.space import Space
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.linear import train_classifier


def train_final(
    space: Space,
    synthetic: SyntheticFeatures,
    eggn: EGGN,
    task: str,
    settings: ClassifierSettings,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
) -> FinalClassifier:
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
    return FinalClassifier(classifier, settings)
