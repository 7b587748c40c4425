"""Attention of a trained SCEN on stored regions: LEN's maps of all attributes and GEN's weight of each region."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from scegg_core.data.tables import DatasetIndex
from scegg_core.regions.store import RegionStore
from scegg_core.scen.model import SCEN


@dataclass(frozen=True)
class Attended:
    """A batch of images: their positions in the index (n,), and the attention of SCEN on them.

    `maps` (n, A, h, w) is LEN's attention, `whole` (n, h, w) GEN's weight of each region, `scores` (n, A) is e_l.
    """

    positions: np.ndarray
    maps: np.ndarray
    whole: np.ndarray
    scores: np.ndarray


def test_images(index: DatasetIndex) -> np.ndarray:
    """Return the positions of all test images, ascending."""
    return np.sort(np.concatenate([index.in_split("test_seen"), index.in_split("test_unseen")]))


@torch.inference_mode()
def attend(
    store: RegionStore, scen: SCEN, index: DatasetIndex, positions: np.ndarray, batch: int = 32
) -> Iterator[Attended]:
    """Yield the attention on the images at `positions`, in the order of the store; only their row groups are read."""
    position_of = dict(zip(index.rows[positions].tolist(), positions.tolist(), strict=True))
    for group in store.groups:
        wanted = np.array(
            [row for row, image in enumerate(group.images.tolist()) if image in position_of], dtype=np.int64
        )
        features = store.read(group) if len(wanted) else None
        for start in range(0, len(wanted), batch):
            rows = wanted[start : start + batch]
            where = np.array([position_of[int(image)] for image in group.images[rows]])
            yield _attend(scen, torch.from_numpy(features[rows]), where, (store.size.height, store.size.width))


def _attend(scen: SCEN, regions: torch.Tensor, positions: np.ndarray, grid: tuple[int, int]) -> Attended:
    regions = scen.prepare(regions)
    attention, semantic = scen.local.attend_and_embed(regions)
    weights = scen.glob.region_weights(attention, regions)
    maps = attention.transpose(1, 2).reshape(len(regions), -1, *grid)
    return Attended(positions, maps.numpy(), weights.reshape(-1, *grid).numpy(), semantic.numpy())
