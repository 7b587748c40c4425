"""SC, the semantic compression of h into g (Eq. 4): its MLP, the gradient of it, and the weight of each region in g."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from scegg_core.settings.scen import ScenSettings

SLOPE = 0.01  # of SC's LeakyReLU

SCATTER = 15.0  # of SC's weights around their mean with compression_start mean, as a multiple of torch's own start

GROUP = 1 << 22  # numbers of SC's hidden layer that are in memory at a time


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
        """Start near `gain` times the mean over attributes; sqrt(channels) makes entries of order 1 of unit regions.

        The gain is shared so that both layers' weights have one size. Adam moves each weight by the learning rate,
        whatever its size: weights of 1/A would all be through 0 after three steps, where LeakyReLU holds them.
        """
        size = math.sqrt(gain / (self.reduce.in_features * self.combine.in_features))
        for layer in (self.reduce, self.combine):
            layer.weight.mul_(SCATTER).add_(1.0).mul_(size)
            layer.bias.zero_()

    def forward(self, attention: Tensor, regions: Tensor) -> Tensor:
        """Return g (batch, channels) of `attention` (batch, R, A) and `regions` (batch, R, channels)."""
        mixed = attention @ self.reduce.weight.T  # W1 h = (W1 attention) regions
        weights = self.reduce.bias, self.combine.weight[0]
        return _Compress.apply(mixed, regions, *weights) + self.combine.bias

    def region_weights(self, attention: Tensor, regions: Tensor) -> Tensor:
        """Return the weight of each region in g, (batch, R).

        SC is piecewise linear, so g[c] = sum_i w_i[c] r_i[c] + constant; returned is the mean of w_i over channels.
        """
        mixed = attention @ self.reduce.weight.T  # (batch, R, width)
        positive = [_hidden(*part, self.reduce.bias) > 0 for part in _groups(mixed, regions)]
        active = torch.cat([part.to(mixed.dtype).mean(dim=2) for part in positive])  # of all channels, (batch, width)
        slope = SLOPE + (1 - SLOPE) * active
        return torch.einsum("bw,w,brw->br", slope, self.combine.weight[0], mixed)


class _Compress(torch.autograd.Function):
    """combine · LeakyReLU(mixed^T regions + bias), a group of images at a time: (batch, channels).

    The products with `regions` are computed in their number type, all else in that of `mixed`, which g has too.

    Of the hidden layer (batch, width, channels) only the signs are kept. With s its slope times g's gradient and
    T = regions s^T, the gradient by combine is the sum of hidden * s = mixed * T + bias * sum(s), so that the backward
    pass needs neither the hidden layer nor a second product for it.
    """

    @staticmethod
    def forward(ctx, mixed: Tensor, regions: Tensor, bias: Tensor, combine: Tensor) -> Tensor:
        """Return g without combine's bias, (batch, channels), of `mixed` (batch, R, width) and `regions`."""
        features, positive = [], []
        for part in _groups(mixed, regions):
            hidden = _hidden(*part, bias)
            positive.append(hidden > 0)
            hidden = hidden.to(mixed.dtype)
            row = combine.expand(len(hidden), 1, -1)  # bmm: @ would copy the hidden layer transposed
            features.append(torch.bmm(row, functional.leaky_relu_(hidden, SLOPE)).squeeze(1))
        ctx.save_for_backward(mixed, regions, bias, combine, *positive)
        return torch.cat(features)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient: Tensor) -> tuple[Tensor, Tensor | None, Tensor, Tensor]:
        """Return the gradients of all four; of `regions` None where nobody asks for it."""
        mixed, regions, bias, combine, *positive = ctx.saved_tensors
        gradient = gradient.to(regions.dtype)
        by_mixed, by_regions = torch.empty_like(mixed), torch.empty_like(regions) if ctx.needs_input_grad[1] else None
        by_combine, total = torch.zeros_like(combine), torch.zeros_like(combine)
        start = 0
        for signs in positive:
            part = slice(start, start := start + len(signs))
            # 1 or SLOPE without `where`, which takes up to four times as long on signs that follow no pattern
            slope = signs.view(torch.uint8).to(gradient.dtype).clamp_min_(SLOPE)  # (n, width, channels)
            slope.mul_(gradient[part, None])
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


def uprightness(features: Tensor, pooled: Tensor) -> Tensor:
    """Return how far g goes along with the mean of its regions from image to image: the sum of their covariances.

    `features` are g and `pooled` the means of the regions, (images, channels) each; negative where g is upside down.
    """
    return ((features - features.mean(dim=0)) * (pooled - pooled.mean(dim=0))).sum()


def mean_compression(attention: Tensor, regions: Tensor) -> Tensor:
    """Return the mean over attributes of h (batch, channels): what the released code compresses with at run time."""
    weights = attention.mean(dim=2).unsqueeze(1)
    return torch.bmm(weights.to(regions.dtype), regions).squeeze(1).to(attention.dtype)
