"""Speed and memory of the training stages on the device, in each precision and each way of running them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
from torch.profiler import ProfilerActivity, profile

from benchmarks.gpu.machine import PRECISIONS, forget_peak, peak, set_precision
from benchmarks.gpu.record import Figure
from benchmarks.gpu.runner import Run, attempt, attempts
from benchmarks.measure import Work, seconds_each
from benchmarks.shapes import PAPER, QUICK, Shape
from benchmarks.steps import Inputs, eggn_trainer, make_inputs, scen_steps
from scegg_core.eggn.train import EggnTrainer
from scegg_core.scen import compression, stages
from scegg_core.scen.train import start_scen
from scegg_core.settings.scen import ScenSettings
from scegg_core.training.device import prepare_device

KERNELS = 10  # of a profile that are shown
SCEN_GOAL, EGGN_GOAL = 60.0, 200.0  # seconds of both stages at CUB's size; iterations a second


def shapes(run: Run) -> list[Shape]:
    """Return the sizes to measure at: the data sets' at 14 x 14 regions."""
    return list(QUICK) if run.tiny else [shape for shape in PAPER if not shape.repeats]


def scen(run: Run) -> Iterator[Figure]:
    """Yield the time of a step of stages 1 and 2 in each precision, and what both stages take by it."""
    device = prepare_device("auto", deterministic=False)
    for shape in shapes(run):
        inputs = make_inputs(shape, device)
        for precision in PRECISIONS:
            yield from _scen_in(precision, shape, inputs, run)
    with _in_one_part():
        yield from _scen_in("TF32", shapes(run)[0], make_inputs(shapes(run)[0], device), run, ", in one part")


def _scen_in(precision: str, shape: Shape, inputs: Inputs, run: Run, how: str = "") -> Iterator[Figure]:
    name = f"{shape.name}, {precision}{how}"
    yield from attempts(name, lambda: _scen_rates(name, precision, shape, inputs, run, how))


