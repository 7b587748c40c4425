"""The script for GPUs: its checks on CUDA where there is one, every step at tiny sizes, and runs that do not end well."""

import json
import os
import signal
import time

import pytest
import torch

from benchmarks.gpu import __main__ as command
from benchmarks.gpu import checks, needs
from benchmarks.gpu.checks import CHECKS, CPU, eggn_trainer, largest
from benchmarks.gpu.page import page
from benchmarks.gpu.picture_checks import PICTURE_CHECKS
from benchmarks.gpu.record import Figure, Outcome, Record, read_record
from benchmarks.gpu.runner import FORK, Processes, Step, attempt, run_steps
from benchmarks.measure import seconds_each

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")


@needs_cuda
@pytest.mark.parametrize("check", [*CHECKS, *PICTURE_CHECKS], ids=lambda check: check.name)
def test_cuda_gives_what_the_cpu_gives(check):
    assert check.difference(torch.device("cuda")) <= check.tolerance


@pytest.mark.slow
def test_every_step_runs_at_tiny_sizes_and_has_its_place_on_the_page(tmp_path):
    command.main(["--tiny", "--minutes", "60", "--out", str(tmp_path)])
    record = read_record(tmp_path / "gpu.json")
    assert [outcome.name for outcome in record.outcomes] == [step.name for step in command.STEPS]
    assert [outcome.error for outcome in record.outcomes] == [""] * len(command.STEPS)
    failed = {figure.error for outcome in record.outcomes for figure in outcome.figures if figure.error}
    only_on_cuda = ("RuntimeError: only on a CUDA device does the host wait", "no JPEG decoder of torchvision on cpu")
    assert [error for error in failed if not any(words in error for words in only_on_cuda)] == []
    command.main(["--page", str(tmp_path / "page.md"), str(tmp_path / "gpu.json")])
    written = (tmp_path / "page.md").read_text()
    assert "these numbers try the script and say nothing of speed" in written
    for step in command.STEPS:
        assert f"\n## {step.title}\n" in written


def test_an_error_in_a_step_of_training_is_larger_than_its_tolerance(monkeypatch):
    usual = checks.eggn_trainer

    def other_rate(where, *given, **settings):
        return usual(where, *given, **settings, **({"kl_weight": 1.01} if where != CPU else {}))

    monkeypatch.setattr(checks, "eggn_trainer", other_rate)
    assert checks.eggn_difference(CPU) == 0
    assert checks.eggn_difference(torch.device("cpu", 0)) > 10 * checks.TRAINED


def test_numbers_of_the_host_take_the_place_of_the_devices():
    one, other = (eggn_trainer(CPU, cuda_graphs=False) for _ in range(2))
    draws = checks.DrawnOnTheHost(one)
    one.iterate(True)
    other.iterate(True)
    assert one.generator.draws is draws
    assert largest([*one.model.parameters()], [*other.model.parameters()]) == 0  # here the device is the host


def test_the_largest_difference_is_that_of_any_tensor():
    assert largest([torch.tensor([1.0, 2.0]), torch.tensor(3.0)], [torch.tensor([1.0, 2.5]), torch.tensor(3.25)]) == 0.5


def fine(run):
    yield Figure("seen before", run.record.figure("a rate") is not None)
    yield attempt("a rate", "images/s", lambda: 600.0, goal=500.0)


def failing(run):
    yield Figure("before", 1.0)
    yield attempt("a rate", "images/s", lambda: 1 / 0, goal=500.0)
    raise ValueError("the second\nof two lines")


def hanging(run):
    yield Figure("before", 1.0)
    time.sleep(600)


def dying(run):
    yield Figure("before", 1.0)
    os.kill(os.getpid(), signal.SIGKILL)


def steps(*works, share: float = 1.0) -> list[Step]:
    return [Step(work.__name__, f"The {work.__name__} one", f"{__name__}:{work.__name__}", share, ()) for work in works]


