"""SCEN, the semantic compression embedding network: LEN and GEN (paper section 3.1, Eqs. 1-5).

Neither h (batch, attributes, channels) nor anything of its size is ever built: Eqs. 1 and 2 share one product of
the regions with stacked keys, and the linear first layer of SC is applied to the attention instead of to h.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from scegg_core.settings.scen import ScenSettings

SLOPE = 0.01  # of SC's LeakyReLU
SCATTER = 15.0  # of SC's weights around their mean with compression_start mean, as a multiple of torch's own start
GROUP = 1 << 22  # numbers of SC's hidden layer that exist at a time


@dataclass(frozen=True)
class LocalEmbedding:
    """What LEN makes of a batch."""

    attention: Tensor  # (batch, regions, attributes), sums to one over the regions
    semantic: Tensor  # e_l, (batch, attributes)
    scores: Tensor  # p_l, (batch, classes)


@dataclass(frozen=True)
class GlobalEmbedding:
    """What GEN makes of a batch."""

    feature: Tensor  # g, (batch, channels)
    scores: Tensor  # p_g, (batch, classes)


class LocalEmbeddingNetwork(nn.Module):
    """LEN: attribute attention over regions and the embedding into the semantic space (Eqs. 1-3)."""

    def __init__(
        self, words: Tensor, class_vectors: Tensor, channels: int, settings: ScenSettings, share: Tensor | None = None
    ):
        super().__init__()
        words = normalized_words(words, settings.word_norm)
        # ASSUME: the attribute vectors start at their (normalized) word vectors and are trained, as in DAZLE.
        self.words = nn.Parameter(words.clone(), requires_grad=settings.train_words)
        self.attend = nn.Parameter(words.new_empty(words.shape[1], channels))  # W_alpha
        self.embed = nn.Parameter(words.new_empty(channels, words.shape[1]))  # W_beta
        self.register_buffer("class_vectors", class_vectors.clone())  # a(c), (classes, attributes)
        self.register_buffer("share", share)  # (attributes, attributes) or None
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

    def keys(self) -> Tensor:
        """Return the stacked keys (2 attributes, channels): rows of V W_alpha over rows of (W_beta V^T)^T."""
        return torch.cat([self._attention_keys(), self.words @ self.embed.T])

    def attention(self, regions: Tensor) -> Tensor:
        """Return the attention weights of Eq. 1, (batch, regions, attributes)."""
        keys = self._attention_keys().to(regions.dtype)
        return (regions @ keys.T).to(self.attend.dtype).softmax(dim=1)

    def _attention_keys(self) -> Tensor:
        # ASSUME: v_n of Eq. 1's softmax is the attribute's own vector; `share` takes the mean over its part's instead.
        words = self.words if self.share is None else self.share @ self.words
        return words @ self.attend

    def forward(self, regions: Tensor) -> LocalEmbedding:
        """Embed `regions` (batch, regions, channels)."""
        products = regions @ self.keys().to(regions.dtype).T  # one large product for Eqs. 1 and 2, (batch, R, 2 A)
        scores, projections = products.to(self.attend.dtype).chunk(2, dim=2)
        attention = scores.softmax(dim=1)  # Eq. 1, without the sum
        semantic = (attention * projections).sum(dim=1)  # Eqs. 1 + 2: h_n^T W_beta v_n, (batch, A)
        return LocalEmbedding(attention, semantic, self.class_scores(semantic))

    def class_scores(self, semantic: Tensor) -> Tensor:
        """Return p_l (batch, classes) of e_l (batch, attributes), Eq. 3."""
        return self.scale * (semantic @ self.class_vectors.T)


def normalized_words(words: Tensor, norm: str) -> Tensor:
    """Return the attribute vectors (attributes, word size) as `ScenSettings.word_norm` says."""
    if norm == "none":
        return words
    words = functional.normalize(words, dim=1)
    return functional.normalize(words - words.mean(dim=0), dim=1) if norm == "centered" else words


def part_shares(parts: Sequence[str]) -> Tensor:
    """Return (attributes, attributes) weights whose product with the attribute vectors is the mean over each one's part.

    `parts` names every attribute's part; an attribute without one ('') keeps its own vector.
    """
    names = [part or position for position, part in enumerate(parts)]
    same = torch.tensor([[float(name == other) for other in names] for name in names])
    return same / same.sum(dim=1, keepdim=True)


class SemanticCompression(nn.Module):
    """SC: an MLP over the attribute axis, applied to every channel (Eq. 4)."""

    def __init__(self, attributes: int, channels: int, settings: ScenSettings):
        super().__init__()
        # ASSUME: A -> A/2 -> 1 with LeakyReLU; the paper says an MLP with A inputs and one output.
        width = settings.compression_width or max(1, attributes // 2)
        self.reduce = nn.Linear(attributes, width)
        self.combine = nn.Linear(width, 1)
        # ASSUME: torch's own start; the paper gives none. Its random signs cancel what the h_n have in common.
        if settings.compression_start == "mean":
            self._start_as_mean(gain=math.sqrt(channels))

    @torch.no_grad()
    def _start_as_mean(self, gain: float) -> None:
        """Start near `gain` times the mean over attributes; sqrt(channels) makes entries of order 1 of unit regions."""
        for layer, total in ((self.reduce, 1.0), (self.combine, gain)):
            layer.weight.mul_(SCATTER).add_(1.0).mul_(total / layer.in_features)
            layer.bias.zero_()

    def forward(self, attention: Tensor, regions: Tensor) -> Tensor:
        """Return g (batch, channels) of `attention` (batch, R, A) and `regions` (batch, R, channels)."""
        mixed = attention @ self.reduce.weight.T  # W1 h = (W1 attention) regions
        weights = self.reduce.bias, self.combine.weight[0]
        return _Compress.apply(mixed, regions, *weights).to(mixed.dtype) + self.combine.bias

    def region_weights(self, attention: Tensor, regions: Tensor) -> Tensor:
        """Return the weight of each region in g, (batch, R).

        SC is piecewise linear, so g[c] = sum_i w_i[c] r_i[c] + constant; returned is the mean of w_i over channels.
        """
        mixed = attention @ self.reduce.weight.T  # (batch, R, width)
        positive = [_hidden(*part, self.reduce.bias) > 0 for part in _groups(mixed, regions)]
        share = torch.cat([part.to(mixed.dtype).mean(dim=2) for part in positive])  # (batch, width)
        slope = SLOPE + (1 - SLOPE) * share
        return torch.einsum("bw,w,brw->br", slope, self.combine.weight[0], mixed)


class _Compress(torch.autograd.Function):
    """combine · LeakyReLU(mixed^T regions + bias), a group of images at a time: (batch, channels).

    Of the hidden layer (batch, width, channels) only the signs are kept. With s its slope times g's gradient and
    T = regions s^T, the gradient by combine is the sum of hidden * s = mixed * T + bias * sum(s), so that the backward
    pass needs neither the hidden layer nor a second product for it.
    """

    @staticmethod
    def forward(ctx, mixed: Tensor, regions: Tensor, bias: Tensor, combine: Tensor) -> Tensor:
        features, positive = [], []
        for part in _groups(mixed, regions):
            hidden = _hidden(*part, bias)
            positive.append(hidden > 0)
            row = combine.to(hidden.dtype).expand(len(hidden), 1, -1)  # bmm: @ would copy the hidden layer transposed
            features.append(torch.bmm(row, functional.leaky_relu_(hidden, SLOPE)).squeeze(1))
        ctx.save_for_backward(mixed, regions, bias, combine, *positive)
        return torch.cat(features)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
        mixed, regions, bias, combine, *positive = ctx.saved_tensors
        by_mixed, by_regions = torch.empty_like(mixed), torch.empty_like(regions) if ctx.needs_input_grad[1] else None
        by_combine, total = torch.zeros_like(combine), torch.zeros_like(combine)
        start = 0
        for signs in positive:
            part = slice(start, start := start + len(signs))
            slope = torch.where(signs, gradient[part, None], SLOPE * gradient[part, None])  # (n, width, channels)
            weighted = torch.bmm(regions[part], slope.transpose(1, 2))  # (n, R, width)
            by_combine += (mixed[part] * weighted).sum(dim=(0, 1))
            total += slope.sum(dim=(0, 2), dtype=total.dtype)
            by_mixed[part] = weighted * combine
            if by_regions is not None:
                by_regions[part] = torch.bmm(mixed[part].to(slope.dtype), combine.to(slope.dtype)[:, None] * slope)
        return by_mixed, by_regions, combine * total, by_combine + bias * total


def _hidden(mixed: Tensor, regions: Tensor, bias: Tensor) -> Tensor:
    """SC's hidden layer before its activation, (n, width, channels)."""
    return torch.baddbmm(bias.to(regions.dtype)[:, None], mixed.to(regions.dtype).transpose(1, 2), regions)


