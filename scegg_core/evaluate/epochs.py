"""What a generator is worth epoch by epoch: final classifiers on each of its snapshots, and their scores."""

from collections.abc import Iterable

import torch

from scegg_core.classify.predictions import predict_by
from scegg_core.classify.train import classifier_input, train_final
from scegg_core.data.tasks import TASKS
from scegg_core.eggn.model import EGGN
from scegg_core.eggn.snapshots import Snapshot
from scegg_core.eggn.synthesis import synthesize_unseen
from scegg_core.evaluate.scores import Metrics, score
from scegg_core.evaluate.selection import EpochScore
from scegg_core.scen.space import Space
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.synthesis import SynthesisSettings


def score_snapshots(
    space: Space,
    snapshots: Iterable[Snapshot],
    synthesis: SynthesisSettings,
    classifier: ClassifierSettings,
    seed: int,
    device: torch.device,
) -> list[EpochScore]:
    """Return the scores of each snapshot on the test images of the space's data set."""
    scores = []
    for snapshot in snapshots:
        found = score_generator(space, snapshot.eggn, snapshot.settings, synthesis, classifier, seed, device)
        scores.append(EpochScore(snapshot.epoch, found.acc, found.u, found.s, found.h, found.ausuc))
    return scores


def score_generator(
    space: Space,
    eggn: EGGN,
    eggn_settings: EggnSettings,
    synthesis: SynthesisSettings,
    classifier: ClassifierSettings,
    seed: int,
    device: torch.device,
) -> Metrics:
    """Return what final classifiers on this generator reach: the same steps as those of a run, in one."""
    eggn = eggn.to(device)
    made = synthesize_unseen(space.index, eggn, eggn_settings, synthesis, seed, device)
    inputs, found = classifier_input(space.features.to(device), eggn, classifier), {}
    for task in TASKS:
        trained = train_final(space, made, eggn, task, classifier, seed, device)
        found[task] = predict_by(trained.scores, inputs, space.index, task, trained.classes.cpu().numpy())
    return score(found["czsl"], found["gzsl"], space.index)
