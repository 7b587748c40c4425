"""EGGN's networks: encoder E, generator G, critic D, semantic decoder Dec, feedback F (paper section 3.2).

The shapes follow TF-VAEGAN, on which the paper builds. `Networks` is what every method's networks answer.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.synthesis import SynthesisSettings

SLOPE = 0.2  # of every LeakyReLU


@dataclass(frozen=True)
class Latent:
    """The Gaussian that E gives for each sample: mean and log variance, (batch, latent) each."""

    mean: Tensor
    log_variance: Tensor

    def sample(self, noise: Tensor) -> Tensor:
        """Return z = mean + exp(log_variance / 2) * noise."""
        return self.mean + torch.exp(0.5 * self.log_variance) * noise


class Encoder(nn.Module):
    """E(g, a): the mean and log variance of z."""

    def __init__(self, channels: int, attributes: int, latent: int, width: int):
        super().__init__()
        self.hidden = nn.Linear(channels + attributes, width)
        self.narrow = nn.Linear(width, 2 * latent)
        self.mean = nn.Linear(2 * latent, latent)
        self.log_variance = nn.Linear(2 * latent, latent)

    def forward(self, feature: Tensor, vector: Tensor) -> Latent:
        """Encode features (batch, channels) of classes with vectors (batch, attributes)."""
        hidden = functional.leaky_relu(self.hidden(torch.cat([feature, vector], 1)), SLOPE)
        hidden = functional.leaky_relu(self.narrow(hidden), SLOPE)
        return Latent(self.mean(hidden), self.log_variance(hidden))


class Generator(nn.Module):
    """G(z, a): a feature in [0, 1]; F's correction is added to its hidden layer."""

    def __init__(self, channels: int, attributes: int, latent: int, width: int):
        super().__init__()
        self.hidden = nn.Linear(latent + attributes, width)
        self.out = nn.Linear(width, channels)

    def embed(self, z: Tensor, vector: Tensor) -> Tensor:
        """Return the hidden layer (batch, width)."""
        return functional.leaky_relu(self.hidden(torch.cat([z, vector], 1)), SLOPE)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the output before the sigmoid (batch, channels)."""
        return self.out(hidden)

    def forward(self, z: Tensor, vector: Tensor) -> Tensor:
        """Return features (batch, channels) without feedback."""
        return self.logits(self.embed(z, vector)).sigmoid()


class Critic(nn.Module):
    """D(g, a): one score per sample, linear but for one hidden LeakyReLU layer."""

    def __init__(self, channels: int, attributes: int, width: int):
        super().__init__()
        self.channels = channels
        self.hidden = nn.Linear(channels + attributes, width)
        self.out = nn.Linear(width, 1)

    def forward(self, feature: Tensor, vector: Tensor) -> Tensor:
        """Return the scores (batch,)."""
        hidden = self.hidden(torch.cat([feature, vector], 1))
        return self.out(functional.leaky_relu(hidden, SLOPE)).squeeze(1)

    def compare(self, feature: Tensor, fake: Tensor, vector: Tensor, tau: Tensor) -> "Compared":
        """Return what Eq. 11 needs of real and `fake` features (batch, channels) and of their mixtures.

        `vector` (batch, attributes), `tau` (batch, 1) the share of the real feature. All of it, and in the backward
        pass all gradients, come from three products; D's own parameters alone get gradients.
        """
        inputs = torch.cat([torch.cat([feature, vector], 1), torch.cat([fake, vector], 1)])
        weights = self.hidden.weight, self.hidden.bias, self.out.weight[0]
        scores, slope = _Compare.apply(inputs, tau, self.channels, *weights)
        real, made = (scores + self.out.bias).chunk(2)
        return Compared(real, made, slope)


@dataclass(frozen=True)
class Compared:
    """The critic's scores of real and made features, and the length of its gradient at their mixtures, (batch,) each."""

    real: Tensor
    made: Tensor
    slope: Tensor