def taken(given: list[Step], folder, minutes: float = 1.0) -> list[Outcome]:
    before = signal.getsignal(signal.SIGTERM)
    run_steps(given, Record(minutes, tiny=True), folder, Processes(FORK, cuda=False))
    signal.signal(signal.SIGTERM, before)
    return read_record(folder / "gpu.json").outcomes


def test_a_step_that_fails_or_dies_says_so_and_the_next_goes_on(tmp_path):
    first, second, third = taken(steps(failing, dying, fine), tmp_path)
    assert first.error == "ValueError: the second"
    assert [figure.value for figure in first.figures] == [1.0, None]
    assert first.figures[1].error == "ZeroDivisionError: division by zero"
    assert (second.error, len(second.figures)) == ("its process ended with code -9.", 1)
    assert (third.error, [figure.value for figure in third.figures]) == ("", [True, 600.0])
    assert "ValueError" in (tmp_path / "gpu.log").read_text()


@pytest.mark.slow
def test_a_step_that_hangs_is_stopped_and_what_it_found_stands(tmp_path, monkeypatch):
    monkeypatch.setattr("benchmarks.gpu.runner.LEAST", 0.5)
    monkeypatch.setattr("benchmarks.gpu.runner.RESERVE", 0.5)
    hung, late = taken(steps(hanging, fine), tmp_path, minutes=10.5 / 60)
    assert (hung.error, len(hung.figures)) == ("stopped after its 10 seconds; what it had found by then stands.", 1)
    assert late.error == "left out: its time was used up by the steps before it."


def test_a_step_whose_packages_are_missing_names_their_wheels(tmp_path):
    package = needs.Package("no_such_package", ("no-such-wheel", "another"))
    (found,) = taken([Step("fine", "Fine", f"{__name__}:fine", 1.0, (needs.PICTURES[0], package))], tmp_path)
    assert found.error.startswith("no_such_package cannot be imported here; install the wheels no-such-wheel another")


def test_what_this_project_installs_is_enough():
    assert needs.missing(needs.PICTURES) == []


def test_the_page_says_what_reached_its_goal_and_what_failed():
    figures = [
        Figure("a rate", 612.345, "images/s", goal=500.0),
        Figure("seconds", 61.0, "s", goal=60.0, less=True),
        Figure("kernel | of two", None, "ms", error="RuntimeError: a | b"),
        Figure("device", "a GPU"),
    ]
    text = page(Record(8, tiny=False, outcomes=[Outcome("x", "A step", figures, 3.2, "stopped after its 3 seconds.")]))
    assert "python -m benchmarks.gpu --minutes 8 --out DIR" in text
    assert "1 of 2 figures that have a goal reached it." in text
    assert "| a rate | 612 images/s | at least 500: reached |" in text
    assert "| seconds | 61 s | at most 60: **not reached** |" in text
    assert r"| kernel \| of two | failed: RuntimeError: a \| b |  |" in text
    assert "| device | a GPU |  |" in text
    assert "It did not end as it should: stopped after its 3 seconds." in text
    assert "say nothing of speed" not in text


def test_a_record_is_read_as_it_was_written(tmp_path):
    record = Record(8, True, [Outcome("x", "A step", [Figure("a", 1.5, "s", 2.0, True), Figure("b", "text")], 1.0)])
    record.write(tmp_path / "gpu.json")
    assert read_record(tmp_path / "gpu.json") == record
    assert json.loads((tmp_path / "gpu.json").read_text())["outcomes"][0]["figures"][0]["value"] == 1.5
    assert [path.name for path in tmp_path.iterdir()] == ["gpu.json"]


def test_calls_in_a_row_are_timed_after_those_that_warm_up():
    calls = []
    each = seconds_each(lambda: calls.append(time.sleep(0.002)), 0.05, warm_up=2)
    assert 0.002 <= each < 0.05
    assert (len(calls) - 3) % 5 == 0
    assert len(calls) >= 8
