"""All that a CUDA machine can tell of this project in a few minutes, with one command and without the workflow.

    python -m benchmarks.gpu --minutes 8 --out DIR                          # writes DIR/gpu.json step by step
    python -m benchmarks.gpu --page docs/benchmarks_gpu.md DIR/gpu.json     # writes the page
    python -m benchmarks.gpu --tiny --out DIR                               # tries the script, on a CPU too

Each step has a bounded time, and what it finds is in gpu.json at once, so that a run which is cut off counts as far as
it came. A step that fails leaves its sentence there, and the next one goes on. Nothing is fetched, and all data are
made up. Besides torch it needs the packages of benchmarks/gpu/needs.py; what is missing is said at the start.
"""

import argparse
import sys
from pathlib import Path

from benchmarks.gpu.needs import CORE, PICTURES, missing, said_of
from benchmarks.gpu.record import Outcome, Record, read_record
from benchmarks.gpu.runner import Step, prepare, run_steps

#: In order of worth. The shares are limits: most steps end long before, and the whole run takes what they leave.
STEPS = (
    Step("machine", "What the machine can do", "benchmarks.gpu.machine:machine", 0.06, ()),
    Step("checks", "The same on the GPU and on the CPU", "benchmarks.gpu.checks:agreement", 0.15, CORE),
    Step("pictures", "Extraction is the same on both", "benchmarks.gpu.checks:picture_agreement", 0.08, PICTURES),
    Step("repeated", "The same twice on the GPU", "benchmarks.gpu.repeated:repeated", 0.06, CORE),
    Step("waits", "How often the host waits for the GPU", "benchmarks.gpu.waits:waits", 0.05, CORE),
    Step("scen", "Stages 1 and 2", "benchmarks.gpu.training:scen", 0.12, CORE),
    Step("eggn", "Stage 3", "benchmarks.gpu.training:eggn", 0.08, CORE),
    Step("graphs", "Stage 3 with CUDA graphs", "benchmarks.gpu.training:eggn_graphs", 0.08, CORE),
    Step("extraction", "Extraction", "benchmarks.gpu.extraction:extraction", 0.15, PICTURES),
    Step("whole", "One run of CUB's size, from pictures to scores", "benchmarks.gpu.whole:whole", 0.65, PICTURES),
    Step("compiled", "Stage 3 compiled", "benchmarks.gpu.training:eggn_compiled", 0.15, CORE),
)


def main(arguments: list[str] | None = None) -> None:
    """Measure, or write the page of what was measured."""
    given = _parse(arguments)
    if given.page:
        from benchmarks.gpu.page import page

        given.page.write_text(page(read_record(given.record)), encoding="utf-8")
        return
    steps = [step for step in STEPS if step.name in (given.steps or [step.name])]
    for step in steps:
        if lacking := missing(step.needs):
            print(f"{step.name} will be left out: {said_of(lacking)}", file=sys.stderr)
    processes, record = prepare(steps), Record(given.minutes, given.tiny)
    given.out.mkdir(parents=True, exist_ok=True)
    if processes.hung:
        record.outcomes.append(Outcome("start", "The start of CUDA", error=f"{processes.hung}."))
        record.write(given.out / "gpu.json")
    if not (given.tiny or processes.cuda):
        sys.exit(processes.hung or "torch sees no CUDA device here; --tiny tries this script without one.")
    run_steps(steps, record, given.out, processes)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.gpu", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=8.0, help="for everything; default: 8")
    parser.add_argument("--out", type=Path, help="folder of gpu.json and gpu.log")
    parser.add_argument("--tiny", action="store_true", help="tiny sizes, without a GPU too: says nothing of speed")
    parser.add_argument("--steps", nargs="+", choices=[step.name for step in STEPS], help="only these steps")
    parser.add_argument("--page", type=Path, help="write this page from the file RECORD instead")
    parser.add_argument("record", type=Path, nargs="?", help="a gpu.json")
    given = parser.parse_args(arguments)
    if given.page and not (given.record and given.record.is_file()):
        parser.error("--page needs a gpu.json that is there, e.g. --page docs/benchmarks_gpu.md results/gpu/gpu.json")
    if not given.page and not given.out:
        parser.error("name the folder to write to: --out DIR")
    return given


if __name__ == "__main__":
    main()