class _Compare(torch.autograd.Function):
    """Scores (2 batch,) without out's bias, and lengths of D's gradient (batch,), in closed form.

    D is linear but for its LeakyReLU. The hidden layer of tau g + (1 - tau) g^ is therefore the same mixture of hidden
    layers, and with m the layer's slopes (0.2 or 1), D's gradient is (m * out) W. Each output is out · (m * (W x + b))
    for some x (the gradient's share has no b), so that with Q the sum of m x^T, every x weighted by its output's
    gradient, W's gradient is out * Q row by row and out's is the row sums of W * Q: no further product.
    """

    @staticmethod
    def forward(ctx, inputs: Tensor, tau: Tensor, channels: int, weight: Tensor, bias: Tensor, out: Tensor):
        """Return scores and lengths of `inputs` (2 batch, channels + attributes), real ones first, and `tau` (batch, 1)."""
        hidden = torch.addmm(bias, inputs, weight.T)
        real, made = hidden.chunk(2)
        slopes = _slopes(torch.cat([hidden, made + tau * (real - made)]))  # (3 batch, width)
        own, mixed = slopes.split([len(hidden), len(made)])
        gradient = (mixed * out) @ weight[:, :channels]
        exact = torch.promote_types(gradient.dtype, torch.float32)  # lambda follows the third digit of the lengths
        lengths = torch.linalg.vector_norm(gradient, dim=1, dtype=exact)
        ctx.save_for_backward(inputs, slopes, gradient, lengths, weight, bias, out)
        return (own * hidden * out).sum(dim=1), lengths

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, by_scores: Tensor, by_lengths: Tensor):
        """Return the gradients of weight, bias and out; none of what the features are made of."""
        inputs, slopes, gradient, lengths, weight, bias, out = ctx.saved_tensors
        by_gradient = gradient * (by_lengths / lengths.clamp_min(1e-12))[:, None]  # 0 where the gradient is
        by_gradient = functional.pad(by_gradient, (0, inputs.shape[1] - gradient.shape[1]))
        collected = slopes.T @ torch.cat([by_scores[:, None] * inputs, by_gradient])  # Q, as large as the weight
        amount = by_scores @ slopes[: len(inputs)]
        by_out = torch.linalg.vecdot(weight, collected) + bias * amount
        return None, None, None, collected.mul_(out[:, None]), out * amount, by_out


def _slopes(hidden: Tensor) -> Tensor:
    """The LeakyReLU's slope at each number, a constant for the gradient."""
    return (hidden > 0).to(hidden.dtype).clamp_min_(SLOPE)


@dataclass(frozen=True)
class Decoded:
    """What Dec makes of features: the unit-norm class vector and the hidden layer that F reads."""

    vector: Tensor  # (batch, attributes)
    hidden: Tensor  # (batch, width)


class SemanticDecoder(nn.Module):
    """Dec(g): the class vector of a feature, of unit length."""

    def __init__(self, channels: int, attributes: int, width: int):
        super().__init__()
        self.hidden = nn.Linear(channels, width)
        self.out = nn.Linear(width, attributes)

    def embed(self, feature: Tensor) -> Tensor:
        """Return the hidden layer (batch, width)."""
        return functional.leaky_relu(self.hidden(feature), SLOPE)

    def forward(self, feature: Tensor) -> Decoded:
        """Decode features (batch, channels)."""
        hidden = self.embed(feature)
        return Decoded(functional.normalize(self.out(hidden), dim=1), hidden)


