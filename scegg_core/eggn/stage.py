"""Stage 3 on a feature space: a trained generator."""

from collections.abc import Callable
from dataclasses import replace

import torch
from torch import nn

from scegg_core.eggn.data import Guide, SeenFeatures, guide_of, seen_features
from scegg_core.eggn.model import EGGN
from scegg_core.eggn.train import EggnTrainer, start_eggn
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.space import Space
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.curve import Curve
from scegg_core.training.linear import linear_of, train_classifier


def train_eggn(
    space: Space,
    settings: EggnSettings,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
    on_epoch: Callable[[int, EGGN], None] | None = None,
) -> tuple[EGGN, Curve]:
    """Return EGGN trained on the space's training features, and its curve; `on_epoch` sees each epoch's model."""
    data = seen_features(space.index, space.features).to(device)
    eggn = start_eggn(data.features.shape[1], data.vectors.shape[1], settings, seed).to(device)
    if settings.classification_weight > 0:
        guide, settings = seen_guide(data, seed), classification_settings(settings)
    else:
        guide = guide_of(space.scen, space.scaler, settings, device)
    curve = EggnTrainer(eggn, data, guide, settings, seed, checkpoint).run(on_epoch=on_epoch)
    return eggn.eval().requires_grad_(False), curve


def seen_guide(data: SeenFeatures, seed: int) -> Guide:
    """Return f-CLSWGAN's guide: a softmax classifier of the seen classes, trained on their real features.

    It scores scaled features; its rows of unseen classes are zero and take no part (guidance_classes seen_unseen).
    """
    seen = torch.nonzero(data.seen).squeeze(1)
    given = ClassifierSettings(epochs=50, batch_size=100)  # f-CLSWGAN's
    trained, _ = train_classifier(data.features, data.labels, seen, given, seed, "seen classifier")
    classes, channels = len(data.seen), data.features.shape[1]
    weight, bias = data.features.new_zeros(classes, channels), data.features.new_zeros(classes)
    weight[seen], bias[seen] = trained.layer.weight, trained.layer.bias
    identity = MinMaxScaler(data.features.new_zeros(channels), data.features.new_ones(channels))
    layer: nn.Module = linear_of(weight, bias)
    return Guide(layer, identity)


def classification_settings(settings: EggnSettings) -> EggnSettings:
    """Return the settings under which L_SCE is f-CLSWGAN's classification loss and nothing else guides."""
    weight = settings.classification_weight
    return replace(settings, seen_guidance=weight, unseen_guidance=0.0, guidance_classes="seen_unseen")
