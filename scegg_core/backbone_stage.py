"""Training a backbone on a data set's own seen classes, where no weights can be had."""

from pathlib import Path

import numpy as np
import torch

from scegg_core.backbone import random_features
from scegg_core.backbone_training import BackboneTrainingSettings, TrainedBackbone, train_backbone
from scegg_core.data.boxes import cut_out, read_boxes
from scegg_core.data.tables import DatasetIndex
from scegg_core.decoding import load_images
from scegg_core.progress import bar
from scegg_core.settings.base import parse_section
from scegg_core.settings.data import BackboneSettings
from scegg_core.training import Checkpoint


def train_on_seen(
    index: DatasetIndex,
    folder: str,
    settings: BackboneSettings,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
) -> TrainedBackbone:
    """Return a backbone that learned the seen classes' attributes on their training images under `folder`."""
    training = index.in_split("trainval")
    given = parse_section(BackboneTrainingSettings, settings.training, "backbone.training")
    paths = [index.paths[row] for row in training]
    images = (
        cut_outs(Path(folder), paths, given.crop)
        if given.crop
        else load_images([Path(folder) / path for path in paths], settings)
    )
    with bar(given.epochs, "backbone", unit="epoch") as progress:

        def report(epoch: int, loss: float) -> None:
            progress.update()
            progress.set_postfix(loss=f"{loss:.3f}")

        # the head learns a(c) of seen classes rather than their names: from little data attributes are learned better
        targets = torch.from_numpy(index.vectors[index.labels[training]])
        return train_backbone(random_features(settings), images, targets, given, 0, device, report, checkpoint)


def cut_outs(folder: Path, paths: list[str], size: int) -> torch.Tensor:
    """Return the birds of the images at `paths`, cut out along their boxes, uint8 (n, 3, size, size).

    Like the photographs of ImageNet they show the object large and little else, so the backbone does not learn to
    look away from the clutter around it: that is left to the attention.
    """
    boxes = read_boxes(folder)
    pictures = [cut_out(folder / path, boxes[path], size) for path in paths]
    return torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).contiguous()
