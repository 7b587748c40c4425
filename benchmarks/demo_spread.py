"""How far the demo's numbers spread over backbones: python -m benchmarks.demo_spread --backbones 5.

The aviary with several backbones that are trained here, each with seeds of its own: means, 95 % intervals over backbones,
seeds and test images, and whether the lead of SC-EGG holds over them. With --rounding the backbones differ in the last
digits of their start alone, as on other processors, and what is printed is how far the ridge prototypes' H spreads by
that. Runs that are there already are not made again: the same command continues one that was stopped.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from snakemake.utils import update_config

from benchmarks.reference_runs import FOLDER, keep
from benchmarks.results_page import shown_differences, shown_table
from benchmarks.spread import REFERENCE, leads, spread_differences, spread_table
from scegg_core.artifacts.files import write_json
from scegg_core.errors import InputError
from scegg_core.report.results import RunResult
from scegg_core.report.rows import TableSettings, run_results, with_intervals
from scegg_core.settings.resolve import Configuration, read_configuration

DATASET = "aviary"

#: What two processors part by: about the last digit of a weight.
ROUNDING = 1e-7

NOTE = (
    "± is the standard deviation between backbones, of means over their seeds; intervals: backbones, seeds and images."
)


@dataclass(frozen=True)
class Study:
    """So many backbones, each a data set of its own, `name`-0, …; seeds: of each backbone, or with rounding none."""

    name: str
    backbones: int
    seeds: int = 3
    rounding: bool = False
    overlays: tuple[str, ...] = ()

    @property
    def datasets(self) -> list[str]:
        """Return the names of the backbones' data sets."""
        return [f"{self.name}-{number}" for number in range(self.backbones)]

    @property
    def overlay(self) -> Path:
        """Return the file with the data sets' settings."""
        return Path("results") / f"{self.name}.json"

    @property
    def shown(self) -> str:
        """Return the command that makes the study, as people type it."""
        kind = "--rounding" if self.rounding else f"--seeds {self.seeds}"
        overlays = f" --configfile {' '.join(self.overlays)}" if self.overlays else ""
        return f"python -m benchmarks.demo_spread --backbones {self.backbones} {kind}{overlays}"

    def settings(self) -> dict:
        """Return the configuration with the overlays laid over it, as written."""
        values: dict = {}
        for path in ("config.yaml", *self.overlays):
            try:
                update_config(values, yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {})
            except (OSError, yaml.YAMLError):
                raise InputError(f"{path} is no readable YAML file; the overlays of --configfile have to be.") from None
        return values

    def added(self, section: dict) -> dict:
        """Return the data sets, made from the aviary's section: one draws pictures, seeds occur once among all."""
        return {"datasets": {name: self._varied(section, number) for number, name in enumerate(self.datasets)}}

    def _varied(self, section: dict, number: int) -> dict:
        backbone = section["backbone"]
        seeds = [self.seeds * number + seed for seed in range(self.seeds)]
        if not self.rounding:
            own = {**backbone, "shared_seed": backbone.get("shared_seed", 0) + number}
            return {**section, "backbone": own, "seeds": seeds}
        shaken = {**backbone, "finetune": {**(backbone.get("finetune") or {}), "start_noise": number * ROUNDING}}
        return {**section, "backbone": shaken, "seeds": seeds, "variants": ["prototype"]}

    def command(self, config: Configuration, cores: int) -> list[str]:
        """Return the command that makes the runs that are not there yet."""
        targets = [str(path) for name in self.datasets for path in files(config, name, "metrics.json")]
        files_of_settings = [*self.overlays, str(self.overlay)]
        return ["snakemake", "--cores", str(cores), "--configfile", *files_of_settings, "--", *targets]


