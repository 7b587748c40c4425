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


def test_regions_deleted_to_save_space_are_made_again_for_another_backbone_alone(restored, tmp_path):
    flow = copy_run(restored, tmp_path)
    for folder in (flow.folder / "results/aviary").rglob("regions"):
        shutil.rmtree(folder)
    assert flow.dry() == set()
    other = overlay(tmp_path, "datasets: {aviary: {backbone: {features_up_to: layer2}}}")
    assert {"extract_regions", "pool_images", "tabulate"} <= flow.dry("results/aviary/table.csv", overlays=other)


def test_dates_in_any_order_make_nothing_again(restored, tmp_path):
    """As `cp -r` of a folder leaves them, and a wrong clock. Snakemake compares contents of small files alone."""
    flow = copy_run(restored, tmp_path)
    files = sorted((flow.folder / "results").rglob("*.*"), key=lambda path: path.stat().st_mtime)
    for number, path in enumerate(files):
        os.utime(path, (4e9 - number, 4e9 - number))
    assert flow.dry("--max-checksum-file-size=0") == set()
    other = overlay(tmp_path, "datasets: {aviary: {scen: {learning_rate: 0.002}}}")
    assert "train_scen" in flow.dry(overlays=other)


def test_other_settings_are_not_shown_by_a_report_or_behind_a_trigger(restored, tmp_path):
    other = overlay(tmp_path, "datasets: {aviary: {scen: {learning_rate: 0.002}}}")
    flow = copy_run(restored, tmp_path / "copy")
    for arguments, sentence in (
        ((f"--report={tmp_path / 'report.html'}",), "results are not those of these settings"),
        (("--dry-run", "--rerun-triggers=mtime"), "--rerun-triggers lacks input and params"),
    ):
        done = flow.run(*arguments, "results/aviary/table.csv", overlays=other)
        assert done.returncode == 1
        assert sentence in done.stdout + done.stderr
    assert not (tmp_path / "report.html").exists()
