"""Checkpoints: a training stopped anywhere goes on to the same bits, damaged or foreign states are passed over."""

import multiprocessing
import os
import signal
from dataclasses import replace

import pytest
import torch
from trainers import (
    KINDS,
    RELEASED,
    Kind,
    Stopped,
    backbone_trainer,
    random,
    result,
    run,
    run_steps,
    same,
    scen_trainer,
)

from scegg_core.artifacts.files import Provenance
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.training.checkpoint import Checkpoint, resumable
from scegg_core.training.linear import train_classifier


@pytest.fixture(params=KINDS.values(), ids=KINDS.keys())
def kind(request) -> Kind:
    return request.param


@pytest.mark.slow
@pytest.mark.parametrize("steps", [0, 1, 3, 4, 5, 8, 9, 12, 15])
def test_a_stopped_run_goes_on_bit_identically(kind, steps, tmp_path):
    make = lambda: Checkpoint(tmp_path / "state", "key", interval=0)  # noqa: E731
    run_steps(kind, kind.make(make()), steps)
    assert same(result(kind.make(make())), result(kind.make()))


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings", [RELEASED, {"stage1_steps": 7, "stage2_steps": 5, "calibration_weight": 0.1}], ids=["released", "steps"]
)
def test_a_stopped_scen_goes_on_bit_identically_with_other_settings(settings, tmp_path):
    make = lambda: Checkpoint(tmp_path / "state", "key", interval=0)  # noqa: E731
    for steps in (2, 9):
        run_steps(KINDS["scen"], scen_trainer(make(), **settings), steps)
        assert same(result(scen_trainer(make(), **settings)), result(scen_trainer(**settings)))
        make().remove()


@pytest.mark.slow
@pytest.mark.parametrize("steps", [4, 13, 17])  # 12 are not averaged, 6 are
def test_stopped_averages_of_weights_go_on_bit_identically(steps, tmp_path):
    def trainer(checkpoint=None):
        return backbone_trainer(checkpoint, averaged_epochs=2)

    make = lambda: Checkpoint(tmp_path / "state", "key", interval=0)  # noqa: E731
    run_steps(KINDS["backbone"], trainer(make()), steps)
    whole, resumed = trainer(), trainer(make())
    for each in (whole, resumed):
        run(each)
    first, second = whole.trained.state_dict(), resumed.trained.state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.slow
def test_a_run_stopped_twice_goes_on_bit_identically(kind, tmp_path):
    make = lambda: Checkpoint(tmp_path / "state", "key", interval=0)  # noqa: E731
    for steps in (3, 6):
        run_steps(kind, kind.make(make()), steps)
    assert same(result(kind.make(make())), result(kind.make()))


@pytest.mark.slow
def test_only_the_steps_after_the_checkpoint_are_taken_again(kind, tmp_path):
    make = lambda: Checkpoint(tmp_path / "state", "key", interval=0)  # noqa: E731
    run_steps(kind, kind.make(make()), 6)
    rest = kind.make(make())
    run_steps(kind, rest, kind.steps - 6 - 1)  # one step short of the end


