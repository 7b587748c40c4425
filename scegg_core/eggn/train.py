"""Training of EGGN, stage 3 (Eqs. 9-15, 18): critic and Dec steps, then one step of E, G and F.

Everything lies on the device. What the critic steps share is computed once: the features of all their batches come
from one pass through E, G and F. A critic step is three products (`Critic.compare`), and all features that the
generator's step asks for come from one pass.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from scegg_core.eggn import losses
from scegg_core.eggn.cuda_graph import GraphedStep
from scegg_core.eggn.data import Guide, Guided, ImageDraw, SeenFeatures
from scegg_core.eggn.model import EGGN
from scegg_core.scen.losses import class_cross_entropy
from scegg_core.settings.eggn import EggnSettings
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.curve import Curve
from scegg_core.training.device import apply_gradients, seeded
from scegg_core.training.progress import bar

PENALTY_BAND = (1.001, 1.05)  # of the mean gradient penalty; lambda is adapted outside it

PENALTY_FACTOR = 1.1


class EggnTrainer:
    """Runs stage 3; can be stopped and continued between any two generator steps."""

    def __init__(
        self,
        model: EGGN,
        data: SeenFeatures,
        guide: Guide | None,
        settings: EggnSettings,
        seed: int,
        checkpoint: Checkpoint | None = None,
    ):
        """`guide` is None where the space has no classifier of its own (baseline): then L_EGS is left out."""
        self.model, self.data, self.guide, self.settings, self.checkpoint = model, data, guide, settings, checkpoint
        self.device, self.distance = data.features.device, losses.SEMANTIC_DISTANCES[settings.decoder_loss]
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.penalty_weight = torch.tensor(settings.penalty_weight, **self._like())
        self.draw = ImageDraw(data.labels, balanced=settings.sampling == "class_balanced")
        self.unseen = torch.nonzero(~data.seen).squeeze(1)
        self.steps_per_pass = -(-len(data.features) // settings.batch_size)
        self.curve, self.step = Curve(), 0
        self.graphed = settings.cuda_graphs and self.device.type == "cuda"
        self._make_optimizers()
        self.iterations = [partial(self._iterate, feedback) for feedback in (False, True)]
        if self.graphed:
            self.iterations = [GraphedStep(iteration, self.generator) for iteration in self.iterations]

    @property
    def steps_per_epoch(self) -> int:
        """Return the generator steps of an epoch: a pass without feedback and one with it."""
        return 2 * self.steps_per_pass

    def run(self, epochs: int | None = None, on_epoch: Callable[[int, EGGN], None] | None = None) -> Curve:
        """Train up to `epochs` (default: all), from the checkpoint if there is one; return the curve.

        `on_epoch` is called with the number and the model of each epoch that ends.
        """
        terms = self._restore()
        last = (epochs or self.settings.epochs) * self.steps_per_epoch
        with bar(last, "EGGN", initial=self.step) as progress:
            while self.step < last:
                feedback = self.step % self.steps_per_epoch >= self.steps_per_pass
                terms.append(self.iterate(feedback))
                self.step += 1
                progress.update()
                if self.step % self.steps_per_epoch == 0:
                    self.curve.add_epoch("3", self.step // self.steps_per_epoch, self.step - len(terms), terms)
                    terms = []
                    if on_epoch:
                        on_epoch(self.step // self.steps_per_epoch, self.model)
                if self.checkpoint and self.step < last and self.checkpoint.due():
                    self._save(terms)
        return self.curve

    def iterate(self, feedback: bool) -> dict[str, Tensor]:
        """Take the critic's steps and one step of the generator; return the terms of both by name."""
        return self.iterations[feedback and self.settings.generator == "tf-vaegan"]()

    def _iterate(self, feedback: bool) -> dict[str, Tensor]:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.settings.precision == "bfloat16"):
            critic = self._critic_steps(feedback)
            return critic | self._generator_step(feedback)

    # --- critic and Dec ---

    def _critic_steps(self, feedback: bool) -> dict[str, Tensor]:
        """`critic_steps` steps of D (Eq. 11) and, in tf-vaegan, of Dec on real features (Eq. 12)."""
        given = self.settings
        feature, vector, _ = self._draw(given.critic_steps)
        with torch.no_grad():
            hidden = self.model.generator.embed(self._latent_of(feature, vector), vector)
            fake = self.model.generator.logits(hidden).sigmoid()
        corrections = self._decoder_steps(feature, vector, fake, feedback)
        if feedback:
            with torch.no_grad():
                hidden = hidden + given.feedback_strength * self.model.feedback(corrections)
                fake = self.model.generator.logits(hidden).sigmoid()
        tau = self._uniform(len(feature), 1)
        reports = [
            self._critic_step(*part)
            for part in zip(*(t.split(given.batch_size) for t in (feature, vector, fake, tau)), strict=True)
        ]
        mean = {name: torch.stack([report[name] for report in reports]).mean() for name in reports[0]}
        self._adapt_penalty(mean["penalty"])
        return mean

    def _decoder_steps(self, feature: Tensor, vector: Tensor, fake: Tensor, feedback: bool) -> Tensor | None:
        """Train Dec on each batch of real features; return its hidden layer of the fake ones, as after each step."""
        if self.settings.generator != "tf-vaegan":
            return None
        hidden, size = [], self.settings.batch_size
        weights = list(self.model.decoder.parameters())
        for real, target, made in zip(feature.split(size), vector.split(size), fake.split(size), strict=True):
            loss = self.settings.decoder_weight * self.distance(self.model.decoder(real).vector, target)
            apply_gradients(self.optimizers["decoder"], weights, torch.autograd.grad(loss, weights))
            if feedback:
                with torch.no_grad():
                    hidden.append(self.model.decoder.embed(made))
        return torch.cat(hidden) if feedback else None

    def _critic_step(self, feature: Tensor, vector: Tensor, fake: Tensor, tau: Tensor) -> dict[str, Tensor]:
        loss, terms = self.critic_loss(feature, vector, fake, tau)
        weights = list(self.model.critic.parameters())
        apply_gradients(self.optimizers["critic"], weights, torch.autograd.grad(loss, weights))
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

    def _adapt_penalty(self, penalty: Tensor) -> None:
        if self.settings.adaptive_penalty:
            low, high = PENALTY_BAND
            up, down = self.penalty_weight * PENALTY_FACTOR, self.penalty_weight / PENALTY_FACTOR
            stay = torch.where(penalty < low, down, self.penalty_weight)
            self.penalty_weight.copy_(torch.where(penalty > high, up, stay))

    # --- E, G and F ---

    def _generator_step(self, feedback: bool) -> dict[str, Tensor]:
        feature, vector, labels = self._draw(1)
        loss, terms = self.generator_loss(feature, vector, labels, feedback)
        parts = self._generator_parts(feedback)
        weights = [weight for name in parts for weight in getattr(self.model, name).parameters()]
        gradients = iter(torch.autograd.grad(loss, weights, allow_unused=True))
        for name in parts:
            own = list(getattr(self.model, name).parameters())
            apply_gradients(self.optimizers[name], own, [next(gradients) for _ in own])
        return {name: value.detach() for name, value in terms.items()}

    def _generator_parts(self, feedback: bool) -> list[str]:
        given = self.settings
        parts = ["generator"] if given.generator == "f-clswgan" else ["encoder", "generator"]
        if given.generator == "tf-vaegan" and given.decoder_weight > 0 and not given.freeze_decoder:
            parts.append("decoder")
        return [*parts, "feedback"] if feedback else parts

    def generator_loss(
        self, feature: Tensor, vector: Tensor, labels: Tensor, feedback: bool
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the loss that E, G (and F, Dec) minimize, Eq. 18, and its terms by name."""
        given, weighted, terms = self.settings, [], {}

        def add(name: str, weight: float, value: Tensor) -> None:
            terms[name] = value
            weighted.append(weight * value)

        latent = None if given.generator == "f-clswgan" else self.model.encoder(feature, vector)
        noise = self._normal(len(feature))
        z = noise if latent is None else latent.sample(noise)
        guided = self._guided(labels)
        logits, *more = self._logits_of([(z, vector), *(part.drawn for part in guided if part.drawn)], feedback)
        if latent is not None:
            add("KL", given.kl_weight, losses.kl_to_standard_normal(latent.mean, latent.log_variance))
            add("BCE", 1.0, losses.reconstruction(logits, feature))
        fake = logits.sigmoid()
        add("adversarial", given.adversarial_weight, -self.model.critic(fake, vector).mean())
        if given.generator == "tf-vaegan" and given.decoder_weight > 0:
            add("L_Rec", given.decoder_weight, self.distance(self.model.decoder(fake).vector, vector))
        for part in guided:
            scores = self.guide.scores(more.pop(0).sigmoid() if part.drawn else fake)
            add(part.name, part.weight, class_cross_entropy(scores, part.labels, part.classes))
        return torch.stack(weighted).sum(), terms

    def _guided(self, labels: Tensor) -> list[Guided]:
        """Return the terms of L_EGS (Eqs. 13-15) on a batch of seen classes `labels`."""
        given, found = self.settings, []
        apart = given.guidance_classes == "seen_unseen"
        if self.guide is not None and given.seen_guidance > 0:
            drawn = self._prior_of(labels) if given.seen_path == "synthesis" else None
            classes = self.data.seen if apart else None
            found.append(Guided("L_SCE", given.seen_guidance, labels, classes, drawn))
        if self.guide is not None and given.unseen_guidance > 0 and len(self.unseen):
            rows = torch.randint(len(self.unseen), (len(labels),), generator=self.generator, device=self.device)
            unseen = self.unseen[rows]
            classes = ~self.data.seen if apart else None
            found.append(Guided("L_UCE", given.unseen_guidance, unseen, classes, self._prior_of(unseen)))
        return found

    def _prior_of(self, labels: Tensor) -> tuple[Tensor, Tensor]:
        """z of the prior and a(c) for each of `labels`."""
        return self._normal(len(labels)), self.data.vectors[labels]

    def _logits_of(self, parts: list[tuple[Tensor, Tensor]], feedback: bool) -> tuple[Tensor, ...]:
        """G's outputs for each (z, vector), in one pass: a product of many rows is faster than several of few."""
        z, vector = (torch.cat(tensors) for tensors in zip(*parts, strict=True))
        return self._logits(z, vector, feedback).split(len(parts[0][0]))

    def _logits(self, z: Tensor, vector: Tensor, feedback: bool) -> Tensor:
        """G's output before the sigmoid, in the pass with or without feedback."""
        hidden = self.model.generator.embed(z, vector)
        logits = self.model.generator.logits(hidden)
        if not feedback:
            return logits
        correction = self.model.correction(logits.sigmoid())
        return self.model.generator.logits(hidden + self.settings.feedback_strength * correction)

    # --- shared ---

    def _latent_of(self, feature: Tensor, vector: Tensor) -> Tensor:
        noise = self._normal(len(feature))
        if self.settings.generator == "f-clswgan" or self.settings.critic_path == "synthesis":
            return noise
        return self.model.encoder(feature, vector).sample(noise)

    def _draw(self, batches: int) -> tuple[Tensor, Tensor, Tensor]:
        rows = self.draw.rows(batches, self.settings.batch_size, self.generator)
        labels = self.data.labels[rows]
        return self.data.features[rows], self.data.vectors[labels], labels

    def _normal(self, count: int) -> Tensor:
        return torch.randn(count, self.model.latent, generator=self.generator, **self._like())

    def _uniform(self, *shape: int) -> Tensor:
        return torch.rand(*shape, generator=self.generator, **self._like())

    def _like(self) -> dict:
        return {"device": self.device, "dtype": self.data.features.dtype}

    def _make_optimizers(self) -> None:
        given = self.settings
        rates = {"encoder": given.learning_rate, "generator": given.learning_rate, "critic": given.learning_rate}
        rates |= {"decoder": given.decoder_learning_rate, "feedback": given.feedback_learning_rate}
        self.optimizers = {
            name: torch.optim.Adam(
                getattr(self.model, name).parameters(),
                rate,
                betas=(0.9 if name == "encoder" else given.beta1, 0.999),
                fused=True,
                capturable=self.graphed,
            )
            for name, rate in rates.items()
        }

    def _save(self, terms: list[dict[str, Tensor]]) -> None:
        self.checkpoint.save(
            {
                "step": self.step,
                "model": self.model.state_dict(),
                "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
                "generator": self.generator.get_state(),
                "penalty_weight": self.penalty_weight,
                "curve": [list(point) for point in self.curve.points],
                "terms": terms,
            }
        )

    def _restore(self) -> list[dict[str, Tensor]]:
        state = self.checkpoint.load() if self.checkpoint else None
        if state is None:
            return []
        self.step = state["step"]
        self.model.load_state_dict(state["model"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state["optimizers"][name])
        self.generator.set_state(state["generator"])
        self.penalty_weight.copy_(state["penalty_weight"])
        self.curve.points = [tuple(point) for point in state["curve"]]
        return [{name: value.to(self.device) for name, value in step.items()} for step in state["terms"]]


def start_eggn(channels: int, attributes: int, settings: EggnSettings, seed: int) -> EGGN:
    """Return an untrained EGGN whose start depends on `seed` alone."""
    with seeded(seed):
        return EGGN(channels, attributes, settings)
