"""Small trainers of all kinds, and how to stop them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from scegg_core.dazle.train import DazleTrainer, start_dazle
from scegg_core.eggn.data import SeenFeatures
from scegg_core.eggn.guidance import guide_by
from scegg_core.eggn.train import EggnTrainer, start_eggn
from scegg_core.regions.backbone import Backbone
from scegg_core.regions.batches import ResidentBatches
from scegg_core.regions.head import Classifier, Head
from scegg_core.regions.train import _Trainer
from scegg_core.regions.training_images import KeptImages
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.train import ScenTrainer, start_scen
from scegg_core.settings.backbone import BackboneSettings, FinetuneSettings
from scegg_core.settings.dazle import DazleSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.methods import WIDTHS
from scegg_core.settings.scen import ScenSettings
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.device import seeded

SEEN = torch.tensor([True, True, True, False])
#: Small ones for methods that have widths of their own.
SMALL = dict.fromkeys(WIDTHS, 5)
RELEASED = {
    "optimizer": "rmsprop", "weight_decay": 1e-4, "momentum": 0.9, "sampling": "class_balanced", "compression": "mean",
    "initialization": "dazle", "classifier_width": 7, "stage2_updates": "classifier", "stage2_reduction": "mean", "softmax_classes": "seen",
}  # fmt: skip


def random(*size: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def scen_trainer(checkpoint: Checkpoint | None = None, seed: int = 1, attributes: int = 4, **settings) -> ScenTrainer:
    """13 images in batches of 4, so four steps an epoch; two epochs in each stage."""
    given = ScenSettings(**{"stage1_epochs": 2, "stage2_epochs": 2, "batch_size": 4, "learning_rate": 1e-2, **settings})
    labels = np.arange(13) % 3
    regions = random(13, 5, 6, seed=4) + 3 * nn.functional.one_hot(torch.from_numpy(labels), 6)[:, None]
    batches = ResidentBatches(regions.half(), labels, 4, seed, balanced=given.sampling == "class_balanced")
    model = start_scen(random(attributes, 3, seed=5), random(4, attributes, seed=6), 6, given, seed)
    return ScenTrainer(model, batches, SEEN, given, checkpoint)


def dazle_trainer(checkpoint: Checkpoint | None = None, seed: int = 1, **settings) -> DazleTrainer:
    """13 images in batches of 4, so four steps an epoch; four epochs."""
    given = DazleSettings(**{"epochs": 4, "batch_size": 4, "learning_rate": 1e-2, **settings})
    labels = np.arange(13) % 3
    regions = random(13, 5, 6, seed=4) + 3 * nn.functional.one_hot(torch.from_numpy(labels), 6)[:, None]
    batches = ResidentBatches(regions.half(), labels, 4, seed, balanced=given.sampling == "class_balanced")
    model = start_dazle(random(4, 3, seed=5), random(4, 4, seed=6), 6, given, seed)
    return DazleTrainer(model, batches, SEEN, given, checkpoint)


def eggn_trainer(checkpoint: Checkpoint | None = None, seed: int = 1, **settings) -> EggnTrainer:
    """9 images in batches of 4, so six steps an epoch (three with feedback); three epochs."""
    given = EggnSettings(
        **{
            "hidden_width": 8,
            "latent_size": 3,
            "batch_size": 4,
            "epochs": 3,
            "critic_steps": 2,
            "learning_rate": 1e-3,
            **settings,
        }
    )
    data = SeenFeatures(random(9, 6, seed=2).sigmoid(), torch.arange(9) % 3, random(4, 4, seed=3), SEEN)
    with seeded(9):
        guide = guide_by(nn.Linear(6, 4), MinMaxScaler(torch.zeros(6), torch.ones(6)), given)
    return EggnTrainer(start_eggn(6, 4, given, seed), data, guide, given, seed, checkpoint)


def backbone_trainer(
    checkpoint: Checkpoint | None = None, seed: int = 1, layers: Sequence[nn.Module] = (), **settings
) -> _Trainer:
    """13 pictures in batches of 4, so three steps an epoch; six epochs. `layers`: the network's last ones."""
    own = {"epochs": 6, "batch_size": 4, "learning_rate": 0.01, "image_size": 16, "smallest_crop": 0.5, "shift": 1}
    given = FinetuneSettings(**own | settings)
    with seeded(seed):
        network = nn.Sequential(nn.Conv2d(3, 8, 3, stride=2), nn.BatchNorm2d(8), nn.ReLU(), *layers)
        model = (
            Classifier(Backbone(network), Head(8, torch.arange(3)), 0.5).to(memory_format=torch.channels_last).train()
        )
    pictures = (random(13, 3, 16, 16, seed=7).sigmoid() * 255).to(torch.uint8)
    settings = BackboneSettings(weights="train", finetune=given)
    return _Trainer(model, KeptImages(pictures), torch.arange(13) % 3, settings, seed, checkpoint)


class StochasticDepth(nn.Module):
    """Like torchvision's, which is slow to import: torch's own numbers say which images' features are left out."""

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        kept = torch.empty(len(given), 1, 1, 1).bernoulli_(0.5) if self.training else 0.5
        return 2 * kept * given


def drawing_trainer(checkpoint: Checkpoint | None = None, seed: int = 1, **settings) -> _Trainer:
    """The same of a network whose layers draw random numbers."""
    return backbone_trainer(checkpoint, seed, (StochasticDepth(), nn.Dropout(0.2)), **settings)


@dataclass(frozen=True)
class Kind:
    """One of the trainers: how it is made, its method that takes one step, and its number of steps."""

    make: object
    method: str
    steps: int


KINDS = {
    "scen": Kind(scen_trainer, "losses", 16),
    "dazle": Kind(dazle_trainer, "losses", 16),
    "eggn": Kind(eggn_trainer, "iterate", 18),
    "backbone": Kind(backbone_trainer, "_take_step", 18),
    "backbone that draws": Kind(drawing_trainer, "_take_step", 18),
}


def run(trainer) -> None:
    trainer.run()


def result(trainer) -> tuple[dict, list]:
    run(trainer)
    return trainer.model.state_dict(), trainer.state.curve.points


def same(first: tuple, second: tuple) -> bool:
    """Equal to the last bit: weights and curve."""
    weights = all(torch.equal(value, second[0][name]) for name, value in first[0].items())
    return weights and first[1] == second[1]


class Stopped(Exception):
    """A power cut, say."""


def run_steps(kind: Kind, trainer, steps: int) -> None:
    """Let the trainer take `steps` steps and then stop it in the middle of the next one."""
    whole, taken = getattr(trainer, kind.method), []

    def step(*given):
        if len(taken) == steps:
            raise Stopped
        taken.append(None)
        return whole(*given)

    setattr(trainer, kind.method, step)
    with pytest.raises(Stopped):
        run(trainer)