def damage(path, how: str) -> None:
    data = path.read_bytes()
    path.write_bytes({"cut": data[: len(data) // 2], "junk": b"junk", "empty": b""}[how])


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cut", "junk", "empty"])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(kind, how, tmp_path, capsys):
    make = lambda: Checkpoint(tmp_path / "state", "key", interval=0)  # noqa: E731
    run_steps(kind, kind.make(make()), 6)
    damage(tmp_path / "state", how)
    assert make().load()["step"] == 5
    assert "state is damaged and passed over" in capsys.readouterr().err
    assert same(result(kind.make(make())), result(kind.make()))


def test_two_damaged_checkpoints_start_anew(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state", "key")
    checkpoint.save({"step": 1})
    checkpoint.save({"step": 2})
    assert checkpoint.load() == {"step": 2}
    damage(tmp_path / "state", "junk")
    assert checkpoint.load() == {"step": 1}
    damage(tmp_path / "state.older", "junk")
    assert checkpoint.load() is None


@pytest.mark.slow
def test_a_checkpoint_of_something_else_is_not_continued(kind, tmp_path):
    run_steps(kind, kind.make(Checkpoint(tmp_path / "state", "key", interval=0), seed=2), 6)
    other = Checkpoint(tmp_path / "state", "another key", interval=1e9)
    assert other.load() is None
    assert same(result(kind.make(other)), result(kind.make()))


def left_behind(output, provenance: Provenance) -> dict | None:
    with resumable(output, provenance, 60.0) as checkpoint:
        return checkpoint.load()


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "b"},
        {"settings": {"x": 2}},
        {"code": "d"},
        {"inputs": {"regions": "2"}},
        {"seed": 1},
        {"versions": {"torch": "1"}},
    ],
    ids=lambda change: next(iter(change)),
)
def test_only_the_same_training_is_continued_and_its_state_goes_when_it_ends(change, tmp_path):
    output, provenance = tmp_path / "out", Provenance("a", {"x": 1}, "c", {"regions": "1"}, 0)
    with pytest.raises(Stopped), resumable(output, provenance, 60.0) as checkpoint:
        checkpoint.save({"step": 1})
        raise Stopped
    before = list(tmp_path.iterdir())
    with pytest.raises(Stopped), resumable(output, replace(provenance, **change), 60.0) as checkpoint:
        assert checkpoint.load() is None
        raise Stopped
    assert list(tmp_path.iterdir()) == before != []
    assert left_behind(output, provenance) == {"step": 1}
    assert list(tmp_path.iterdir()) == []


def test_a_save_cut_short_leaves_the_state_before(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "state", "key")
    checkpoint.save({"step": 1})

    def cut_short(content, path):
        path.write_bytes(b"half")
        raise Stopped

    monkeypatch.setattr(torch, "save", cut_short)
    with pytest.raises(Stopped):
        checkpoint.save({"step": 2})
    assert checkpoint.load() == {"step": 1}


@pytest.mark.slow
def test_a_full_disk_costs_no_work_but_the_saved_state(kind, tmp_path, monkeypatch, capsys):
    def full(*_):
        raise RuntimeError("PytorchStreamWriter failed writing file")

    monkeypatch.setattr(torch, "save", full)
    found = result(kind.make(Checkpoint(tmp_path / "state", "key", interval=0)))
    assert same(found, result(kind.make()))
    assert "the state could not be saved" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def save_often(path, step: int) -> None:
    checkpoint = Checkpoint(path, "key", interval=0)
    for _ in range(40):
        checkpoint.save({"step": step})


@pytest.mark.slow
def test_two_writers_of_one_state_leave_a_whole_one(tmp_path):
    writers = [
        multiprocessing.get_context("fork").Process(target=save_often, args=(tmp_path / "state", n)) for n in (1, 2)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert Checkpoint(tmp_path / "state", "key").load()["step"] in (1, 2)
    assert {path.name for path in tmp_path.iterdir()} <= {"state", "state.older"}


@pytest.mark.slow
def test_the_final_classifier_goes_on_bit_identically(tmp_path, monkeypatch):
    inputs, labels, classes = random(20, 5), torch.arange(20) % 3, torch.arange(3)
    given = ClassifierSettings(epochs=6, batch_size=8)

    def train(checkpoint=None):
        trained, curve = train_classifier(inputs, labels, classes, given, 1, checkpoint=checkpoint)
        return trained.layer.state_dict(), curve.points

    stopped = Checkpoint(tmp_path / "state", "key", interval=0)
    whole, saved = stopped.save, []

    def save_and_stop(state):
        whole(state)
        saved.append(state["step"])
        if len(saved) == 3:
            raise Stopped

    monkeypatch.setattr(stopped, "save", save_and_stop)
    with pytest.raises(Stopped):
        train(stopped)
    assert saved == [3, 6, 9]
    rest = Checkpoint(tmp_path / "state", "key")
    assert rest.load()["step"] == 9
    assert same(train(rest), train())


def test_no_checkpoint_is_due_before_its_time_and_none_is_left_after_removal(tmp_path):
    checkpoint = Checkpoint(tmp_path / "state", "key", interval=1e9)
    assert not checkpoint.due()
    checkpoint.save({"step": 1})
    checkpoint.save({"step": 2})
    checkpoint.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_sigterm_saves_at_the_next_step_and_the_run_goes_on_bit_identically(kind, tmp_path):
    checkpoint = Checkpoint(tmp_path / "state", "key", interval=1e9)
    trainer = kind.make(checkpoint)
    whole, taken = getattr(trainer, kind.method), []

    def step(*given):
        taken.append(None)
        if len(taken) == 6:
            os.kill(os.getpid(), signal.SIGTERM)
        return whole(*given)

    setattr(trainer, kind.method, step)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match="the state is saved"), checkpoint.guarding():
        run(trainer)
    assert len(taken) == 6
    assert signal.getsignal(signal.SIGTERM) is before
    assert same(result(kind.make(Checkpoint(tmp_path / "state", "key"))), result(kind.make()))
