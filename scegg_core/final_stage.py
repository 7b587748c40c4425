"""The final classifier on a space: real features of seen classes and synthetic ones of unseen classes."""

import torch

from scegg_core.classify import classifier_input, train_classifier
from scegg_core.eggn_data import SyntheticFeatures
from scegg_core.generators import seen_features
from scegg_core.models.classifier import ZeroShotClassifier
from scegg_core.models.eggn import EGGN
from scegg_core.settings.final import ClassifierSettings
from scegg_core.spaces import Space
from scegg_core.tasks import task_classes
from scegg_core.training import Checkpoint


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
