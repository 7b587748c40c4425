"""L_EGS (Eqs. 13-15): a frozen classifier guides synthesis by telling which class each made feature is of."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from scegg_core.eggn.draws import Draws
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.space import Space
from scegg_core.settings.eggn import EggnSettings


@dataclass(frozen=True)
class Guide:
    """A frozen classifier of unscaled features, and the weights of what it guides."""

    classify: nn.Module
    scaler: MinMaxScaler
    seen_weight: float  # lambda_s of Eq. 13
    unseen_weight: float  # lambda_u of Eq. 13
    apart: bool  # softmax over seen and over unseen classes apart, not over all

    def scores(self, feature: Tensor) -> Tensor:
        """Return class scores (batch, classes) of scaled features."""
        return self.classify(self.scaler.inverse(feature))


@dataclass(frozen=True)
class Guided:
    """A term of L_EGS: the cross-entropy of features made for `labels`, from the prior or (None) reconstructed."""

    name: str
    weight: float
    labels: Tensor  # (batch,)
    classes: Tensor | None  # in the softmax, a mask; None: all
    drawn: tuple[Tensor, Tensor] | None  # z and a(c)


def guide_by(classify: nn.Module, scaler: MinMaxScaler, settings: EggnSettings) -> Guide:
    """Return the guide with the weights and softmax of the settings (Eqs. 13-15)."""
    apart = settings.guidance_classes == "seen_unseen"
    return Guide(classify, scaler, settings.seen_guidance, settings.unseen_guidance, apart)


def guide_by_cls_g(space: Space, settings: EggnSettings, device: torch.device) -> Guide | None:
    """Return CLS_g as guide on `device`, or None where the space has no SCEN or L_EGS has no weight."""
    if space.scen is None or settings.seen_guidance == settings.unseen_guidance == 0:
        return None
    return guide_by(space.scen.glob.classify.to(device), space.scaler.to(device), settings)


def guided_terms(guide: Guide | None, labels: Tensor, draws: Draws, seen_path: str) -> list[Guided]:
    """Return the terms of L_EGS (Eq. 13) on a batch of seen classes `labels`: L_SCE (Eq. 14) and L_UCE (Eq. 15).

    Features of seen classes are made from E's z (`seen_path` "reconstruction") or from z of the prior ("synthesis").
    """
    if guide is None:
        return []
    found, seen = [], draws.data.seen
    if guide.seen_weight > 0:
        drawn = draws.prior(labels) if seen_path == "synthesis" else None
        found.append(Guided("L_SCE", guide.seen_weight, labels, seen if guide.apart else None, drawn))
    if guide.unseen_weight > 0 and len(draws.unseen_classes):
        unseen = draws.unseen(len(labels))
        classes = ~seen if guide.apart else None
        found.append(Guided("L_UCE", guide.unseen_weight, unseen, classes, draws.prior(unseen)))
    return found
