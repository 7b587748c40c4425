"""A result never stands for settings, inputs or code that did not make it, whatever the engine remembers."""

import os
import shutil

import pytest

from tests.workflow.conftest import TINY, Workflow, copy_run

pytestmark = pytest.mark.slow
SCEN = "results/aviary/spaces/sc-egg/seed0/scen.safetensors"


@pytest.fixture(scope="module")
def restored(finished, tmp_path_factory) -> Workflow:
    """The results of a finished run alone, as a backup brings them: without the engine's folder, dated today."""
    folder = tmp_path_factory.mktemp("restored")
    for name in ("results", "data"):
        shutil.copytree(finished.folder / name, folder / name, copy_function=shutil.copy2)
    return Workflow(finished.project, folder)


def overlay(folder, text: str):
    """Lay more settings over those of the reduced aviary."""
    path = folder / "more.yaml"
    path.write_text(text, encoding="utf-8")
    return (TINY, path)


def test_moved_results_are_those_of_their_settings_alone(restored, tmp_path):
    assert restored.dry() == set()
    assert not list(restored.folder.glob(".snakemake/metadata/*"))
    other = overlay(tmp_path, "datasets: {aviary: {scen: {learning_rate: 0.002}}}")
    assert {"train_scen", "tabulate"} <= restored.dry("results/aviary/table.csv", overlays=other)
    title = overlay(tmp_path, "variants: {baseline: {title: pooled}}")
    assert restored.dry("results/aviary/table.csv", overlays=title) == {"tabulate"}


def test_a_table_of_another_run_is_made_again(restored, tmp_path):
    flow = copy_run(restored, tmp_path)
    table = flow.folder / "results/aviary/table.csv"
    table.write_text(table.read_text().replace("sc-egg", "SC-EGG"))
    os.utime(table, (2e9, 2e9))
    done = flow.run("--dry-run", "results/aviary/table.csv")
    assert "this file is not the one that was made" in done.stdout + done.stderr


def test_a_file_that_nobody_recorded_is_made_again(restored, tmp_path):
    flow = copy_run(restored, tmp_path)
    (flow.folder / "results/aviary/.made/tsne.png.json").unlink()
    assert flow.dry("results/aviary/tsne.png") == {"plot_tsne"}
    assert flow.run("--touch", "results/aviary/tsne.png").returncode == 0
    assert flow.dry("results/aviary/tsne.png") == set()


def test_an_exchanged_scen_is_trained_again_with_all_that_follows(restored, tmp_path):
    flow = copy_run(restored, tmp_path)
    scen = flow.folder / SCEN
    date = scen.stat().st_mtime_ns
    shutil.copy2(flow.folder / SCEN.replace("seed0", "seed1"), scen)
    os.utime(scen, ns=(date, date))
    assert {"train_scen", "embed_images", "train_eggn", "tabulate"} <= flow.dry("results/aviary/table.csv")


def test_a_wrong_clock_makes_nothing_again(restored, tmp_path):
    flow = copy_run(restored, tmp_path)
    for path in (flow.folder / "results/aviary").glob("*.parquet"):
        os.utime(path, (4e9, 4e9))
    flow.dry()  # brings the dates back
    assert flow.run("--touch").returncode == 0
    assert flow.dry() == set()
