"""Embedding of images by a trained DAZLE: weighted attribute scores, whose dot products with a(c) are class scores."""

import numpy as np
import torch
from torch import Tensor

from scegg_core.dazle.model import Dazle
from scegg_core.regions.store import RegionStore
from scegg_core.scen.embed import scan_images


@torch.inference_mode()
def embed_by_dazle(store: RegionStore, rows: np.ndarray, dazle: Dazle, device: torch.device) -> Tensor:
    """Return w e (images, attributes) of image `rows` of the region store, in their order."""
    semantics = torch.empty(len(rows), len(dazle.words))
    for target, regions in scan_images(store, rows, device):
        semantics[target] = dazle(regions).semantic.float().cpu()
    return semantics
