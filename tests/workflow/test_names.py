"""File names that a shell would act on go through the whole workflow as they are."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.workflow.conftest import Workflow, copy_project

pytestmark = pytest.mark.slow

CLASSES = ("it's $(touch hacked)", 'a "quoted" one', "semi; touch hacked", "`touch hacked` & co")
UNSEEN = CLASSES[-1]
PICTURES = ["plain.png", "with 'quotes'.png", "$(touch hacked).png", "a;b|c>d.png", "$HOME.png", "ü ☂.png"]
OVERLAY = """
datasets:
  mine:
    format: folder
    folder: "{folder}"
    unseen_classes: ['{unseen}']
    backbone: {{network: resnet18, weights: random, features_up_to: layer1, image_size: 32}}
    attribute_vectors: {{source: matrix, path: "{folder}/it's vectors.npy", dimensions: 5}}
    shards: 1
    seeds: [0]
    threads: 1
    variants: [sc-egg]
    scen: {{stage1_epochs: 1, stage2_epochs: 1, batch_size: 4}}
    eggn: {{hidden_width: 8, epochs: 1, batch_size: 4}}
    synthesis: {{per_class: 3}}
    classifier: {{epochs: 1}}
"""


def write_data(folder) -> None:
    draw = np.random.default_rng(0)
    for name in CLASSES:
        (folder / "images" / name).mkdir(parents=True)
        for picture in PICTURES:
            Image.fromarray(draw.integers(0, 255, (32, 32, 3), np.uint8)).save(folder / "images" / name / picture)
    rows = [
        '"{}",{}'.format(name.replace('"', '""'), f"{number},1,{3 - number}") for number, name in enumerate(CLASSES)
    ]
    (folder / "attributes.csv").write_text("\n".join(["class,big,red,long", *rows]) + "\n", encoding="utf-8")
    np.save(folder / "it's vectors.npy", draw.normal(size=(3, 5)).astype(np.float32))


def test_names_with_quotes_and_shell_syntax_go_through(tmp_path):
    base = tmp_path / "a 'b' $(touch hacked)"
    flow = Workflow(copy_project(base / "project"), base / "work")
    flow.folder.mkdir()
    folder = base / "my; pictures"
    write_data(folder)
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(OVERLAY.format(folder=folder, unseen=UNSEEN), encoding="utf-8")
    done = flow.run("results/mine/table.csv", overlays=(overlay,))
    assert done.returncode == 0, done.stderr[-3000:]
    assert (flow.folder / "results/mine/table.csv").is_file()
    found = pq.read_table(flow.folder / "results/mine/images.parquet").column("path").to_pylist()
    assert sorted(found) == sorted(f"images/{name}/{picture}" for name in CLASSES for picture in PICTURES)
    assert not list(tmp_path.rglob("hacked"))
