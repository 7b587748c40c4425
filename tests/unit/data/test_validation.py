"""The validation split: made of training images alone, with known sizes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from cub_case import CLASSES, make_cub

from scegg_core.data.index import check_index, index_dataset
from scegg_core.data.tables import take_images
from scegg_core.data.validation import class_split, hold_out
from scegg_core.errors import InputError


@pytest.fixture
def settings(tmp_path):
    settings = make_cub(tmp_path)
    (Path(settings.splits) / "valclasses1.txt").write_text("004.Robin\n")
    return settings


def test_split_by_list(settings):
    index = index_dataset(settings)
    split = class_split(index, replace(settings, validation_share=0.4))
    check_index(split)
    assert split.classes == CLASSES[:3]
    assert split.seen.tolist() == [True, False, True]
    assert np.array_equal(split.percent, index.percent[:3])
    assert len(split.in_split("test_unseen")) == 3
    assert len(split.in_split("test_seen")) == 2
    assert len(split.in_split("trainval")) == 4


def test_no_test_image_and_no_unseen_class_takes_part(settings):
    index = index_dataset(settings)
    split = class_split(index, settings)
    assert {index.split[row] for row in split.rows} == {"trainval"}
    assert [index.paths[row] for row in split.rows] == list(split.paths)
    assert "003.Swift" not in split.classes
    names = [index.classes[index.labels[row]] for row in split.rows]
    assert names == [split.classes[label] for label in split.labels]


def test_same_seed_same_split_and_another_seed_another(settings):
    index = index_dataset(settings)
    drawn = {class_split(index, replace(settings, split_seed=seed)).split for seed in range(8)}
    assert class_split(index, settings).split == class_split(index, settings).split
    assert len(drawn) > 1


def test_without_lists_classes_are_drawn(settings):
    index = index_dataset(settings)
    (Path(settings.splits) / "valclasses1.txt").unlink()
    splits = [class_split(index, replace(settings, split_seed=seed)) for seed in range(8)]
    assert all((~split.seen).sum() == 1 for split in splits)
    assert len({tuple(split.seen.tolist()) for split in splits}) > 1


@pytest.mark.parametrize(("count", "share", "held_out"), [(10, 0.2, 2), (2, 0.2, 1), (1, 0.5, 0), (3, 0.9, 2)])
def test_a_share_is_held_out_and_one_always_stays(count, share, held_out):
    assert hold_out(count, share, np.random.default_rng(0)).sum() == held_out


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ("003.Swift", "lists '003.Swift', which is an unseen class; validation classes have to be seen classes."),
        ("005.Owl", "lists '005.Owl', which is no class of this data set; validation classes have to be seen classes."),
        ("", "lists 0 of 3 seen classes; some, but not all, have to be validation classes."),
    ],
)
def test_lists_that_do_not_fit_are_refused(settings, names, sentence):
    file = Path(settings.splits) / "valclasses1.txt"
    file.write_text(names)
    with pytest.raises(InputError) as error:
        class_split(index_dataset(settings), settings)
    assert str(error.value) == f"{file} {sentence}"


def test_validation_without_an_image_to_hold_out_is_refused(settings):
    index = index_dataset(settings)
    kept = [index.labels.tolist().index(label) for label in (0, 1, 2)]
    few = take_images(
        index, np.array([image not in index.in_split("trainval") or image in kept for image in range(16)])
    )
    with pytest.raises(InputError, match=r"^no class that stays seen in the validation split has 2 training images"):
        class_split(few, settings)
