"""LisGAN's cascade (Li et al., CVPR 2019): a second classifier that learns from the test images the first is surest of."""

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from scegg_core.classify.classifier import FinalClassifier
from scegg_core.training.linear import train_classifier


def surest(scores: Tensor, share: float) -> Tensor:
    """Return the rows of `scores` (images, classes) whose softmax has the lowest entropy, `share` of all, ascending."""
    logs = functional.log_softmax(scores, dim=1)
    entropy = -(logs.exp() * logs).sum(1)
    return entropy.argsort(stable=True)[: int(share * len(scores))].sort().values


def train_second(
    first: FinalClassifier, inputs: Tensor, labels: Tensor, test_inputs: Tensor, seed: int, name: str
) -> FinalClassifier:
    """Return a classifier that learns what `first` did, and the test images that `first` is surest of.

    `inputs` (samples, size) and `labels` (samples,) are those of `first`; `test_inputs` (images, size) are all test
    images of the task, without their labels: `first` says what they show.
    """
    # DEVIATES: the released code takes the first's epoch that is best on test, trains the same layer on, keeps the first's
    # answer for the images learned from, and takes entropy of log-probabilities. Here nothing is chosen on test, the
    # second starts anew (ASSUME) and answers for all images, as only so one score serves them all.
    scores = first.classifier.scores(test_inputs)
    rows = surest(scores, first.settings.cascade_share)
    said = first.classifier.classes[scores[rows].argmax(1)]
    inputs, labels = torch.cat([inputs, test_inputs[rows]]), torch.cat([labels, said])
    second, _ = train_classifier(inputs, labels, first.classifier.classes, first.settings, seed, name)
    return replace(first, classifier=second)
