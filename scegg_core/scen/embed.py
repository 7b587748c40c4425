"""Embedding of images: dense-semantic features g and semantics e_l of a trained SCEN, or pooled backbone features."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scegg_core.regions.store import RegionStore
from scegg_core.scen.model import SCEN
from scegg_core.training.device import moved
from scegg_core.training.progress import bar


@dataclass(frozen=True)
class Embedded:
    """Features of all images of an index, in its order, and LEN's semantic embedding where the space has a SCEN."""

    features: Tensor  # (images, channels), unscaled
    semantics: Tensor | None  # e_l, (images, attributes)


@torch.inference_mode()
def embed_images(
    store: RegionStore, rows: np.ndarray, scen: SCEN | None, device: torch.device, batch: int = 64
) -> Embedded:
    """Return the features of image `rows` of the region store: SCEN's g, or average-pooled regions without a SCEN."""
    features = torch.empty(len(rows), store.size.channels)
    semantics = torch.empty(len(rows), scen.local.words.shape[0]) if scen else None
    for target, regions in scan_images(store, rows, device, batch):
        _embed_batch(regions, scen, target, features, semantics)
    return Embedded(features, semantics)


def scan_images(
    store: RegionStore, rows: np.ndarray, device: torch.device, batch: int = 64
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield the regions of image `rows`, at most `batch` images at a time and on `device`, after their places in `rows`."""
    position = store.positions(rows)
    with bar(len(rows), "embedding", unit="image") as progress:
        for images, block in store.scan():
            wanted = np.flatnonzero(position[images] >= 0)
            target = torch.from_numpy(position[images[wanted]])
            for start in range(0, len(wanted), batch):
                part = moved(torch.from_numpy(block[wanted[start : start + batch]]), device)
                yield target[start : start + batch], part
            progress.update(len(wanted))


def _embed_batch(part: Tensor, scen: SCEN | None, target: Tensor, features: Tensor, semantics: Tensor | None) -> None:
    if scen is None:
        features[target] = part.float().mean(dim=1).cpu()
        return
    feature, semantic = scen.embed(part)
    features[target], semantics[target] = feature.float().cpu(), semantic.float().cpu()
