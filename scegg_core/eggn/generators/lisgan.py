"""LisGAN (Li et al., CVPR 2019): f-CLSWGAN whose made features stay near soul samples, the views that a class has."""

import warnings
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from scegg_core.data.blocks import by_class
from scegg_core.eggn.data import SeenFeatures
from scegg_core.eggn.draws import Draws
from scegg_core.eggn.generators.base import Made, Term, Update
from scegg_core.eggn.generators.f_clswgan import FClswgan
from scegg_core.eggn.guidance import Guide
from scegg_core.eggn.model import Networks
from scegg_core.settings.eggn import EggnSettings


class LisGan(FClswgan):
    """f-CLSWGAN's losses, L_R1 of made features and L_R2 of their mean in each seen class.

    Its cascade, which trains a second classifier on test images that the first one is sure of, is left out: no training
    sees test images here.
    """

    def __init__(self, model: Networks, guide: Guide | None, settings: EggnSettings, draws: Draws, update: Update):
        """Arguments are the base's."""
        super().__init__(model, guide, settings, draws, update)
        self.souls = soul_samples(draws.data, settings.soul_samples)
        self.seen = draws.data.labels.unique()

    def tensors(self) -> dict[str, Tensor]:
        """Return the base's tensors, and the soul samples, so that a continued training has the same ones."""
        return super().tensors() | {"souls": self.souls}

    def terms(self, made: Made) -> Iterator[Term]:
        """Yield the GAN's term, L_R1 and L_R2."""
        yield from super().terms(made)
        near = to_nearest_soul(made.feature, self.souls[made.batch.labels])
        yield Term("L_R1", self.settings.soul_weight, near.mean())
        labels = self.seen.repeat_interleave(self.settings.soul_made)
        features = self.model.generator(*self.draws.prior(labels))
        means = features.unflatten(0, (len(self.seen), -1)).mean(dim=1)  # (seen classes, channels)
        yield Term("L_R2", self.settings.soul_mean_weight, to_nearest_soul(means, self.souls[self.seen]).mean())


def to_nearest_soul(feature: Tensor, souls: Tensor) -> Tensor:
    """Return the squared distance (batch,) of features (batch, channels) to the nearest of `souls` (batch, K, channels)."""
    return (feature[:, None] - souls).square().sum(dim=2).amin(dim=1)


def soul_samples(data: SeenFeatures, most: int) -> Tensor:
    """Return the means of each class's clusters (classes, K, channels), found by k-means; K is at most `most`.

    Where a class has fewer clusters than others its first one comes again; classes without images have zeros.
    """
    features, labels = data.features.detach().cpu().numpy(), data.labels.cpu().numpy()
    clusters = {label: _means(features[rows], most) for label, rows in by_class(labels)}
    largest = max(len(means) for means in clusters.values())
    found = np.zeros((len(data.seen), largest, features.shape[1]), features.dtype)
    for label, means in clusters.items():
        found[label] = means[0]
        found[label, : len(means)] = means
    return torch.from_numpy(found).to(data.features)


def _means(features: np.ndarray, most: int) -> np.ndarray:
    """The means of the clusters of a class's features (images, channels)."""
    from sklearn.cluster import KMeans  # here, since it takes long to import

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # fewer different images than clusters: some means are equal
        return KMeans(min(most, len(features)), n_init=10, random_state=0).fit(features).cluster_centers_
