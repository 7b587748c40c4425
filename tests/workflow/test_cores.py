"""What is computed does not depend on how many cores a run is given."""

import pytest

from scegg_core.artifacts.files import read_description
from tests.workflow.conftest import ROOT, TINY, Workflow

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
    made = []
    for cores in (1, 2):
        flow = Workflow(ROOT, tmp_path / str(cores))
        flow.folder.mkdir()
        done = flow.run(BACKBONE, overlays=(TINY, more), cores=cores)
        assert done.returncode == 0, done.stderr[-2000:]
        made.append(flow.folder / BACKBONE)
    assert made[0].read_bytes() == made[1].read_bytes()
    assert read_description(made[0])["provenance"]["computed"] == ["cpu, 2 threads, deterministic"]
