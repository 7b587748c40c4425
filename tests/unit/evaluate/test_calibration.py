"""Calibrated stacking of generator rows and of LEN: the constant known on paper, what it moves, and what it cannot see."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_run import make_run

from scegg_core.artifacts.files import Provenance
from scegg_core.classify.classifier import FinalClassifier, read_classifier, write_classifier
from scegg_core.classify.predictions import predict_embedding, read_predictions, write_predictions
from scegg_core.data.validation import class_split
from scegg_core.evaluate.final import FinalSettings, run_final_steps
from scegg_core.evaluate.metrics import trade_off
from scegg_core.evaluate.scores import read_constant, score, write_metrics
from scegg_core.evaluate.selection import EpochScore, write_epochs
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.settings.resolve import read_configuration
from scegg_core.training.linear import ZeroShotClassifier, linear_of

MADE = Provenance("test")


def test_the_constant_on_paper():
    """Two images of the seen class, ahead by 5 and 3, and two of the unseen one, behind by 1 and 2: any constant from 2
    up to 3 sets all four right, so it is halfway, 2.5."""
    scores = np.array([[5.0, 0.0], [3.0, 0.0], [1.0, 0.0], [2.0, 0.0]])
    curve = trade_off(np.array([0, 0, 1, 1]), scores, np.array([True, False]))
    assert curve.constant == 2.5
    assert (curve.seen[curve.best], curve.unseen[curve.best]) == (1, 1)


def test_the_classifier_takes_it_off_the_seen_classes_and_remembers_it(tmp_path):
    layer = linear_of(torch.eye(3), torch.zeros(3))
    final = FinalClassifier(ZeroShotClassifier(layer, torch.tensor([0, 1, 2])), ClassifierSettings())
    seen = np.array([True, True, False])
    write_classifier(tmp_path / "c.safetensors", final.calibrated(2.5, seen), MADE)
    again = read_classifier(tmp_path / "c.safetensors")
    assert again.classifier.scores(torch.zeros(1, 3)).tolist() == [[-2.5, -2.5, 0]]
    assert (again.calibration, final.calibration) == (2.5, None)
    assert final.calibrated(None, seen) is final
    unseen = replace(final, classifier=ZeroShotClassifier(layer, torch.tensor([2, 3, 4])))
    assert unseen.calibrated(2.5, np.array([True, True, False, False, False])) is unseen


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("calibrated"))


def test_len_is_calibrated_in_gzsl_alone_and_the_file_says_so(small, tmp_path):
    semantics, vectors = torch.randn(len(small.index.paths), 5), torch.from_numpy(small.index.vectors)
    plain, moved = (predict_embedding(semantics, vectors, small.index, "gzsl", one) for one in (None, 0.25))
    assert np.allclose(plain.scores - moved.scores, 0.25 * small.index.seen)
    assert predict_embedding(semantics, vectors, small.index, "czsl", 0.25).calibration is None
    write_predictions(tmp_path / "p.parquet", moved, MADE)
    assert read_predictions(tmp_path / "p.parquet").calibration == 0.25
    czsl = predict_embedding(semantics, vectors, small.index, "czsl")
    assert [score(czsl, one, small.index).calibration for one in (plain, moved)] == [None, 0.25]
    assert score(czsl, plain, small.index).ausuc == pytest.approx(score(czsl, moved, small.index).ausuc)


def test_it_comes_from_the_best_epoch_or_from_the_last(small, tmp_path):
    rows = [EpochScore(1, 0.5, 0.5, 0.5, 0.5, 0.3, 1.5), EpochScore(2, 0.5, 0.5, 0.5, 0.4, 0.3, 9.0)]
    write_epochs(tmp_path / "epochs.parquet", rows, MADE)
    czsl, gzsl = (read_predictions(small.run / f"predictions_{task}.parquet") for task in ("czsl", "gzsl"))
    metrics = score(czsl, gzsl, small.index)
    write_metrics(tmp_path / "metrics.json", metrics, MADE)
    assert read_constant(str(tmp_path / "epochs.parquet")) == 1.5
    assert read_constant(str(tmp_path / "metrics.json")) == metrics.constant
    assert read_constant(None) is None


def test_permuted_test_labels_leave_the_constant_as_it_is(small):
    """It is chosen on a split that is made without them: all of its images and labels are the training images'."""
    other = small.index.labels.copy()
    other[small.index.test_images] = np.roll(other[small.index.test_images], 1)
    assert (other != small.index.labels).any()
    scores = np.random.default_rng(0).normal(size=(len(other), 4))
    constants = []
    for labels in (small.index.labels, other):
        split = class_split(replace(small.index, labels=labels), DatasetSettings(format="folder", folder="unused"))
        images = split.test_images
        own = scores[split.rows[images]][:, : len(split.classes)]
        constants.append(trade_off(split.labels[images], own, split.seen).constant)
    assert constants[0] == constants[1]


