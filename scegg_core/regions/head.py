"""The network that a backbone is trained as: itself, and a head that scores classes and is thrown away afterwards."""

import copy

from torch import Tensor, nn
from torch.nn import functional

from scegg_core.regions.backbone import Backbone
from scegg_core.regions.layers import hold_frozen, hold_statistics

#: Length of the class vectors in the head; with unit vectors the scores grow too slowly under AdamW's fixed steps.
VECTOR_LENGTH = 10**0.5


class Head(nn.Module):
    """Scores of classes: of each its own, or the product of attributes with its vector, centred and of fixed length."""

    def __init__(self, channels: int, classes: Tensor):
        """`classes`: labels (classes,), or class vectors (classes, attributes)."""
        super().__init__()
        by_vector = classes.dim() == 2
        self.register_buffer("vectors", _centred(classes) if by_vector else None)
        self.linear = nn.Linear(channels, classes.shape[1] if by_vector else len(classes))
        # zeros need no random numbers; they delay the first gradient of the features by one step
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Tensor) -> Tensor:
        """Return class scores (batch, classes) of features (batch, channels)."""
        scores = self.linear(features)
        return scores if self.vectors is None else scores @ self.vectors.T


class Classifier(nn.Module):
    """A backbone with the head that is thrown away after training."""

    def __init__(self, network: Backbone, head: Head, top_share: float, given: bool = False):
        super().__init__()
        self.top_share = top_share
        self.given = given  # whether training begins with given weights
        self.backbone = copy.deepcopy(network)
        self.head = head

    def groups(self, rate: float, head_rate: float) -> list[dict]:
        """Return what AdamW trains: the weights of the backbone and of the head, each with its highest learning rate."""
        trained = [weight for weight in self.backbone.parameters() if weight.requires_grad]
        return [{"params": trained, "lr": rate}, {"params": list(self.head.parameters()), "lr": head_rate}]

    def train(self, mode: bool = True) -> "Classifier":
        """Switch to training, but for what is frozen and for the statistics of given weights."""
        super().train(mode)
        hold_frozen(self.backbone.features)
        if self.given:
            # ASSUME: they are of far more images than are trained on here
            hold_statistics(self.backbone.features)
        return self

    def forward(self, images: Tensor) -> Tensor:
        """Return class scores (batch, classes) of uint8 images (batch, 3, size, size)."""
        regions = self.backbone.feature_map(images).flatten(2)
        if self.top_share < 1:
            regions = regions.topk(max(1, round(self.top_share * regions.shape[2])), dim=2).values
        return self.head(regions.mean(dim=2))


def _centred(vectors: Tensor) -> Tensor:
    """Return class vectors (classes, A) of equal length, without what all classes have in common: it tells none apart."""
    vectors = vectors.float()
    return functional.normalize(vectors - vectors.mean(dim=0), dim=1) * VECTOR_LENGTH
