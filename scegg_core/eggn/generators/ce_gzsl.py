"""CE-GZSL (Han et al., CVPR 2021): f-CLSWGAN's G and D beside a contrastive embedding, in which it classifies."""

from collections.abc import Iterator
from functools import partial
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from scegg_core.eggn.draws import Batch, Draws
from scegg_core.eggn.generators.base import AdamSettings, FeatureGenerator, Made, Term, Update
from scegg_core.eggn.guidance import Guide
from scegg_core.eggn.model import SLOPE, Critic, Generator, Networks, start_small
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.synthesis import SynthesisSettings

NUMBERS = 2**24  # of the comparator's hidden layer that are in memory at a time


class Embedding(nn.Module):
    """h = E(g), and H's projection of h to unit length."""

    def __init__(self, channels: int, size: int, projection: int):
        super().__init__()
        self.hidden = nn.Linear(channels, size)
        self.out = nn.Linear(size, projection)

    def forward(self, feature: Tensor) -> Tensor:
        """Return h (batch, size)."""
        return self.hidden(feature).relu()

    def project(self, hidden: Tensor) -> Tensor:
        """Return H's projection of h (batch, projection)."""
        return functional.normalize(self.out(hidden), dim=1)


class Comparator(nn.Module):
    """F(h, a): how well an embedding and a class vector belong together."""

    def __init__(self, size: int, attributes: int, width: int):
        super().__init__()
        self.hidden = nn.Linear(size, width)
        self.vector = nn.Linear(attributes, width, bias=False)  # with `hidden` one layer of [h, a]
        self.out = nn.Linear(width, 1)

    def forward(self, hidden: Tensor, vectors: Tensor) -> Tensor:
        """Return scores (batch, classes) of h (batch, size) with each of `vectors` (classes, attributes).

        [h, a] of all pairs is never built: the layer is linear, so it is a sum of a part by h and one by a. What follows
        is computed for some classes at a time, again in the backward pass.
        """
        by_image, by_class = self.hidden(hidden), self.vector(vectors)
        some = max(1, NUMBERS // by_image.numel())
        again = partial(checkpoint, self._scores, use_reentrant=False, preserve_rng_state=False)
        return torch.cat([again(by_image, part) for part in by_class.split(some)], dim=1)

    def _scores(self, by_image: Tensor, by_class: Tensor) -> Tensor:
        together = functional.leaky_relu(by_image[:, None] + by_class, SLOPE)  # (batch, classes, width)
        return self.out(together).squeeze(2)


class CeGzslNetworks(Networks):
    """G and D, the embedding E with its projection H, and the comparator F."""

    kept: ClassVar[tuple[str, ...]] = ("generator", "embedding")

    def __init__(self, channels: int, attributes: int, settings: EggnSettings):
        super().__init__()
        self.latent = latent = settings.latent_size or attributes
        # DEVIATES: G ends in a sigmoid, as all generators here, whose features lie in [0, 1]; the released code's in a ReLU.
        self.generator = Generator(channels, attributes, latent, settings.hidden_width)
        self.critic = Critic(channels, attributes, settings.hidden_width)
        self.embedding = Embedding(channels, settings.embedding_size, settings.projection_size)
        self.comparator = Comparator(settings.embedding_size, attributes, settings.comparator_width)
        self.apply(start_small)

    @classmethod
    def sizes(cls, tensors: dict[str, Tensor], settings: EggnSettings) -> tuple[int, int]:
        """Return the numbers of channels and of attributes, from what G takes and makes."""
        taken = tensors["generator.hidden.weight"].shape[1]
        attributes = taken - settings.latent_size if settings.latent_size else taken // 2
        return tensors["generator.out.weight"].shape[0], attributes

    def synthesize(self, z: Tensor, vector: Tensor, settings: SynthesisSettings) -> Tensor:
        """Return synthetic features (batch, channels) of z of the prior and class vectors."""
        return self.generator(z, vector)

    def transform(self, feature: Tensor) -> Tensor:
        """Return h (batch, embedding size), in which its final classifier works."""
        return self.embedding(feature)


class CeGzsl(FeatureGenerator):
    """L_WGAN (Eq. 11), and two contrastive losses: of real features for E, H and F, of made ones for G."""

    model: CeGzslNetworks

    def __init__(self, model: Networks, guide: Guide | None, settings: EggnSettings, draws: Draws, update: Update):
        """Arguments are the base's."""
        super().__init__(model, guide, settings, draws, update)
        seen = draws.data.seen
        self.seen_vectors, self.places = draws.data.vectors[seen], seen.long().cumsum(0) - 1  # places among the seen

    @classmethod
    def optimizers(cls, settings: EggnSettings) -> dict[str, AdamSettings]:
        """Return how G, D, E with H, and F are trained; E's ReLUs bear less than G and D do, so its rate is its own."""
        # DEVIATES: the released code takes 1 % off the learning rate every 100 passes (10 on AWA2); here it stays. And it
        # never clears F's gradients within a pass, so that each of F's steps goes down the sum of those so far.
        adam = AdamSettings(settings.embedding_learning_rate, settings.beta1)
        return super().optimizers(settings) | {"embedding": adam, "comparator": adam}

    def features_for_critic(self, batch: Batch, feedback: bool) -> Tensor:
        """Train E, H and F on each of the critic's batches of real features, then return G's features."""
        parts = (tensor.split(self.settings.batch_size) for tensor in (batch.feature, batch.vector, batch.labels))
        for part in zip(*parts, strict=True):
            own = Batch(*part)
            loss = self.instance_loss(own.feature, own.labels) + self.class_loss(own.feature, own.labels)
            self.update(loss, ["embedding", "comparator"])
        return super().features_for_critic(batch, feedback)

    def terms(self, made: Made) -> Iterator[Term]:
        """Yield G's part of L_WGAN, and both contrastive losses of made features, held against real ones too."""
        yield from super().terms(made)
        labels = made.batch.labels
        instance = self.instance_loss(made.feature, labels, made.batch.feature)
        yield Term("instance-level", self.settings.instance_weight, instance)
        yield Term("class-level", self.settings.class_weight, self.class_loss(made.feature, labels))

    def instance_loss(self, feature: Tensor, labels: Tensor, beside: Tensor | None = None) -> Tensor:
        """Return the instance-level contrastive loss of features; those `beside` have the same labels, and
        get no gradient."""
        projected = self.model.embedding.project(self.model.embedding(feature))
        if beside is not None:
            with torch.no_grad():
                constant = self.model.embedding.project(self.model.embedding(beside))
            projected, labels = torch.cat([projected, constant]), torch.cat([labels, labels])
        return contrast(projected, labels, self.settings.instance_temperature, self.settings.contrast == "all_others")

    def class_loss(self, feature: Tensor, labels: Tensor) -> Tensor:
        """Return the class-level contrastive loss: the cross-entropy of F's scores over the seen classes."""
        scores = self.model.comparator(self.model.embedding(feature), self.seen_vectors)
        return functional.cross_entropy(scores / self.settings.class_temperature, self.places[labels])


def contrast(projected: Tensor, labels: Tensor, temperature: float, all_others: bool = False) -> Tensor:
    """Return - log exp(s_ip) / (exp(s_ip) + sum over negatives k of exp(s_ik)), s the cosines over the temperature.

    Mean over the positives p of each sample i (same label, another sample), then over the samples that have one; 0 where
    none has. `projected` (batch, size) of unit length, `labels` (batch,). Negatives are of other classes.
    """
    # DEVIATES: with `all_others`, as in the released code, the sum is over all other samples, positives too.
    scores = projected @ projected.T / temperature
    same = labels[:, None] == labels
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    positive = same & ~itself
    nothing = torch.finfo(scores.dtype).min  # finite, so that a sample without negatives has a gradient
    others = scores.masked_fill(itself if all_others else same, nothing).logsumexp(dim=1, keepdim=True)
    whole = others if all_others else torch.logaddexp(scores, others)
    pairs = torch.where(positive, whole - scores, 0.0).sum(dim=1) / positive.sum(dim=1).clamp_min(1)
    return pairs.sum() / positive.any(dim=1).sum().clamp_min(1)
