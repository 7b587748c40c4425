"""The script for GPUs: its checks on CUDA where there is one, every step at tiny sizes, and runs that do not end well."""

import io
import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from benchmarks.gpu import __main__ as command
from benchmarks.gpu import checks, extraction, machine, needs, picture_checks, repeated, runner, training
from benchmarks.gpu.checks import CHECKS, CPU, eggn_trainer, largest
from benchmarks.gpu.page import page
from benchmarks.gpu.picture_checks import PICTURE_CHECKS
from benchmarks.gpu.record import Figure, Outcome, Record, read_record
from benchmarks.gpu.runner import FORK, SPAWN, Processes, Run, Step, ask_for_cuda, attempt, attempts, run_steps
from benchmarks.gpu.whole import graphs_work
from benchmarks.measure import seconds_each
from scegg_core.regions.decoding import GpuDecoder

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


def run_of(figures: tuple[Figure, ...] = ()) -> Run:
    record = Record(1, tiny=True, outcomes=[Outcome("before", "Before", list(figures))])
    return Run(Path("nowhere"), True, time.monotonic(), 60.0, record)


def decoder_with(change):
    """Return what makes decoders with the GPU decoder's interface; `change` gets each call's images."""

    def decode(files):
        opened = [Image.open(io.BytesIO(file.numpy().tobytes())).convert("RGB") for file in files]
        return change([torch.from_numpy(np.array(image)).permute(2, 0, 1) for image in opened])

    usual = picture_checks.make_decoder
    return lambda given, device: GpuDecoder(given, device, decode) if given.decoder == "gpu" else usual(given, device)


def broken(_images):
    raise RuntimeError("nvjpegCreate failed: 1")


def test_a_decoder_that_never_works_is_an_error_and_no_figure(monkeypatch, tmp_path):
    for module in (picture_checks, extraction):
        monkeypatch.setattr(module, "make_decoder", decoder_with(broken))
    monkeypatch.setattr("scegg_core.regions.extraction.make_decoder", decoder_with(broken))
    figures = [*extraction.extraction(run_of())]
    rates = [figure for figure in figures if "decoder gpu" in figure.name]
    assert {figure.error for figure in rates} == {"RuntimeError: nvjpegCreate failed: 1"} and len(rates) == 4
    assert extraction.best_decoder(run_of(tuple(figures))) == "pillow"
    for difference in (picture_checks.decoder_difference, picture_checks.decoded_features_difference):
        with pytest.raises(RuntimeError, match="nvjpegCreate failed"):
            difference(CPU)


def test_one_picture_of_many_that_is_overwritten_is_found(monkeypatch):
    calls = []

    def overwritten(images):
        calls.append(len(images))
        return [torch.full_like(images[0], 255), *images[1:]] if len(calls) == 5 else images

    make = "scegg_core.regions.extraction.make_decoder"
    tolerance = picture_checks.PICTURE_CHECKS[-1].tolerance
    monkeypatch.setattr(make, decoder_with(lambda images: images))
    assert picture_checks.decoded_features_difference(CPU) < tolerance / 2
    monkeypatch.setattr(make, decoder_with(overwritten))
    assert picture_checks.decoded_features_difference(CPU) > 2 * tolerance
    assert calls == [2] * 8


def test_a_training_that_does_not_repeat_itself_misses_its_goal(monkeypatch):
    monkeypatch.setattr(repeated, "eggn_weights", lambda *_, **__: [torch.rand(2)])
    monkeypatch.setattr(repeated, "backbone_weights", lambda *_: [torch.ones(2)])
    monkeypatch.setattr(repeated, "scen_weights", lambda *_: 1 / 0)
    scen, plain, graphs, backbone = repeated.repeated(run_of())
    assert [figure.reached for figure in (scen, plain, graphs, backbone)] == [False, False, False, True]
    assert (scen.error, plain.error) == ("ZeroDivisionError: division by zero", "")


def test_graphs_are_used_in_a_precision_in_which_they_ran():
    agreed = Figure(f"{checks.GRAPHS} (cuda)", 0.0, goal=1e-7, less=True)
    ran = [Figure(f"CUDA graphs, bfloat16: iteration {kind} feedback", 1.0, "ms") for kind in ("without", "with")]
    failed = Figure(ran[1].name, None, "ms", error="RuntimeError: operation not permitted when stream is capturing")
    assert graphs_work(run_of((agreed, *ran)), "bfloat16")
    assert not graphs_work(run_of((agreed, ran[0], failed)), "bfloat16")
    assert not graphs_work(run_of((agreed,)), "bfloat16")
    assert not graphs_work(run_of(tuple(ran)), "bfloat16")


def test_figures_of_graphs_have_the_names_that_they_are_looked_up_by():
    assert graphs_work(
        run_of((Figure(checks.GRAPHS, 0.0, goal=1e-7, less=True), *training.eggn_graphs(run_of()))), "bfloat16"
    )


def test_the_most_memory_is_what_is_held_since_a_graphs_own_is_not_in_use(monkeypatch):
    done = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for name, value in (("empty_cache", None), ("reset_peak_memory_stats", None), ("max_memory_reserved", 3 << 20)):
        monkeypatch.setattr(torch.cuda, name, lambda name=name, value=value: (done.append(name), value)[1])
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 1 << 20)
    machine.forget_peak()
    assert [*machine.peak("a step")] == [Figure("a step: peak memory", 3.0, "MiB")]
    assert done == ["empty_cache", "reset_peak_memory_stats", "max_memory_reserved"]


@pytest.mark.parametrize("step", [training.scen, training.eggn, training.eggn_graphs])
def test_a_figure_of_one_precision_that_fails_leaves_the_others(monkeypatch, step):
    def full(*_):
        raise torch.cuda.OutOfMemoryError("too many")

    for name in ("_peak", "longest"):
        monkeypatch.setattr(training, name, full)
    figures = [*step(run_of())]
    for precision in machine.PRECISIONS:
        own = [figure for figure in figures if precision in figure.name]
        assert [figure.error for figure in own if figure.error][0] == "OutOfMemoryError: too many"
        assert len([figure for figure in own if figure.value is not None]) >= 3


def test_what_was_found_before_a_failure_stands():
    def work():
        yield Figure("before", 1.0)
        raise ValueError("no memory")

    assert [*attempts("all", work)] == [Figure("before", 1.0), Figure("all", None, error="ValueError: no memory")]


def never_says() -> None:
    time.sleep(600)


def test_a_start_of_cuda_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(runner, "START", 0.2)
    monkeypatch.setattr(runner, "_ask", never_says)
    begin = time.monotonic()
    processes = ask_for_cuda()
    assert time.monotonic() - begin < 60
    assert (processes.context, processes.cuda) == (SPAWN, False)
    assert processes.hung == "; ".join(
        f"a process made by {method} did not say in 0.2 s whether CUDA is there" for method in ("fork", "spawn")
    )


def test_a_start_that_hung_is_in_the_record(monkeypatch, tmp_path):
    monkeypatch.setattr(command, "prepare", lambda steps: Processes(SPAWN, False, "it hung"))
    with pytest.raises(SystemExit, match="it hung"):
        command.main(["--out", str(tmp_path)])
    assert read_record(tmp_path / "gpu.json").outcomes == [Outcome("start", "The start of CUDA", error="it hung.")]


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
