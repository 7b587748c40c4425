"""What is made again when something changes, asked of dry runs over files that --touch has accepted without looking."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.workflow.conftest import ROOT, Workflow, rules_in
from tests.workflow.test_backbones_of_runs import made

pytestmark = pytest.mark.slow
FOLDER = "results/mine"
ATTENTION = (f"{FOLDER}/attention.csv", f"{FOLDER}/attention/overview.png", f"{FOLDER}/page.html")
BACKBONE = f"{FOLDER}/backbone.safetensors"


class Accepted:
    """A data set of one picture a class, whose results are empty files that stand for its settings and files."""

    def __init__(self, folder: Path, *targets: str, **settings):
        self.folder, self.targets = folder, targets
        for name in ("horse", "zebra"):
            picture = folder / "raw/images" / name / "1.png"
            picture.parent.mkdir(parents=True)
            Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(picture)
        self.settings = {"format": "folder", "folder": str(folder / "raw"), "seeds": [0]} | settings
        for path in made(self._dry(), ""):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).mkdir() if path.endswith("/snapshots") else (folder / path).touch()
        self.accept(*targets)

    def accept(self, *targets: str) -> None:
        """Take these files, and those that they are made from, for what the settings and files of now give."""
        done = self._run(targets, "--touch")
        assert done.returncode == 0, done.stderr

    def remade(self, **changed) -> set[str]:
        """The rules that a run with these settings changed would execute."""
        return rules_in(self._dry(**changed))

    def _dry(self, **changed) -> str:
        done = self._run(self.targets, "--dry-run", **changed)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def _run(self, targets: tuple[str, ...], flag: str, **changed):
        overlay = self.folder / "mine.yaml"
        overlay.write_text(json.dumps({"datasets": {"mine": self.settings | changed}}))
        return Workflow(ROOT, self.folder).run(flag, *targets, overlays=(overlay,))


def test_what_shows_pictures_and_parts_is_made_again_when_these_change(tmp_path):
    (tmp_path / "mine.pth").touch()
    backbone = {"weights": str(tmp_path / "mine.pth")}
    mine = Accepted(tmp_path, *ATTENTION, backbone=backbone, variants=["sc-egg"], shards=1)
    (tmp_path / "raw/parts").mkdir()
    (tmp_path / "raw/parts/part_locs.txt").write_text("1 1 2 3 1\n")
    mine.accept(f"{FOLDER}/regions/part-0000.parquet")  # these are made again, and come out as they were
    assert mine.remade() == {"score_attention", "plot_attention", "build_page"}


def test_the_seed_of_a_backbone_and_its_threads_may_exchange_their_values(tmp_path):
    backbone = {"network": "resnet18", "weights": "train", "shared_seed": 1}
    mine = Accepted(tmp_path, BACKBONE, backbone=backbone, threads=2)
    assert mine.remade() == set()
    assert mine.remade(backbone=backbone | {"shared_seed": 2}, threads=1) == {"train_backbone"}


@pytest.mark.parametrize("changed", [{"validation_share": 0.4}, {"validation_list": "drawn"}], ids=str)
def test_another_validation_split_makes_nothing_of_the_data_set_again(tmp_path, changed):
    mine = Accepted(tmp_path, f"{FOLDER}/validation/classes.parquet")
    assert mine.remade(**changed) == {"split_validation"}
