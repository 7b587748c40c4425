"""SCEN, the semantic compression embedding network: LEN and GEN (paper section 3.1, Eqs. 1-5).

Neither h (batch, attributes, channels) nor anything of its size is ever built: Eqs. 1 and 2 share one product of
the regions with stacked keys, and the linear first layer of SC is applied to the attention instead of to h.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from scegg_core.scen.compression import SLOPE, SemanticCompression, mean_compression
from scegg_core.settings.scen import ScenSettings


@dataclass(frozen=True)
class LocalEmbedding:
    """The output of LEN for a batch."""

    attention: Tensor  # (batch, regions, attributes), sums to one over the regions
    semantic: Tensor  # e_l, (batch, attributes)
    scores: Tensor  # p_l, (batch, classes)


@dataclass(frozen=True)
class GlobalEmbedding:
    """The output of GEN for a batch."""

    feature: Tensor  # g, (batch, channels)
    scores: Tensor  # p_g, (batch, classes)


class LocalEmbeddingNetwork(nn.Module):
    """LEN: attribute attention over regions and the embedding into the semantic space (Eqs. 1-3)."""

    def __init__(
        self,
        words: Tensor,
        class_vectors: Tensor,
        channels: int,
        settings: ScenSettings,
        averaging: Tensor | None = None,
    ):
        super().__init__()
        words = normalized_words(words, settings.word_norm)
        # ASSUME: the attribute vectors start at their (normalized) word vectors and are trained, as in DAZLE.
        self.words = nn.Parameter(words.clone(), requires_grad=settings.train_words)
        self.attend = nn.Parameter(words.new_empty(words.shape[1], channels))  # W_alpha
        self.embed = nn.Parameter(words.new_empty(channels, words.shape[1]))  # W_beta
        self.register_buffer("class_vectors", class_vectors.clone())  # a(c), (classes, attributes)
        self.register_buffer("share", averaging)  # (attributes, attributes) or None; `local.share` in saved files
        self.scale = settings.local_scale
        self._start(settings)

    @torch.no_grad()
    def _start(self, settings: ScenSettings) -> None:
        # ASSUME: Xavier start; the paper gives none. DAZLE's, and the released code's, attends to all regions alike.
        for weight in (self.attend, self.embed):
            if settings.initialization == "xavier":
                nn.init.xavier_uniform_(weight)
            else:
                nn.init.normal_(weight, std=settings.initial_std)
        if settings.initialization == "dazle":
            self.attend.zero_()

    def vectors(self) -> Tensor:
        """Return the attribute vectors v_n as they are used, (attributes, word size)."""
        return self.words

    def keys(self) -> Tensor:
        """Return the stacked keys (2 attributes, channels): rows of V W_alpha over rows of (W_beta V^T)^T."""
        return torch.cat([self._attention_keys(), self.vectors() @ self.embed.T])

    def attention(self, regions: Tensor) -> Tensor:
        """Return the attention weights of Eq. 1, (batch, regions, attributes)."""
        keys = self._attention_keys().to(regions.dtype)
        return (regions @ keys.T).to(self.attend.dtype).softmax(dim=1)

    def _attention_keys(self) -> Tensor:
        # ASSUME: v_n of Eq. 1's softmax is the attribute's own vector; with `share`, the mean of its part's vectors.
        words = self.vectors() if self.share is None else self.share @ self.vectors()
        return words @ self.attend

    def forward(self, regions: Tensor) -> LocalEmbedding:
        """Embed `regions` (batch, regions, channels)."""
        attention, semantic = self.attend_and_embed(regions)
        return LocalEmbedding(attention, semantic, self.class_scores(semantic))

    def attend_and_embed(self, regions: Tensor) -> tuple[Tensor, Tensor]:
        """Return the attention (batch, regions, attributes) and e_l (batch, attributes), which need no class."""
        products = regions @ self.keys().to(regions.dtype).T  # one large product for Eqs. 1 and 2, (batch, R, 2 A)
        scores, projections = products.to(self.attend.dtype).chunk(2, dim=2)
        attention = scores.softmax(dim=1)  # Eq. 1, without the sum
        return attention, (attention * projections).sum(dim=1)  # Eqs. 1 + 2: h_n^T W_beta v_n

    def class_scores(self, semantic: Tensor) -> Tensor:
        """Return p_l (batch, classes) of e_l (batch, attributes), Eq. 3."""
        return self.scale * (semantic @ self.class_vectors.T)


def normalized_words(words: Tensor, norm: str) -> Tensor:
    """Return the attribute vectors (attributes, word size) as `ScenSettings.word_norm` says."""
    if norm == "none":
        return words
    words = functional.normalize(words, dim=1)
    return functional.normalize(words - words.mean(dim=0), dim=1) if norm == "centered" else words


def part_averaging(parts: Sequence[str]) -> Tensor:
    """Return the matrix (attributes, attributes) that replaces each attribute's vector by the mean vector of its part.

    `parts` names every attribute's part; an attribute without one ('') keeps its own vector.
    """
    names = [part or position for position, part in enumerate(parts)]
    same = torch.tensor([[float(name == other) for other in names] for name in names])
    return same / same.sum(dim=1, keepdim=True)


class GlobalEmbeddingNetwork(nn.Module):
    """GEN: semantic compression and the global classifier CLS_g (Eqs. 4 and 5)."""

    def __init__(self, attributes: int, channels: int, classes: int, settings: ScenSettings):
        super().__init__()
        self.compress = SemanticCompression(attributes, channels, settings)
        self.by_mean = settings.compression == "mean"
        self.classify = global_classifier(channels, classes, settings.classifier_width, scaled=self.by_mean)
        if self.by_mean:
            self.first = nn.Linear(channels, classes)

    def forward(self, attention: Tensor, regions: Tensor, first_stage: bool = False) -> GlobalEmbedding:
        """Return g and p_g of the regions under LEN's attention."""
        if self.by_mean and first_stage:
            # As in the released code: the MLP and its classifier are used in stage 1 only.
            feature = self.compress(attention, regions)
            return GlobalEmbedding(feature, self.first(feature))
        feature = self.feature(attention, regions)
        return GlobalEmbedding(feature, self.classify(feature))

    def feature(self, attention: Tensor, regions: Tensor) -> Tensor:
        """Return g (batch, channels) of the regions under LEN's attention."""
        return (mean_compression if self.by_mean else self.compress)(attention, regions)

    @torch.no_grad()
    def turn_over(self) -> None:
        """Change the sign of g and of the weights that CLS_g multiplies it with: p_g stays the same to the last bit.

        Not needed with `compression: mean`, whose g always has the sign of its regions.
        """
        combine, first = self.compress.combine, next(m for m in self.classify.modules() if isinstance(m, nn.Linear))
        for weight in (combine.weight, combine.bias, first.weight):
            weight.neg_()

    def scale_to(self, features: Tensor) -> None:
        """Let CLS_g scale g to [0, 1] by the range of `features` (images, channels), those of the training images."""
        self.classify[0].fit(features)

    def region_weights(self, attention: Tensor, regions: Tensor) -> Tensor:
        """Return the weight each region has in g, (batch, R): GEN's attention map (Fig. 3)."""
        return attention.mean(dim=2) if self.by_mean else self.compress.region_weights(attention, regions)


