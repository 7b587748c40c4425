"""Splits that people have: a table of named or numbered images, xlsa17's class lists, train_loc and val_loc."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import ready_case
from cub_case import CLASSES, att_splits, image_names, make_cub, write_image

from scegg_core.data.index import load_index
from scegg_core.data.validation import class_split, validation_classes
from scegg_core.errors import InputError
from scegg_core.settings.base import parse_section
from scegg_core.settings.datasets import DatasetSettings

#: Another split than that of att_splits.mat: 002.Blue_Tit is unseen, the first image of each other class is for test.
SPLIT = [
    "test_unseen" if name.startswith("002") else "test_seen" if name.endswith("_0.jpg") else "trainval"
    for name in image_names()
]
TABLES = {
    "by number and by name": [
        ("path,image", "split"),
        *((f"{name},{n}", kind) for n, (name, kind) in enumerate(zip(image_names(), SPLIT, strict=True), start=1)),
    ],
    "by number": [("image,split", ""), *((number, kind) for number, kind in enumerate(SPLIT, start=1))],
    "by name": [("path,split", ""), *zip(image_names(), SPLIT, strict=True)],
    "by name, in another order": [("path,split", ""), *sorted(zip(image_names(), SPLIT, strict=True), reverse=True)],
    "by the path below the data set's folder": [
        ("path,split", ""),
        *((f"CUB_200_2011/images/{name}", kind) for name, kind in zip(image_names(), SPLIT, strict=True)),
    ],
}


def text(rows) -> str:
    return "".join(f"{first},{second}\n" if second else f"{first}\n" for first, second in rows)


def with_table(tmp_path, content: str) -> DatasetSettings:
    settings = make_cub(tmp_path / "data")
    (tmp_path / "mine.csv").write_text(content)
    return replace(settings, split_table=str(tmp_path / "mine.csv"))


@pytest.mark.parametrize("kind", TABLES)
def test_a_table_stands_in_the_place_of_the_splits(tmp_path, kind):
    index = load_index(with_table(tmp_path, text(TABLES[kind])))
    assert index.split == tuple(SPLIT)
    assert index.seen.tolist() == [False, True, True, True]
    assert index.classes == CLASSES


@pytest.mark.parametrize("kind", ["xlsa17", "dazle"])
@pytest.mark.parametrize("column", ["image", "path"])
def test_a_table_splits_ready_features_by_number_and_by_name(tmp_path, kind, column):
    """Another split than that of the files: class 0 is unseen, and class 3 is seen."""
    split = ["test_unseen"] * 3 + ["trainval", "trainval", "test_seen"] * 3
    write = {"xlsa17": ready_case.write_xlsa17, "dazle": ready_case.write_dazle}[kind]
    settings = ready_case.settings_of(write(tmp_path), kind, split_table=str(tmp_path / "mine.csv"))
    plain = load_index(replace(settings, split_table=None))
    names = plain.paths if column == "path" else range(1, 13)
    (tmp_path / "mine.csv").write_text(text([(f"{column},split", ""), *zip(names, split, strict=True)]))
    index = load_index(settings)
    assert index.split == tuple(split) and index.seen.tolist() == [False, True, True, True]


def test_a_table_of_a_folder_of_pictures_may_lie_elsewhere(tmp_path):
    for name in ("horse/a", "horse/b", "zebra/a"):
        write_image(tmp_path / "data/images" / f"{name}.png", color=(len(name), 90, 9))
    (tmp_path / "data/attributes.csv").write_text("class,striped,tall\nhorse,0,1\nzebra,1,1\n")
    (tmp_path / "data/splits.csv").write_text("not read\n")
    (tmp_path / "mine.csv").write_text(
        "path,split\nhorse/a.png,trainval\nhorse/b.png,test_seen\nzebra/a.png,test_unseen\n"
    )
    settings = DatasetSettings(format="folder", folder=str(tmp_path / "data"), split_table=str(tmp_path / "mine.csv"))
    assert load_index(settings).split == ("trainval", "test_seen", "test_unseen")


def numbered(first: object) -> str:
    return text([("image,split", ""), (first, SPLIT[0]), *((n, SPLIT[n - 1]) for n in range(2, 17))])


BAD_TABLES = {
    "from 0 on": (
        text([("image,split", ""), *enumerate(SPLIT)]),
        "lists image 0, but the first image of res101.mat is number 1; add 1 to all.",
    ),
    "beyond the last": (
        numbered(17),
        "lists image '17', but res101.mat has the images 1 to 16; correct the number.",
    ),
    "no number": (numbered("one"), "lists image 'one', but res101.mat has the images 1 to 16; correct the number."),
    "twice": (numbered(2), "lists '2' twice; keep one row."),
    "an unknown name": (
        text([("path,split", ""), ("001.Crow/y.jpg", "trainval")]),
        "lists '001.Crow/y.jpg', but there is no such image; correct the path (it starts at CUB_200_2011/images/).",
    ),
    "one left out": (
        text([("image,split", ""), *((n, SPLIT[n - 1]) for n in range(2, 17))]),
        "does not list CUB_200_2011/images/001.Crow/x_0.jpg (1 images are not listed); give every image a split.",
    ),
    "another split": (
        text([("image,split", ""), (1, "train")]),
        "gives '1' the split 'train'; splits are trainval, test_seen, test_unseen.",
    ),
    "a number beside the path of another image": (
        "image,path,split\n"
        + text(
            [(f"{n},{name}", kind) for n, (name, kind) in enumerate(zip(image_names(), SPLIT, strict=True), start=1)]
        ).replace("2,001.Crow/x_1.jpg", "3,001.Crow/x_1.jpg"),
        "line 3 names '001.Crow/x_1.jpg' in the column path, but in the column image 3, which is another one (it is number "
        "2); correct one, or leave out a column.",
    ),
    "no column": (
        "picture,split\n1,trainval\n",
        "has the header 'picture,split', but it needs the columns path and split.",
    ),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_bad_tables_are_one_sentence(tmp_path, case):
    content, sentence = BAD_TABLES[case]
    with pytest.raises(InputError) as error:
        load_index(with_table(tmp_path, content))
    assert str(error.value) == f"{tmp_path}/mine.csv {sentence}"


def test_a_table_that_is_missing_or_has_numbers_for_a_folder_is_refused(tmp_path):
    settings = replace(make_cub(tmp_path / "data"), split_table=str(tmp_path / "mine.csv"))
    with pytest.raises(
        InputError, match=r"mine\.csv cannot be read \(No such file or directory\); put the file there\.$"
    ):
        load_index(settings)
    for name in ("horse/a", "zebra/a"):
        write_image(tmp_path / "own/images" / f"{name}.png")
    (tmp_path / "own/attributes.csv").write_text("class,striped,tall\nhorse,0,1\nzebra,1,1\n")
    (tmp_path / "own/splits.csv").write_text("image,split\n1,trainval\n2,test_unseen\n")
    with pytest.raises(
        InputError,
        match=r"numbers its images, but pictures in folders have no order; name them in a column path alone\.$",
    ):
        load_index(DatasetSettings(format="folder", folder=str(tmp_path / "own")))


def played(tmp_path, choice, lists: dict[str, str] | None = None, locations: dict | None = None) -> list[str]:
    """The classes that the validation split plays as unseen."""
    settings = make_cub(tmp_path / "data", splits=att_splits() | (locations or {}))
    for name, content in (lists or {}).items():
        (Path(settings.splits) / name).write_text(content)
    index = load_index(settings)
    split = class_split(index, replace(settings, validation_list=choice))
    assert {index.split[row] for row in split.rows} == {"trainval"}
    return [name for name, seen in zip(split.classes, split.seen, strict=True) if not seen]


def column(*numbers: int) -> np.ndarray:
    return np.array([numbers], dtype=np.uint16).T


#: Images of 001.Crow are 1 to 4, of 002.Blue_Tit 5 to 8, of 003.Swift (unseen) 9 to 12, of 004.Robin 13 to 16.
LOCATED = {"train_loc": column(1, 2, 3, 5, 6, 7), "val_loc": column(13, 14, 15, 16)}  # 16 is a test image


def test_each_way_of_choosing_validation_classes(tmp_path):
    lists = {"valclasses2.txt": "001.Crow\n", "trainclasses2.txt": "002.Blue_Tit\n004.Robin\n"}
    assert played(tmp_path / "a", 2, lists) == ["001.Crow"]
    assert played(tmp_path / "b", 2, {"trainclasses2.txt": "002.Blue_Tit\n004.Robin\n"}) == ["001.Crow"]
    assert played(tmp_path / "c", "att_splits", lists, LOCATED) == ["004.Robin"]
    assert played(tmp_path / "d", "drawn", {"valclasses1.txt": "no class\n"}) == played(tmp_path / "e", 3)


def test_lists_may_lie_in_the_folder_of_ones_own_pictures(tmp_path):
    for name in ("ass/a", "ass/b", "horse/a", "horse/b", "zebra/a"):
        write_image(tmp_path / "images" / f"{name}.png", color=(len(name), 90, 9))
    (tmp_path / "attributes.csv").write_text("class,striped,tall\nass,0,0.5\nhorse,0.1,1\nzebra,1,1\n")
    (tmp_path / "valclasses1.txt").write_text("horse\n")
    settings = DatasetSettings(format="folder", folder=str(tmp_path), unseen_classes=("zebra",))
    assert validation_classes(load_index(settings), settings) == {"horse"}


LISTS = "{splits}/trainclasses1.txt and valclasses1.txt"
BOTH = "train_loc and val_loc of {splits}/att_splits.mat"
DRAW = "or set validation_list: drawn."
BAD_CHOICES = {
    "a class in both lists": (
        1,
        {"trainclasses1.txt": "001.Crow\n004.Robin\n", "valclasses1.txt": "001.Crow\n002.Blue_Tit\n"},
        {},
        f"{LISTS} both have class 001.Crow; validation classes are played as unseen, so take it out of one, {DRAW}",
    ),
    "a class in neither list": (
        1,
        {"trainclasses1.txt": "001.Crow\n", "valclasses1.txt": "002.Blue_Tit\n"},
        {},
        f"{LISTS} leave out the seen class 004.Robin; put it into one, {DRAW}",
    ),
    "an unseen class in trainclasses": (
        1,
        {"trainclasses1.txt": "003.Swift\n"},
        {},
        "{splits}/trainclasses1.txt lists '003.Swift', which is an unseen class; validation classes have to be seen classes.",
    ),
    "no locations": (
        "att_splits",
        {},
        {},
        f"{{splits}}/att_splits.mat has no val_loc; set validation_list to 1, 2 or 3 for the class lists, {DRAW}",
    ),
    "a location from 0 on": (
        "att_splits",
        {},
        LOCATED | {"train_loc": column(0, 1, 5)},
        f"{{splits}}/att_splits.mat holds in train_loc what is no image number from 1 to 16; use files of one set, {DRAW}",
    ),
    "a location beyond": (
        "att_splits",
        {},
        LOCATED | {"val_loc": column(17)},
        f"{{splits}}/att_splits.mat holds in val_loc what is no image number from 1 to 16; use files of one set, {DRAW}",
    ),
    "a location that is no number": (
        "att_splits",
        {},
        LOCATED | {"val_loc": np.array([[np.nan, 13.5]])},
        f"{{splits}}/att_splits.mat holds in val_loc what is no image number from 1 to 16; use files of one set, {DRAW}",
    ),
    "an unseen class in val_loc": (
        "att_splits",
        {},
        LOCATED | {"val_loc": column(9, 13)},
        "{splits}/att_splits.mat has images of the unseen class 003.Swift in val_loc; validation classes have to be seen "
        f"classes: use files of one set, {DRAW}",
    ),
    "a class in both locations": (
        "att_splits",
        {},
        LOCATED | {"val_loc": column(4, 13)},
        f"{BOTH} both have class 001.Crow; validation classes are played as unseen, so take it out of one, {DRAW}",
    ),
    "a class in no location": (
        "att_splits",
        {},
        LOCATED | {"val_loc": column(5), "train_loc": column(1)},
        f"{BOTH} leave out the seen class 004.Robin; put it into one, {DRAW}",
    ),
    "no class to play": (
        "att_splits",
        {},
        {"train_loc": column(1, 5, 13), "val_loc": np.zeros((0, 1))},
        f"{BOTH} have to have classes both; fill them, {DRAW}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD_CHOICES)
def test_bad_validation_classes_are_one_sentence(tmp_path, case):
    choice, lists, locations, sentence = BAD_CHOICES[case]
    with pytest.raises(InputError) as error:
        played(tmp_path, choice, lists, locations)
    assert str(error.value) == sentence.replace("{splits}", f"{tmp_path}/data/xlsa17")


def test_a_folder_has_no_locations():
    with pytest.raises(InputError) as error:
        parse_section(
            DatasetSettings, {"format": "folder", "folder": "x", "validation_list": "att_splits"}, "datasets.x"
        )
    assert "format folder reads no att_splits.mat, so validation_list cannot name it" in str(error.value)


@pytest.mark.parametrize("kind", ["xlsa17", "7.3", "dazle"])
def test_the_locations_choose_the_classes_of_ready_features_too(tmp_path, kind):
    located = {"train_loc": column(1, 2, 4, 5, 6), "val_loc": column(7, 8, 9)}  # 6 and 9 are test images
    path = ready_case.write_xlsa17(tmp_path, {"image_files": None}, located)
    if kind == "7.3":
        ready_case.write_73(path, {name: value for name, value in ready_case.res101().items() if name != "image_files"})
    given = {"validation_list": "att_splits"}
    if kind == "dazle":
        path, given = ready_case.write_dazle(tmp_path / "maps"), given | {"splits": str(tmp_path)}
    settings = ready_case.settings_of(path, "dazle" if kind == "dazle" else "xlsa17", **given)
    assert validation_classes(load_index(settings), settings) == {"class 2"}


def test_locations_of_an_old_copy_bring_no_test_image_into_validation(tmp_path):
    """In old copies the union of train_loc and val_loc is trainval and test_seen together."""
    everything = {"train_loc": column(*range(1, 9)), "val_loc": column(*range(13, 17))}
    assert played(tmp_path, "att_splits", locations=everything) == ["004.Robin"]


@pytest.mark.parametrize(("there", "asked"), [("valclasses1", 2), ("trainclasses2", 1)])
def test_a_list_of_another_number_is_not_passed_over(tmp_path, there, asked):
    settings = ready_case.settings_of(ready_case.write_xlsa17(tmp_path), "xlsa17", validation_list=asked)
    (tmp_path / f"{there}.txt").write_text("class 0\n")
    with pytest.raises(InputError) as error:
        class_split(load_index(settings), settings)
    assert str(error.value) == (
        f"{tmp_path} has no trainclasses{asked}.txt and no valclasses{asked}.txt, but those of number {there[-1]}; "
        "set validation_list to one that is there, or set validation_list: drawn."
    )


def names_of(*names: str) -> dict:
    return {"allclasses_names": np.array([[name] for name in names], dtype=object)}


def test_unseen_classes_are_listed_in_any_unicode_form(tmp_path):
    file = ready_case.write_xlsa17(tmp_path, splits=names_of("a", "b", "c", "\u00e9"))
    (tmp_path / "testclasses.txt").write_text("e\u0301\n")
    assert load_index(ready_case.settings_of(file, "xlsa17")).seen.tolist() == [True, True, True, False]


@pytest.mark.parametrize("names", [("\u00e9", "e\u0301"), ("A", "a"), ("a b", "a  b")])
def test_two_classes_of_one_name_to_the_reader_are_refused_in_any_format(tmp_path, names):
    file = ready_case.write_xlsa17(tmp_path, splits=names_of(*names, "c", "d"))
    with pytest.raises(InputError, match="which differ in case, blanks or Unicode form alone; rename one"):
        load_index(ready_case.settings_of(file, "xlsa17"))


@pytest.mark.parametrize("factor", [1e-20, 1e14])
def test_strengths_whose_size_counts_are_of_a_size_to_compute_with(tmp_path, factor):
    file = ready_case.write_xlsa17(tmp_path, splits={"original_att": ready_case.STRENGTHS.T * factor})
    assert load_index(ready_case.settings_of(file, "xlsa17")).classes  # of vectors of length 1, size says nothing
    with pytest.raises(InputError, match=r"class class 0 has strengths of up to 1e.*, and with class_norm none their"):
        load_index(ready_case.settings_of(file, "xlsa17", class_norm="none"))
