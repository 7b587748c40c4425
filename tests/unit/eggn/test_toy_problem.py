"""Each generator on a problem whose answer is known: whether it is our code or the method where a row is poor.

Every class is a Gaussian around a mean that is a linear map of its class vector, all equally wide, so that Bayes' rule takes
the nearest mean; and a method that has learned the map from the seen classes can make the unseen ones.
"""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from scegg_core.classify.predictions import predict_final
from scegg_core.classify.train import train_final
from scegg_core.data.tables import DatasetIndex
from scegg_core.eggn.generators import GENERATORS
from scegg_core.eggn.synthesis import synthesize_unseen
from scegg_core.eggn.train import train_eggn
from scegg_core.evaluate.metrics import mean_class_accuracy
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.space import Space
from scegg_core.settings.checks import TRANSFORMING
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.synthesis import SynthesisSettings

CPU = torch.device("cpu")
SEEN, UNSEEN, ATTRIBUTES, CHANNELS = 40, 5, 6, 16
IMAGES = {"trainval": 8, "test_seen": 2, "test_unseen": 30}  # of a class
SPREAD = 0.25

WIDTHS = ("image_encoder_width", "image_decoder_width", "vector_encoder_width", "vector_decoder_width")
#: What 16 channels need in place of 2048: sums over channels are smaller beside the other terms; and a GAN alone learns the
#: map last.
OWN = {
    "cada-vae": {
        "latent_size": 8,
        "kl_weight": 0.002,
        "alignment_weight": 0.1,
        "warm_up": 0.1,
        **dict.fromkeys(WIDTHS, 64),
    },
    "ce-gzsl": {
        "adversarial_weight": 1.0,
        "adaptive_penalty": False,
        "learning_rate": 4e-3,
        "embedding_learning_rate": 4e-3,
        "epochs": 16,
        "batch_size": 64,
        "embedding_size": 32,
        "projection_size": 16,
        "comparator_width": 16,
        "instance_weight": 0.1,
        "class_weight": 1.0,
    },
    "f-clswgan": {
        "adversarial_weight": 1.0,
        "adaptive_penalty": False,
        "classification_weight": 0.01,
        "penalty_weight": 1.0,  # with 10 some seeds, and so some processors, do not learn it
        "learning_rate": 4e-3,
        "critic_steps": 3,
        "epochs": 60,
    },
    "lisgan": {
        "adversarial_weight": 1.0,
        "adaptive_penalty": False,
        "classification_weight": 0.01,
        "epochs": 20,
        "soul_weight": 3.0,
        "soul_mean_weight": 3.0,
        "soul_made": 4,
    },
    "free": {"center_margin": 5.0, "critic_steps": 1},
}
USUAL = {
    "hidden_width": 64,
    "batch_size": 128,
    "epochs": 36,
    "critic_steps": 2,
    "learning_rate": 2e-3,
    "decoder_learning_rate": 2e-3,
    "seen_guidance": 0.0,
    "unseen_guidance": 0.0,
}


def problem(seed: int = 0) -> tuple[Space, np.ndarray]:
    """The data set, and the classes' means."""
    draw = np.random.default_rng(seed)
    shown = np.array(list(product((0, 100), repeat=ATTRIBUTES)), np.float32)[1:]  # all but none
    splits = ["trainval", "test_seen"], ["test_unseen"]
    images = [
        (label, split)
        for label in range(SEEN + UNSEEN)
        for split in splits[label >= SEEN]
        for _ in range(IMAGES[split])
    ]
    labels = np.array([label for label, _ in images], np.int32)
    index = DatasetIndex(
        classes=tuple(f"class {number}" for number in range(SEEN + UNSEEN)),
        seen=np.arange(SEEN + UNSEEN) < SEEN,
        percent=draw.permutation(shown)[: SEEN + UNSEEN],
        attributes=tuple("abcdef"),
        words=tuple("abcdef"),
        parts=("",) * ATTRIBUTES,
        paths=tuple(f"{number}.jpg" for number in range(len(images))),
        labels=labels,
        split=tuple(split for _, split in images),
        rows=np.arange(len(images), dtype=np.int32),
    )
    means = index.vectors @ draw.normal(size=(ATTRIBUTES, CHANNELS))
    features = torch.from_numpy(means[labels] + SPREAD * draw.normal(size=(len(images), CHANNELS))).float()
    scaler = MinMaxScaler.fit(features[torch.from_numpy(index.in_split("trainval"))])
    return Space(index, scaler.transform(features), scaler, None), means


def by_nearest_mean(space: Space, means: np.ndarray) -> float:
    """Accuracy of Bayes' rule on the test images of unseen classes."""
    rows = space.index.in_split("test_unseen")
    features = space.scaler.inverse(space.features).numpy()[rows, None]
    away = np.linalg.norm(features - means[None, SEEN:], axis=2)
    return float((away.argmin(axis=1) + SEEN == space.index.labels[rows]).mean())


def czsl_of(space: Space, name: str) -> float:
    """Acc of a method after a short training."""
    settings = EggnSettings(generator=name, **{**USUAL, **OWN.get(name, {})})
    eggn, _ = train_eggn(space, settings, 0, CPU)
    shown = "transformed" if name in TRANSFORMING else "dense"
    classifier = ClassifierSettings(input=shown, epochs=20, batch_size=64, learning_rate=1e-2)
    unseen = np.flatnonzero(~space.index.seen)
    made = synthesize_unseen(space.index, eggn, SynthesisSettings(per_class=60), 0, CPU)
    final = train_final(space, made, eggn, "czsl", classifier, 0, CPU)
    found = predict_final(final, eggn, space, "czsl")
    return mean_class_accuracy(found.labels, found.predicted, unseen)


@pytest.fixture(scope="module")
def made():
    return problem()


@pytest.mark.slow
@pytest.mark.parametrize("name", GENERATORS)
def test_it_makes_classes_that_it_never_saw_nearly_as_well_as_they_can_be_told_apart(name, made):
    best = by_nearest_mean(*made)
    assert best > 0.95
    assert czsl_of(made[0], name) > best - 0.2 > 3 / UNSEEN  # chance is one in UNSEEN


@pytest.mark.slow
def test_it_cannot_from_class_vectors_that_say_nothing(made):
    """The same features with the vectors of other classes: what it answers then is not what the images show."""
    space, _ = made
    percent = space.index.percent[np.random.default_rng(1).permutation(SEEN + UNSEEN)]
    assert czsl_of(replace(space, index=replace(space.index, percent=percent)), "lisgan") < 0.6
