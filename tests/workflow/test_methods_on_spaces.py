"""All methods as rows on the shared run, spaces.csv, and which runs it asks for."""

import csv
import json
import re

import numpy as np
import pytest

from scegg_core.artifacts.files import read_description
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
tables: {methods: [baseline, METHOD]}
"""
#: Rows that no table of the shared run has, by what trains them.
METHODS = {
    "f-clswgan": "f-clswgan",
    "f-vaegan": "f-vaegan",
    "f-vaegan-d2": "f-vaegan-d2",
    "cada-vae~budget": "cada-vae",
    "ce-gzsl~budget": "ce-gzsl",
    "lisgan~budget": "lisgan",
    "free~budget": "free",
}


@pytest.fixture
def overlays(tmp_path) -> tuple:
    (tmp_path / "own.yaml").write_text(OVERLAY.replace("METHOD", "wide"), encoding="utf-8")
    return TINY, tmp_path / "own.yaml"


@pytest.fixture(scope="module")
def trained(finished, tmp_path_factory) -> Workflow:
    """The shared run with one run of every method, and CADA-VAE's on both spaces."""
    folder = tmp_path_factory.mktemp("methods")
    text = OVERLAY.replace("METHOD", "cada-vae").replace("aviary:", "aviary:\n    seeds: [0]")
    (folder / "own.yaml").write_text(text, encoding="utf-8")
    flow = copy_run(finished, folder / "work")
    rows = (f"results/aviary/variants/{name}/seed0/metrics.json" for name in (*METHODS, "dazle"))
    done = flow.run(*rows, "results/aviary/spaces.csv", overlays=(TINY, folder / "own.yaml"))
    assert done.returncode == 0, done.stdout + done.stderr
    return flow


@pytest.mark.slow
@pytest.mark.parametrize("name", METHODS)
def test_every_method_is_a_row_on_the_aviary(trained, name):
    run = trained.folder / f"results/aviary/variants/{name}/seed0"
    given = read_description(run / "eggn.safetensors")["provenance"]["settings"]
    assert (given["generator"], given["epochs"], given["batch_size"]) == (METHODS[name], 1, 16)
    metrics = json.loads((run / "metrics.json").read_text())["metrics"]
    assert all(0 <= metrics[key] <= 1 for key in ("acc", "u", "s", "h", "ausuc"))


@pytest.mark.slow
def test_dazle_is_trained_on_the_regions_that_are_there_and_predicts_with_its_margin(trained):
    flow, row = trained, "results/aviary/variants/dazle/seed0"
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
def test_spaces_csv_has_both_spaces_of_a_method_and_says_its_budget(trained):
    made = trained.folder / "results/aviary"
    with (made / "spaces.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["method"] == "CADA-VAE"]
    names = "cada-vae~budget", "cada-vae~budget+sc-egg"
    assert [(row["variant"], row["reference"]) for row in rows] == [
        (names[0], ""),
        (names[1], ""),
        (names[1], "backbone"),
    ]
    assert "Each method is trained for 1 epoch with batches of 16 images." in (made / "spaces.md").read_text()


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
