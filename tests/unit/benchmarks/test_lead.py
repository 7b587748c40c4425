"""Where a lead goes: the steps have known answers, and the table of a small run is printed."""

from dataclasses import replace

import numpy as np
import torch
from small_run import make_run

from benchmarks import lead
from scegg_core.scen.space import Space


def test_oracle_and_cosine_of_separable_classes(tmp_path):
    index = make_run(tmp_path).index
    features = torch.eye(len(index.classes))[torch.from_numpy(np.maximum(index.labels, 0).astype(np.int64))]
    images, labels = lead.task_images(index, "czsl"), torch.from_numpy(index.labels.astype(np.int64))
    space = Space(index, features, None, None)
    assert lead.oracle(space) == 100.0
    made, of = features[images], labels[images]
    assert lead.cosine_of_means(space, made, of) > 0.999
    classes = torch.unique(of)
    swapped = classes[(torch.searchsorted(classes, of) + 1) % len(classes)]
    assert lead.cosine_of_means(space, made, swapped) < 0.5


def test_a_table_of_runs():
    found = lead.Lead({"ridge, features": (50.0, 40.0, 30.0)}, oracle=90.0, cosine=0.5)
    text = lead.table(["a", "b"], [found, replace(found, oracle=80.0)])
    assert "| ridge, features | 50.0, 40.0, 30.0 | 50.0, 40.0, 30.0 |" in text
    assert "| oracle: real images of these classes, CZSL | 90.0 | 80.0 |" in text
