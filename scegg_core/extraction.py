"""Extraction of region features: images are decoded and resized by threads while the backbone computes."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from scegg_core.artifacts import Provenance
from scegg_core.backbone import Backbone, map_size
from scegg_core.data.images import open_rgb
from scegg_core.errors import InputError
from scegg_core.progress import bar
from scegg_core.regions import read_ahead, write_shard
from scegg_core.settings.data import BackboneSettings

SHOWN = 20  # bad images named in a message


def load_image(path: Path, settings: BackboneSettings) -> np.ndarray | str:
    """Return the image as uint8 (size, size, 3), or the sentence that says why it cannot be used."""
    from PIL import Image

    size = settings.image_size
    try:
        image = open_rgb(path)
    except InputError as error:
        return str(error)
    if settings.resize == "crop":
        from PIL import ImageOps

        image = ImageOps.fit(image, (size, size), Image.Resampling.BILINEAR)
    # ASSUME: squash to a square, so that nothing of the image is lost; PIL's filter averages when it shrinks.
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))


def image_batches(paths: list[Path], settings: BackboneSettings) -> Iterator[np.ndarray]:
    """Yield uint8 batches (n, size, size, 3) in order; all unusable images are named in one InputError at the end."""
    bad, waiting = [], []
    for image in read_ahead(
        lambda path: load_image(path, settings), paths, 2 * settings.batch_size, os.cpu_count() or 1
    ):
        if isinstance(image, str):
            bad.append(image)
        elif not bad:
            waiting.append(image)
            if len(waiting) == settings.batch_size:
                yield np.stack(waiting)
                waiting = []
    if bad:
        more = f" … and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
        raise InputError(f"{len(bad)} images cannot be read: " + " ".join(bad[:SHOWN]) + more)
    if waiting:
        yield np.stack(waiting)


def load_images(paths: list[Path], settings: BackboneSettings) -> torch.Tensor:
    """Return all images as uint8 (n, 3, size, size)."""
    return torch.from_numpy(np.concatenate(list(image_batches(paths, settings)))).permute(0, 3, 1, 2).contiguous()


def region_features(
    backbone: Backbone, paths: list[Path], settings: BackboneSettings, device: torch.device
) -> Iterator[np.ndarray]:
    """Yield half-precision region features (n, R, channels) of the images in order, batch by batch."""
    backbone = backbone.to(device, memory_format=torch.channels_last)
    for images in image_batches(paths, settings):
        batch = torch.from_numpy(images).to(device, non_blocking=True).permute(0, 3, 1, 2)
        yield _forward(backbone, batch, settings).half().cpu().numpy()


@torch.inference_mode()
def _forward(backbone: Backbone, batch: torch.Tensor, settings: BackboneSettings) -> torch.Tensor:
    """Run a batch, in halves where the device has too little memory for it."""
    try:
        with torch.autocast(batch.device.type, getattr(torch, settings.precision), enabled=_autocast(batch, settings)):
            return backbone(batch)
    except torch.cuda.OutOfMemoryError:
        if len(batch) == 1:
            raise
        half = len(batch) // 2
        return torch.cat([_forward(backbone, part, settings) for part in batch.split(half)])


def _autocast(batch: torch.Tensor, settings: BackboneSettings) -> bool:
    return batch.device.type == "cuda" and settings.precision != "float32"


def extract_shard(
    backbone: Backbone,
    paths: list[Path],
    rows: range,
    settings: BackboneSettings,
    device: torch.device,
    shard: Path,
    provenance: Provenance,
) -> None:
    """Write the region features of the images `paths`, which are `rows` of the images table, as one shard."""
    size = map_size(backbone.to(device), settings.image_size)
    done = 0
    with write_shard(shard, size, provenance) as writer, bar(len(paths), "regions", unit="image") as progress:
        for features in region_features(backbone, paths, settings, device):
            writer.add(np.arange(rows.start + done, rows.start + done + len(features)), features)
            done += len(features)
            progress.update(len(features))
