"""A reduced run on real photographs: cub100's layout, MobileNetV2 weights from a file, vectors from a matrix."""

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml

from tests.workflow.conftest import ROOT, Workflow, copy_project

pytestmark = pytest.mark.slow

REDUCED = {
    "datasets": {
        "cub100": {
            "seeds": [0],
            "variants": ["sc-egg", "baseline", "len"],
            "shards": 1,
            "backbone": {"image_size": 64},
            "scen": {
                "stage1_epochs": 2,
                "stage2_epochs": 1,
                "learning_rate": 1e-3,
                "local_scale": 30.0,
                "softmax_classes": "seen",
            },
            "eggn": {"hidden_width": 32, "epochs": 1, "batch_size": 64},
            "synthesis": {"per_class": 10},
            "classifier": {"epochs": 5},
        }
    },
    "variants": {name: {"seeds": [0]} for name in ("sc-egg", "baseline")},
}


def fewer_images(source, target, per_class: int = 8) -> None:
    """Copy cub100's metadata with every image list cut to some images a class, and link those images."""
    from scipy.io import loadmat, savemat

    folder = target / "cub100/xlsa17/data/CUB100"
    shutil.copytree(source / "cub100/xlsa17/data/CUB100", folder)
    shutil.copy(source / "cub100/attributes.txt", target / "cub100/attributes.txt")
    for name in ("weights", "word_vectors"):
        (target / name).symlink_to(source / name)
    pictures, splits = loadmat(folder / "res101.mat"), loadmat(folder / "att_splits.mat")
    labels = pictures["labels"].ravel().astype(int)
    kept = []
    for key in ("trainval_loc", "test_seen_loc", "test_unseen_loc"):
        rows = splits[key].ravel().astype(int) - 1
        kept += [row for label in np.unique(labels[rows]) for row in rows[labels[rows] == label][:per_class]]
    kept = np.sort(kept)
    place = {row: new + 1 for new, row in enumerate(kept)}
    for key in ("trainval_loc", "test_seen_loc", "test_unseen_loc"):
        rows = [place[row] for row in splits[key].ravel().astype(int) - 1 if row in place]
        splits[key] = np.array(rows, np.uint16)[:, None]
    pictures["labels"], pictures["image_files"] = pictures["labels"][kept], pictures["image_files"][kept]
    for name, content in (("res101.mat", pictures), ("att_splits.mat", splits)):
        (folder / name).unlink()
        savemat(folder / name, {key: value for key, value in content.items() if not key.startswith("__")})
    (target / "cub100/CUB_200_2011").mkdir()
    (target / "cub100/CUB_200_2011/images").symlink_to(source / "cub100/CUB_200_2011/images")


def test_images_to_table_on_real_photographs(real_data, tmp_path):
    fewer_images(real_data, tmp_path / "data")
    overlay = tmp_path / "reduced.yaml"
    overlay.write_text(yaml.safe_dump(REDUCED))
    workflow = Workflow(copy_project(tmp_path / "project"), tmp_path / "work")
    workflow.folder.mkdir()
    done = workflow.run(
        "results/cub100/table.csv",
        overlays=(ROOT / "overlays/cub100.yaml", overlay),
        env={"SCEGG_REAL_DATA": str(tmp_path / "data")},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    table = pd.read_csv(workflow.folder / "results/cub100/table.csv").set_index("variant")
    assert list(table.index) == ["sc-egg", "baseline", "len"]
    assert (table["backbone"] == "mobilenet_v2").all()
    # 27 unseen classes: chance is 3.7; the baseline's tiny generator is not asked to learn
    assert table.loc["len", "Acc"] > 10
    regions = pd.read_parquet(workflow.folder / "results/cub100/regions/part-0000.parquet")
    assert len(regions["regions"].iloc[0]) == 2 * 1280 * 4
