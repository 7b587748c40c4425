"""Training a backbone on a data set's own seen classes, where no weights can be had."""

from pathlib import Path

import torch

from scegg_core.backbone import random_features
from scegg_core.backbone_training import BackboneTrainingSettings, TrainedBackbone, train_backbone
from scegg_core.data.tables import DatasetIndex
from scegg_core.extraction import load_images
from scegg_core.progress import bar
from scegg_core.settings.base import parse_section
from scegg_core.settings.data import BackboneSettings


def train_on_seen(
    index: DatasetIndex, folder: str, settings: BackboneSettings, device: torch.device
) -> TrainedBackbone:
    """Return a backbone that learned the seen classes' attributes on their training images under `folder`."""
    training = index.in_split("trainval")
    images = load_images([Path(folder) / index.paths[row] for row in training], settings)
    given = parse_section(BackboneTrainingSettings, settings.training, "backbone.training")
    with bar(given.epochs, "backbone", unit="epoch") as progress:

        def report(epoch: int, loss: float) -> None:
            progress.update()
            progress.set_postfix(loss=f"{loss:.3f}")

        # the head learns a(c) of seen classes rather than their names: from little data attributes are learned better
        targets = torch.from_numpy(index.vectors[index.labels[training]])
        return train_backbone(random_features(settings), images, targets, given, 0, device, report)
