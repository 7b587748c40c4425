"""Class vectors that a file gives: every kind of file, matched by name or order, and one sentence for each bad input."""

import io
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from cub_case import CLASSES, att_splits, cells, make_cub, write_image
from ready_case import write_73
from safetensors.torch import save_file
from scipy.io import savemat

from scegg_core.artifacts.files import Provenance
from scegg_core.artifacts.paths import IndexFiles
from scegg_core.data.class_vectors import with_class_vectors
from scegg_core.data.index import index_dataset, load_index, read_index, write_index
from scegg_core.data.validation import class_split
from scegg_core.errors import InputError
from scegg_core.settings.base import parse_section
from scegg_core.settings.class_vectors import ClassVectorSettings
from scegg_core.settings.datasets import DatasetSettings

#: One vector for each of CLASSES, in their order; values are exact in float32.
VECTORS = np.array([[3, -4, 0, 0, 0], [0, -1, 0.5, 0, 0], [1, 1, 1, 1, -2], [0, 0, 0, 0.25, 0]])
TURNED = [2, 0, 3, 1]
NAMES = [CLASSES[row] for row in TURNED]


def write_csv(path, rows=VECTORS, names=CLASSES, header="class,a,b,c,d,e"):
    lines = [",".join([name, *(f"{value:g}" for value in row)]) for name, row in zip(names, rows, strict=True)]
    path.write_text("\n".join([header, *lines]) + "\n")


def write_npz(path, rows=VECTORS, **more):
    np.savez(path, vectors=rows, **more)


WRITE = {
    "csv": lambda path: write_csv(path, VECTORS[TURNED], NAMES),
    "tsv": lambda path: path.write_text(
        "\n".join("\t".join([n, *map(str, v)]) for n, v in [("", range(5)), *zip(CLASSES, VECTORS, strict=True)])
    ),
    "mat": lambda path: savemat(path, {"att": VECTORS[TURNED].T, "allclasses_names": cells(NAMES)}),
    "npy": lambda path: np.save(path, VECTORS.astype(np.float32)),
    "npz": lambda path: write_npz(path, VECTORS[TURNED].T, classes=np.array(NAMES)),
    "7.3.mat": lambda path: write_73(path, {"att": VECTORS[TURNED].T, "allclasses_names": cells(NAMES)}),
    "safetensors": lambda path: save_file({"text": torch.from_numpy(VECTORS).bfloat16()}, path),
}


def given(folder, name, **more) -> DatasetSettings:
    """A small data set in CUB's layout, described by the file `name` in `folder`, which is written where it is a kind."""
    settings = make_cub(folder / "data")
    path = folder / f"v.{name}"
    if name in WRITE and not path.exists():
        WRITE[name](path)
    return replace(settings, class_vectors=ClassVectorSettings(path=str(path), **more))