class SCEN(nn.Module):
    """LEN and GEN on one batch of region features."""

    def __init__(
        self,
        words: Tensor,
        class_vectors: Tensor,
        channels: int,
        settings: ScenSettings,
        averaging: Tensor | None = None,
    ):
        """`words` (attributes, word size), `class_vectors` (classes, attributes), `channels` of a region feature.

        `averaging` (attributes, attributes), from `part_averaging`, gives all attributes of a part the same attention.
        """
        super().__init__()
        self.local = LocalEmbeddingNetwork(words, class_vectors, channels, settings, averaging)
        self.glob = GlobalEmbeddingNetwork(len(words), channels, len(class_vectors), settings)
        self.region_norm = settings.region_norm
        self.low = torch.bfloat16 if settings.precision == "bfloat16" else None

    def prepare(self, regions: Tensor) -> Tensor:
        """Return `regions`, normalized as the settings say, in the number type in which they are multiplied.

        That is bfloat16 if `precision` says so, else the type of the weights; all else is computed in the latter.
        """
        prepared = prepared_regions(regions, self.local.attend.dtype, self.region_norm)
        return prepared.to(self.low) if self.low else prepared

    def forward(self, regions: Tensor, first_stage: bool = False) -> tuple[LocalEmbedding, GlobalEmbedding]:
        """Embed raw region features (batch, regions, channels)."""
        regions = self.prepare(regions)
        local = self.local(regions)
        return local, self.glob(local.attention, regions, first_stage)

    def embed(self, regions: Tensor) -> tuple[Tensor, Tensor]:
        """Return g (batch, channels) and e_l (batch, attributes) of raw region features, without any class's score."""
        regions = self.prepare(regions)
        attention, semantic = self.local.attend_and_embed(regions)
        return self.glob.feature(attention, regions), semantic


def prepared_regions(regions: Tensor, dtype: torch.dtype, norm: str = "l2") -> Tensor:
    """Return `regions` (batch, R, channels) in `dtype`, of the lengths that `ScenSettings.region_norm` says."""
    prepared = regions.to(dtype)
    if norm == "none":
        return prepared
    # ASSUME: L2 per region, so that attention does not depend on an image's contrast, as in DAZLE.
    lengths = prepared.norm(dim=2, keepdim=True)
    if norm == "image":
        lengths = lengths.mean(dim=1, keepdim=True)
    lengths = lengths.clamp_min(1e-12)
    return prepared / lengths if prepared is regions else prepared.div_(lengths)


def global_classifier(channels: int, classes: int, width: int | None, scaled: bool = False) -> nn.Module:
    """Return CLS_g (Eq. 5), of features as they are or `scaled` to [0, 1] first."""
    # ASSUME: one fully connected layer ("directly embeds"); the released code has a hidden layer of 1024.
    layers: list[nn.Module] = [ChannelScale(channels)] if scaled else []
    if width is None:
        layers.append(nn.Linear(channels, classes))
    else:
        layers += [nn.Linear(channels, width), nn.LeakyReLU(SLOPE), nn.Linear(width, classes)]
    return layers[0] if len(layers) == 1 else nn.Sequential(*layers)


class ChannelScale(nn.Module):
    """(g - low) / span of each channel; changes nothing before it is fitted."""

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("low", torch.zeros(channels))
        self.register_buffer("span", torch.ones(channels))

    def fit(self, features: Tensor) -> None:
        """Take smallest value and range from `features` (images, channels); a constant channel is not divided."""
        low, high = features.aminmax(dim=0)
        self.low.copy_(low)
        self.span.copy_(torch.where(high > low, high - low, torch.ones_like(low)))

    def forward(self, feature: Tensor) -> Tensor:
        """Return features (batch, channels) scaled, outside [0, 1] where they lie outside the fitted range."""
        return (feature - self.low) / self.span
