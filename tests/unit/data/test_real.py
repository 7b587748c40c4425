"""The complete real metadata of CUB, SUN and AWA2, with one small image linked to every real path."""

import os
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat

from scegg_core.data.index import check_index, index_dataset
from scegg_core.data.validation import class_split, validation_classes
from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.settings.datasets import DatasetSettings

REAL = os.environ.get("SCEGG_REAL_DATA")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(not REAL, reason="SCEGG_REAL_DATA is not set")]

#: name: (folder that paths are cut at, its place below the data set's folder, names file, file to write it to)
SETS = {
    "CUB": ("CUB_200_2011/CUB_200_2011/", "CUB_200_2011", "CUB_attributes.txt", "attributes.txt"),
    "SUN": ("data/SUN/", "", "SUN_attributes.txt", "attributes.txt"),
    "AWA2": ("Animals_with_Attributes2//", "Animals_with_Attributes2", "AWA2_predicates.txt", "predicates.txt"),
}
#: name: images, attributes, seen and unseen classes, trainval, test seen, test unseen, validation classes
COUNTS = {
    "CUB": (11788, 312, 150, 50, 7057, 1764, 2967, 50),
    "SUN": (14340, 102, 645, 72, 10320, 2580, 1440, 65),
    "AWA2": (37322, 85, 40, 10, 23527, 5882, 7913, 13),
}


def image_files(name: str) -> list[str]:
    cells = loadmat(Path(REAL) / f"xlsa17/data/{name}/res101.mat")["image_files"]
    return [str(cell[0]) for cell in cells.ravel()]


@pytest.fixture(scope="module", params=SETS)
def indexed(request, tmp_path_factory):
    """Return name, settings, index and CPU seconds of indexing of a set whose images are links to one small JPEG."""
    name = request.param
    cut, place, names, target = SETS[name]
    root = tmp_path_factory.mktemp(name)
    Image.effect_noise((160, 120), 80).save(root / "one.jpg")  # more than WHOLE_BYTES in all, as the real sets
    for file in image_files(name):
        path = root / place / file.split(cut)[1]
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
        os.link(root / "one.jpg", path)
    (root / place / target).write_bytes((Path(REAL) / "word_vectors" / names).read_bytes())
    settings = DatasetSettings(
        format=name.lower(),
        folder=str(root),
        splits=str(Path(REAL) / "xlsa17/data" / name),
        attribute_vectors=AttributeVectorSettings(names=name.lower()),
    )
    start = time.process_time()
    index = index_dataset(settings)
    return name, settings, index, time.process_time() - start


def test_counts(indexed):
    name, _, index, _ = indexed
    images, attributes, seen, unseen, *splits, _ = COUNTS[name]
    assert (len(index.paths), len(index.attributes)) == (images, attributes)
    assert (index.seen.sum(), (~index.seen).sum()) == (seen, unseen)
    assert [len(index.in_split(split)) for split in ("trainval", "test_seen", "test_unseen")] == splits


def test_classes_are_in_the_order_of_the_matrix(indexed):
    name, settings, index, _ = indexed
    mat = loadmat(Path(settings.splits) / "att_splits.mat")
    assert list(index.classes) == [str(cell[0]) for cell in mat["allclasses_names"].ravel()]
    assert index.classes[0] == {"CUB": "002.Laysan_Albatross", "SUN": "abbey", "AWA2": "antelope"}[name]
    assert set(np.array(index.classes)[~index.seen]) == set(
        (Path(settings.splits) / "testclasses.txt").read_text().split()
    )


def test_unseen_classes_are_never_trained_on(indexed):
    _, _, index, _ = indexed
    assert index.seen[index.labels[index.in_split("trainval")]].all()
    assert not index.seen[index.labels[index.in_split("test_unseen")]].any()


def test_labels_are_the_classes_of_the_folders(indexed):
    name, _, index, _ = indexed
    folders = ["_".join(path.split("/")[2:-1] if name == "SUN" else path.split("/")[-2:-1]) for path in index.paths]
    agree = [folder == index.classes[label] for folder, label in zip(folders, index.labels, strict=True)]
    assert np.mean(agree) == 1


def test_paths_keep_all_steps_and_no_foreign_ones(indexed):
    name, _, index, _ = indexed
    first = {
        "CUB": "CUB_200_2011/images/001.Black_footed_Albatross/Black_Footed_Albatross_0001_796111.jpg",
        "SUN": "images/a/abbey/sun_aakbdcgfpksytcwj.jpg",
        "AWA2": "Animals_with_Attributes2/JPEGImages/antelope/antelope_10001.jpg",
    }
    assert index.paths[0] == first[name]
    assert not any("//" in path or path.startswith("/") for path in index.paths)
    assert {path.count("/") for path in index.paths} == {"CUB": {3}, "SUN": {3, 4}, "AWA2": {3}}[name]


def test_class_vectors_are_those_of_the_benchmark(indexed):
    name, settings, index, _ = indexed
    published = loadmat(Path(settings.splits) / "att_splits.mat")["att"].T
    # where AWA2 holds -1 for "missing", the benchmark's own vectors do not take it for 0
    whole = (index.percent >= 0).all(axis=1)
    assert (~whole).sum() == {"CUB": 0, "SUN": 0}.get(name, (~whole).sum())
    assert (index.percent < 0).sum() == (4 if name == "AWA2" else 0)
    assert np.abs(index.vectors[whole] - published[whole]).max() < 1e-6


@pytest.mark.parametrize("number", [1, 2, 3])
def test_validation_splits(indexed, number):
    name, settings, index, _ = indexed
    settings = DatasetSettings(
        format=settings.format, folder=settings.folder, splits=settings.splits, validation_list=number
    )
    split = class_split(index, settings)
    check_index(split)
    assert len(validation_classes(index, settings)) == (~split.seen).sum() == COUNTS[name][-1]
    assert len(split.paths) == COUNTS[name][4]
    assert {index.split[row] for row in split.rows} == {"trainval"}


def test_indexing_is_quick(indexed):
    assert indexed[-1] < 30  # seconds of processor time; what people wait for on 2 cores is less


def test_cub100_as_it_lies():
    root = Path(REAL) / "cub100"
    settings = DatasetSettings(
        format="cub",
        folder=str(root),
        splits=str(root / "xlsa17/data/CUB100"),
        attribute_vectors=AttributeVectorSettings(names="cub"),
    )
    index = index_dataset(settings)
    assert [len(index.in_split(split)) for split in ("trainval", "test_seen", "test_unseen")] == [3432, 860, 1610]
    assert (index.seen.sum(), len(index.classes)) == (73, 100)
