"""Stage 3 on a feature space: a trained generator."""

import torch

from scegg_core.generators import guide_of, seen_features
from scegg_core.models.eggn import EGGN
from scegg_core.settings.eggn import EggnSettings
from scegg_core.spaces import Space
from scegg_core.train_eggn import EggnTrainer, start_eggn
from scegg_core.training import Checkpoint, Curve


def train_eggn(
    space: Space, settings: EggnSettings, seed: int, device: torch.device, checkpoint: Checkpoint | None = None
) -> tuple[EGGN, Curve]:
    """Return EGGN trained on the space's training features, and its curve."""
    data = seen_features(space.index, space.features).to(device)
    eggn = start_eggn(data.features.shape[1], data.vectors.shape[1], settings, seed).to(device)
    guide = guide_of(space.scen, space.scaler, settings, device)
    curve = EggnTrainer(eggn, data, guide, settings, seed, checkpoint).run()
    return eggn.eval().requires_grad_(False), curve
