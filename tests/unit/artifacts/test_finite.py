"""No artifact holds numbers that are not finite: the stage that would write them ends with one sentence."""

import re

import numpy as np
import pytest
import torch

from scegg_core.artifacts.files import Provenance, write_table, write_tensors
from scegg_core.classify.predictions import Predictions
from scegg_core.errors import InputError


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_weights_and_tables_that_are_not_finite_are_not_written(tmp_path, value):
    weights = {"a.weight": torch.ones(2), "b.weight": torch.tensor([1.0, value]), "steps": torch.tensor(3)}
    sentence = (
        f"{tmp_path}/x would hold numbers that are not finite (in {{}}): the training that led to them went wrong; "
        "lower a learning rate, or the weight of a loss."
    )
    with pytest.raises(InputError, match=f"^{re.escape(sentence.format('b.weight'))}$"):
        write_tensors(tmp_path / "x", "scen", weights, Provenance("test"))
    features = {"image": np.arange(2, dtype=np.int32), "feature": np.array([[1.0], [value]], np.float32)}
    with pytest.raises(InputError, match=f"^{re.escape(sentence.format('feature'))}$"):
        write_table(tmp_path / "x", "features", features, Provenance("test"))
    assert list(tmp_path.iterdir()) == []


def test_scores_that_are_not_finite_are_no_predictions():
    with pytest.raises(
        InputError, match="^scores of test images are not finite: the training before went wrong; lower"
    ):
        Predictions(np.arange(1), np.arange(1), np.array([[0.0, np.nan]]), np.arange(2))
