"""The script of rule train_backbone: which state of a stopped training it goes on from."""

import runpy
import signal
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import ROOT
from tests.unit.workflow.test_jobs import Params

SETTINGS = {"network": "resnet18", "weights": "train", "image_size": 16}


class Stopped(Exception):
    """Stands for what ends a training early."""


@pytest.fixture
def train(tmp_path, monkeypatch):
    """Run the script on pictures of a digest; return what the state that it found says, and leave one."""

    def stopped(*_, checkpoint, **__):
        found.append(checkpoint.load())
        checkpoint.save({"epoch": 1})
        raise Stopped

    def run(pictures: str) -> dict | None:
        params = {"settings": SETTINGS, "seed": {"seed": 3}, "folder": "", "deterministic": False, "code": "abc"}
        task = SimpleNamespace(
            rule="train_backbone",
            params=Params(params | {"digest": {"pictures": pictures}}),
            resources=SimpleNamespace(device="cpu", images_mb=1, checkpoint_seconds=60),
            log=[str(tmp_path / "log")],
            input=Params(),
            output=SimpleNamespace(backbone=str(tmp_path / "backbone.safetensors")),
        )
        with pytest.raises(SystemExit):
            runpy.run_path(str(ROOT / "workflow_scripts/train_backbone.py"), {"snakemake": task})
        assert "Stopped" in Path(task.log[0]).read_text("utf-8")
        return found[-1]

    found, before = [], signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("scegg_core.regions.train.train_on_seen", stopped)
    monkeypatch.setattr("scegg_core.data.tables.read_index", lambda _: None)
    monkeypatch.setattr("scegg_core.workflow.job.Job.index_files", lambda _: None)
    yield run
    signal.signal(signal.SIGTERM, before)


def test_a_training_goes_on_from_its_state_but_not_from_that_of_other_pictures(train):
    assert train("a") is None
    assert train("a") == {"epoch": 1}
    assert train("b") is None
