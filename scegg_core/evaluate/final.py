"""The final steps on a trained generator, one after the other: synthesize, train, predict, score (sections 3.3 and 4).

Rules `synthesize`, `train_classifier`, `predict` and `score` take the same steps, each with its files.
"""

from dataclasses import dataclass

import torch

from scegg_core.classify.classifier import FinalClassifier
from scegg_core.classify.predictions import Predictions, predict_final
from scegg_core.classify.train import train_final
from scegg_core.data.tasks import TASKS
from scegg_core.eggn.data import SyntheticFeatures
from scegg_core.eggn.model import Networks
from scegg_core.eggn.synthesis import synthesize_unseen
from scegg_core.evaluate.scores import Metrics, score
from scegg_core.scen.space import Space
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.synthesis import SynthesisSettings


@dataclass(frozen=True)
class FinalSettings:
    """Settings of the final steps; the classifiers of both tasks have the same.

    `calibration` is taken off the seen classes' scores; None: nothing is.
    """

    synthesis: SynthesisSettings
    classifier: ClassifierSettings
    seed: int
    calibration: float | None = None


@dataclass(frozen=True)
class FinalResults:
    """What the final steps make; classifiers and predictions by task."""

    synthetic: SyntheticFeatures
    classifiers: dict[str, FinalClassifier]
    predictions: dict[str, Predictions]
    metrics: Metrics


def run_final_steps(
    space: Space,
    eggn: Networks,
    settings: FinalSettings,
    device: torch.device,
    predict_on: torch.device | None = None,
) -> FinalResults:
    """Return what the final steps make of a generator, scored on the test images of the space's data set.

    Computed on `device`, to which `eggn` is moved; predictions and all after them on `predict_on`, if another.
    """
    synthetic = synthesize_unseen(space.index, eggn, settings.synthesis, settings.seed, device)
    classifiers, predictions = {}, {}
    for task in TASKS:
        trained = train_final(space, synthetic, eggn, task, settings.classifier, settings.seed, device)
        calibrated = trained.calibrated(settings.calibration, space.index.seen)
        classifiers[task] = calibrated.to(predict_on or device)
        predictions[task] = predict_final(classifiers[task], eggn, space, task)
    metrics = score(predictions["czsl"], predictions["gzsl"], space.index)
    return FinalResults(synthetic, classifiers, predictions, metrics)
