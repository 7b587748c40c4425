"""The benchmarks of scale: what they measure is what they say, on sets of a few images."""

import re
from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks import storage, stream
from scegg_core.regions.backbone import FeatureMap
from scegg_core.settings.scen import ScenSettings
from tests.conftest import ROOT

SMALL = FeatureMap(4, 2, 3)


def test_a_repeated_shard_is_a_set_of_distinct_images(tmp_path):
    stream.write_regions(tmp_path / "shard.parquet", 10, SMALL)
    store = stream.repeated_store(tmp_path / "shard.parquet", 30)
    assert np.concatenate([group.images for group in store.groups]).tolist() == list(range(30))
    np.testing.assert_array_equal(store.read(store.groups[0]), store.read(store.groups[-1]))


def test_training_over_a_repeated_shard_takes_every_image_once(tmp_path, monkeypatch):
    stream.write_regions(tmp_path / "shard.parquet", 10, SMALL)
    seen = []
    read = stream.RegionStore.read
    monkeypatch.setattr(
        stream.RegionStore, "read", lambda store, group: seen.extend(group.images) or read(store, group)
    )
    settings = ScenSettings(memory_budget=1e-6, stage1_epochs=1, stage2_epochs=0, batch_size=8)
    taken = stream.train_over(stream.Size(30, classes=3, attributes=5, map=SMALL), tmp_path / "shard.parquet", settings)
    assert sorted(seen) == sorted([*range(30)] * 2)  # to be trained on, and to see which way g points
    assert taken.processor > 0
    assert 0.05 < taken.peak < 64


@pytest.mark.parametrize("layout", storage.LAYOUTS)
def test_every_layout_gives_back_what_was_written(layout):
    build, values = storage.LAYOUTS[layout]
    rows = np.random.default_rng(0).standard_normal((3, 6, 4)).astype(np.float16)
    np.testing.assert_array_equal(np.asarray(values(build(rows))).view(np.float16), rows.ravel())


def test_a_candidate_notes_size_and_speeds(tmp_path):
    candidate = storage.Candidate("fixed-size binary", "none", 1)
    rows = storage.relu_like(2, regions=49, channels=2048)
    assert 0.45 < (rows == 0).mean() < 0.55
    candidate.measure(rows, tmp_path / "shard.parquet")
    assert rows.nbytes < candidate.size < 1.01 * rows.nbytes
    assert len(candidate.write) == len(candidate.read) == 1


def test_pages_start_benchmarks_as_modules():
    """As files they would not find each other: `benchmarks` is not installed."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "benchmarks").glob("*.py")]
    assert not [str(page) for page in pages if "python benchmarks/" in page.read_text(encoding="utf-8")]
    named = {name for page in pages for name in re.findall(r"python -m benchmarks\.(\w+)", page.read_text("utf-8"))}
    assert {"ready", "stream", "growth"} <= named
    assert all(find_spec(f"benchmarks.{name}") for name in named)
