"""CADA-VAE (Schönfeld et al., CVPR 2019): two aligned VAEs, of features and of class vectors; it classifies latent features.

Its own names are used for its weights: beta of the KL terms, gamma of cross-alignment, delta of distribution alignment.
"""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from scegg_core.eggn import losses
from scegg_core.eggn.draws import Batch, Draws
from scegg_core.eggn.generators.base import AdamSettings, Method, Update
from scegg_core.eggn.guidance import Guide
from scegg_core.eggn.model import Latent, Networks, in_batches
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.synthesis import SynthesisSettings

#: Passes through the training images between which a weight rises from 0 to its own value.
WARM_UP = {"kl": (0, 93), "cross": (21, 75), "alignment": (6, 22)}


class LatentEncoder(nn.Module):
    """The mean and log variance of z, of features or of class vectors."""

    def __init__(self, size: int, latent: int, width: int):
        super().__init__()
        self.hidden = nn.Linear(size, width)
        self.mean = nn.Linear(width, latent)
        self.log_variance = nn.Linear(width, latent)

    def forward(self, given: Tensor) -> Latent:
        """Encode `given` (batch, size)."""
        hidden = self.hidden(given).relu()
        return Latent(self.mean(hidden), self.log_variance(hidden))


class LatentDecoder(nn.Module):
    """Features or class vectors of z."""

    def __init__(self, size: int, latent: int, width: int):
        super().__init__()
        self.hidden = nn.Linear(latent, width)
        self.out = nn.Linear(width, size)

    def forward(self, z: Tensor) -> Tensor:
        """Decode z (batch, latent) to (batch, size)."""
        return self.out(self.hidden(z).relu())


class CadaVaeNetworks(Networks):
    """Encoder and decoder of features, encoder and decoder of class vectors, around one latent space."""

    kept: ClassVar[tuple[str, ...]] = ("image_encoder", "vector_encoder")

    def __init__(self, channels: int, attributes: int, settings: EggnSettings):
        super().__init__()
        self.latent = latent = settings.latent_size or attributes
        self.image_encoder = LatentEncoder(channels, latent, settings.image_encoder_width)
        self.image_decoder = LatentDecoder(channels, latent, settings.image_decoder_width)
        self.vector_encoder = LatentEncoder(attributes, latent, settings.vector_encoder_width)
        self.vector_decoder = LatentDecoder(attributes, latent, settings.vector_decoder_width)
        self.apply(_start)

    @classmethod
    def sizes(cls, tensors: dict[str, Tensor], settings: EggnSettings) -> tuple[int, int]:
        """Return the numbers of channels and of attributes, from what the encoders take."""
        return tensors["image_encoder.hidden.weight"].shape[1], tensors["vector_encoder.hidden.weight"].shape[1]

    def synthesize(self, z: Tensor, vector: Tensor, settings: SynthesisSettings) -> Tensor:
        """Return latent features (batch, latent) of classes, `z` the noise in them."""
        return self.vector_encoder(vector).sample(z)

    def transform(self, feature: Tensor) -> Tensor:
        """Return the means of images' latent features (batch, latent), by which test images are classified."""
        return self.image_encoder(feature).mean

    def training_inputs(self, real: Tensor | None, made: Tensor, random: torch.Generator) -> Tensor:
        """Return latent features drawn for the real ones, and the made ones, which are latent already."""
        if real is None:
            return made
        noise = torch.randn(len(real), self.latent, generator=random).to(real.device)
        drawn = in_batches(lambda feature, noise: self.image_encoder(feature).sample(noise), real, noise)
        return torch.cat([drawn, made])


@dataclass(frozen=True)
class Weights:
    """beta, gamma and delta at a step: tensors without axes."""

    kl: Tensor
    cross: Tensor
    alignment: Tensor


