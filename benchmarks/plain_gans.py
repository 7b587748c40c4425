"""A step of f-CLSWGAN, LisGAN, f-VAEGAN and f-VAEGAN-D2 written down plainly, as the yardstick of the benchmarks.

In the order of the released codes: a batch at a time, every term with its own passes through the networks, the critic's
penalty by a double backward pass, eager Adam; what a step does not train is frozen, as there. What those codes compute
and do not use is left out, and of two ways that a code has the faster one is taken.
"""

import copy

import torch
from torch import Tensor
from torch.nn import functional

from scegg_core.eggn.data import SeenFeatures
from scegg_core.eggn.train import EggnTrainer


class Drawn:
    """What a step draws: images with their class vectors and labels, and noise."""

    def __init__(self, data: SeenFeatures, batch: int):
        self.data, self.batch, self.device = data, batch, data.features.device

    def images(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return features, class vectors and labels of a batch."""
        rows = torch.randint(len(self.data.labels), (self.batch,), device=self.device)
        labels = self.data.labels[rows]
        return self.data.features[rows], self.data.vectors[labels], labels

    def normal(self, count: int, size: int) -> Tensor:
        """Return standard normal numbers (count, size)."""
        return torch.randn(count, size, device=self.device)

    def uniform(self, count: int) -> Tensor:
        """Return numbers between 0 and 1, (count, 1)."""
        return torch.rand(count, 1, device=self.device)


class PlainSteps:
    """A copy of a trainer's networks, each with an Adam of its own, and steps on them."""

    def __init__(self, trainer: EggnTrainer):
        self.settings, self.data, self.model = trainer.settings, trainer.draws.data, copy.deepcopy(trainer.model)
        self.networks = {**dict(self.model.named_children()), **copy.deepcopy(trainer.generator.own)}
        self.adam = {
            name: torch.optim.Adam(self.networks[name].parameters(), adam.rate, betas=(adam.beta1, 0.999))
            for name, adam in trainer.generator.optimizers(trainer.settings).items()
        }
        self.draws = Drawn(self.data, self.settings.batch_size)
        self.places = self.data.seen.long().cumsum(0) - 1  # of classes among the seen ones

    def iterate(self) -> None:
        """Take one step of training."""
        raise NotImplementedError

    def train_only(self, *names: str) -> None:
        """Freeze all networks but these."""
        for name, network in self.networks.items():
            network.requires_grad_(name in names)

    def update(self, loss: Tensor, *names: str) -> None:
        """Take one step down `loss` with these networks."""
        for name in names:
            self.adam[name].zero_grad()
        loss.backward()
        for name in names:
            self.adam[name].step()


class PlainClswgan(PlainSteps):
    """f-CLSWGAN: the critic's steps, and one of G with a classifier of the seen classes."""

    trained = ("generator",)

    def __init__(self, trainer: EggnTrainer):
        super().__init__(trainer)
        self.penalty_weight = self.settings.penalty_weight
        guide = trainer.generator.guide
        self.classify = guide.classify if guide else None

    def iterate(self) -> None:
        """Take the critic's steps and one of G."""
        penalties = [self.critic_step() for _ in range(self.settings.critic_steps)]
        mean = sum(penalties) / len(penalties)
        if self.settings.adaptive_penalty:
            self.penalty_weight *= 1.1 if mean > 1.05 else 1 / 1.1 if mean < 1.001 else 1
        self.train_only(*self.trained)
        self.update(self.generator_loss(*self.draws.images()), *self.trained)

    def critic_step(self) -> float:
        """Take a step of D, after what learns from real features beside it; return the penalty."""
        feature, vector, labels = self.draws.images()
        self.real_step(feature, vector, labels)
        self.train_only("critic")
        with torch.no_grad():
            fake = self.model.generator(self.z_for_critic(feature, vector), vector)
        penalty = self.penalty(feature, fake, vector)
        score = self.model.critic(feature, vector).mean() - self.model.critic(fake, vector).mean()
        self.update(self.settings.adversarial_weight * (self.penalty_weight * penalty - score), "critic")
        return penalty.item()

    def real_step(self, feature: Tensor, vector: Tensor, labels: Tensor) -> None:
        """Train what learns from a critic's batch of real features: here nothing."""

    def z_for_critic(self, feature: Tensor, vector: Tensor) -> Tensor:
        """Return z of the prior."""
        return self.draws.normal(len(feature), self.model.latent)

    def penalty(self, feature: Tensor, fake: Tensor, vector: Tensor) -> Tensor:
        """Return the mean of (length of D's gradient - 1)^2 at mixtures of real and made features."""
        tau = self.draws.uniform(len(feature))
        between = (tau * feature + (1 - tau) * fake).requires_grad_()
        score = self.model.critic(between, vector).sum()
        (slope,) = torch.autograd.grad(score, between, create_graph=True)
        return (slope.norm(dim=1) - 1).square().mean()

    def generator_loss(self, feature: Tensor, vector: Tensor, labels: Tensor) -> Tensor:
        """Return G's part of L_WGAN and L_CLS."""
        made = self.prior(vector)
        return self.adversarial(made, vector) + self.classification(made, labels)

    def prior(self, vector: Tensor) -> Tensor:
        """Return features made of z of the prior."""
        return self.model.generator(self.draws.normal(len(vector), self.model.latent), vector)

    def adversarial(self, made: Tensor, vector: Tensor) -> Tensor:
        """Return G's part of L_WGAN."""
        return -self.settings.adversarial_weight * self.model.critic(made, vector).mean()

    def classification(self, made: Tensor, labels: Tensor) -> Tensor:
        """Return L_CLS."""
        scores = self.classify(made)[:, self.data.seen]
        return self.settings.classification_weight * functional.cross_entropy(scores, self.places[labels])


class PlainLisGan(PlainClswgan):
    """LisGAN: distances of made features, and of their means in each class, to all soul samples, then those of the class."""

    def __init__(self, trainer: EggnTrainer):
        super().__init__(trainer)
        self.souls = trainer.generator.souls[self.data.seen].flatten(0, 1)  # (seen classes * K, channels)
        self.seen_vectors = self.data.vectors[self.data.seen]

    def generator_loss(self, feature: Tensor, vector: Tensor, labels: Tensor) -> Tensor:
        """Return f-CLSWGAN's loss with L_R1 and L_R2."""
        made = self.prior(vector)
        loss = self.adversarial(made, vector) + self.classification(made, labels)
        loss = loss + self.settings.soul_weight * self.to_souls(made, self.places[labels])
        many = self.prior(self.seen_vectors.repeat_interleave(self.settings.soul_made, dim=0))
        classes = torch.arange(len(self.seen_vectors), device=many.device)
        of_class = functional.one_hot(classes.repeat_interleave(self.settings.soul_made)).T.to(many.dtype)
        means = (of_class / self.settings.soul_made) @ many
        return loss + self.settings.soul_mean_weight * self.to_souls(means, classes)

    def to_souls(self, feature: Tensor, places: Tensor) -> Tensor:
        """Return the mean squared distance to the nearest soul sample of each feature's own class."""
        squares = feature.square().sum(dim=1, keepdim=True) + self.souls.square().sum(dim=1)
        distances = (squares - 2 * feature @ self.souls.T).clamp_min(0)
        nearest = distances.unflatten(1, (len(self.seen_vectors), -1)).amin(dim=2)
        return nearest.gather(1, places[:, None]).mean()


class PlainVaegan(PlainClswgan):
    """f-VAEGAN as TF-VAEGAN's code has it: E's z for G and for D."""

    trained = ("encoder", "generator")

    def z_for_critic(self, feature: Tensor, vector: Tensor) -> Tensor:
        """Return E's z."""
        return self.encode(feature, vector)[0]

    def generator_loss(self, feature: Tensor, vector: Tensor, labels: Tensor) -> Tensor:
        """Return L_VAE and G's part of L_WGAN."""
        loss, made = self.reconstruct(feature, vector)
        return loss + self.adversarial(made, vector)

    def encode(self, feature: Tensor, vector: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return E's z, mean and log variance."""
        latent = self.model.encoder(feature, vector)
        noise = self.draws.normal(len(feature), self.model.latent)
        return latent.mean + torch.exp(0.5 * latent.log_variance) * noise, latent.mean, latent.log_variance

    def reconstruct(self, feature: Tensor, vector: Tensor) -> tuple[Tensor, Tensor]:
        """Return L_VAE and the reconstructed features."""
        z, mean, log_variance = self.encode(feature, vector)
        made = self.model.generator(z, vector)
        kl = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum() / len(feature)
        bce = functional.binary_cross_entropy(made, feature, reduction="sum") / len(feature)
        return self.settings.kl_weight * kl + bce, made


class PlainVaeganD2(PlainVaegan):
    """f-VAEGAN-D2: D sees features of the prior's z."""

    def z_for_critic(self, feature: Tensor, vector: Tensor) -> Tensor:
        """Return z of the prior."""
        return self.draws.normal(len(feature), self.model.latent)

    def generator_loss(self, feature: Tensor, vector: Tensor, labels: Tensor) -> Tensor:
        """Return L_VAE, and G's part of L_WGAN on features of the prior."""
        loss, _ = self.reconstruct(feature, vector)
        return loss + self.adversarial(self.prior(vector), vector)