@pytest.mark.parametrize("kind", WRITE)
def test_every_kind_of_file_gives_the_vectors_of_the_classes(tmp_path, kind):
    index = index_dataset(given(tmp_path, kind))
    np.testing.assert_array_equal(index.percent, VECTORS.astype(np.float32))
    assert index.percent.dtype == index.vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(index.vectors, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(index.vectors[0], [0.6, -0.8, 0, 0, 0], rtol=1e-6)
    assert index.attributes == tuple(f"dimension {number}" for number in range(1, 6))


def test_names_of_classes_in_an_archive_are_found_by_other_names_too(tmp_path):
    index = index_dataset(make_cub(tmp_path / "data"))
    settings = ClassVectorSettings(path=str(tmp_path / "v.npz"))
    for names in ({"Class_Names": NAMES}, {"names": NAMES, "classes": NAMES}):
        write_npz(tmp_path / "v.npz", VECTORS[TURNED], **names)
        np.testing.assert_array_equal(with_class_vectors(index, settings).percent, VECTORS.astype(np.float32))
    write_npz(tmp_path / "v.npz", VECTORS, names=NAMES, classes=CLASSES)
    with pytest.raises(
        InputError, match=r"v\.npz names its classes in names and classes, differently; keep one of them\.$"
    ):
        with_class_vectors(index, settings)


def test_vectors_keep_their_length_with_class_norm_none_through_the_table(tmp_path):
    index = index_dataset(replace(given(tmp_path, "csv"), class_norm="none"))
    files = IndexFiles.in_folder(tmp_path)
    write_index(index, files, Provenance("index_dataset"))
    read = read_index(files)
    assert read.given_vectors
    np.testing.assert_array_equal(read.vectors, VECTORS.astype(np.float32))


def test_a_list_names_the_rows_of_an_array(tmp_path):
    np.save(tmp_path / "v.npy", VECTORS[TURNED].T)
    (tmp_path / "names.txt").write_text("\n".join(NAMES) + "\n")
    index = load_index(given(tmp_path, "npy", classes=str(tmp_path / "names.txt")))
    np.testing.assert_array_equal(index.percent, VECTORS.astype(np.float32))


@pytest.mark.parametrize("names", [("1", "10", "2"), ("bird 1", "bird 12", "bird 9 b"), ("a", "b10", "b9")])
def test_vectors_without_names_are_refused_where_texts_are_sorted_otherwise_than_people_count(tmp_path, names):
    index = replace(index_dataset(make_cub(tmp_path / "data")), classes=names)
    np.save(tmp_path / "v.npy", VECTORS[:3])
    with pytest.raises(InputError, match=f"{names[1]} comes before {names[2]}, as texts are sorted; write the class"):
        with_class_vectors(index, ClassVectorSettings(path=str(tmp_path / "v.npy")))
    (tmp_path / "names.txt").write_text("\n".join(names), encoding="utf-8")
    named = ClassVectorSettings(path=str(tmp_path / "v.npy"), classes=str(tmp_path / "names.txt"))
    np.testing.assert_array_equal(with_class_vectors(index, named).percent, VECTORS[:3].astype(np.float32))


@pytest.mark.parametrize("names", [("1", "2", "10"), ("01", "02", "10"), ("b", "a10", "a9"), ("m²", "²", "٣ a")])
def test_vectors_without_names_are_in_the_order_of_classes_that_a_person_gave_or_counts(tmp_path, names):
    index = replace(index_dataset(make_cub(tmp_path / "data")), classes=names)
    np.save(tmp_path / "v.npy", VECTORS[:3])
    given_ones = ClassVectorSettings(path=str(tmp_path / "v.npy"))
    np.testing.assert_array_equal(with_class_vectors(index, given_ones).percent, VECTORS[:3].astype(np.float32))


def test_classes_that_the_data_set_has_not_are_left_out(tmp_path):
    write_csv(tmp_path / "v.csv", np.vstack([np.ones(5), VECTORS]), ("005.Owl", *CLASSES))
    np.testing.assert_array_equal(load_index(given(tmp_path, "csv")).percent, VECTORS.astype(np.float32))


def test_a_variable_is_chosen_and_sent_splits_alone_has_the_splits_too(tmp_path):
    settings = given(tmp_path, "mat", variable="sentences")
    splits = Path(settings.splits)
    savemat(tmp_path / "v.mat", {"sentences": VECTORS.T, "allclasses_names": cells(CLASSES)})
    plain = load_index(settings)
    (splits / "att_splits.mat").rename(splits / "sent_splits.mat")
    alone = load_index(settings)
    assert (alone.classes, alone.split, alone.seen.tolist()) == (plain.classes, plain.split, plain.seen.tolist())
    savemat(splits / "sent_splits.mat", att_splits() | {"att": VECTORS.T})
    sent = replace(settings, class_vectors=ClassVectorSettings(path=str(splits / "sent_splits.mat")))
    np.testing.assert_array_equal(load_index(sent).percent, VECTORS.astype(np.float32))


def test_a_folder_of_pictures_needs_no_attributes(tmp_path):
    for name in ("horse/a", "horse/b", "pony/a", "pony/b", "zebra/a"):
        write_image(tmp_path / "images" / f"{name}.png", color=(len(name), 90, 9))
    write_csv(tmp_path / "v.csv", [[1, -2], [0, 3], [5, 5]], ("zebra", "horse", "pony"), "class,0,1")
    vectors = ClassVectorSettings(path=str(tmp_path / "v.csv"))
    index = load_index(
        DatasetSettings(format="folder", folder=str(tmp_path), unseen_classes=("zebra",), class_vectors=vectors)
    )
    assert index.classes == ("horse", "pony", "zebra")
    assert index.percent.tolist() == [[0, 3], [5, 5], [1, -2]]


def test_the_validation_split_has_the_vectors_of_its_classes(tmp_path):
    index = load_index(given(tmp_path, "csv"))
    split = class_split(index, given(tmp_path / "again", "csv"))
    assert split.given_vectors
    np.testing.assert_array_equal(split.vectors, index.vectors[:3])


def with_value(value, row=1, column=2):
    rows = VECTORS.copy()
    rows[row, column] = value
    return rows


BAD = {
    "missing": (
        "npy",
        lambda p: None,
        "class_vectors.path {p} cannot be read (No such file or directory); put the file there or correct the path.",
    ),
    "a pipe": ("mat", os.mkfifo, "{p} is a pipe, not a file; put a file there."),
    "a folder": ("csv", lambda p: p.mkdir(), "{p} is a folder, not a file; put a file there."),
    "cut off": (
        "npy",
        lambda p: p.write_bytes(_npy(VECTORS)[:-1]),
        "{p} is not a plain .npy array; save it with numpy.save as float32.",
    ),
    "a size that is a sum": (
        "npy",
        lambda p: p.write_bytes(_npy(VECTORS).replace(b"(4, 5)", b"(9**9,)")),
        "{p} is not a plain .npy array; save it with numpy.save as float32.",
    ),
    "more numbers than there are": (
        "npy",
        lambda p: p.write_bytes(_npy(VECTORS).replace(b"(4, 5)", b"(4, 9)")),
        "{p} is not a plain .npy array; save it with numpy.save as float32.",
    ),
    "Python objects": (
        "npy",
        lambda p: np.save(p, np.array([[{}]])),
        "{p} is not a plain .npy array; save it with numpy.save as float32.",
    ),
    "no archive": (
        "npz",
        lambda p: p.write_bytes(b"PK"),
        "{p} is no whole archive of plain arrays (File is not a zip file); save it again.",
    ),
    "no tensors": ("safetensors", lambda p: p.write_bytes(b"\xff" * 20), "{p} is no whole safetensors file ("),
    "several arrays": (
        "npz",
        lambda p: write_npz(p, other=VECTORS),
        "{p} holds the arrays 'vectors', 'other'; name one of them in class_vectors.variable.",
    ),
    "names that are numbers": (
        "npz",
        lambda p: write_npz(p, classes=np.arange(4)),
        "{p} holds no list of texts in 'classes'; save the class names there.",
    ),
    "no such variable": (
        "mat",
        lambda p: savemat(p, {"sent": VECTORS.T}),
        "{p} has no variable 'att'; name it in class_vectors.variable.",
    ),
    "texts for numbers": (
        "mat",
        lambda p: savemat(p, {"att": cells("ab")}),
        "{p} holds no numbers in 'att'; save numbers there.",
    ),
    "too few classes": (
        "npy",
        lambda p: np.save(p, VECTORS[:3]),
        "{p} holds a matrix of shape (3, 5), but there are 4 classes; give one vector for each class, in its rows or in "
        "its columns.",
    ),
    "a square": (
        "npy",
        lambda p: np.save(p, VECTORS[:, :4]),
        "{p} holds a square of 4 × 4, so nothing tells whether rows or columns are the classes; save it as a CSV with the "
        "class names in its first column.",
    ),
    "three axes": (
        "npy",
        lambda p: np.save(p, VECTORS[None]),
        "{p} holds an array of shape (1, 4, 5) and type float64; class vectors are a matrix of real numbers, classes × "
        "dimensions.",
    ),
    "complex": (
        "npy",
        lambda p: np.save(p, VECTORS * 1j),
        "{p} holds an array of shape (4, 5) and type complex128; class vectors are a matrix of real numbers, classes × "
        "dimensions.",
    ),
    "not a number": (
        "npy",
        lambda p: np.save(p, with_value(np.nan)),
        "{p} gives class 004.Robin the value nan at dimension 3; give finite numbers.",
    ),
    "zeros": (
        "npy",
        lambda p: np.save(p, VECTORS * [[1], [0], [1], [1]]),
        "{p} gives class 004.Robin zeros alone, so nothing describes it; give it a vector.",
    ),
    "too large": (
        "npy",
        lambda p: np.save(p, with_value(2e30)),
        "{p} gives class 004.Robin values of up to 2e+30; scale the vectors, so that each one's largest is between 1e-06 "
        "and 1e+06.",
    ),
    "too small": (
        "npy",
        lambda p: np.save(p, VECTORS * [[1e-30], [1], [1], [1]]),
        "{p} gives class 002.Blue_Tit values of up to 4e-30; scale the vectors, so that each one's largest is between "
        "1e-06 and 1e+06.",
    ),
    "two equal ones": (
        "npy",
        lambda p: np.save(p, VECTORS[[0, 1, 2, 1]] * [[1], [1], [1], [2]]),
        "classes 004.Robin and 003.Swift have equal or proportional class vectors, so nothing can tell them apart; give "
        "them other vectors.",
    ),
    "a class without a vector": (
        "csv",
        lambda p: write_csv(p, names=(*CLASSES[:3], "003.Swifd")),
        "{p} has no vector for class 003.Swift (did you mean 003.Swifd?); add it, or name it alike.",
    ),
    "a class twice": (
        "csv",
        lambda p: write_csv(p, names=(*CLASSES[:3], CLASSES[0])),
        "{p} has the class '002.Blue_Tit' twice; keep one row, or rename it.",
    ),
    "an empty cell": (
        "csv",
        lambda p: p.write_text("class,a,b\n002.Blue_Tit,1,\n004.Robin,2,3\n001.Crow,3,1\n003.Swift,9,1\n"),
        "{p} gives class 002.Blue_Tit '' for 'b'; a class vector has a number in every cell.",
    ),
    "no header": (
        "csv",
        lambda p: write_csv(p, VECTORS[1:], CLASSES[1:], "002.Blue_Tit,3,-4,0.5,0.25,0"),
        "{p} begins with a row of numbers (3 …), so its first class would be taken for the header; put a header above "
        "(class,1,2,…).",
    ),
    "names of another length": (
        "npz",
        lambda p: write_npz(p, classes=np.array(CLASSES[:3])),
        "{p} holds a matrix of shape (4, 5), but there are 3 classes; give one vector for each class, in its rows or in "
        "its columns.",
    ),
    "an empty name": (
        "npz",
        lambda p: write_npz(p, classes=np.array([*CLASSES[:3], " "])),
        "{p} names a class by nothing; name every class.",
    ),
}


def _npy(values) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, values)
    return buffer.getvalue()


