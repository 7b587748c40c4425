"""f-CLSWGAN (Xian et al., CVPR 2018): G and D alone, guided by a classifier of real seen features."""

import torch

from scegg_core.eggn.data import SeenFeatures
from scegg_core.eggn.generators.base import FeatureGenerator
from scegg_core.eggn.guidance import Guide
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.space import Space
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.training.linear import linear_of, train_classifier


class FClswgan(FeatureGenerator):
    """L_WGAN (Eq. 11) with z of the prior, and L_CLS, which has the form of Eq. 14 but its own classifier."""

    # DEVIATES: G ends in a sigmoid, as all generators here, whose features lie in [0, 1]; the released code's in a ReLU.

    @classmethod
    def guide_of(cls, space: Space, data: SeenFeatures, settings: EggnSettings, seed: int) -> Guide | None:
        """Return the seen classes' classifier where the classification loss has weight, else CLS_g."""
        if settings.classification_weight == 0:
            return super().guide_of(space, data, settings, seed)
        return seen_guide(data, settings.classification_weight, seed)


def seen_guide(data: SeenFeatures, weight: float, seed: int) -> Guide:
    """Return f-CLSWGAN's guide: a softmax classifier of the seen classes, trained on their real features.

    It scores scaled features; its rows of unseen classes are zero and take no part, and no unseen class is guided.
    """
    seen = torch.nonzero(data.seen).squeeze(1)
    given = ClassifierSettings(epochs=50, batch_size=100)  # f-CLSWGAN's
    trained, _ = train_classifier(data.features, data.labels, seen, given, seed, "seen classifier")
    classes, channels = len(data.seen), data.features.shape[1]
    rows, bias = data.features.new_zeros(classes, channels), data.features.new_zeros(classes)
    rows[seen], bias[seen] = trained.layer.weight, trained.layer.bias
    identity = MinMaxScaler(data.features.new_zeros(channels), data.features.new_ones(channels))
    return Guide(linear_of(rows, bias), identity, seen_weight=weight, unseen_weight=0.0, apart=True)
