"""Synthetic features of classes that have no images (paper section 3.3)."""

import torch
from torch import Tensor

from scegg_core.data.tables import DatasetIndex
from scegg_core.eggn.data import SyntheticFeatures
from scegg_core.eggn.model import Networks
from scegg_core.settings.synthesis import SynthesisSettings

ROWS = 4096  # features made at a time


@torch.no_grad()
def synthesize(
    eggn: Networks, vectors: Tensor, classes: Tensor, settings: SynthesisSettings, seed: int
) -> SyntheticFeatures:
    """Return `per_class` features of each of `classes` (rows of `vectors`, (all classes, attributes)).

    Each class draws its own noise from (seed, class), so that adding a class leaves the others' features as they are,
    up to rounding: they are made in batches over classes.
    """
    labels, made = classes.repeat_interleave(settings.per_class), None
    for start in range(0, len(labels), ROWS):
        own = labels[start : start + ROWS]
        noise = _noise_between(classes, settings.per_class, eggn.latent, seed, start, start + len(own))
        part = eggn.synthesize(noise.to(vectors.device), vectors[own], settings)
        made = part.new_empty(len(labels), part.shape[1]) if made is None else made
        made[start : start + ROWS] = part
    return SyntheticFeatures(made, labels)


def synthesize_unseen(
    index: DatasetIndex,
    eggn: Networks,
    settings: SynthesisSettings,
    seed: int,
    device: torch.device,
) -> SyntheticFeatures:
    """Return `synthesize` of the unseen classes of `index`, computed on `device`, in main memory."""
    unseen = torch.nonzero(~torch.from_numpy(index.seen)).squeeze(1)
    vectors = torch.from_numpy(index.vectors).to(device)
    made = synthesize(eggn.to(device), vectors, unseen, settings, seed)
    return SyntheticFeatures(made.features.cpu(), made.labels)


def _noise_between(classes: Tensor, per_class: int, size: int, seed: int, start: int, stop: int) -> Tensor:
    """The noise of the features `start` to `stop` of all classes; of a class that begins before, it is drawn again."""
    first = start // per_class
    drawn = [_noise(seed, label, per_class, size) for label in classes[first : -(-stop // per_class)].tolist()]
    return torch.cat(drawn)[start - first * per_class : stop - first * per_class]


def _noise(seed: int, label: int, count: int, size: int) -> Tensor:
    own = (seed * 1_000_003 + label) % 2**64  # what torch takes as a seed
    return torch.randn(count, size, generator=torch.Generator().manual_seed(own))