def test_extensions_are_calibrated_as_their_run(small):
    from scegg_core.eggn.files import read_eggn
    from scegg_core.scen.space import Space, read_features, read_scaler
    from scegg_core.settings.synthesis import SynthesisSettings

    folder = small.run.parents[2] / "spaces/sc-egg/seed3"
    features = read_features(folder / "features.parquet", small.index)
    space = Space(small.index, features, read_scaler(folder / "scaler.safetensors"), None)
    eggn, _ = read_eggn(small.run / "eggn.safetensors")
    given = FinalSettings(SynthesisSettings(per_class=6), ClassifierSettings(epochs=2), 3)
    plain, moved = (
        run_final_steps(space, eggn, replace(given, calibration=one), torch.device("cpu")).predictions
        for one in (None, 0.5)
    )
    assert np.allclose(plain["gzsl"].scores - moved["gzsl"].scores, 0.5 * small.index.seen, atol=1e-5)
    assert np.array_equal(plain["czsl"].scores, moved["czsl"].scores)
    assert (moved["gzsl"].calibration, moved["czsl"].calibration) == (0.5, None)


def test_where_no_constant_gives_a_harmonic_mean_nothing_is_taken_off():
    scores = np.array([[0.9, 0.1, 0.2], [0.8, 0.3, 0.1], [0.2, 0.5, 0.4]])
    curve = trade_off(np.array([1, 0, 2]), scores, np.array([True, True, False]))
    assert curve.constant > 0
    never_right = trade_off(np.array([1, 1, 2]), scores[[0, 1, 0]], np.array([True, True, False]))
    assert (never_right.seen.max(), never_right.constant) == (0, 0.0)


@pytest.mark.parametrize("classes", [6, 7, 20, 49])
def test_nor_where_it_is_0_but_for_what_rounding_leaves(classes):
    """Of so many seen classes, each right, every image flips before those of the two unseen classes: at no constant is one of
    each kind right, though sixths or sevenths taken off their sum one by one leave 1e-16."""
    scores, seen = np.zeros((classes + 2, classes + 2)), np.arange(classes + 2) < classes
    scores[np.arange(classes), np.arange(classes)] = 1 + 0.01 * np.arange(classes)
    scores[[classes, classes + 1], [0, 1]] = 5, 6  # ahead in a seen class by far
    scores[[classes, classes + 1], [classes, classes + 1]] = 0.5
    assert trade_off(np.arange(classes + 2), scores, seen).constant == 0.0


def test_the_check_knows_that_a_calibrated_row_trains_on_validation_too():
    import yaml

    from scegg_core.settings.plan import plan_of
    from tests.conftest import ROOT

    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    values["datasets"]["aviary"] |= {"variants": ["sc-egg", "len"], "seeds": [0]}
    before = plan_of(read_configuration(values), "aviary")
    for name in ("sc-egg", "len"):
        values["variants"][name]["calibration"] = "validation"
    after = plan_of(read_configuration(values), "aviary")
    assert [(len(plan["scen"]), len(plan["eggn"])) for plan in (before, after)] == [(1, 1), (2, 2)]
    assert (before["validation"], after["validation"]) == (False, True)
