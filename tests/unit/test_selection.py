"""Snapshots of a training, the epoch that validation selects, and the grids that are tuned on it."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from small_run import CPU
from test_settings import values  # noqa: F401
from trainers import KINDS, Stopped, eggn_trainer, run_steps

from scegg_core.artifacts import Provenance
from scegg_core.epochs import score_generator, score_snapshots
from scegg_core.errors import InputError
from scegg_core.models.eggn import EGGN
from scegg_core.predictions import read_metrics, score, write_metrics
from scegg_core.selection import EpochScore, best_epoch, read_epochs, selected_epoch, up_to, write_epochs
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.final import ClassifierSettings, SynthesisSettings
from scegg_core.settings.resolve import read_configuration
from scegg_core.settings.tuning import TuningSettings, winners
from scegg_core.snapshots import SnapshotKeeper, keeping, read_snapshots, snapshot_epochs
from scegg_core.training import Checkpoint
from scegg_core.tuning import GridPoint, tuning_table

MADE = Provenance("train_eggn", seed=1)


def scored(epoch: int, h: float) -> EpochScore:
    return EpochScore(epoch, acc=0.5, u=0.25, s=0.75, h=h, ausuc=0.125)


# --- snapshots ---


@pytest.mark.parametrize(
    ("epochs", "count", "expected"),
    [(10, 5, [2, 4, 6, 8, 10]), (10, 3, [4, 7, 10]), (3, 20, [1, 2, 3]), (7, 1, [7]), (7, 0, []), (1, 2, [1])],
)
def test_snapshots_are_evenly_spaced_and_end_with_the_last_epoch(epochs, count, expected):
    assert snapshot_epochs(epochs, count) == expected


def train_with_snapshots(folder: Path, count: int = 3, checkpoint: Checkpoint | None = None, stop_after: int | None = None):
    """Three epochs of six steps with snapshots in `folder`; stopped in the middle of a step if `stop_after` says so."""
    trainer = eggn_trainer(checkpoint)
    with keeping(folder, replace(trainer.settings, snapshots=count), MADE) as snapshots:
        run = trainer.run
        trainer.run = lambda: run(on_epoch=snapshots.take)
        if stop_after is not None:
            run_steps(KINDS["eggn"], trainer, stop_after)
            raise Stopped
        trainer.run()
    return trainer.model


def test_a_snapshot_is_the_generator_as_it_was_when_its_epoch_ended(tmp_path):
    train_with_snapshots(tmp_path / "snapshots")
    found = list(read_snapshots(tmp_path / "snapshots"))
    assert [snapshot.epoch for snapshot in found] == [1, 2, 3]
    for snapshot in found:
        plain = eggn_trainer()
        plain.run(snapshot.epoch)
        for part in ("generator", "decoder", "feedback"):
            for name, value in getattr(plain.model, part).state_dict().items():
                assert torch.equal(getattr(snapshot.eggn, part).state_dict()[name], value)


def files_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("steps", [5, 6, 7, 13, 17])
def test_snapshots_of_a_stopped_training_are_those_of_one_at_once(tmp_path, steps):
    make = lambda: Checkpoint(tmp_path / "state", "key", interval=0)  # noqa: E731
    with pytest.raises(Stopped):
        train_with_snapshots(tmp_path / "stopped", checkpoint=make(), stop_after=steps)
    assert not (tmp_path / "stopped").exists()
    train_with_snapshots(tmp_path / "stopped", checkpoint=make())
    train_with_snapshots(tmp_path / "at_once")
    assert files_of(tmp_path / "stopped") == files_of(tmp_path / "at_once")
    assert {path.name for path in tmp_path.iterdir()} == {"stopped", "at_once", "state", "state.older"}


def test_snapshots_of_another_training_are_never_taken(tmp_path):
    settings = EggnSettings(hidden_width=2, epochs=1, snapshots=1)
    for seed in (1, 2):
        with pytest.raises(Stopped), keeping(tmp_path / "s", settings, replace(MADE, seed=seed)) as snapshots:
            snapshots.take(1, EGGN(3, 2, replace(settings, hidden_width=seed)))
            raise Stopped
    with keeping(tmp_path / "s", settings, replace(MADE, seed=2)):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    (only,) = (tmp_path / "s").iterdir()
    first = EGGN(3, 2, replace(settings, hidden_width=2))
    keeper = SnapshotKeeper(tmp_path / "plain", settings, replace(MADE, seed=2))
    keeper.take(1, first)
    assert (tmp_path / "plain" / only.name).stat().st_size == only.stat().st_size


def test_a_run_that_keeps_none_has_an_empty_folder_and_is_refused_with_a_sentence(tmp_path):
    train_with_snapshots(tmp_path / "none", count=0)
    assert list((tmp_path / "none").iterdir()) == []
    with pytest.raises(InputError, match="holds no snapshots: they are taken where epochs are compared"):
        list(read_snapshots(tmp_path / "none"))
