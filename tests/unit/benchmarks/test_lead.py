"""Where a lead goes: the steps have known answers, and the table of a small run is printed."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small_run import make_run

from benchmarks import lead
from scegg_core.scen.space import Space


@pytest.mark.slow
def test_oracle_and_cosine_of_separable_classes(tmp_path, monkeypatch):
    monkeypatch.setattr(lead, "ORACLE", replace(lead.ORACLE, learning_rate=0.1))  # few images, so few steps
    index = make_run(tmp_path).index
    labels, paths = np.arange(48) % 4, tuple(map(str, range(48)))
    split = tuple(np.where(labels == 0, "trainval", "test_unseen").tolist())
    index = replace(index, seen=np.arange(4) == 0, labels=labels, split=split, paths=paths, rows=np.arange(48))
    noise = torch.rand(len(labels), 4, generator=torch.Generator().manual_seed(0))
    features = torch.eye(4)[torch.from_numpy(labels)] + 0.1 * noise
    space = Space(index, features, None, None)
    assert lead.oracle(space) == 100.0
    images = lead.task_images(index, "czsl")
    made, of = features[images], torch.from_numpy(labels[images])
    assert lead.cosine_of_means(space, made, of) > 0.99
    assert lead.cosine_of_means(space, made, of % 3 + 1) < 0  # each class under the next one's label


@pytest.mark.slow
def test_ridge_prototypes_know_features_that_attributes_determine(tmp_path):
    index = make_run(tmp_path).index
    features = (index.vectors @ np.random.default_rng(0).normal(size=(index.vectors.shape[1], 9)))[index.labels]
    accuracy, h, area = lead.ridge(features.astype(np.float32), index)
    assert accuracy == h == 100.0
    assert area == pytest.approx(100.0)
    noise = np.random.default_rng(1).normal(size=features.shape).astype(np.float32)
    assert lead.ridge(noise, index)[1] < 100


def test_a_table_of_runs():
    found = lead.Lead({"ridge, features": (50.0, 40.0, 30.0)}, oracle=90.0, cosine=0.5)
    text = lead.table(["a", "b"], [found, replace(found, oracle=80.0)])
    assert "| ridge, features | 50.0, 40.0, 30.0 | 50.0, 40.0, 30.0 |" in text
    assert "| oracle: real images of these classes, CZSL | 90.0 | 80.0 |" in text
