"""What generators share: `Method`, which any of them is, and a conditional Wasserstein GAN that a classifier guides.

`EggnTrainer` asks a `Method` for steps and knows nothing of what is in them. `FeatureGenerator` takes the critic's steps
(Eq. 11) and the generator's (Eqs. 9, 13-15, 18); a method built on it overrides what is different in it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from scegg_core.eggn import losses
from scegg_core.eggn.data import SeenFeatures
from scegg_core.eggn.draws import Batch, Draws
from scegg_core.eggn.guidance import Guide, guide_by_cls_g, guided_terms
from scegg_core.eggn.model import EGGN, Latent, Networks
from scegg_core.errors import InputError
from scegg_core.scen.losses import class_cross_entropy
from scegg_core.scen.space import Space
from scegg_core.settings.eggn import EggnSettings

PENALTY_BAND = (1.001, 1.05)  # of the mean gradient penalty; lambda is adapted outside it

PENALTY_FACTOR = 1.1

#: Takes one step down a loss with the optimizers of the networks named.
Update = Callable[[Tensor, Sequence[str]], None]


@dataclass(frozen=True)
class AdamSettings:
    """A network's learning rate and Adam's first beta."""

    rate: float
    beta1: float


@dataclass(frozen=True)
class Term:
    """One term of a loss."""

    name: str
    weight: float
    value: Tensor


@dataclass(frozen=True)
class Made:
    """What G made of a batch of real features; `latent` is what E said of them, None without E."""

    batch: Batch
    latent: Latent | None
    logits: Tensor  # (batch, channels), before the sigmoid
    feature: Tensor  # (batch, channels)


class Method(ABC):
    """A way to make features of classes without images: how it is trained, step by step."""

    #: Whether the second half of each epoch's steps is a pass with feedback.
    has_feedback = False

    def __init__(self, model: Networks, guide: Guide | None, settings: EggnSettings, draws: Draws, update: Update):
        """Without `guide` L_EGS is left out."""
        self.model, self.guide, self.settings, self.draws, self.update = model, guide, settings, draws, update
        self.own: dict[str, nn.Module] = {}  # what training alone needs, by name, beside the model's networks

    @classmethod
    @abstractmethod
    def optimizers(cls, settings: EggnSettings) -> dict[str, AdamSettings]:
        """Return how each network that takes part is trained."""

    @classmethod
    def guide_of(cls, space: Space, data: SeenFeatures, settings: EggnSettings, seed: int) -> Guide | None:
        """Return what guides the generator; here nothing can, so InputError where a guide has weight."""
        refuse_classification(settings)
        if guide_by_cls_g(space, settings, data.features.device):
            raise InputError(
                f"L_EGS cannot guide generator {settings.generator!r}; set eggn.seen_guidance and eggn.unseen_guidance to 0."
            )
        return None

    @abstractmethod
    def step(self, feedback: bool) -> dict[str, Tensor]:
        """Take one step of training, in the pass with or without feedback; return its terms by name."""

    def tensors(self) -> dict[str, Tensor]:
        """Return the tensors that the steps change in place, by name: what a checkpoint saves beside the networks."""
        return {}


def refuse_classification(settings: EggnSettings) -> None:
    """Raise InputError where a classification loss has weight, for methods that have none."""
    if settings.classification_weight > 0:
        raise InputError(
            f"eggn.classification_weight is {settings.classification_weight}, but generator {settings.generator!r} "
            "has no classification loss of its own; set it to 0."
        )


class FeatureGenerator(Method):
    """A Wasserstein GAN of G and D with guidance by CLS_g."""

    model: EGGN

    def __init__(self, model: Networks, guide: Guide | None, settings: EggnSettings, draws: Draws, update: Update):
        """Arguments are the base's."""
        super().__init__(model, guide, settings, draws, update)
        self.penalty_weight = torch.tensor(settings.penalty_weight, **draws.like)  # lambda of Eq. 11

    @classmethod
    def optimizers(cls, settings: EggnSettings) -> dict[str, AdamSettings]:
        """Return how each network that takes part is trained."""
        adam = AdamSettings(settings.learning_rate, settings.beta1)
        return {"generator": adam, "critic": adam}

    @classmethod
    def guide_of(cls, space: Space, data: SeenFeatures, settings: EggnSettings, seed: int) -> Guide | None:
        """Return what guides the generator: CLS_g, where the space has one and L_EGS has weight."""
        refuse_classification(settings)
        return guide_by_cls_g(space, settings, data.features.device)

    def tensors(self) -> dict[str, Tensor]:
        """Return the tensors that the steps change in place, by name."""
        return {"penalty_weight": self.penalty_weight}

    def step(self, feedback: bool) -> dict[str, Tensor]:
        """Take the critic's steps and one of G; return the terms of both by name."""
        critic = self.critic_steps(feedback)
        return critic | self.generator_step(feedback)

    # --- D ---

    def critic_steps(self, feedback: bool) -> dict[str, Tensor]:
        """Take `critic_steps` steps of D (Eq. 11); return their mean terms by name."""
        size = self.settings.batch_size
        batch = self.draws.images(self.settings.critic_steps)
        fake = self.features_for_critic(batch, feedback)
        tau = self.draws.uniform(len(fake), 1)
        parts = (tensor.split(size) for tensor in (batch.feature, batch.vector, fake, tau))
        reports = [self._critic_step(*part) for part in zip(*parts, strict=True)]
        mean = {name: torch.stack([report[name] for report in reports]).mean() for name in reports[0]}
        self.adapt_penalty(mean["penalty"])
        return mean

    def _critic_step(self, feature: Tensor, vector: Tensor, fake: Tensor, tau: Tensor) -> dict[str, Tensor]:
        loss, terms = self.critic_loss(feature, vector, fake, tau)
        self.update(loss, ["critic"])
        return terms

    def critic_loss(
        self, feature: Tensor, vector: Tensor, fake: Tensor, tau: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss that the critic minimizes, - lambda_w L_WGAN (Eq. 11), and its terms.

        `feature`, `fake` (batch, channels), `vector` (batch, attributes), `tau` (batch, 1) in [0, 1].
        """
        found = self.model.critic.compare(feature, fake, vector, tau)
        penalty = losses.gradient_penalty(found.slope)
        wasserstein = found.real.mean() - found.made.mean()
        loss = self.settings.adversarial_weight * (self.penalty_weight * penalty - wasserstein)
        return loss, {"wasserstein": wasserstein.detach(), "penalty": penalty.detach()}

    def adapt_penalty(self, penalty: Tensor) -> None:
        """Let lambda of Eq. 11 follow the mean penalty, where the settings say so."""
        if self.settings.adaptive_penalty:
            low, high = PENALTY_BAND
            up, down = self.penalty_weight * PENALTY_FACTOR, self.penalty_weight / PENALTY_FACTOR
            stay = torch.where(penalty < low, down, self.penalty_weight)
            self.penalty_weight.copy_(torch.where(penalty > high, up, stay))

    @torch.no_grad()
    def features_for_critic(self, batch: Batch, feedback: bool) -> Tensor:
        """Return G's features (batch, channels) for all of the critic's steps, during which G stays as it is."""
        return self.model.generator(self.z_for_critic(batch), batch.vector)

    def z_for_critic(self, batch: Batch) -> Tensor:
        """Return the z (batch, latent) of the critic's features: E's, or the prior's where it is asked for."""
        noise = self.draws.normal(len(batch.labels))
        latent = None if self.settings.critic_path == "synthesis" else self.encode(batch)
        return noise if latent is None else latent.sample(noise)

    # --- G and what is trained with it ---

    def generator_step(self, feedback: bool) -> dict[str, Tensor]:
        """Take one step of G and what is trained with it; return its terms by name."""
        loss, terms = self.generator_loss(self.draws.images(1), feedback)
        self.update(loss, self.trained(feedback))
        return {name: value.detach() for name, value in terms.items()}

    def trained(self, feedback: bool) -> list[str]:
        """Return the networks that the generator's step updates."""
        return ["generator"]

    def generator_loss(self, batch: Batch, feedback: bool) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss that the generator's step minimizes, Eq. 18: L_VG + L_EGS (Eqs. 9, 13), and its terms.

        All features that it asks for come from one pass through G: a product of many rows is faster than several of few.
        """
        latent, noise = self.encode(batch), self.draws.normal(len(batch.labels))
        z = noise if latent is None else latent.sample(noise)
        guided = guided_terms(self.guide, batch.labels, self.draws, self.settings.seen_path)
        pairs = [(z, batch.vector), *(part.drawn for part in guided if part.drawn)]
        together = (torch.cat(tensors) for tensors in zip(*pairs, strict=True))
        logits, *more = self.logits(*together, feedback).split(len(z))
        made = Made(batch, latent, logits, logits.sigmoid())
        weighted, terms = [], {}
        for term in self.terms(made):
            terms[term.name] = term.value
            weighted.append(term.weight * term.value)
        for part in guided:
            scores = self.guide.scores(more.pop(0).sigmoid() if part.drawn else made.feature)
            terms[part.name] = class_cross_entropy(scores, part.labels, part.classes)
            weighted.append(part.weight * terms[part.name])
        return torch.stack(weighted).sum(), terms

    def encode(self, batch: Batch) -> Latent | None:
        """Return what z of real features is drawn from: None for the prior, which needs no E."""
        return None

    def logits(self, z: Tensor, vector: Tensor, feedback: bool) -> Tensor:
        """Return G's output before the sigmoid (batch, channels), in the pass with or without feedback."""
        return self.model.generator.logits(self.model.generator.embed(z, vector))

    def terms(self, made: Made) -> Iterator[Term]:
        """Yield the terms of L_VG (Eq. 9) that G can change; here its part of L_WGAN (Eq. 11)."""
        score = self.model.critic(made.feature, made.batch.vector)
        yield Term("adversarial", self.settings.adversarial_weight, -score.mean())