def configured(study: Study) -> Configuration:
    """Write the settings of the study's data sets and return the configuration that they are a part of."""
    values = study.settings()
    added = study.added(values["datasets"][DATASET])
    write_json(study.overlay, added)
    update_config(values, added)
    config = read_configuration(values)
    backbone = config.dataset(DATASET).backbone
    if not backbone.trained:
        raise InputError(f"config: the backbone of {DATASET} is not trained here, so there is one alone.")
    if backbone.seeds == "own":
        raise InputError(
            f"config: each seed of {DATASET} trains its own backbone, where here all seeds of one share it; set backbone.seeds: shared."
        )
    if not study.rounding and REFERENCE not in config.dataset(DATASET).variants:
        raise InputError(f"config: the variants of {DATASET} lack {REFERENCE}, to which differences are taken; add it.")
    runs = [run for name in study.datasets for run in config.runs(name)]
    if len(set(runs)) < len(runs):
        raise InputError("config: a variant has seeds of its own, which all backbones would share; leave them out.")
    return config


def files(config: Configuration, dataset: str, name: str) -> list[Path]:
    """Return the file `name` of each run of a data set's table."""
    return [
        Path("results") / dataset / "variants" / variant / f"seed{seed}" / name
        for variant, seed in config.runs(dataset)
    ]


def results(study: Study, config: Configuration) -> list[list[RunResult]]:
    """Return the runs of each backbone, with their metrics on the resamples of the test images."""
    found: list[RunResult] = []
    for name in study.datasets:
        found += run_results(
            files(config, name, "metrics.json"), config.runs(name), TableSettings(**config.table_part(name, {}))
        )
    outcomes = [path for name in study.datasets for path in files(config, name, "outcomes.parquet")]
    found = with_intervals(found, outcomes, [run for name in study.datasets for run in config.runs(name)])
    size = len(found) // study.backbones
    return [found[start : start + size] for start in range(0, len(found), size)]


def main(arguments: list[str] | None = None) -> None:
    """Make the runs that are missing, print their tables, and keep these if a name is given."""
    given = _parse(arguments)
    study = Study(given.name, given.backbones, given.seeds, given.rounding, tuple(given.configfile))
    try:
        config = configured(study)
        done = subprocess.run([sys.executable, "-m", *study.command(config, given.cores)], check=False)
        if done.returncode:
            raise SystemExit(done.returncode)
        found = results(study, config)
        print("\n" + report(found, study.rounding))
        if given.keep:
            _keep(given.keep, study, config, found)
    except InputError as problem:
        sys.exit(f"SC-EGG: {problem}")


def report(found: Sequence[Sequence[RunResult]], rounding: bool) -> str:
    """Return the tables and what follows from them, as markdown."""
    table = spread_table(found)
    text = shown_table(table, [NOTE])
    if rounding:
        return f"{text}\nStandard deviation of the ridge prototypes' H by rounding alone: {table['H_std'].iloc[0]:.2f} points.\n"
    paired = spread_differences(found)
    return "\n".join([text, shown_differences(paired, [NOTE, *leads(paired)])])


def _keep(name: str, study: Study, config: Configuration, found: Sequence[Sequence[RunResult]]) -> None:
    made_from = [path for dataset in study.datasets for path in files(config, dataset, "metrics.json")]
    keep(FOLDER / name, tables(found, study.rounding), made_from, Path.cwd(), study.shown)


def tables(found: Sequence[Sequence[RunResult]], rounding: bool) -> dict[str, bytes]:
    """Return the tables to keep, as CSV by the names of their files."""
    frames = {"table.csv": spread_table(found)} | ({} if rounding else {"paired.csv": spread_differences(found)})
    return {file: frame.to_csv(index=False).encode() for file, frame in frames.items()}


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo_spread", description=__doc__)
    parser.add_argument("--backbones", type=int, default=5, help="how many backbones, at least 2; default: 5")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of each backbone; default: 3")
    parser.add_argument(
        "--rounding", action="store_true", help="backbones that differ in the last digits of their start"
    )
    parser.add_argument("--configfile", nargs="*", default=[], help="overlays of the configuration")
    parser.add_argument(
        "--name", help="beginning of the data sets' names; default: spread, or with --rounding rounding"
    )
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="cores to use; default: all")
    parser.add_argument("--keep", metavar="NAME", help="keep the tables in docs/results/NAME, for docs/results.md")
    given = parser.parse_args(arguments)
    if given.backbones < 2 or given.seeds < 1:
        parser.error("--backbones has to be at least 2, and --seeds at least 1")
    given.name = given.name or ("rounding" if given.rounding else "spread")
    return given


if __name__ == "__main__":
    main()
