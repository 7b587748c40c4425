"""What is computed does not depend on how many cores a run is given."""

from pathlib import Path

import pytest

from scegg_core.artifacts.files import read_description
from tests.workflow.conftest import ROOT, TINY, Workflow, copy_run

pytestmark = pytest.mark.slow
BACKBONE = "results/aviary/backbone.safetensors"
OVERLAY = """
datasets:
  aviary:
    threads: 2
    backbone: {network: resnet18, weights: train, features_up_to: layer2, image_size: 64, finetune: {image_size: 48, cut_out: true, epochs: 1}}
"""


def test_one_core_and_two_train_the_same_backbone(tmp_path):
    more = tmp_path / "more.yaml"
    more.write_text(OVERLAY)
    one = Workflow(ROOT, tmp_path / "1")
    one.folder.mkdir()
    train(one, more, 1)
    two = copy_run(one, tmp_path / "2", "data", "results", ".snakemake")  # the pictures and the index are given
    (two.folder / BACKBONE).unlink()
    train(two, more, 2)
    assert (two.folder / BACKBONE).stat().st_mtime_ns > (one.folder / BACKBONE).stat().st_mtime_ns
    assert (two.folder / BACKBONE).read_bytes() == (one.folder / BACKBONE).read_bytes()
    assert read_description(one.folder / BACKBONE)["provenance"]["computed"] == ["cpu, 2 threads, deterministic"]


def train(flow: Workflow, more: Path, cores: int) -> None:
    done = flow.run(BACKBONE, overlays=(TINY, more), cores=cores)
    assert done.returncode == 0, done.stderr[-2000:]
