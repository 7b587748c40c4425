"""How stable results are over seeds: python -m benchmarks.seeds.

Ten seeds of SC-EGG and the baseline on the aviary, and five on a part of CUB where SCEGG_REAL_DATA names it: mean,
standard deviation and worst seed of H, and the paired difference. Runs that are there already are not made again; a
data set's own table stays as it is.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev

from scegg_core.evaluate.scores import Metrics, read_metrics
from scegg_core.using.options import count

VARIANTS = ("sc-egg", "baseline")


@dataclass(frozen=True)
class Study:
    """Runs of VARIANTS on one data set: its name, the overlays of its settings, and how many seeds."""

    dataset: str
    seeds: int
    overlays: tuple[str, ...] = ()

    def metrics(self, variant: str) -> list[Path]:
        """Return the metrics file of each seed."""
        folder = Path("results") / self.dataset / "variants" / variant
        return [folder / f"seed{seed}" / "metrics.json" for seed in range(self.seeds)]

    def command(self, cores: int) -> list[str]:
        """Return the command that makes the runs that are not there yet."""
        overlays = ["--configfile", *self.overlays] if self.overlays else []
        targets = [str(path) for variant in VARIANTS for path in self.metrics(variant)]
        return ["snakemake", "--cores", str(cores), *overlays, "--", *targets]


AVIARY = Study("aviary", 10)
PHOTOGRAPHS = Study("cub100", 5, ("overlays/cub100.yaml",))


def main(arguments: list[str] | None = None) -> None:
    """Make the runs that are missing and print a table of each study."""
    given = _parse(arguments)
    studies = [AVIARY, *([PHOTOGRAPHS] if os.environ.get("SCEGG_REAL_DATA") else [])]
    if given.dataset:
        studies = [Study(given.dataset, given.seeds, tuple(given.configfile))]
    for study in studies:
        done = subprocess.run([sys.executable, "-m", *study.command(given.cores)], check=False)
        if done.returncode:  # it has said why
            sys.exit(done.returncode)
        print(f"\n### {study.dataset}, {study.seeds} seeds\n\n{table(study)}")


def table(study: Study) -> str:
    """Return the study's figures as a markdown table, in percent."""
    found = {variant: [read_metrics(path) for path in study.metrics(variant)] for variant in VARIANTS}
    rows = ["| variant | Acc | U | S | H | AUSUC | worst H (seed) |", "|---|---|---|---|---|---|---|"]
    rows += [_row(variant, runs) for variant, runs in found.items()]
    differences = [_difference(*pair) for pair in zip(*found.values(), strict=True)]
    return "\n".join([*rows, _row(f"{VARIANTS[0]} minus {VARIANTS[1]}", differences)])


def _row(name: str, runs: Sequence[Metrics]) -> str:
    cells = [spread([100 * getattr(run, metric) for run in runs]) for metric in ("acc", "u", "s", "h", "ausuc")]
    worst = min(range(len(runs)), key=lambda seed: runs[seed].h)
    return " | ".join([f"| {name}", *cells, f"{100 * runs[worst].h:.2f} ({worst}) |"])


def _difference(one: Metrics, other: Metrics) -> Metrics:
    values = {name: getattr(one, name) - getattr(other, name) for name in ("acc", "u", "s", "h", "ausuc")}
    return Metrics(**values, images={}, classes_without_images=(), per_class={}, constant=0.0)


def spread(values: Sequence[float]) -> str:
    """Return mean ± sample standard deviation of `values`, with two decimals; the mean alone of a single one."""
    deviation = f" ± {stdev(values):.2f}" if len(values) > 1 else ""
    return f"{fmean(values):.2f}{deviation}"


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeds", description=__doc__)
    parser.add_argument("--cores", type=count(), default=os.cpu_count(), help="cores to use; default: all")
    parser.add_argument("--dataset", help="another data set of the configuration, instead of these two")
    parser.add_argument("--seeds", type=count(), default=5, help="with --dataset: how many seeds; default: 5")
    parser.add_argument("--configfile", nargs="*", default=[], help="with --dataset: overlays of the configuration")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