class CadaVae(Method):
    """L_VAE + gamma L_CA + delta L_DA , all in one step; gamma, delta and beta of L_VAE are warmed up."""

    model: CadaVaeNetworks

    def __init__(self, model: Networks, guide: Guide | None, settings: EggnSettings, draws: Draws, update: Update):
        """Arguments are the base's."""
        super().__init__(model, guide, settings, draws, update)
        self.steps = torch.zeros((), **draws.like)
        self.steps_per_pass = -(-len(draws.data.features) // settings.batch_size)

    @classmethod
    def optimizers(cls, settings: EggnSettings) -> dict[str, AdamSettings]:
        """Return how the four networks are trained: as one, with Adam's own first beta."""
        # DEVIATES: the released code takes Adam's variant AMSGrad, of which the paper says nothing.
        names = ("image_encoder", "image_decoder", "vector_encoder", "vector_decoder")
        return dict.fromkeys(names, AdamSettings(settings.learning_rate, 0.9))

    def tensors(self) -> dict[str, Tensor]:
        """Return the number of steps taken, on which the weights depend."""
        return {"steps": self.steps}

    def step(self, feedback: bool) -> dict[str, Tensor]:
        """Take one step of all four networks; return its terms by name."""
        loss, terms = self.loss(self.draws.images(1))
        self.update(loss, list(self.optimizers(self.settings)))
        self.steps += 1
        return {name: value.detach() for name, value in terms.items()}

    def loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss and its terms without their weights: KL, reconstruction, L_CA and L_DA."""
        # DEVIATES: the released code draws one number a sample for all of z, times the variance in place of its root.
        model, count = self.model, len(batch.labels)
        image, vector = model.image_encoder(batch.feature), model.vector_encoder(batch.vector)
        of_image, of_vector = image.sample(self.draws.normal(count)), vector.sample(self.draws.normal(count))
        features, vectors = (
            net(torch.cat([of_image, of_vector])) for net in (model.image_decoder, model.vector_decoder)
        )
        own, cross = features.split(count)
        crossed, kept = vectors.split(count)
        terms = {
            "KL": sum(losses.kl_to_standard_normal(latent.mean, latent.log_variance) for latent in (image, vector)),
            "reconstruction": distance(own, batch.feature) + distance(kept, batch.vector),
            "cross-alignment": distance(cross, batch.feature) + distance(crossed, batch.vector),
            "distribution alignment": wasserstein(image, vector),
        }
        weights = self.weights()
        loss = terms["reconstruction"] + weights.kl * terms["KL"] + weights.cross * terms["cross-alignment"]
        return loss + weights.alignment * terms["distribution alignment"], terms

    def weights(self) -> Weights:
        """Return the weights at the step that is next."""
        # DEVIATES: the text gives rates a pass that end a few per cent beside the released code's values, taken here.
        given = self.settings
        return Weights(
            kl=given.kl_weight * self._share(*WARM_UP["kl"]),
            cross=given.cross_weight * self._share(*WARM_UP["cross"]),
            alignment=given.alignment_weight * self._share(*WARM_UP["alignment"]),
        )

    def _share(self, begin: int, end: int) -> Tensor:
        """How far a warm-up from pass `begin` to pass `end` has come: 0 to 1."""
        length = self.settings.warm_up
        if length == 0:
            return torch.ones_like(self.steps)
        passes = torch.div(self.steps, self.steps_per_pass, rounding_mode="floor")
        return ((passes / length - begin) / (end - begin)).clamp(0, 1)


def distance(made: Tensor, given: Tensor) -> Tensor:
    """Return the L1 distance, summed over channels, mean over the batch: of reconstruction and of L_CA."""
    return (made - given).abs().sum(dim=1).mean()


def wasserstein(one: Latent, other: Latent) -> Tensor:
    """Return the 2-Wasserstein distance of two Gaussians with diagonal covariance, mean over the batch (L_DA)."""
    roots = (0.5 * one.log_variance).exp() - (0.5 * other.log_variance).exp()
    return torch.linalg.vector_norm(torch.cat([one.mean - other.mean, roots], 1), dim=1).mean()


def _start(module: nn.Module) -> None:
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight, gain=0.5)
        nn.init.zeros_(module.bias)
