"""The study of seeds: its table has known answers, and its command asks for the runs alone."""

from pathlib import Path

from benchmarks import seeds
from scegg_core.artifacts.files import Provenance
from scegg_core.evaluate.scores import Metrics, write_metrics


def test_the_table_has_means_deviations_the_worst_seed_and_paired_differences(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    study = seeds.Study("aviary", 2)
    for variant, values in (("sc-egg", (0.5, 0.7)), ("baseline", (0.4, 0.2))):
        for path, h in zip(study.metrics(variant), values, strict=True):
            found = Metrics(
                acc=0.5, u=0.5, s=0.5, h=h, ausuc=0.3, images={}, classes_without_images=(), per_class={}, constant=0.0
            )
            write_metrics(path, found, Provenance("score"))
    rows = seeds.table(study).splitlines()[2:]
    assert [row.split(" | ")[4] for row in rows] == ["60.00 ± 14.14", "30.00 ± 14.14", "30.00 ± 28.28"]
    assert [row.split(" | ")[6] for row in rows] == ["50.00 (0) |", "20.00 (1) |", "10.00 (0) |"]


def test_the_command_asks_for_the_runs_and_leaves_the_table():
    command = seeds.PHOTOGRAPHS.command(cores=2)
    assert command[:3] == ["snakemake", "--cores", "2"]
    assert command[3:6] == ["--configfile", "overlays/cub100.yaml", "--"]
    assert len(command[6:]) == 10 and all(Path(target).name == "metrics.json" for target in command[6:])
