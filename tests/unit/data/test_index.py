"""The index of small data sets in CUB's layout: known answers, round trips, policies. Other tests build on them too."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, replace

import numpy as np
import pytest
from cub_case import (
    ATTRIBUTES,
    CLASSES,
    PERCENT,
    att_splits,
    make_cub,
)
from PIL import Image

from scegg_core.artifacts.files import Provenance
from scegg_core.artifacts.paths import IndexFiles
from scegg_core.data.formats import LOADERS
from scegg_core.data.index import check_index, class_vectors, find_bad_images, index_dataset, read_index, write_index
from scegg_core.data.tables import NO_LABEL
from scegg_core.errors import InputError
from scegg_core.settings.datasets import FORMATS, DatasetSettings, ImagePolicy


def test_registry_and_files_name_the_same_formats():
    assert tuple(LOADERS) == FORMATS
    for name, load in LOADERS.items():
        assert load.__module__ == f"scegg_core.data.formats.{name.replace('-', '_')}"


def test_index_of_a_small_data_set(tmp_path):
    index = index_dataset(make_cub(tmp_path))
    assert index.classes == CLASSES
    assert index.seen.tolist() == [True, True, True, False]
    assert index.attributes == ATTRIBUTES
    assert index.words == ("bill shape hooked", "wing color blue", "size small")
    assert index.parts == ("beak", "wing", "")
    assert index.paths[0] == "CUB_200_2011/images/001.Crow/x_0.jpg"
    assert index.labels.tolist() == [2] * 4 + [0] * 4 + [3] * 4 + [1] * 4
    assert index.labels.dtype == np.int32
    assert index.split[:4] == ("trainval",) * 3 + ("test_seen",)
    assert index.in_split("test_unseen").tolist() == [8, 9, 10, 11]
    assert index.rows.tolist() == list(range(16))
    assert index.percent[3].tolist() == [-1, 30, 40]


def test_class_vectors_are_of_length_one_and_missing_values_count_as_zero():
    expected = [[0, 0.8, 0.6], [10 / 1700**0.5, 0, 40 / 1700**0.5], [1, 0, 0], [0, 0.6, 0.8]]
    assert np.allclose(class_vectors(PERCENT), expected, atol=1e-7)
    assert class_vectors(PERCENT).dtype == np.float32


def test_class_vectors_can_stay_as_the_source_gives_them(tmp_path):
    index = index_dataset(replace(make_cub(tmp_path / "data"), class_norm="none"))
    assert index.vectors.tolist() == np.maximum(PERCENT, 0).tolist()
    files = IndexFiles.in_folder(tmp_path)
    write_index(index, files, Provenance("index_dataset"))
    assert np.array_equal(read_index(files).vectors, index.vectors)


def test_written_tables_are_read_back_and_name_nothing_of_the_host(tmp_path):
    index = replace(index_dataset(make_cub(tmp_path / "data")), skipped=(("a.jpg", "is empty"),))
    files = IndexFiles.in_folder(tmp_path)
    write_index(index, files, Provenance("index_dataset"))
    read = read_index(files)
    for name in index.__dataclass_fields__:
        assert np.array_equal(getattr(read, name), getattr(index, name)), name
    assert not any(str(tmp_path).encode() in path.read_bytes() for path in astuple(files))


def test_labels_of_test_images_lie_in_a_table_of_their_own(tmp_path):
    index = index_dataset(make_cub(tmp_path / "data"))
    other = replace(index, labels=index.labels.copy())
    other.labels[index.in_split("test_unseen")] = index.labels[index.in_split("test_unseen")][::-1]
    other.labels[3] = 1
    written = {}
    for folder, one in (("a", index), ("b", other)):
        files = IndexFiles.in_folder(tmp_path / folder)
        write_index(one, files, Provenance("index_dataset"))
        written[folder] = [path.read_bytes() for path in astuple(files)]
        test = one.test_images
        without = read_index(replace(files, test_labels=None))
        assert (without.labels[test] == NO_LABEL).all()
        training = one.in_split("trainval")
        assert np.array_equal(without.labels[training], one.labels[training])
    assert written["a"][:3] == written["b"][:3]
    assert written["a"][3] != written["b"][3]


def test_other_sets_in_the_layout_need_only_the_root_of_their_paths(tmp_path):
    make_cub(tmp_path)
    settings = DatasetSettings(
        format="xlsa17",
        folder=str(tmp_path / "CUB_200_2011"),
        splits=str(tmp_path / "xlsa17"),
        image_root="CUB_200_2011",
        attributes=str(tmp_path / "attributes.txt"),
    )
    index = index_dataset(settings)
    assert index.paths[0] == "images/001.Crow/x_0.jpg"
    assert index.parts == ("", "", "")


def test_attributes_without_original_att_are_read_from_att(tmp_path):
    splits = att_splits()
    del splits["original_att"]
    index = index_dataset(make_cub(tmp_path, splits))
    assert np.allclose(index.percent, np.maximum(PERCENT, 0) / 100)


def test_parts_come_from_the_file_where_there_is_one(tmp_path):
    settings = make_cub(tmp_path)
    (tmp_path / "attribute_parts.csv").write_text("attribute,name,part\n3,,tail\n1,has_bill_shape::hooked,bill\n")
    assert index_dataset(settings).parts == ("bill", "", "tail")
    (tmp_path / "attribute_parts.csv").write_text("attribute_id,part\n2,wing\n")
    assert index_dataset(settings).parts == ("", "wing", "")


def test_progress_ends_with_all_images(tmp_path):
    seen = []
    index_dataset(make_cub(tmp_path), lambda done, total: seen.append((done, total)))
    assert seen == [(16, 16)]


def test_skipping_drops_bad_images_and_records_them(tmp_path):
    settings = make_cub(tmp_path)
    images = tmp_path / "CUB_200_2011/images"
    (images / "001.Crow/x_1.jpg").write_bytes(b"")
    (images / "003.Swift/x_3.jpg").unlink()
    index = index_dataset(replace(settings, images=ImagePolicy(on_bad_image="skip", max_skipped_share=0.2)))
    assert len(index.paths) == 14
    assert index.rows.tolist() == list(range(14))
    assert index.labels.tolist() == [2] * 3 + [0] * 4 + [3] * 3 + [1] * 4
    assert index.skipped == (
        ("CUB_200_2011/images/001.Crow/x_1.jpg", "is empty (0 bytes)"),
        ("CUB_200_2011/images/003.Swift/x_3.jpg", "is missing"),
    )


@pytest.mark.parametrize(("limit", "found"), [(10**6, True), (100, False)])
def test_small_sets_are_decoded_by_the_check(tmp_path, monkeypatch, limit, found):
    index = LOADERS["cub"](make_cub(tmp_path))
    path = tmp_path / index.paths[2]
    Image.effect_noise((80, 60), 60).save(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + b"\xff\xd9")
    monkeypatch.setattr("scegg_core.data.index.WHOLE_BYTES", limit)
    expected = {2: "is damaged (its coded data end before its last pixel)"} if found else {}
    assert find_bad_images(index, tmp_path) == expected


@pytest.mark.parametrize("limit", [10**6, 100], ids=["decoded", "headers"])
def test_images_are_looked_at_by_the_threads_of_the_given_cores_alone(tmp_path, monkeypatch, limit):
    asked, pool = [], ThreadPoolExecutor
    monkeypatch.setattr(
        "scegg_core.data.index.ThreadPoolExecutor", lambda workers: asked.append(workers) or pool(workers)
    )
    monkeypatch.setattr("scegg_core.data.index.WHOLE_BYTES", limit)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    index = LOADERS["cub"](make_cub(tmp_path))
    (tmp_path / index.paths[5]).write_bytes(b"")
    found = [find_bad_images(index, tmp_path, cores=cores) for cores in (1, 2, 100, None)]
    assert asked == [1, 2, 8, 8]
    assert found == [{5: "is empty (0 bytes)"}] * 4


def test_stopping_lists_the_bad_images_and_counts_the_rest(tmp_path, monkeypatch):
    monkeypatch.setattr("scegg_core.data.index.SHOWN", 2)
    settings = make_cub(tmp_path)
    for number in range(3):
        (tmp_path / f"CUB_200_2011/images/001.Crow/x_{number}.jpg").write_bytes(b"")
    with pytest.raises(InputError) as error:
        index_dataset(settings)
    assert str(error.value) == (
        "3 of 16 images cannot be used: CUB_200_2011/images/001.Crow/x_0.jpg is empty (0 bytes), "
        "CUB_200_2011/images/001.Crow/x_1.jpg is empty (0 bytes), and 1 more; "
        "replace them, or set images.on_bad_image to skip."
    )


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"classes": ("a", "b", "a", "c")}, "class 'a' occurs twice; names must differ."),
        ({"classes": ("a", "", "b", "c")}, "one class has an empty name; name it."),
        (
            {"classes": CLASSES[:3]},
            "the attribute matrix describes 4 classes, but 3 are named; every class needs one row.",
        ),
        (
            {"seen": np.array([True] * 4)},
            "none of the 4 classes is unseen; zero-shot learning needs seen and unseen classes.",
        ),
        (
            {"attributes": ATTRIBUTES[:2]},
            "2 attributes are named, but the attribute matrix has 3 columns; every attribute needs one.",
        ),
        (
            {"percent": np.full((4, 3), np.nan)},
            "attribute has_bill_shape::hooked of class 002.Blue_Tit is nan; "
            "give a strength from 0 upwards, or -1 where it is not known; class vectors of any sign belong into class_vectors.",
        ),
        (
            {"percent": PERCENT - 0.5},
            "attribute has_bill_shape::hooked of class 002.Blue_Tit is -0.5; "
            "give a strength from 0 upwards, or -1 where it is not known; class vectors of any sign belong into class_vectors.",
        ),
        (
            {"percent": -np.ones((4, 3))},
            "class 002.Blue_Tit has no attribute above zero, so nothing describes it; give it at least one.",
        ),
        (
            {"labels": np.full(16, 7)},
            "image CUB_200_2011/images/001.Crow/x_0.jpg has label 7, but there are 4 classes; correct its label.",
        ),
        (
            {"split": ("training",) * 16},
            "image CUB_200_2011/images/001.Crow/x_0.jpg has split 'training'; "
            "splits are trainval, test_seen, test_unseen.",
        ),
        (
            {"split": ("trainval",) * 16},
            "unseen class 003.Swift has 4 training images; an unseen class must have none.",
        ),
        (
            {"split": ("test_seen",) * 16},
            "unseen class 003.Swift has 4 images in test_seen; its images belong into test_unseen.",
        ),
        (
            {"split": ("test_unseen",) * 16},
            "seen class 002.Blue_Tit has 4 images in test_unseen; its images belong into trainval or test_seen.",
        ),
        (
            {"split": tuple("test_unseen" if 8 <= row < 12 else "trainval" for row in range(16))},
            "no image is in test_seen, so accuracy on seen classes (S) and H cannot be measured; "
            "put some images of seen classes there.",
        ),
        (
            {"percent": np.array([[1, 2, 0], [2, 4, 0.001], [0.1, 0.2, -1], [1, 0, 0]])},
            "classes 002.Blue_Tit and 001.Crow have equal or proportional attributes, so nothing can tell them apart; "
            "change a value of one, or add an attribute in which they differ.",
        ),
        ({"paths": (), "split": ()}, "the data set has no images; put them into its folder."),
        ({"split": ("trainval",) * 15}, "16 images have 16 labels and 15 splits; every image needs one of each."),
    ],
)
def test_an_index_that_does_not_fit_together_is_refused(tmp_path, change, sentence):
    index = index_dataset(make_cub(tmp_path))
    with pytest.raises(InputError) as error:
        check_index(replace(index, **change))
    assert str(error.value) == sentence


def test_classes_without_images_are_refused(tmp_path):
    index = index_dataset(make_cub(tmp_path))
    no_training = tuple(
        "test_seen" if label == 0 else name for label, name in zip(index.labels, index.split, strict=True)
    )
    with pytest.raises(InputError, match=r"^seen class 002\.Blue_Tit has no training image; give it one or remove"):
        check_index(replace(index, split=no_training))
