"""Stages on twice as many images and classes: their memory doubles, beside scores in single precision; it does not grow
fourfold. And the benchmark of growth does what it says, on a few classes."""

import tracemalloc

import numpy as np
import pytest

from benchmarks import growth, growth_classes, growth_methods
from scegg_core.artifacts import finite
from scegg_core.data import blocks
from scegg_core.data.index import check_index
from scegg_core.evaluate.outcomes import outcomes
from scegg_core.evaluate.scores import score
from scegg_core.regions.backbone import FeatureMap
from scegg_core.report.classes import class_rows
from scegg_core.report.figures.tradeoff import trade_offs
from scegg_core.report.runs import VariantRuns


@pytest.fixture
def few(monkeypatch):
    """Few attributes, channels and images, and small blocks."""
    for name, value in {"ATTRIBUTES": 6, "CHANNELS": 4, "MAP": FeatureMap(8, 2, 2), "MAPS": 80}.items():
        monkeypatch.setattr(growth_classes, name, value)
    monkeypatch.setattr(blocks, "NUMBERS", 1 << 12)
    monkeypatch.setattr(finite, "BLOCK", 1 << 12)
    return monkeypatch


def with_images(few, count: int) -> None:
    for name, share in {"TRAINING": 4, "UNSEEN": 3, "SEEN": 1}.items():  # of four
        few.setattr(growth_classes, name, share * count // 4)


def checked(classes: int, folder):
    """The checks of the index."""
    index = growth_classes.made_up_classes(classes)
    return lambda: check_index(index)


def metrics(classes: int, folder):
    """The scores of a run, without their intervals."""
    index = growth_classes.made_up_classes(classes)
    runs = [growth_classes.made_up_predictions(index, task) for task in ("czsl", "gzsl")]
    return lambda: (score(*runs, index), outcomes(*runs, index.seen))


def report(classes: int, folder):
    """The table of classes and the trade-off of two seeds that are in memory already."""
    index = growth_classes.made_up_classes(classes)
    runs = VariantRuns("one", "One", (growth_classes.made_up_predictions(index, "gzsl"),) * 2)
    return lambda: (class_rows(iter([runs]), index, "gzsl"), trade_offs(iter([runs]), index))


#: Stages, and whether their result is a score in single precision of each image and class.
MEASURED = {
    "checked": (checked, False),
    "metrics": (metrics, False),
    "report": (report, False),
    **{name: (growth_classes.STAGES[name][1], False) for name in ("means", "using")},
    **{name: (growth_classes.STAGES[name][1], True) for name in ("embedding", "prototype", "eszsl")},
}


def peak_beside(few, name: str, count: int, folder) -> int:
    """Bytes that a stage needs for `count` classes and as many test images, at most, beside inputs and scores."""
    with_images(few, count)
    prepare, scores = MEASURED[name]
    work = prepare(count, folder)
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] - (4 * count**2 if scores else 0)
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("name", MEASURED)
def test_memory_grows_with_images_and_classes_not_with_their_product(name, few, tmp_path):
    peak_beside(few, name, 40, tmp_path)  # what is loaded once
    small, large = (peak_beside(few, name, count, tmp_path) for count in (400, 800))
    assert large <= 3 * small  # four times as many pairs


@pytest.mark.parametrize("name", sorted(growth.STAGES.keys() - {"scen", "figures"}))  # which take seconds
def test_a_stage_can_be_measured(name, few, tmp_path):
    with_images(few, 400)
    for sizes in ("ATTRIBUTES", "CHANNELS", "TRAINING"):
        few.setattr(growth_methods, sizes, getattr(growth_classes, sizes))
    growth.STAGES[name][1](40, tmp_path)()


def test_made_up_data_are_a_data_set():
    index = growth_classes.made_up_classes(100)
    assert np.bincount(index.labels[index.in_split("trainval")], minlength=100)[index.seen].all()
    assert (~index.seen).sum() == 25


def test_a_curve_measured_anew_takes_its_rows_place_in_the_table(tmp_path):
    first = [growth.Point("scores", 5000, 1.5, 0.5, 0.25), growth.Point("streamed", 4096, 4.5, 0.75)]
    growth.write(first, tmp_path)
    growth.write([growth.Point("scores", 5000, 2.0, 0.5, 0.125)], tmp_path)
    assert growth.read(tmp_path / "growth.csv") == [first[1], growth.Point("scores", 5000, 2.0, 0.5, 0.125)]
    assert (tmp_path / "images" / "growth.png").stat().st_size > 1000
