"""A vision transformer of timm goes from images to the table, at its own size of images."""

from importlib.util import find_spec

import pandas as pd
import pytest

from scegg_core.artifacts.files import read_description
from tests.workflow.conftest import TINY, Workflow, copy_project

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed (make install EXTRAS=timm)"),
]

OVERLAY = """
datasets:
  aviary:
    backbone: {network: timm/test_vit.r160_in1k, features_up_to: null, image_size: null}
    seeds: [0]
    variants: [prototype]  # trains nothing: what follows the regions is the same for every network
"""


def test_a_transformer_of_timm_goes_from_images_to_the_table(tmp_path):
    flow = Workflow(copy_project(tmp_path / "project"), tmp_path / "work")
    flow.folder.mkdir()
    (tmp_path / "timm.yaml").write_text(OVERLAY)
    overlays = (TINY, tmp_path / "timm.yaml")
    results = flow.folder / "results/aviary"
    done = flow.run("results/aviary/table.csv", overlays=overlays)
    assert done.returncode == 0, done.stdout + done.stderr
    shown = pd.read_csv(results / "table.csv").iloc[0]
    assert (shown.backbone, shown.weights, shown.image_size) == ("timm/test_vit.r160_in1k", "random", 160)
    made = read_description(next((results / "regions").glob("*.parquet")), "regions")
    settings, extra = made["provenance"]["settings"], made["extra"]
    assert (settings["image_size"], settings["interpolation"], settings["network"]) == (160, "bicubic", shown.backbone)
    assert (extra["grid"], extra["channels"], extra["mean"]) == ([10, 10], 64, [0.5, 0.5, 0.5])
