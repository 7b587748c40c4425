"""A TF-VAEGAN iteration written down plainly, as the yardstick of the benchmarks: one batch and one loss at a time.

Each critic step draws a batch, trains Dec on it, makes fakes through E, G (and Dec, F, G) and takes the penalty by
a double backward pass; every network has its own eager Adam; nothing is shared between steps. With `extract` the
batch's features come from region maps through SCEN in every sub-step, as the released SC-EGG code does, and CLS_g
guides synthesis; without it the features are cached and there is no guidance: plain TF-VAEGAN.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from scegg_core.eggn.model import EGGN

Draw = Callable[[int], tuple[Tensor, Tensor, Tensor]]  # of a batch: features, a(c) and labels


class PlainEggnSteps:
    """The critic's five steps and the generator's one, on networks of scegg_core's shapes."""

    def __init__(
        self, model: EGGN, draw: Draw, classify: nn.Module | None, unseen: Tensor, batch: int = 64, rate: float = 1e-4
    ):
        """`unseen` (classes, attributes) are the vectors of the unseen classes, the last rows of CLS_g."""
        self.model, self.classify, self.unseen = model, classify, unseen
        self.draw = lambda: draw(batch)
        self.adam = {
            name: torch.optim.Adam(getattr(model, name).parameters(), rate, betas=(0.5, 0.999))
            for name in ("encoder", "generator", "critic", "decoder", "feedback")
        }
        self.penalty_weight = 10.0

    def iterate(self, feedback: bool, critic_steps: int = 5) -> None:
        """Take the critic's steps and one step of E, G, Dec and F."""
        penalties = [self._critic_step(feedback) for _ in range(critic_steps)]
        mean = sum(penalties) / len(penalties)
        if mean > 1.05:
            self.penalty_weight *= 1.1
        elif mean < 1.001:
            self.penalty_weight /= 1.1
        self._generator_step(feedback)

    def _critic_step(self, feedback: bool) -> float:
        feature, vector, _ = self.draw()
        self._zero()
        self._step("decoder", 0.01 * self._distance(feature, vector))
        with torch.no_grad():
            fake = self._make(self._encode(feature, vector)[0], vector, feedback)
        penalty = self._penalty(feature, fake, vector)
        score = self.model.critic(feature, vector).mean() - self.model.critic(fake, vector).mean()
        self._zero()
        self._step("critic", 10 * (self.penalty_weight * penalty - score))
        return penalty.item()

    def _generator_step(self, feedback: bool) -> None:
        feature, vector, labels = self.draw()
        self._zero()
        z, mean, log_variance = self._encode(feature, vector)
        made = self._make(z, vector, feedback)
        kl = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum() / len(feature)
        loss = kl + functional.binary_cross_entropy(made, feature, reduction="sum") / len(feature)
        loss = loss - 10 * self.model.critic(made, vector).mean() + 0.01 * self._distance(made, vector)
        if self.classify is not None:
            drawn = torch.randint(len(self.unseen), (len(feature),), device=feature.device)
            unseen = self._make(torch.randn_like(z), self.unseen[drawn], feedback)
            first = self.classify.out_features - len(self.unseen)
            loss = loss + 0.1 * functional.cross_entropy(self.classify(made), labels)
            loss = loss + 0.1 * functional.cross_entropy(self.classify(unseen), first + drawn)
        parts = ["encoder", "generator", "decoder", *(["feedback"] if feedback else [])]
        loss.backward()
        for part in parts:
            self.adam[part].step()

    def _encode(self, feature: Tensor, vector: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        latent = self.model.encoder(feature, vector)
        noise = torch.randn_like(latent.mean)
        return latent.mean + torch.exp(0.5 * latent.log_variance) * noise, latent.mean, latent.log_variance

    def _make(self, z: Tensor, vector: Tensor, feedback: bool) -> Tensor:
        made = self.model.generator(z, vector)
        if not feedback:
            return made
        correction = self.model.feedback(self.model.decoder(made).hidden.detach())
        hidden = self.model.generator.embed(z, vector)
        return self.model.generator.logits(hidden + correction).sigmoid()

    def _penalty(self, feature: Tensor, fake: Tensor, vector: Tensor) -> Tensor:
        tau = torch.rand(len(feature), 1, device=feature.device)
        between = (tau * feature + (1 - tau) * fake).requires_grad_()
        score = self.model.critic(between, vector).sum()
        (slope,) = torch.autograd.grad(score, between, create_graph=True)
        return (slope.norm(dim=1) - 1).square().mean()

    def _distance(self, feature: Tensor, vector: Tensor) -> Tensor:
        return (self.model.decoder(feature).vector - vector).abs().sum(dim=1).mean()

    def _zero(self) -> None:
        for optimizer in self.adam.values():
            optimizer.zero_grad()

    def _step(self, part: str, loss: Tensor) -> None:
        loss.backward()
        self.adam[part].step()