class Feedback(nn.Module):
    """F: the correction of G's hidden layer from Dec's."""

    def __init__(self, width: int):
        super().__init__()
        self.first = nn.Linear(width, width)
        self.second = nn.Linear(width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        """Return the correction (batch, width)."""
        return functional.leaky_relu(self.second(functional.leaky_relu(self.first(hidden), SLOPE)), SLOPE)


class Networks(nn.Module, ABC):
    """The networks of one method, and what training, synthesis and the final classifier ask of them.

    A method's features for its classifier may be others than the space's: `transform` says what it makes of images'
    features, `training_inputs` what its classifier learns from, where `classifier.input` is "transformed".
    """

    #: Networks that synthesis and the final classifier's input need: snapshots keep these.
    kept: ClassVar[tuple[str, ...]]

    latent: int  # size of z

    @classmethod
    @abstractmethod
    def sizes(cls, tensors: dict[str, Tensor], settings: EggnSettings) -> tuple[int, int]:
        """Return the numbers of channels and of attributes of networks whose weights are `tensors`, of `kept` at least."""

    @abstractmethod
    def synthesize(self, z: Tensor, vector: Tensor, settings: SynthesisSettings) -> Tensor:
        """Return synthetic features (batch, size) of z (batch, latent) of the prior and class vectors (section 3.3)."""

    def transform(self, feature: Tensor) -> Tensor:
        """Return what the final classifier sees of images' features (batch, channels): (batch, size)."""
        return feature

    def training_inputs(self, real: Tensor | None, made: Tensor, random: torch.Generator) -> Tensor:
        """Return what the final classifier learns from: of `real` features, if there are any, and of `made` ones, in
        this order; `random` is on the CPU, for methods that draw."""
        return in_batches(self.transform, made if real is None else torch.cat([real, made]))


@torch.no_grad()
def in_batches(function: Callable[..., Tensor], *tensors: Tensor, batch: int = 4096) -> Tensor:
    """Return what `function` makes of the rows of `tensors`, computed on `batch` rows at a time."""
    return torch.cat([function(*part) for part in zip(*(tensor.split(batch) for tensor in tensors), strict=True)])


class EGGN(Networks):
    """All five networks; the smaller generators leave some of them unused, and a later method may add some."""

    kept: ClassVar[tuple[str, ...]] = ("generator", "decoder", "feedback")

    def __init__(self, channels: int, attributes: int, settings: EggnSettings):
        super().__init__()
        latent, width = settings.latent_size or attributes, settings.hidden_width
        self.latent = latent
        self.encoder = Encoder(channels, attributes, latent, width)
        self.generator = Generator(channels, attributes, latent, width)
        self.critic = Critic(channels, attributes, width)
        self.decoder = SemanticDecoder(channels, attributes, width)
        self.feedback = Feedback(width)
        self.apply(start_small)

    @classmethod
    def sizes(cls, tensors: dict[str, Tensor], settings: EggnSettings) -> tuple[int, int]:
        """Return the numbers of channels and of attributes, from the sizes of what G and Dec make."""
        return tensors["generator.out.weight"].shape[0], tensors["decoder.out.weight"].shape[0]

    def generate(self, z: Tensor, vector: Tensor, strength: float | None = None) -> Tensor:
        """Return features (batch, channels); `strength` of the feedback, None for the pass without it."""
        hidden = self.generator.embed(z, vector)
        feature = self.generator.logits(hidden).sigmoid()
        if strength is None:
            return feature
        return self.generator.logits(hidden + strength * self.correction(feature)).sigmoid()

    def synthesize(self, z: Tensor, vector: Tensor, settings: SynthesisSettings) -> Tensor:
        """Return synthetic features (batch, channels) of z of the prior and class vectors (section 3.3)."""
        return self.generate(z, vector)

    def correction(self, feature: Tensor) -> Tensor:
        """Return F's correction for a first-pass feature; Dec is only read here, so it gets no gradient."""
        return self.feedback(self.decoder.embed(feature).detach())

    def transform(self, feature: Tensor) -> Tensor:
        """Return [g, Dec(g), Dec's hidden layer], the input of TF-VAEGAN's final classifier."""
        decoded = self.decoder(feature)
        return torch.cat([feature, decoded.vector, decoded.hidden], 1)


def start_small(module: nn.Module) -> None:
    """Start a linear layer as TF-VAEGAN does: weights N(0, 0.02), biases 0."""
    if isinstance(module, nn.Linear):
        nn.init.normal_(module.weight, std=0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