def _scen_rates(name: str, precision: str, shape: Shape, inputs: Inputs, run: Run, how: str) -> Iterator[Figure]:
    set_precision(precision)
    low = precision if precision == "bfloat16" else "float32"
    steps, each = {step.name: step for step in scen_steps(shape, inputs, ScenSettings(precision=low))}, {}
    for title, step in steps.items():
        for side in ("ours",) if low == "bfloat16" or how else ("ours", "plain"):
            plain = "" if side == "ours" else ", plain transcription"
            figure = attempt(f"{name}: {title}{plain}", "ms", lambda step=step, side=side: _ms(step.works[side], run))
            yield figure
            each[title, side] = figure.value
    settings, batches = ScenSettings(), -(-shape.training_images // shape.batch)
    one, two, kept = (each[title, "ours"] for title in steps)
    goal = {"goal": SCEN_GOAL, "less": True} if shape.name == "CUB" else {}
    # LEN's output of all images is computed once
    total = lambda: batches * (settings.stage1_epochs * one + settings.stage2_epochs * kept + two - kept) / 1000  # noqa: E731
    yield attempt(f"{name}: both stages by that, {batches} steps an epoch", "s", total, **goal)
    yield from _peak(f"{name}: a step of stage 1", next(iter(steps.values())).works["ours"])


@contextmanager
def _in_one_part() -> Iterator[None]:
    """Within the block a step takes its whole batch at once: a CPU's caches ask for parts, a GPU may not need them."""
    usual = stages.PART, compression.GROUP
    stages.PART = compression.GROUP = 1 << 40
    try:
        yield
    finally:
        stages.PART, compression.GROUP = usual


def eggn(run: Run) -> Iterator[Figure]:
    """Yield stage 3's iterations a second as they are, in each precision, and the kernels that take longest."""
    for precision in PRECISIONS:
        yield from _rates(f"one by one, {precision}", lambda precision=precision: _eggn_trainer(run, precision), run)
    profiled = lambda: longest(_eggn_trainer(run, "TF32"), 1 if run.tiny else 10)  # noqa: E731
    yield from attempts("profile", profiled)


def eggn_graphs(run: Run) -> Iterator[Figure]:
    """Yield the same with each kind of iteration as one CUDA graph."""
    for precision in PRECISIONS:
        trainer = lambda precision=precision: _eggn_trainer(run, precision, cuda_graphs=True)  # noqa: E731
        yield from _rates(graphs_in(precision), trainer, run)


def iteration(how: str, feedback: bool) -> str:
    """Return the name of the figure of an iteration of stage 3."""
    return f"{how}: iteration {'with' if feedback else 'without'} feedback"


def graphs_in(precision: str) -> str:
    """Return what the figures of stage 3 with CUDA graphs begin with."""
    return f"CUDA graphs, {precision}"


def eggn_compiled(run: Run) -> Iterator[Figure]:
    """Yield the same with the losses compiled by torch.compile; where there is no GPU they are only traced."""
    backend = "inductor" if torch.cuda.is_available() else "eager"

    def compiled(precision: str) -> EggnTrainer:
        trainer = _eggn_trainer(run, precision)
        for name in ("critic_loss",) if run.tiny else ("critic_loss", "generator_loss"):
            setattr(trainer.generator, name, torch.compile(getattr(trainer.generator, name), backend=backend))
        return trainer

    for precision in ("TF32",) if run.tiny else ("TF32", "bfloat16"):
        yield from _rates(f"compiled losses, {precision}", lambda precision=precision: compiled(precision), run)


def _eggn_trainer(run: Run, precision: str, **settings) -> EggnTrainer:
    device, shape = prepare_device("auto", deterministic=False), shapes(run)[0]
    set_precision(precision)
    low, inputs = precision if precision == "bfloat16" else "float32", make_inputs(replace(shape, regions=1), device)
    scen = start_scen(inputs.words, inputs.vectors, shape.channels, ScenSettings(), seed=0).to(device)
    return eggn_trainer(shape, inputs, scen, precision=low, **settings)


def _rates(how: str, make: Callable[[], EggnTrainer], run: Run) -> Iterator[Figure]:
    yield from attempts(how, lambda: _rates_of(how, make(), run))


def _rates_of(how: str, trainer: EggnTrainer, run: Run) -> Iterator[Figure]:
    """Both kinds of iterations, as an epoch has as many of one as of the other."""
    each = {}
    for feedback in (False, True):
        work = lambda feedback=feedback: trainer.iterate(feedback)  # noqa: E731
        each[feedback] = attempt(iteration(how, feedback), "ms", lambda work=work: _ms(work, run))
        yield each[feedback]
    rate = lambda: 2000 / (each[False].value + each[True].value)  # noqa: E731
    yield attempt(f"{how}: width {trainer.settings.hidden_width}", "iterations/s", rate, goal=EGGN_GOAL)
    yield from _peak(f"{how}: an iteration with feedback", lambda: trainer.iterate(True))


def _ms(work: Work, run: Run) -> float:
    return 1000 * (seconds_each(work, 0, warm_up=1) if run.tiny else seconds_each(work, 1.0, warm_up=5))


def _peak(name: str, work: Work) -> Iterator[Figure]:
    """The most memory that the device holds in `work`, weights and all; nothing where there is no device."""
    forget_peak()
    work()
    yield from peak(name)


def longest(trainer: EggnTrainer, calls: int) -> Iterator[Figure]:
    """Yield the kernels (without a GPU the operations) that take longest in `calls` iterations, by their share."""
    cuda, work = torch.cuda.is_available(), lambda: trainer.iterate(False)
    work()
    with profile(activities=[ProfilerActivity.CUDA if cuda else ProfilerActivity.CPU]) as profiler:
        for _ in range(calls):
            work()
        if cuda:
            torch.cuda.synchronize()
    own: Callable = lambda event: event.self_device_time_total if cuda else event.self_cpu_time_total  # noqa: E731
    events = [event for event in profiler.key_averages() if not event.key.startswith("Optimizer.")]  # only a name
    events.sort(key=own, reverse=True)
    total = sum(own(event) for event in events)
    yield Figure("profile: kernels in one iteration", sum(event.count for event in events if own(event)) / calls, "")
    for event in events[:KERNELS]:
        yield Figure(f"profile: {event.key[:120]}, {event.count / calls:g} times", 100 * own(event) / total, "%")
