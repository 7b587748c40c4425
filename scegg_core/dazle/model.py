"""DAZLE: LEN's attention over regions (Eqs. 1 and 2), and a second attention over the attributes.

With a region r_i and attribute vectors v_a:
    h_a = sum_i softmax_i(v_a^T W_alpha r_i) r_i      what attribute a looks at: Eq. 1 of SC-EGG
    e_a = v_a^T W_e h_a                               the attribute's score: Eq. 2
    w_a = sigmoid(v_a^T W_w h_a)                      its weight, the second attention
    s_c = sum_a w_a e_a a(c)_a                        the score of class c
Both e_a and w_a's argument are linear in h_a, so h_a is not built: one product of the regions with all keys serves all.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from scegg_core.scen.model import LocalEmbeddingNetwork, prepared_regions
from scegg_core.settings.dazle import DazleSettings
from scegg_core.settings.scen import ScenSettings


@dataclass(frozen=True)
class DazleEmbedding:
    """The output of DAZLE for a batch."""

    attention: Tensor  # (batch, regions, attributes), sums to one over the regions
    weights: Tensor  # w, (batch, attributes)
    semantic: Tensor  # w e, (batch, attributes)
    scores: Tensor  # s without the margin, (batch, classes)


class Dazle(LocalEmbeddingNetwork):
    """LEN with the second attention, on one batch of region features."""

    def __init__(self, words: Tensor, class_vectors: Tensor, channels: int, settings: DazleSettings):
        """`words` (attributes, word size), `class_vectors` (classes, attributes), `channels` of a region feature."""
        # W_alpha starts at 0 and W_e at N(0, initial_std), the attribute vectors are learned
        super().__init__(words, class_vectors, channels, _as_len(settings))
        self.weigh = nn.Parameter(torch.zeros_like(self.attend)) if settings.attribute_attention else None  # W_w
        self.unit_words = settings.normalize_words
        self.low = torch.bfloat16 if settings.precision == "bfloat16" else None

    def vectors(self) -> Tensor:
        """Return the attribute vectors v_a as they are used, (attributes, word size)."""
        return functional.normalize(self.words, dim=1) if self.unit_words else self.words

    def keys(self) -> Tensor:
        """Return LEN's stacked keys, with those of the second attention below: (2 or 3 attributes, channels)."""
        keys = super().keys()
        return keys if self.weigh is None else torch.cat([keys, self.vectors() @ self.weigh])

    def prepare(self, regions: Tensor) -> Tensor:
        """Return `regions`, each of unit length, in the number type in which they are multiplied."""
        prepared = prepared_regions(regions, self.attend.dtype)
        return prepared.to(self.low) if self.low else prepared

    def forward(self, regions: Tensor) -> DazleEmbedding:
        """Embed raw region features (batch, regions, channels)."""
        regions = self.prepare(regions)
        products = (regions @ self.keys().to(regions.dtype).T).to(self.attend.dtype)
        blocks = products.unflatten(2, (-1, len(self.words)))  # of W_alpha, W_e and W_w: (batch, R, 2 or 3, A)
        attention = blocks[:, :, 0].softmax(dim=1)
        attended = (attention[:, :, None] * blocks[:, :, 1:]).sum(dim=1)  # (batch, 1 or 2, A)
        weights = self.attribute_weights(attended)
        semantic = weights * attended[:, 0]
        return DazleEmbedding(attention, weights, semantic, self.class_scores(semantic))

    def attribute_weights(self, attended: Tensor) -> Tensor:
        """Return w (batch, A) of v_a^T W_w h_a, the last of `attended` (batch, 1 or 2, A); 1 without the attention."""
        return torch.ones_like(attended[:, 0]) if self.weigh is None else attended[:, 1].sigmoid()


def _as_len(settings: DazleSettings) -> ScenSettings:
    """What the part that is LEN's takes from the settings."""
    return ScenSettings(word_norm=settings.word_norm, initialization="dazle", initial_std=settings.initial_std)