def _groups(mixed: Tensor, regions: Tensor) -> zip:
    """The images of a batch in groups whose hidden layers have at most GROUP numbers."""
    images = max(1, GROUP // (mixed.shape[2] * regions.shape[2]))
    return zip(mixed.split(images), regions.split(images), strict=True)


def uprightness(features: Tensor, regions: Tensor) -> Tensor:
    """Return how far g goes along with the mean of its regions from image to image: the sum of their covariances.

    `features` (batch, channels) are g, `regions` (batch, R, channels); negative where g is upside down.
    """
    pooled = regions.mean(dim=1, dtype=features.dtype)
    return ((features - features.mean(dim=0)) * (pooled - pooled.mean(dim=0))).sum()


def mean_compression(attention: Tensor, regions: Tensor) -> Tensor:
    """Return the mean over attributes of h (batch, channels): what the released code compresses with at run time."""
    weights = attention.mean(dim=2).unsqueeze(1)
    return torch.bmm(weights.to(regions.dtype), regions).squeeze(1).to(attention.dtype)


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
            # As the released code: the MLP and a classifier of its own serve stage 1 alone.
            feature = self.compress(attention, regions)
            return GlobalEmbedding(feature, self.first(feature))
        feature = (mean_compression if self.by_mean else self.compress)(attention, regions)
        return GlobalEmbedding(feature, self.classify(feature))

    @torch.no_grad()
    def turn_over(self) -> None:
        """Change the sign of g, and of what CLS_g multiplies it with: p_g stays as it is, to the last bit.

        Not for `compression: mean`, whose g has the sign of its regions anyway.
        """
        combine, first = self.compress.combine, next(m for m in self.classify.modules() if isinstance(m, nn.Linear))
        for weight in (combine.weight, combine.bias, first.weight):
            weight.neg_()

    def scale_to(self, features: Tensor) -> None:
        """Let CLS_g see features scaled as the training images' `features` (images, channels) are to [0, 1]."""
        self.classify[0].fit(features)

    def region_weights(self, attention: Tensor, regions: Tensor) -> Tensor:
        """Return the weight each region has in g, (batch, R): GEN's attention map (Fig. 3)."""
        return attention.mean(dim=2) if self.by_mean else self.compress.region_weights(attention, regions)


class SCEN(nn.Module):
    """LEN and GEN on one batch of region features."""

    def __init__(
        self, words: Tensor, class_vectors: Tensor, channels: int, settings: ScenSettings, share: Tensor | None = None
    ):
        """`words` (attributes, word size), `class_vectors` (classes, attributes), `channels` of a region feature.

        `share` (attributes, attributes), from `part_shares`, lets attributes of a part attend together.
        """
        super().__init__()
        self.local = LocalEmbeddingNetwork(words, class_vectors, channels, settings, share)
        self.glob = GlobalEmbeddingNetwork(len(words), channels, len(class_vectors), settings)
        self.region_norm = settings.region_norm
        self.low = torch.bfloat16 if settings.precision == "bfloat16" else None

    def prepare(self, regions: Tensor) -> Tensor:
        """Return `regions`, normalized as the settings say, in the type of the products with them.

        That is the weights' own, or with `precision` bfloat16 that one; all else is computed in the weights' type.
        """
        prepared = regions.to(self.local.attend.dtype)
        if self.region_norm != "none":
            # ASSUME: L2 per region, so that attention does not depend on an image's contrast, as in DAZLE.
            lengths = prepared.norm(dim=2, keepdim=True)
            if self.region_norm == "image":
                lengths = lengths.mean(dim=1, keepdim=True)
            lengths = lengths.clamp_min(1e-12)
            prepared = prepared / lengths if prepared is regions else prepared.div_(lengths)
        return prepared.to(self.low) if self.low else prepared

    def forward(self, regions: Tensor, first_stage: bool = False) -> tuple[LocalEmbedding, GlobalEmbedding]:
        """Embed raw region features (batch, regions, channels)."""
        regions = self.prepare(regions)
        local = self.local(regions)
        return local, self.glob(local.attention, regions, first_stage)


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
        """Take smallest value and range from `features` (images, channels); a constant channel keeps its size."""
        low, high = features.aminmax(dim=0)
        self.low.copy_(low)
        self.span.copy_(torch.where(high > low, high - low, torch.ones_like(low)))

    def forward(self, feature: Tensor) -> Tensor:
        """Return features (batch, channels) scaled, outside [0, 1] where they lie outside the fitted range."""
        return (feature - self.low) / self.span
