"""The row of DAZLE on the shared run, and which runs spaces.csv asks for."""

import json
import re

import numpy as np
import pytest

from scegg_core.artifacts.paths import IndexFiles
from scegg_core.classify.predictions import read_predictions
from scegg_core.data.tables import read_index
from tests.workflow.conftest import TINY, Workflow, copy_run, rules_in

OVERLAY = """
datasets:
  aviary:
    variants: [sc-egg, baseline]
    dazle: {epochs: 1, batch_size: 16, margin: 1000.0}
variants:
  wide: {space: backbone, eggn: {hidden_width: 17}}
tables: {methods: [baseline, wide]}
"""


@pytest.fixture
def overlays(tmp_path) -> tuple:
    (tmp_path / "own.yaml").write_text(OVERLAY, encoding="utf-8")
    return TINY, tmp_path / "own.yaml"


@pytest.mark.slow
def test_dazle_is_trained_on_the_regions_that_are_there_and_predicts_with_its_margin(finished, overlays, tmp_path):
    flow = copy_run(finished, tmp_path / "work")
    row = "results/aviary/variants/dazle/seed0"
    done = flow.run(f"{row}/metrics.json", overlays=overlays)
    assert done.returncode == 0, done.stdout + done.stderr
    made = flow.folder / row
    assert (
        json.loads((made / "metrics.json").read_text())["metrics"]["s"] == 0
    )  # a margin of 1000 leaves no score of a seen class
    found = read_predictions(made / "predictions_gzsl.parquet")
    tables = flow.folder / "results/aviary"
    index = read_index(IndexFiles(*(tables / f"{name}.parquet" for name in ("classes", "images", "attributes"))))
    assert not index.seen[found.predicted].any()
    assert np.array_equal(
        np.sign(found.scores), np.where(index.seen[found.classes], -1, 1) * np.ones((len(found.images), 1))
    )


@pytest.mark.slow
def test_spaces_csv_asks_for_the_runs_that_are_lacking_and_for_no_others(finished: Workflow, overlays):
    done = finished.run("--dry-run", "results/aviary/spaces.csv", overlays=overlays)
    text = done.stdout + done.stderr
    assert done.returncode == 0, text
    # the two seeds of wide and of wide+sc-egg, and of TF-VAEGAN without L_EGS on SCEN; baseline's runs are there
    assert re.search(r"^train_eggn +6$", text, re.MULTILINE) and "compare_spaces" in rules_in(text)
    for run in ("wide/seed0", "wide+sc-egg/seed1", "wo-egs/seed0"):
        assert f"results/aviary/variants/{run}/eggn.safetensors" in text
    assert not {"train_scen", "pool_images", "tabulate"} & rules_in(text)
