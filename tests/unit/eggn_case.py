"""A small EGGN with its trainer in float64, and what the plain transcription makes of its batch."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import reference
import torch
from torch import Tensor, nn

from scegg_core.eggn.data import SeenFeatures
from scegg_core.eggn.draws import Batch
from scegg_core.eggn.guidance import guide_by
from scegg_core.eggn.train import EggnTrainer, start_eggn
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.settings.eggn import EggnSettings
from scegg_core.training.linear import linear_of

PASSES = pytest.mark.parametrize("feedback", [False, True], ids=["first pass", "with feedback"])


@dataclass(frozen=True)
class Shape:
    batch: int = 3
    channels: int = 6
    attributes: int = 4
    latent: int = 5
    width: int = 7
    classes: int = 5
    unseen: int = 2


SHAPES = {
    "usual": Shape(),
    "batch 1": Shape(batch=1),
    "A=1": Shape(attributes=1, latent=1),
    "one unseen class": Shape(classes=3, unseen=1),
    "one channel": Shape(channels=1, width=2),
}


class Case:
    """A float64 trainer of one shape with weights large enough to bend every LeakyReLU, and one batch."""

    def __init__(self, shape: Shape, guide: bool = True, **settings):
        self.shape, draw = shape, torch.Generator().manual_seed(11)
        self.random = lambda *size: torch.randn(*size, generator=draw, dtype=torch.float64)
        self.settings = EggnSettings(
            **{
                "hidden_width": shape.width,
                "latent_size": shape.latent,
                "batch_size": shape.batch,
                "feedback_strength": 0.7,
                **settings,
            }
        )
        self.model = start_eggn(shape.channels, shape.attributes, self.settings, seed=1).double()
        with torch.no_grad():
            for weight in self.model.parameters():
                weight.copy_(0.5 * self.random(*weight.shape))
        vectors = nn.functional.normalize(self.random(shape.classes, shape.attributes), dim=1)
        self.data = SeenFeatures(
            self.random(9, shape.channels).sigmoid(),
            torch.arange(9) % (shape.classes - shape.unseen),
            vectors,
            torch.arange(shape.classes) < shape.classes - shape.unseen,
        )
        self.classify = linear_of(self.random(shape.classes, shape.channels), self.random(shape.classes))
        span = self.random(shape.channels).abs()
        span[0] = 0  # a constant channel
        self.scaler = MinMaxScaler(self.random(shape.channels), span)
        guided_by = guide_by(self.classify, self.scaler, self.settings) if guide else None
        self.trainer = EggnTrainer(self.model, self.data, guided_by, self.settings, seed=2)
        self.feature, self.labels = self.data.features[: shape.batch], self.data.labels[: shape.batch]
        self.vector, self.tau = vectors[self.labels], torch.rand(shape.batch, 1, generator=draw, dtype=torch.float64)
        self.lambdas = {"w": 10.0, "r": 0.01, "s": 0.1, "u": 0.1, "": 10.0}

    @property
    def weights(self) -> dict[str, Tensor]:
        return dict(self.model.named_parameters())

    def of(self, *parts: str) -> list[Tensor]:
        return [weight for part in parts for weight in getattr(self.model, part).parameters()]

    def strength(self, feedback: bool) -> float | None:
        return 0.7 if feedback else None

    @property
    def batch(self) -> Batch:
        return Batch(self.feature, self.vector, self.labels)

    def losses(self, feedback: bool) -> tuple[Tensor, dict[str, Tensor]]:
        return self.trainer.generator.generator_loss(self.batch, feedback)

    def draws(self, synthesized: bool = False) -> SimpleNamespace:
        """What the next generator_loss will draw: E's noise, the prior's z of Eq. 14, unseen labels and their z."""
        twin = torch.Generator()
        twin.set_state(self.trainer.random.get_state())
        normal = lambda: torch.randn(self.shape.batch, self.model.latent, generator=twin, dtype=torch.float64)  # noqa: E731
        noise, prior = normal(), normal() if synthesized else None
        rows = torch.randint(self.shape.unseen, (self.shape.batch,), generator=twin)
        return SimpleNamespace(
            noise=noise, prior=prior, unseen=rows + self.shape.classes - self.shape.unseen, z=normal()
        )

    def plain_scores(self, made: Tensor) -> Tensor:
        high = self.scaler.low + self.scaler.span
        return reference.rescaled_scores(made, self.scaler.low, high, self.classify.weight, self.classify.bias)

    def plain_made(self, z: Tensor, labels: Tensor, feedback: bool) -> Tensor:
        rows = zip(z, self.data.vectors[labels], strict=True)
        return torch.stack([reference.generate(self.weights, *row, self.strength(feedback)) for row in rows])

    def plain(self, draws: SimpleNamespace, feedback: bool) -> dict[str, Tensor]:
        """Every term of generator_loss, by its name there, and L_VG, the fakes and L_EGS."""
        w, rows = self.weights, zip(self.feature, self.vector, draws.noise, strict=True)
        kl, bce, made = zip(*[reference.vae(w, *row, self.strength(feedback)) for row in rows], strict=True)
        made = torch.stack(made)
        seen = (
            self.plain_scores(made if draws.prior is None else self.plain_made(draws.prior, self.labels, feedback)),
            self.labels,
        )
        unseen = self.plain_scores(self.plain_made(draws.z, draws.unseen, feedback)), draws.unseen
        return {
            "KL": reference.mean(kl),
            "BCE": reference.mean(bce),
            "adversarial": -reference.mean(
                [reference.criticize(w, *row) for row in zip(made, self.vector, strict=True)]
            ),
            "L_Rec": reference.decoding(w, made, self.vector),
            "L_SCE": reference.cross_entropy(*seen),
            "L_UCE": reference.cross_entropy(*unseen),
            "L_VG": reference.basic_objective(
                w, self.feature, self.vector, draws.noise, self.tau, self.strength(feedback), self.lambdas
            )[0],
            "L_EGS": reference.guided_synthesis(seen, unseen, self.lambdas),
            "fake": made.detach(),
        }
