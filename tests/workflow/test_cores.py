"""What is computed does not depend on how many cores a run is given."""

import pytest

from scegg_core.artifacts.files import read_description
from tests.workflow.conftest import ROOT, TINY, Workflow, rules_in

pytestmark = pytest.mark.slow
BACKBONE = "results/aviary/backbone.safetensors"
OVERLAY = """
datasets:
  aviary:
    threads: 2
    backbone: {network: resnet18, weights: train, features_up_to: layer2, image_size: 64, training: {crop: 48, epochs: 1}}
"""


def test_one_core_and_two_train_the_same_backbone(tmp_path):
    more = tmp_path / "more.yaml"
    more.write_text(OVERLAY)
    flow, made = Workflow(ROOT, tmp_path), []
    for cores in (1, 2):
        done = flow.run(BACKBONE, overlays=(TINY, more), cores=cores)
        assert done.returncode == 0, done.stderr[-2000:]
        assert "train_backbone" in rules_in(done.stdout + done.stderr)
        made.append((tmp_path / BACKBONE).read_bytes())
        computed = read_description(tmp_path / BACKBONE)["provenance"]["computed"]
        assert computed == ["cpu, 2 threads, deterministic"]
        (tmp_path / BACKBONE).unlink()
    assert made[0] == made[1]