@pytest.mark.parametrize("case", BAD)
def test_bad_class_vectors_are_one_sentence(tmp_path, case):
    kind, write, sentence = BAD[case]
    path = tmp_path / f"v.{kind}"
    write(path)
    settings = make_cub(tmp_path / "data")
    with pytest.raises(InputError) as error:
        load_index(replace(settings, class_vectors=ClassVectorSettings(path=str(path))))
    expected, found = sentence.replace("{p}", str(path)), str(error.value)
    assert found == expected if expected.endswith(".") else found.startswith(expected)
    assert found.endswith(".") and "\n" not in found


def test_a_list_beside_names_in_the_file_is_refused(tmp_path):
    (tmp_path / "names.txt").write_text("\n".join(CLASSES))
    settings = given(tmp_path, "mat", classes=str(tmp_path / "names.txt"))
    with pytest.raises(InputError) as error:
        load_index(settings)
    assert str(error.value) == (
        f"{tmp_path}/v.mat names its classes itself, and class_vectors.classes does, too; leave the setting out."
    )


@pytest.mark.parametrize(
    ("section", "sentence"),
    [
        ({"path": "v.dat"}, "v.dat has none of the endings .mat, .csv, .tsv, .txt, .npy, .npz, .safetensors, so say of which kind it is."),
        ({"path": "v.csv", "classes": "n.txt"}, "kind csv has the class names in its first column; leave classes out."),
        ({"path": "v.npy", "variable": "att"}, "kind npy holds one table without a name; leave variable out."),
        ({"path": "v.npy", "kind": "pkl"}, "class_vectors.kind is 'pkl': should be 'mat', 'csv', 'npy', 'npz' or 'safetensors'."),
        ({"kind": "npy"}, "class_vectors.path is missing."),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_refused(section, sentence):
    with pytest.raises(InputError) as error:
        parse_section(ClassVectorSettings, section, "class_vectors")
    assert str(error.value).endswith(sentence)


TEXTS = np.array(NAMES)


@pytest.mark.parametrize(
    ("beside", "more"),
    [
        ({"classes": TEXTS.astype("S")}, {}),
        ({"class_names": TEXTS.astype("S")}, {}),
        ({"class_names": TEXTS[:, None]}, {"variable": "vectors"}),
        ({"species": TEXTS}, {"variable": "vectors"}),
        ({"classes": TEXTS, "prompts": np.array([f"a photo of a {name}" for name in NAMES])}, {}),
    ],
    ids=["bytes", "bytes of another name", "a column", "any name", "beside other texts"],
)
def test_class_names_in_an_archive_are_found_however_they_are_written(tmp_path, beside, more):
    write_npz(tmp_path / "v.npz", VECTORS[TURNED], **beside)
    assert index_dataset(given(tmp_path, "npz", **more)).percent.tolist() == VECTORS.tolist()


def test_numbers_of_classes_that_do_not_count_up_are_refused(tmp_path):
    settings = given(tmp_path, "npz", variable="vectors")
    for numbers in ([0, 1, 2, 3], [5.0, 6.0, 7.0, 8.0]):
        write_npz(tmp_path / "v.npz", VECTORS, labels=np.array(numbers))
        assert index_dataset(settings).percent.tolist() == VECTORS.tolist()
    write_npz(tmp_path / "v.npz", VECTORS, labels=np.array([3, 1, 1, 0, 2, 2, 3]))  # of images
    assert index_dataset(settings).percent.tolist() == VECTORS.tolist()
    write_npz(tmp_path / "v.npz", VECTORS[TURNED], labels=np.array(TURNED))
    with pytest.raises(InputError) as refused:
        index_dataset(settings)
    assert str(refused.value) == (
        f"{tmp_path}/v.npz numbers its classes in 'labels', not one after the other, so nothing tells which they are; save the "
        "class names there."
    )
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    named = replace(settings.class_vectors, classes=str(tmp_path / "names.txt"))
    assert index_dataset(replace(settings, class_vectors=named)).percent.tolist() == VECTORS.tolist()


def test_numbers_of_classes_in_a_matlab_file_that_do_not_count_up_are_refused(tmp_path):
    savemat(tmp_path / "v.mat", {"att": VECTORS[TURNED].T, "labels": np.array(TURNED, float)[:, None]})
    with pytest.raises(InputError, match="v.mat numbers its classes in 'labels', not one after the other"):
        index_dataset(given(tmp_path, "mat"))


@pytest.mark.parametrize("name", ["classes", "class_names", "names"])
def test_class_names_in_a_matlab_file_are_found_by_other_names_too(tmp_path, name):
    savemat(tmp_path / "v.mat", {"att": VECTORS[TURNED].T, name: cells(NAMES)})
    assert index_dataset(given(tmp_path, "mat")).percent.tolist() == VECTORS.tolist()


@pytest.mark.parametrize("name", ["names", "labels"])
@pytest.mark.parametrize("texts", [["a", "b", "c", "d"], [*NAMES[:3], NAMES[0]]])
def test_other_texts_in_a_matlab_file_name_no_classes(tmp_path, name, texts):
    savemat(tmp_path / "v.mat", {"att": VECTORS.T, name: cells(texts)})
    assert index_dataset(given(tmp_path, "mat")).percent.tolist() == VECTORS.tolist()
