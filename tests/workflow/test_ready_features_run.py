"""A data set of ready features through the workflow: checked, a table, and what its file's content decides."""

import shutil

import numpy as np
import pytest

from scegg_core.artifacts.files import read_description
from scegg_core.data.raw import raw_digest
from tests.unit import ready_case as case
from tests.workflow.conftest import Workflow, copy_project

pytestmark = pytest.mark.slow

TARGET = "results/own/variants/prototype/seed0/predictions_gzsl.parquet"


@pytest.fixture
def fresh(tmp_path) -> Workflow:
    project = copy_project(tmp_path / "project")
    return Workflow(project, project)


def overlay(fresh, folder: str, variants: str):
    path = fresh.folder / "own.yaml"
    features = f"{{path: {folder}/features.npy, kind: arrays}}"
    path.write_text(f"datasets: {{own: {{features: {features}, variants: {variants}, shards: 2}}}}\n")
    return (path,)


def test_ready_features_through_the_workflow(fresh):
    case.write_arrays(fresh.folder / "here")
    pooled_rows = overlay(fresh, "here", "[prototype]")
    done = fresh.run("check_own", TARGET, overlays=pooled_rows)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "\nready\n" in done.stderr and "12 (6 trainval, 3 test seen, 3 test unseen)" in done.stderr
    shard = read_description(fresh.folder / "results/own/regions/part-0000.parquet", "regions")
    files = case.settings_of(fresh.folder / "here/features.npy", "arrays").files()
    assert shard["provenance"]["inputs"]["ready_features"] == raw_digest(files, fresh.folder / "memory")

    shutil.move(fresh.folder / "here", fresh.folder / "there")
    moved = overlay(fresh, "there", "[prototype]")
    assert fresh.dry(TARGET, overlays=moved) == set()
    np.save(fresh.folder / "there/features.npy", 2 * case.pooled())
    assert {"index_dataset", "read_features"} <= fresh.dry(TARGET, overlays=moved)

    refused = fresh.run("--dry-run", "results/own/table.csv", overlays=overlay(fresh, "there", "[sc-egg]"))
    assert refused.returncode == 1
    assert "SC-EGG: there/features.npy holds one vector an image, but rows with SCEN need region maps" in refused.stderr
