"""FREE (Chen et al., ICCV 2021): f-VAEGAN beside a module FR that refines features; it classifies all of FR's layers."""

from collections.abc import Iterator
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from scegg_core.eggn import losses
from scegg_core.eggn.draws import Batch, Draws
from scegg_core.eggn.generators.base import AdamSettings, Made, Term, Update
from scegg_core.eggn.generators.f_vaegan import FVaegan
from scegg_core.eggn.guidance import Guide
from scegg_core.eggn.model import SLOPE, Critic, Encoder, Generator, Latent, Networks, start_small
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.synthesis import SynthesisSettings


class Refiner(nn.Module):
    """FR: a feature's hidden layer, a Gaussian over class vectors, and the class vector itself."""

    def __init__(self, channels: int, attributes: int, width: int):
        super().__init__()
        self.hidden = nn.Linear(channels, width)
        self.out = nn.Linear(width, 2 * attributes)

    def embed(self, feature: Tensor) -> Tensor:
        """Return the hidden layer (batch, width)."""
        return functional.leaky_relu(self.hidden(feature), SLOPE)

    def forward(self, hidden: Tensor) -> Latent:
        """Return the Gaussian of the hidden layer (batch, width); its standard deviations are below 1."""
        mean, spread = self.out(hidden).chunk(2, dim=1)
        return Latent(mean, 2 * functional.logsigmoid(spread))


class Centers(nn.Module):
    """A centre of each seen class among FR's means; training alone needs them."""

    def __init__(self, start: Tensor):
        """`start` (seen classes, attributes)."""
        super().__init__()
        self.weight = nn.Parameter(start)

    def forward(self, mean: Tensor) -> Tensor:
        """Return the squared distances (batch, seen classes) of FR's means (batch, attributes)."""
        product = mean @ self.weight.T
        return mean.square().sum(dim=1, keepdim=True) + self.weight.square().sum(dim=1) - 2 * product


class FreeNetworks(Networks):
    """E, G, D and FR."""

    kept: ClassVar[tuple[str, ...]] = ("generator", "refiner")

    def __init__(self, channels: int, attributes: int, settings: EggnSettings):
        super().__init__()
        self.latent, width = settings.latent_size or attributes, settings.hidden_width
        self.encoder = Encoder(channels, attributes, self.latent, width)
        self.generator = Generator(channels, attributes, self.latent, width)
        self.critic = Critic(channels, attributes, width)
        self.refiner = Refiner(channels, attributes, width)
        self.apply(start_small)

    @classmethod
    def sizes(cls, tensors: dict[str, Tensor], settings: EggnSettings) -> tuple[int, int]:
        """Return the numbers of channels and of attributes, from what FR takes and makes."""
        return tensors["refiner.hidden.weight"].shape[1], tensors["refiner.out.weight"].shape[0] // 2

    def synthesize(self, z: Tensor, vector: Tensor, settings: SynthesisSettings) -> Tensor:
        """Return synthetic features (batch, channels) of z of the prior and class vectors."""
        return self.generator(z, vector)

    def transform(self, feature: Tensor) -> Tensor:
        """Return refined features: the feature, FR's hidden layer, and the class vector that it finds."""
        # DEVIATES: the released code draws from FR's Gaussian for test images too; here its mean stands for it.
        hidden = self.refiner.embed(feature)
        return torch.cat([feature, hidden, self.refiner(hidden).mean.sigmoid()], 1)


class Free(FVaegan):
    """f-VAEGAN's losses, the self-adaptive margin centre loss L_SAMC, and the semantic cycle-consistency L_R."""

    model: FreeNetworks

    def __init__(self, model: Networks, guide: Guide | None, settings: EggnSettings, draws: Draws, update: Update):
        """Arguments are the base's."""
        super().__init__(model, guide, settings, draws, update)
        self.attributes = draws.data.vectors.shape[1]
        seen = draws.data.seen
        self.places = seen.long().cumsum(0) - 1  # of classes among the seen ones
        self.own = {"centers": Centers(draws.normal(int(seen.sum()), self.attributes))}
        self.distance = losses.SEMANTIC_DISTANCES[settings.decoder_loss]

    @classmethod
    def optimizers(cls, settings: EggnSettings) -> dict[str, AdamSettings]:
        """Return how E, G, D, FR and the centres are trained."""
        # DEVIATES: the released code never clears the centres' gradients, so each of their steps goes down the sum of all so far.
        return super().optimizers(settings) | {
            "refiner": AdamSettings(settings.decoder_learning_rate, settings.beta1),
            "centers": AdamSettings(settings.learning_rate, settings.beta1),
        }

    def trained(self, feedback: bool) -> list[str]:
        """Return E, G, and FR unless it is fixed."""
        return [*super().trained(feedback), *([] if self.settings.freeze_decoder else ["refiner"])]

    def features_for_critic(self, batch: Batch, feedback: bool) -> Tensor:
        """Train FR and the centres on each of the critic's batches of real features, then return G's features."""
        parts = (tensor.split(self.settings.batch_size) for tensor in (batch.feature, batch.vector, batch.labels))
        for part in zip(*parts, strict=True):
            self.update(self.refining_loss(Batch(*part)), ["refiner", "centers"])
        return super().features_for_critic(batch, feedback)

    def refining_loss(self, batch: Batch) -> Tensor:
        """Return L_SAMC and L_R of real features, weighted."""
        refined = self.model.refiner(self.model.refiner.embed(batch.feature))
        center = self.settings.center_weight * self.margin_loss(refined.mean, batch.labels)
        return center + self.settings.decoder_weight * self.cycle_loss(refined, batch.vector)

    def margin_loss(self, mean: Tensor, labels: Tensor) -> Tensor:
        """Return L_SAMC: max(0, Delta + gamma |m - c_y|^2 - (1 - gamma) |m - c_y'|^2), mean over the batch."""
        distances, places = self.own["centers"](mean), self.places[labels][:, None]
        own = distances.gather(1, places)
        if self.settings.other_center == "nearest":
            largest = torch.finfo(distances.dtype).max
            other = distances.scatter(1, places, largest).amin(dim=1, keepdim=True)
        else:
            other = distances.gather(1, self._other_places(places))
        gamma = self.settings.center_share
        return (self.settings.center_margin + gamma * own - (1 - gamma) * other).clamp_min(0).mean()

    def _other_places(self, places: Tensor) -> Tensor:
        """Another class for each sample, drawn at random; its own where there is no other."""
        # DEVIATES: the released code draws the sample's own class as often as any other.
        classes = len(self.own["centers"].weight)
        step = torch.randint(1, max(2, classes), places.shape, generator=self.draws.random, device=places.device)
        return (places + step) % classes

    def cycle_loss(self, refined: Latent, vector: Tensor) -> Tensor:
        """Return L_R of features: the distance of the class vector drawn from FR's Gaussian to their own."""
        return self.distance(refined.sample(self.draws.normal(len(vector), self.attributes)).sigmoid(), vector)

    def terms(self, made: Made) -> Iterator[Term]:
        """Yield f-VAEGAN's terms, and L_R of made features."""
        yield from super().terms(made)
        refined = self.model.refiner(self.model.refiner.embed(made.feature))
        yield Term("L_Rec", self.settings.decoder_weight, self.cycle_loss(refined, made.batch.vector))
