"""Measures training steps and the rest of the workflow: python -m benchmarks [--quick].

Ours and the plain transcription take turns in one process, so a busy moment meets both. Without options it takes
about 10 minutes on 2 cores. Everything is made up from random numbers; nothing is read but this project.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks import pipeline
from benchmarks.measure import describe_machine, measure_machine, peak_bytes, products, take_turns
from benchmarks.methods import method_steps
from benchmarks.report import Compared, fault_of_page, put_into, report
from benchmarks.shapes import PAPER, QUICK, Shape
from benchmarks.steps import Step, eggn_steps, make_inputs, scen_steps
from scegg_core.training.device import prepare_device
from scegg_core.using.options import count

MOST_THREADS = 1024

PARTS = ("scen", "eggn", "methods", "shards", "extraction", "final")


def main(arguments: list[str] | None = None) -> None:
    """Measure what the command line asks for, print it, and put it into a page if one is named."""
    given = _parse(arguments)
    if given.threads:
        torch.set_num_threads(given.threads)
    device = prepare_device("auto", deterministic=False)
    about, machine = describe_machine(), measure_machine(256 if given.quick else 4096)
    shapes = QUICK if given.quick else [shape for shape in PAPER if given.sizes in shape.title]
    steps = [found for shape in shapes for found in _compared(shape, device, given)]
    text = report(machine, about, steps, _rows(shapes, given))
    print(text)
    if given.page:
        put_into(given.page, text)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes: tries the code, measures nothing of interest")
    parser.add_argument("--rounds", type=count(), default=3, help="rounds in which the candidates take turns")
    parser.add_argument("--threads", type=count(MOST_THREADS), help="threads of torch; default: all cores")
    parser.add_argument("--sizes", default="", help='only sizes whose name contains this, e.g. "CUB, R = 196"')
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure")
    parser.add_argument("--whole", action="store_true", help="also a run on the drawn data set (several minutes)")
    parser.add_argument("--page", type=Path, help="markdown page to put the results into, between its marks")
    given = parser.parse_args(arguments)
    titles = [shape.title for shape in (QUICK if given.quick else PAPER)]
    if not any(given.sizes in title for title in titles):
        parser.error(f"--sizes {given.sizes!r} is in no name of a size: {'; '.join(titles)}")
    if given.page and (fault := fault_of_page(given.page)):
        parser.error(f"--page {given.page} {fault}")
    return given


def _compared(shape: Shape, device: torch.device, given: argparse.Namespace) -> Iterator[Compared]:
    """Yield the measured steps of one size."""
    inputs = make_inputs(shape, device)
    parts = {"scen": scen_steps}
    parts |= {} if shape.repeats else {"eggn": eggn_steps}
    parts |= {"methods": method_steps} if shape.methods else {}
    for part, make in parts.items():
        for step in make(shape, inputs) if part in given.parts else []:
            print(f"{shape.title}: {step.name} …", file=sys.stderr)
            # a plain step takes up to ten seconds, and there are eight of them
            yield _measured(shape, step, min(given.rounds, 2) if part == "methods" else given.rounds)


def _measured(shape: Shape, step: Step, rounds: int) -> Compared:
    seconds = take_turns(step.works, rounds, step.prepare)
    flops = {name: products(work) for name, work in step.works.items()}
    peaks = {name: peak_bytes(work) for name, work in step.works.items()} if "plain" in step.works else {}
    return Compared(shape.title, step.name, seconds, flops, step.least_bytes, peaks)


def _rows(shapes: list[Shape], given: argparse.Namespace) -> list[pipeline.Row]:
    rows, rounds = [], given.rounds
    if "shards" in given.parts:
        rows += pipeline.shard_rows(2 if given.quick else 256, rounds)
    if "extraction" in given.parts:
        rows += pipeline.extraction_rows(2 if given.quick else 4, rounds, 64 if given.quick else 448)
    if "final" in given.parts:
        for shape in shapes:
            rows += [] if shape.repeats else pipeline.final_rows(shape, rounds)
    return [*rows, pipeline.whole_run(os.cpu_count() or 1)] if given.whole else rows


if __name__ == "__main__":
    main()
