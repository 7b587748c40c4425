"""Training of the final classifier of one task (paper section 3.3)."""

import torch
from torch import Tensor

from scegg_core.classify.cascade import train_second
from scegg_core.classify.classifier import FinalClassifier
from scegg_core.data.tasks import task_classes, task_images
from scegg_core.eggn.data import SyntheticFeatures, seen_features
from scegg_core.eggn.model import Networks
from scegg_core.scen.space import Space
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.linear import train_classifier


def train_final(
    space: Space,
    synthetic: SyntheticFeatures,
    eggn: Networks,
    task: str,
    settings: ClassifierSettings,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
) -> FinalClassifier:
    """Return the classifier of one task: czsl learns from synthetic features alone, gzsl from real seen ones too.

    With `cascade_share` from test images too, never from their labels.
    """
    real, labels = None, synthetic.labels
    if task == "gzsl":
        real, seen_labels = _seen(space, settings.seen_per_class)
        labels = torch.cat([seen_labels, labels])
    inputs = training_inputs(real, synthetic.features, eggn.to(device), settings, seed, device)
    classes, labels = torch.from_numpy(task_classes(space.index, task)).to(device), labels.to(device)
    classifier, _ = train_classifier(inputs, labels, classes, settings, seed, f"classifier {task}", checkpoint)
    final = FinalClassifier(classifier, settings)
    if settings.cascade_share is None:
        return final
    test_inputs = final.inputs(space.features[task_images(space.index, task)], eggn)
    return train_second(final, inputs, labels, test_inputs, seed, f"cascade {task}")


def training_inputs(
    real: Tensor | None,
    made: Tensor,
    eggn: Networks,
    settings: ClassifierSettings,
    seed: int,
    device: torch.device,
) -> Tensor:
    """Return what a classifier learns from, on `device`: `real` features (images, channels), if any, then `made` ones."""
    real, made = None if real is None else real.to(device), made.to(device)
    if settings.input == "dense":
        return made if real is None else torch.cat([real, made])
    return eggn.training_inputs(real, made, torch.Generator().manual_seed(seed))


def repeated(labels: Tensor, per_class: int) -> Tensor:
    """Return the rows of `labels` (images,) that give each class `per_class`: its own in turn, from the first again where
    there are fewer."""
    _, sizes = labels.unique(return_counts=True)
    starts = sizes.cumsum(0) - sizes
    places = starts[:, None] + torch.arange(per_class, device=labels.device) % sizes[:, None]
    return labels.argsort(stable=True)[places.flatten()]


def _seen(space: Space, per_class: int | None) -> tuple[Tensor, Tensor]:
    """The training images' features and labels: all of them, or `per_class` of each class."""
    real = seen_features(space.index, space.features)
    if per_class is None:
        return real.features, real.labels
    rows = repeated(real.labels, per_class)
    return real.features[rows], real.labels[rows]
