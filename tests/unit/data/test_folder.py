"""Format folder: known answers, splits, and the example of docs/own_data.md word for word."""

import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from cub_case import write_image

from scegg_core.data.index import index_dataset
from scegg_core.data.validation import class_split
from scegg_core.errors import InputError
from scegg_core.settings.base import parse_section
from scegg_core.settings.datasets import DatasetSettings
from tests.conftest import ROOT

DOCUMENT = ROOT / "docs/own_data.md"
TABLE = "class,four legs,striped\nzebra,1,1\nhorse,0.5,\n"


def make_folder(root: Path, table: str = TABLE, pictures: int = 5, classes=("horse", "zebra")) -> DatasetSettings:
    """Write a folder data set with `pictures` images a class; return its settings, zebra unseen."""
    for name in classes:
        for number in range(pictures):
            write_image(root / "images" / name / f"{number}.png")
    (root / "attributes.csv").write_text(table, encoding="utf-8")
    return DatasetSettings(format="folder", folder=str(root), unseen_classes=("zebra",))


def test_index_of_a_folder(tmp_path):
    index = index_dataset(make_folder(tmp_path))
    assert index.classes == ("horse", "zebra")
    assert index.seen.tolist() == [True, False]
    assert index.percent.tolist() == [[0.5, -1], [1, 1]]
    assert index.attributes == index.words == ("four legs", "striped")
    assert index.paths[:2] == ("images/horse/0.png", "images/horse/1.png")
    assert index.labels.tolist() == [0] * 5 + [1] * 5
    assert [index.split.count(name) for name in ("trainval", "test_seen", "test_unseen")] == [4, 1, 5]


def test_the_draw_depends_on_the_seed_alone(tmp_path):
    settings = make_folder(tmp_path)
    splits = {index_dataset(replace(settings, split_seed=seed)).split for seed in range(8)}
    assert 1 < len(splits) <= 5
    assert index_dataset(settings).split == index_dataset(settings).split


def test_splits_come_from_the_file_where_there_is_one(tmp_path):
    settings = make_folder(tmp_path, pictures=2)
    rows = "horse/0.png,test_seen\nimages/horse/1.png,trainval\nzebra/0.png,test_unseen\nzebra/1.png,test_unseen\n"
    (tmp_path / "splits.csv").write_text("path,split\n" + rows)
    index = index_dataset(replace(settings, unseen_classes=None))
    assert index.split == ("test_seen", "trainval", "test_unseen", "test_unseen")
    assert index.seen.tolist() == [True, False]


@pytest.mark.parametrize(
    ("column", "second"), [("class", "zebra"), ("Label", "zebra"), ("class", "7"), ("other", "zebra")]
)
def test_a_column_of_splits_that_names_classes_names_those_of_the_folders(tmp_path, column, second):
    settings = replace(make_folder(tmp_path, pictures=2), unseen_classes=None)
    rows = [("horse/0.png", "test_seen", "horse"), ("horse/1.png", "trainval", second)]
    rows += [(f"zebra/{number}.png", "test_unseen", "zebra") for number in range(2)]
    text = "\n".join(map(",".join, [("path", "split", column), *rows]))
    (tmp_path / "splits.csv").write_text(text)
    if second == "7" or column == "other":
        assert index_dataset(settings).split == ("test_seen", "trainval", "test_unseen", "test_unseen")
        return
    with pytest.raises(InputError) as refused:
        index_dataset(settings)
    assert str(refused.value) == (
        f"{tmp_path}/splits.csv line 3 calls 'images/horse/1.png' 'zebra' in the column {column.casefold()}, but it lies in the "
        "folder 'horse'; move the image, or correct the cell."
    )


def test_a_share_for_the_test_is_refused_beside_a_file_that_says_it(tmp_path):
    settings = replace(make_folder(tmp_path), test_share=0.5, unseen_classes=None)
    (tmp_path / "splits.csv").write_text("path,split\n")
    with pytest.raises(InputError) as refused:
        index_dataset(settings)
    said = (
        f"{tmp_path}/splits.csv says which images are for the test, but test_share is 0.5 too; leave one of them out."
    )
    assert str(refused.value) == said


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_tables_of_other_programs_are_read(tmp_path, delimiter):
    settings = make_folder(tmp_path, "\ufeff" + TABLE.replace(",", delimiter) + "\n\n")
    assert index_dataset(settings).percent.tolist() == [[0.5, -1], [1, 1]]


def test_names_with_blanks_and_other_letters(tmp_path):
    on_disk = unicodedata.normalize("NFD", "grüner Specht")
    table = "class,grün,x\nzebra,1,1\n" + unicodedata.normalize("NFC", "grüner Specht") + ",2,0\n"
    index = index_dataset(make_folder(tmp_path, table, classes=(on_disk, "zebra")))
    assert index.classes == ("grüner Specht", "zebra")
    assert index.words == ("grün", "x")


def test_files_of_the_system_are_no_pictures(tmp_path):
    settings = make_folder(tmp_path)
    for name in (".DS_Store", "horse/.DS_Store", "horse/Thumbs.db"):
        (tmp_path / "images" / name).write_bytes(b"x")
    assert len(index_dataset(settings).paths) == 10


def test_parts_may_be_given(tmp_path):
    settings = make_folder(tmp_path)
    (tmp_path / "attribute_parts.csv").write_text("attribute,part\n1,leg\n")
    assert index_dataset(settings).parts == ("leg", "")


def block(language: str) -> str:
    return re.search(rf"```{language}\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)[1]


def test_the_documented_example_word_for_word(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert len((block("csv") + block("yaml")).splitlines()) == 10
    for name in ("giraffe", "horse", "zebra"):
        for number in range(5):
            write_image(Path("my_animals/images") / name / f"{number}.jpg")
    Path("my_animals/attributes.csv").write_text(block("csv"))
    (name, section), *others = yaml.safe_load(block("yaml"))["datasets"].items()
    settings = parse_section(DatasetSettings, section, f"datasets.{name}")
    index = index_dataset(settings)
    assert not others
    assert index.classes == ("giraffe", "horse", "zebra")
    assert index.seen.tolist() == [True, True, False]
    assert index.words[2] == "black and white"
    assert np.allclose(index.percent[1], [1, 0, 0.2, 0.3, 0.1])
    assert class_split(index, settings).seen.sum() == 1
