"""Ready features that cannot be used: each is refused with one sentence that names the file and the value."""

import pickle
import re
import zipfile

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save_file

from scegg_core.data.features import open_features
from scegg_core.data.index import index_dataset
from scegg_core.errors import InputError
from tests.unit import ready_case as case

SQUARE = np.ones((case.IMAGES, case.IMAGES), np.float32)


def spoiled(values: np.ndarray, value: float, image: int = 4) -> np.ndarray:
    """Return `values` (images first) with one value of one image changed."""
    values = values.copy()
    values[(image, *[0] * (values.ndim - 1))] = value
    return values


def emptied(values: np.ndarray, image: int = 7) -> np.ndarray:
    values = values.copy()
    values[image] = 0
    return values


#: name: (variables of res101.mat, variables of att_splits.mat), the sentence
XLSA17 = {
    "an ambiguous square": ({"features": SQUARE}, {}, "{root}/res101.mat holds features of shape (12, 12) and as many labels"),
    "features of other images": ({"features": case.pooled()[:9].T}, {}, "{root}/res101.mat holds features of shape (5, 9) but 12 labels; every image needs one of each."),
    "features in three dimensions": ({"features": np.ones((12, 2, 5))}, {}, "{root}/res101.mat holds features of shape (12, 2, 5) and type float64, expected real numbers"),
    "features without channels": ({"features": np.zeros((0, 12))}, {}, "{root}/res101.mat holds 12 images of 1 regions and 0 channels"),
    "features that are texts": ({"features": np.array(["a", "b"])}, {}, "{root}/res101.mat holds texts in features, where numbers belong"),
    "no features": ({"features": None}, {}, "{root}/res101.mat lacks the variable 'features'"),
    "no labels": ({"labels": None}, {}, "{root}/res101.mat lacks the variable 'labels'"),
    "labels from 0": ({"labels": case.LABELS[:, None] + 0.0}, {}, "{root}/res101.mat counts labels from 0 to 3, but files of this kind count from 1; add 1 to each of them."),
    "a label too large": ({"labels": spoiled(case.LABELS[:, None] + 1.0, 5)}, {}, "{root}/res101.mat holds 5 in labels, which run from 1 to 4 here"),
    "a negative label": ({"labels": spoiled(case.LABELS[:, None] + 1.0, -3)}, {}, "{root}/res101.mat holds -3 in labels, which run from 1 to 4 here"),
    "a broken label": ({"labels": spoiled(case.LABELS[:, None] + 1.0, 1.5)}, {}, "{root}/res101.mat holds 1.5 in labels, where whole numbers belong"),
    "a label that is no number": ({"labels": spoiled(case.LABELS[:, None] + 1.0, np.nan)}, {}, "{root}/res101.mat holds values in labels that are not finite numbers"),
    "names of fewer images": ({"image_files": case.res101()["image_files"][:11]}, {}, "{root}/res101.mat lists 11 image_files but 12 labels"),
    "names that are numbers": ({"image_files": np.arange(12.0)}, {}, "{root}/res101.mat holds numbers in image_files, where texts belong"),
    "an image named twice": ({"image_files": np.array([["/a/x.jpg"], *case.res101()["image_files"].tolist()[1:-1], ["/a/x.jpg"]], dtype=object)}, {}, "{root}/res101.mat: image 'a/x.jpg' occurs twice; names must differ."),
    "NaN": ({"features": spoiled(case.pooled(), np.nan).T}, {}, "{root}/res101.mat holds nan for image 4 (counted from 0), which is not a finite number"),
    "infinity": ({"features": spoiled(case.pooled(), -np.inf).T}, {}, "{root}/res101.mat holds -inf for image 4 (counted from 0), which is not a finite number"),
    "beyond single precision": ({"features": spoiled(case.pooled().astype(np.float64), 1e300).T}, {}, "{root}/res101.mat holds 1e+300 for image 4 (counted from 0)"),
    "an image of zeros": ({"features": emptied(case.pooled()).T}, {}, "{root}/res101.mat holds only zeros for image 7 (counted from 0)"),
    "splits from 0": ({}, {"trainval_loc": case.TRAINVAL, "test_seen_loc": case.TEST_SEEN, "test_unseen_loc": case.TEST_UNSEEN}, "{root}/att_splits.mat counts images from 0 to 11, but files of this kind count from 1; add 1 to each of them."),
    "splits that overlap": ({}, {"test_seen_loc": np.array([1, 3, 6, 9])}, "{root}/att_splits.mat puts image 1 into both trainval_loc and test_seen_loc"),
    "flags in place of numbers": ({}, {"trainval_loc": np.isin(np.arange(12), case.TRAINVAL)}, "{root}/att_splits.mat holds 0 and 1 alone in trainval_loc, as flags of images, where the numbers of images belong; save the numbers of those with 1."),
    "a split that points outside": ({}, {"test_seen_loc": np.array([3, 6, 99])}, "{root}/att_splits.mat puts image 99 into test_seen_loc, but res101.mat lists 12 images"),
    "an image in no split": ({}, {"test_seen_loc": np.array([3, 6])}, "{root}/att_splits.mat puts image 9 into no split"),
    "no splits": ({}, {"trainval_loc": None}, "{root}/att_splits.mat lacks the variable 'trainval_loc'"),
    "a class without training images": ({}, {"trainval_loc": np.array([1, 2, 4, 5]), "test_seen_loc": np.array([3, 6, 7, 8, 9])}, "{root}/res101.mat: seen class class 2 has no training image; give it one or remove the class."),
    "a strength below zero": ({}, {"original_att": spoiled(case.STRENGTHS.T, -0.5, 1)}, "{root}/res101.mat: attribute attribute 1 of class class 0 is -0.5; give a strength from 0 upwards"),
    "transposed strengths": ({}, {"original_att": case.STRENGTHS}, "{root}/att_splits.mat names 4 classes but its original_att has 3 columns, one a class; transpose it."),
}  # fmt: skip

#: name: datasets of DAZLE's file, the sentence
DAZLE = {
    "no maps": ({"feature_map": None}, "{file} lacks 'feature_map' (it has: att, labels, original_att"),
    "no labels": ({"labels": None}, "{file} lacks 'labels'"),
    "no splits": ({"test_seen_loc": None}, "{file} lacks 'test_seen_loc'"),
    "no strengths": ({"att": None, "original_att": None}, "{file} lacks 'att'"),
    "maps in three dimensions": ({"feature_map": np.ones((12, 5, 6), np.float32)}, "{file} holds feature_map of shape (12, 5, 6), expected images × channels × height × width."),
    "maps of whole numbers": ({"feature_map": np.ones((12, 5, 2, 3), np.int64)}, "{file} holds feature_map of type int64, expected floating-point numbers"),
    "maps of no image": ({"feature_map": np.ones((0, 5, 2, 3), np.float32)}, "{file} holds 0 images of 6 regions and 5 channels"),
    "maps of fewer images": ({"feature_map": case.maps()[:11]}, "{file} holds features of 11 images but 12 labels"),
    "transposed maps": ({"feature_map": case.maps().transpose(1, 0, 2, 3)}, "{file} holds features of 5 images but 12 labels"),
    "channels last": ({"feature_map": np.ones((12, 2, 2, 5), np.float32)}, "{file} holds feature_map of shape (12, 2, 2, 5), which looks like images × height × width × channels; transpose it"),
    "labels from 1": ({"labels": case.LABELS + 1}, "{file} counts labels from 1 to 4, but files of this kind count from 0; subtract 1 from each of them."),
    "a label too large": ({"labels": spoiled(case.LABELS, 17)}, "{file} holds 17 in labels, which run from 0 to 3 here"),
    "labels that are texts": ({"labels": np.array([b"a"] * 12)}, "{file}: labels has values of type |S1"),
    "splits from 1": ({"trainval_loc": case.TRAINVAL + 1, "test_seen_loc": case.TEST_SEEN + 1, "test_unseen_loc": case.TEST_UNSEEN + 1}, "{file} counts images from 1 to 12, but files of this kind count from 0; subtract 1 from each of them."),
    "splits that overlap": ({"test_seen_loc": np.array([0, 2, 5, 8])}, "{file} puts image 0 into both trainval_loc and test_seen_loc"),
    "flags in place of numbers": ({"test_seen_loc": np.isin(np.arange(12), case.TEST_SEEN).astype(np.uint8)}, "{file} holds 0 and 1 alone in test_seen_loc, as flags of images, where the numbers of images belong; save the numbers of those with 1."),
    "a split that points outside": ({"test_unseen_loc": np.array([9, 10, 40])}, "{file} holds 40 in test_unseen_loc, which run from 0 to 11 here"),
    "transposed strengths": ({"original_att": case.STRENGTHS.T}, "{file} holds original_att of shape (3, 4), but its labels name 4 classes; transpose it to classes × attributes."),
    "a strength below zero": ({"original_att": spoiled(case.STRENGTHS, -2, 0)}, "a strength from 0 upwards"),
    "NaN": ({"feature_map": spoiled(case.maps(), np.nan)}, "{file} holds nan for image 4 (counted from 0), which is not finite, or beyond half precision (65504)"),
    "beyond half precision": ({"feature_map": spoiled(case.maps(), 1e5)}, "{file} holds 100000 for image 4 (counted from 0)"),
    "values that half precision cannot tell apart": ({"feature_map": case.maps() * 1e-6}, "{file} holds no value beyond 1e-06 for image 0 (counted from 0), and of so small ones half precision keeps few digits; multiply all features by one number, so that the largest are near 1."),
    "values that are 0 in half precision": ({"feature_map": case.maps() * 1e-9}, "{file} holds only zeros for image 0 (counted from 0), as files do whose making was not finished (values below 6e-08 count as zeros); make it again"),
    "att of other classes than original_att": ({"att": case.STRENGTHS[::-1].copy()}, "{file} describes class class 0 differently in att and original_att (4 of 4 classes differ); remove the one that is wrong."),
    "an image of zeros": ({"feature_map": emptied(case.maps())}, "{file} holds only zeros for image 7 (counted from 0)"),
}  # fmt: skip

#: name: what is written as features.npy, what takes the place of images.csv, the sentence
ARRAYS = {
    "four dimensions": (np.ones((12, 2, 2, 5), np.float32), None, "{file} holds an array of shape (12, 2, 2, 5), expected images × channels"),
    "whole numbers": (np.ones((12, 5), np.int32), None, "{file} holds values that are no floating-point numbers"),
    "fewer images": (case.pooled()[:9], None, "{file} holds features of 9 images but 12 labels"),
    "transposed": (case.pooled().T, None, "{file} holds features of 5 images but 12 labels"),
    "regions last": (np.ones((12, 20, 9), np.float32), None, "{file} holds an array of shape (12, 20, 9), which looks like images × channels × regions; transpose it"),
    "no channels": (np.ones((12, 0), np.float32), None, "{file} holds 12 images of 1 regions and 0 channels"),
    "NaN": (spoiled(case.pooled(), np.nan), None, "{file} holds nan for image 4"),
    "a range that is not finite": (np.where(np.arange(12)[:, None] % 2, 3e38, -3e38) * np.ones((12, 5)), None, "{file} holds -3e+38 for image 0 (counted from 0), which is not a finite number of at most 1e+30"),
    "objects": (np.array([{}] * 12, dtype=object), None, "{file} is not a plain .npy array"),
    "an image twice": (None, case.images_csv().replace("\n1.jpg", "\n0.jpg"), "{file}: image '0.jpg' occurs twice"),
    "an unknown split": (None, case.images_csv().replace("test_seen", "test"), "{root}/images.csv gives '2.jpg' the split 'test'; splits are trainval, test_seen, test_unseen."),
    "a label that is no class": (None, case.images_csv().replace("class 3", "clas 3"), "{root}/images.csv has the label 'clas 3', which attributes.csv does not describe (did you mean class 3?)"),
    "labels that are numbers": (None, case.images_csv().replace("class ", ""), "{root}/images.csv has the label '0', which attributes.csv does not describe"),
    "no column split": (None, "image,label\n0.jpg,class 0\n", "{root}/images.csv has no column split; it needs image, label, split."),
    "a class without training images": (None, case.images_csv().replace("class 2,trainval", "class 2,test_seen"), "{file}: seen class class 2 has no training image"),
    "an unseen class that trains": (None, case.images_csv().replace("11.jpg,class 3,test_unseen", "11.jpg,class 3,trainval"), "{file}: unseen class class 3 has 1 training images"),
}  # fmt: skip


def refused(settings) -> str:
    """Return the sentence with which the data set is refused, which is one line and ends as one."""
    with pytest.raises(InputError) as error:
        index_dataset(settings)
    text = str(error.value)
    assert "\n" not in text and text.endswith(".") and len(text) < 600
    return text


@pytest.mark.parametrize("name", XLSA17)
def test_a_wrong_matlab_file(tmp_path, name):
    features, splits, sentence = XLSA17[name]
    path = case.write_xlsa17(tmp_path, features, splits)
    assert sentence.format(root=tmp_path) in refused(case.settings_of(path, "xlsa17"))


@pytest.mark.parametrize("name", DAZLE)
def test_a_wrong_hdf5_file(tmp_path, name):
    changes, sentence = DAZLE[name]
    path = case.write_dazle(tmp_path, changes)
    assert sentence.format(file=path) in refused(case.settings_of(path, "dazle"))


@pytest.mark.parametrize("name", ARRAYS)
def test_a_wrong_array(tmp_path, name):
    values, table, sentence = ARRAYS[name]
    path = case.write_arrays(tmp_path, values, table)
    assert sentence.format(file=path, root=tmp_path) in refused(case.settings_of(path, "arrays"))


WRITERS = {"xlsa17": case.write_xlsa17, "dazle": case.write_dazle, "arrays": case.write_arrays}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 0.98])
def test_a_file_that_is_cut_off(tmp_path, kind, share):
    path = WRITERS[kind](tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    assert str(path) in refused(case.settings_of(path, kind))


@pytest.mark.parametrize("ending", ["npz", "safetensors", "parquet"])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.98])
def test_an_array_of_another_format_that_is_cut_off(tmp_path, ending, share):
    case.write_arrays(tmp_path)
    path = tmp_path / f"own.{ending}"
    if ending == "npz":
        np.savez(path, case.pooled())
    elif ending == "safetensors":
        save_file({"features": case.pooled()}, path)
    else:
        pd.DataFrame(case.pooled(), columns=list("abcde")).to_parquet(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    assert str(path) in refused(case.settings_of(path, "arrays"))


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("what", ["nothing", "a folder", "text"])
def test_a_path_to_something_else(tmp_path, kind, what):
    path = WRITERS[kind](tmp_path)
    path.unlink()
    if what == "a folder":
        path.mkdir()
    elif what == "text":
        path.write_text("features\n" * 100)
    sentence = refused(case.settings_of(path, kind))
    assert str(path) in sentence
    assert {"nothing": "cannot be read (No such file", "a folder": "are a folder, not a file", "text": ""}[
        what
    ] in sentence


class Trap:
    """An object whose unpickling would leave a mark."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (open, (str(self.mark), "w"))


@pytest.mark.parametrize("ending", ["npy", "npz"])
def test_a_pickle_is_refused_and_not_run(tmp_path, ending):
    case.write_arrays(tmp_path)
    objects, mark = np.array([Trap(tmp_path / "ran")], dtype=object), tmp_path / "ran"
    path = tmp_path / f"own.{ending}"
    np.save(path, objects) if ending == "npy" else np.savez(path, features=objects)
    assert str(path) in refused(case.settings_of(path, "arrays"))
    path.write_bytes(pickle.dumps(Trap(mark)))
    assert str(path) in refused(case.settings_of(path, "arrays"))
    assert not mark.exists()


def test_an_archive_of_several_arrays_without_features(tmp_path):
    case.write_arrays(tmp_path)
    np.savez(tmp_path / "own.npz", a=case.pooled(), b=case.pooled())
    sentence = refused(case.settings_of(tmp_path / "own.npz", "arrays"))
    assert "holds 2 arrays (a, b), and none is called 'features'; call it so." in sentence


def test_an_archive_of_no_array(tmp_path):
    case.write_arrays(tmp_path)
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    assert "own.npz is no whole archive of plain arrays" in refused(case.settings_of(tmp_path / "own.npz", "arrays"))


def test_a_table_with_a_column_of_texts(tmp_path):
    case.write_arrays(tmp_path)
    pd.DataFrame({"light": ["x"] * 12, "a": np.ones(12)}).to_parquet(tmp_path / "own.parquet")
    sentence = refused(case.settings_of(tmp_path / "own.parquet", "arrays"))
    assert "holds the column 'light' of type" in sentence and "floating-point numbers for each channel" in sentence


@pytest.mark.parametrize(
    "table",
    [
        pd.DataFrame(case.pooled(), columns=list("abcde"), index=[f"{n}.jpg" for n in range(11, -1, -1)]),
        pd.DataFrame({"image": [f"{n}.jpg" for n in range(11, -1, -1)], "vector": case.pooled().tolist()}),
        pd.DataFrame(case.pooled(), columns=list("abcde")).assign(image=[f"{n}.jpg" for n in range(11, -1, -1)]),
        pd.DataFrame(case.pooled(), columns=list("abcde"), index=[11, *range(11)]),
        pd.DataFrame(case.pooled(), columns=list("abcde")).iloc[::-1],
    ],
    ids=["names as index", "names as column", "names beside channels", "numbers", "numbers turned round"],
)
def test_rows_in_another_order_than_images_csv(tmp_path, table):
    case.write_arrays(tmp_path)
    table.to_parquet(tmp_path / "own.parquet")
    sentence = refused(case.settings_of(tmp_path / "own.parquet", "arrays"))
    assert "own.parquet calls its row 1 '11" in sentence
    assert "images.csv has '0.jpg' there; bring both into one order" in sentence


def test_rows_in_the_order_of_images_csv(tmp_path):
    case.write_arrays(tmp_path)
    names = [f"{n}.jpg" for n in range(12)]
    np.savez(tmp_path / "own.npz", features=case.pooled(), image=np.array(names))
    pd.DataFrame({"image": names, "vector": case.pooled().tolist()}).to_parquet(tmp_path / "a.parquet")
    pd.DataFrame(case.pooled(), columns=list("abcde"), index=range(5, 29, 2)).to_parquet(tmp_path / "b.parquet")
    # what is called image here names no rows: pictures, and a channel
    np.savez(tmp_path / "pictures.npz", features=case.pooled(), image=np.zeros((12, 2, 2, 3), np.uint8))
    pd.DataFrame(case.pooled(), columns=["image", *"bcde"]).to_parquet(tmp_path / "c.parquet")
    beside = pd.DataFrame(case.pooled(), columns=list("abcde"), index=pd.Index(names, name="photo"))
    beside.assign(image=names).to_parquet(tmp_path / "d.parquet")
    with open_features(case.settings_of(tmp_path / "d.parquet", "arrays").features) as features:
        assert (features.size.images, features.size.channels) == (12, 5)
    for file in ("own.npz", "a.parquet", "b.parquet", "pictures.npz", "c.parquet", "d.parquet"):
        assert index_dataset(case.settings_of(tmp_path / file, "arrays")).paths == tuple(names)


@pytest.mark.parametrize(
    ("table", "what"),
    [
        (pd.DataFrame(index=range(12)), "holds no column"),
        (pd.DataFrame({"v": [{"a": 1.0}] * 12}), "holds the column 'v' of type struct<a: double>; keep a column of"),
    ],
)
def test_a_table_without_a_column_of_features(tmp_path, table, what):
    case.write_arrays(tmp_path)
    table.to_parquet(tmp_path / "own.parquet")
    assert f"own.parquet {what}" in refused(case.settings_of(tmp_path / "own.parquet", "arrays"))


def test_a_table_of_lists_that_differ_in_length(tmp_path):
    case.write_arrays(tmp_path)
    pd.DataFrame({"vector": [[1.0, 2.0]] * 11 + [[1.0]]}).to_parquet(tmp_path / "own.parquet")
    assert "holds lists of 2 lengths (2, 1 …)" in refused(case.settings_of(tmp_path / "own.parquet", "arrays"))


def elsewhere(file, tmp_path):
    file["feature_map"] = h5py.ExternalLink("/etc/passwd", "/feature_map")


def soft(file, tmp_path):
    file["hidden"], file["feature_map"] = case.maps(), h5py.SoftLink("/hidden")


def outside(file, tmp_path):
    (tmp_path / "raw.bin").write_bytes(case.maps().tobytes())
    part = [(str(tmp_path / "raw.bin"), 0, h5py.h5f.UNLIMITED)]
    file.create_dataset("feature_map", case.maps().shape, np.float32, external=part)


def virtual(file, tmp_path):
    layout = h5py.VirtualLayout(case.maps().shape, np.float32)
    layout[:] = h5py.VirtualSource("other.hdf5", "feature_map", case.maps().shape)
    file.create_virtual_dataset("feature_map", layout)


def references(file, tmp_path):
    file.create_dataset("feature_map", (12, 5, 2, 3), h5py.ref_dtype)


def compound(file, tmp_path):
    file.create_dataset("feature_map", data=np.zeros((12, 5, 2, 3), [("a", "f4"), ("b", "f4")]))


def group(file, tmp_path):
    file.create_group("feature_map")


def foreign_filter(file, tmp_path):
    created = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    created.set_chunk((12, 5, 2, 3))
    created.set_filter(32015, h5py.h5z.FLAG_OPTIONAL)
    space = h5py.h5s.create_simple((12, 5, 2, 3))
    h5py.h5d.create(file.id, b"feature_map", h5py.h5t.IEEE_F32LE, space, created)


def huge_chunks(file, tmp_path):
    file.create_dataset("feature_map", (12, 2048, 500, 500), np.float32, chunks=(1, 2048, 500, 500))


HOSTILE = {
    elsewhere: "feature_map is a link to elsewhere",
    soft: "feature_map is a link to elsewhere",
    outside: "feature_map keeps its values in other files",
    virtual: "feature_map keeps its values in other files",
    references: "holds feature_map of type object, expected floating-point numbers",
    compound: "feature_map has values of type [('a', '<f4'), ('b', '<f4')]",
    group: "feature_map is no dataset",
    foreign_filter: "feature_map is packed by filter 32015, which does not come with HDF5",
    huge_chunks: "feature_map has chunks of shape (1, 2048, 500, 500), which are too large",
}


@pytest.mark.parametrize("change", HOSTILE, ids=lambda change: change.__name__)
def test_an_hdf5_file_that_reaches_beyond_itself(tmp_path, change):
    path = case.write_dazle(tmp_path, {"feature_map": None})
    with h5py.File(path, "a") as file:
        change(file, tmp_path)
    sentence = refused(case.settings_of(path, "dazle"))
    assert str(path) in sentence and HOSTILE[change] in sentence


def test_flipped_bytes_in_a_packed_map(tmp_path):
    path = case.write_dazle(tmp_path)
    data = bytearray(path.read_bytes())
    with h5py.File(path) as file:
        start = file["feature_map"].id.get_chunk_info(0).byte_offset
    data[start : start + 8] = b"\xff" * 8
    path.write_bytes(data)
    assert f"{path} is no whole HDF5 file" in refused(case.settings_of(path, "dazle"))


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"path": "res101.npy", "kind": "xlsa17"}, "has the path 'res101.npy', but kind xlsa17 reads files whose names end in .mat"),
        ({"path": "x.mat", "kind": "dazle"}, "kind dazle reads files whose names end in .hdf5, .h5"),
        ({"path": "x.mat", "kind": "matlab"}, "datasets.ready.features.kind is 'matlab'"),
        ({"path": "x.mat"}, "datasets.ready.features.kind is missing"),
    ],
)  # fmt: skip
def test_settings_that_name_no_file_of_the_kind(given, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        case.parse_section(case.DatasetSettings, {"features": given}, "datasets.ready")


@pytest.mark.parametrize("further", ["folder", "format", "image_root", "unseen_classes", "backbone"])
def test_settings_of_pictures_beside_features(further):
    value = {"format": "cub", "unseen_classes": ["x"], "backbone": {"network": "resnet18"}}.get(further, "x")
    with pytest.raises(InputError, match=f"stand in place of pictures, so there is no {further}; leave it out"):
        case.settings_of("x.npy", "arrays", **{further: value})


def test_neither_pictures_nor_features():
    with pytest.raises(InputError, match="datasets.x has no format: set format and folder, or features"):
        case.parse_section(case.DatasetSettings, {}, "datasets.x")


NAMES = [f"{n}.jpg" for n in range(12)]
ROLLED = np.roll(case.LABELS, 1)
SPLITS = [case.SPLIT_OF.get(n, "test_unseen") for n in range(12)]


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        ({"image": np.array(NAMES[::-1]).astype("S")}, "calls its row 1 '11.jpg' in image, but"),
        ({"Paths": np.array(NAMES[::-1])}, "calls its row 1 '11.jpg' in Paths, but"),
        ({"image": np.array(NAMES), "filenames": np.array(NAMES[::-1])}, "calls its row 1 '11.jpg' in filenames, but"),
        ({"image": np.array(NAMES[:11])}, "holds 11 entries in image, but features of 12 images; give every row one"),
        ({"labels": ROLLED}, "gives its rows 2 and 4 the labels '0' and '0' in labels, but"),
        ({"labels": np.zeros(12, int)}, "gives its rows 1 and 4 the labels '0' and '0' in labels, but"),
        ({"labels": np.arange(12)}, "gives its rows 1 and 2 the labels '0' and '1' in labels, but"),
        ({"label": np.array([f"class {n}" for n in case.LABELS[::-1]])}, "calls its row 1 'class 3' in label, but"),
        ({"split": np.array(SPLITS[::-1])}, "calls its row 1 'test_unseen' in split, but"),
        ({"anything": np.array(NAMES[::-1])}, "calls its row 1 '11.jpg' in anything, but"),
        ({"names": np.array([f"class {n}" for n in case.LABELS[::-1]])}, "calls its row 1 'class 3' in names, but"),
        ({"part": np.array(SPLITS[::-1])}, "calls its row 1 'test_unseen' in part, but"),
        ({"y": ROLLED}, "gives its rows 2 and 4 the labels '0' and '0' in y, but"),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
@pytest.mark.parametrize("kind", ["npz", "parquet", "safetensors"])
def test_what_lies_beside_the_features_and_contradicts_images_csv(tmp_path, kind, beside, said):
    case.write_arrays(tmp_path)
    path = tmp_path / f"own.{kind}"
    if kind == "npz":
        np.savez(path, features=case.pooled(), **beside)
    elif kind == "safetensors":
        if any(values.dtype.kind in "US" for values in beside.values()):
            pytest.skip("holds numbers alone")
        save_file({"features": case.pooled(), **beside}, path)
    else:
        if any(len(values) < 12 for values in beside.values()):
            pytest.skip("every column has a row for each")
        columns = {name: values.astype(str) if values.dtype.kind == "S" else values for name, values in beside.items()}
        pd.DataFrame({"vector": case.pooled().tolist(), **columns}).to_parquet(path)
    sentence = refused(case.settings_of(path, "arrays"))
    assert f"own.{kind} {said}" in sentence


@pytest.mark.parametrize("labels", [ROLLED.astype(float), ROLLED[:, None], ROLLED[None].astype(float)])
@pytest.mark.parametrize("kind", ["npz", "safetensors"])
def test_labels_as_matlab_has_them_are_compared_too(tmp_path, kind, labels):
    case.write_arrays(tmp_path)
    save = np.savez if kind == "npz" else lambda path, **arrays: save_file(arrays, path)
    save(tmp_path / f"own.{kind}", features=case.pooled(), labels=np.ascontiguousarray(labels))
    sentence = refused(case.settings_of(tmp_path / f"own.{kind}", "arrays"))
    assert "gives its rows 2 and 4 the labels '0' and '0' in labels, but" in sentence


@pytest.mark.parametrize("kind", ["npz", "parquet"])
def test_labels_as_marks_of_classes_are_compared_too_and_such_that_say_nothing_refused(tmp_path, kind):
    case.write_arrays(tmp_path)
    path = tmp_path / f"own.{kind}"
    settings = case.settings_of(path, "arrays")

    def save(labels) -> None:
        if kind == "npz":
            np.savez(path, features=case.pooled(), labels=labels)
        else:
            pd.DataFrame({"features": case.pooled().tolist(), "labels": labels.tolist()}).to_parquet(path)

    save(np.eye(case.LABELS.max() + 1)[case.LABELS])
    assert len(index_dataset(settings).paths) == 12
    save(np.eye(case.LABELS.max() + 1, dtype=bool)[ROLLED])
    assert "gives its rows 2 and 4 the labels '0' and '0' in labels, but" in refused(settings)
    nothing = np.full(12, np.inf if kind == "parquet" else np.nan)  # pandas makes NaN a cell without a value
    for labels in (nothing, np.full((12, 4), 0.25), case.LABELS + 0.5):
        save(labels)
        assert refused(settings) == (
            f"{path} holds 'labels' of shape {labels.shape} and type float64, which cannot be compared with images.csv; save "
            "whole numbers or texts there, one a row, or leave it out."
        )


@pytest.mark.parametrize(
    ("beside", "agrees"),
    [
        ({"trainval_loc": case.TRAINVAL + 1}, True),  # as MATLAB counts
        ({"trainval_loc": case.TRAINVAL[::-1].astype(float)[:, None], "test_seen_loc": case.TEST_SEEN}, True),
        ({"train": np.isin(np.arange(12), case.TRAINVAL)}, True),
        ({"is_test": (~np.isin(np.arange(12), case.TRAINVAL)).astype(np.uint8)}, True),
        ({"train": case.pooled()}, True),  # other features
        ({"trainval_loc": case.TEST_UNSEEN}, False),
        ({"test_seen_loc": case.TEST_SEEN[1:]}, False),
        ({"train": ~np.isin(np.arange(12), case.TRAINVAL)}, False),
        ({"test": np.isin(np.arange(12), case.TEST_SEEN)}, False),
    ],
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_rows_of_splits_beside_the_features(tmp_path, beside, agrees):
    case.write_arrays(tmp_path)
    np.savez(tmp_path / "own.npz", features=case.pooled(), **beside)
    settings = case.settings_of(tmp_path / "own.npz", "arrays")
    if agrees:
        assert index_dataset(settings).split.count("trainval") == len(case.TRAINVAL)
    else:
        assert f"own.npz names in {next(iter(beside))} other rows than the " in refused(settings)


def test_what_lies_beside_the_features_and_agrees(tmp_path):
    case.write_arrays(tmp_path)
    labels = 100 - case.LABELS  # in numbers of its own
    np.savez(
        tmp_path / "a.npz",
        features=case.pooled(),
        paths=NAMES,
        labels=labels,
        split=SPLITS,
        size=[1, 2],
        note=["a", "b"],
    )
    columns = {"label": pd.Categorical([f"c{n}" for n in labels]), "split": ["train"] * 12, "note": ["1.jpg"] * 12}
    pd.DataFrame({"vector": case.pooled().tolist(), **columns}).to_parquet(tmp_path / "b.parquet")
    for file in ("a.npz", "b.parquet"):
        assert index_dataset(case.settings_of(tmp_path / file, "arrays")).paths == tuple(NAMES)


@pytest.mark.parametrize("name", ["label", "Class", "split"])
def test_a_column_of_labels_is_no_channel(tmp_path, name):
    case.write_arrays(tmp_path)
    pd.DataFrame(case.pooled(), columns=list("abcde")).assign(**{name: case.LABELS * 1.0}).to_parquet(
        tmp_path / "own.parquet"
    )
    sentence = refused(case.settings_of(tmp_path / "own.parquet", "arrays"))
    assert (
        f"holds the column {name!r} of type double; keep a column of floating-point numbers for each channel"
        in sentence
    )


def test_whole_numbers_that_say_what_rows_are_are_no_channels(tmp_path):
    case.write_arrays(tmp_path)
    table = pd.DataFrame(case.pooled(), columns=list("abcde"))
    for name in ("y", "class_id", "is_train", "Image"):
        table.assign(**{name: case.LABELS * 1.0}).to_parquet(tmp_path / "own.parquet")
        sentence = refused(case.settings_of(tmp_path / "own.parquet", "arrays"))
        assert f"holds whole numbers in the column {name!r}, which seem to say what its rows are; keep a" in sentence
    table.assign(y=case.pooled()[:, 0]).to_parquet(tmp_path / "own.parquet")  # a channel
    index_dataset(case.settings_of(tmp_path / "own.parquet", "arrays"))


TRAINS = np.isin(np.arange(12), case.TRAINVAL)


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ({"label": ROLLED * 1.0}, "gives its rows 2 and 4 the labels '0' and '0' in label, but"),
        ({"image": [name.encode() for name in NAMES[::-1]]}, "calls its row 1 '11.jpg' in image, but"),
        ({"is_train": ~TRAINS}, "names in is_train other rows than the 6 to which"),
        ({"test": TRAINS.astype(float)}, "names in test other rows than the 6 to which"),
        ({"label": case.LABELS * 1.0, "test": ~TRAINS, "image": [b"\xff\xd8\xff"] * 12}, None),  # bytes of pictures
    ],
)  # fmt: skip
def test_columns_of_a_table_are_compared_whatever_their_type(tmp_path, column, said):
    case.write_arrays(tmp_path)
    pd.DataFrame({"vector": case.pooled().tolist(), **column}).to_parquet(tmp_path / "own.parquet")
    settings = case.settings_of(tmp_path / "own.parquet", "arrays")
    if said is None:
        assert index_dataset(settings).paths == tuple(NAMES)
    else:
        assert f"own.parquet {said}" in refused(settings)


def test_an_index_of_floating_point_numbers_is_one(tmp_path):
    case.write_arrays(tmp_path)
    pd.DataFrame(case.pooled(), columns=list("abcde"), index=np.arange(11.0, -1, -1)).to_parquet(
        tmp_path / "own.parquet"
    )
    assert "calls its row 1 '11' in its index" in refused(case.settings_of(tmp_path / "own.parquet", "arrays"))


@pytest.mark.parametrize(
    ("beside", "said"),
    [
        ({"image": np.array(NAMES, dtype=object)}, "holds Python objects in 'image', which are never unpickled; save numbers there, or texts with .astype(str)."),
        ({"split": np.array("train")}, "holds a single value in 'split', where an array is expected; save an array, or leave it out."),
        ({"trainval_loc": np.array([2**63 + 1, 1], np.uint64)}, "names in trainval_loc other rows than the 6 to which"),
    ],
)  # fmt: skip
def test_what_lies_beside_the_features_and_cannot_be_compared_is_named(tmp_path, beside, said):
    case.write_arrays(tmp_path)
    np.savez(tmp_path / "own.npz", features=case.pooled(), **beside)
    assert f"own.npz {said}" in refused(case.settings_of(tmp_path / "own.npz", "arrays"))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("beside", [{"split": ROLLED * 1e300}, {"trainval_loc": np.array([np.inf, 1])}])
def test_numbers_beyond_all_whole_ones_say_nothing_of_rows(tmp_path, beside):
    case.write_arrays(tmp_path)
    np.savez(tmp_path / "own.npz", features=case.pooled(), **beside)
    assert index_dataset(case.settings_of(tmp_path / "own.npz", "arrays")).paths == tuple(NAMES)


def test_two_columns_of_one_name(tmp_path):
    case.write_arrays(tmp_path)
    columns = [pa.array(case.pooled()[:, number]) for number in range(5)]
    pq.write_table(pa.table(columns, names=list("abcda")), tmp_path / "own.parquet")
    sentence = refused(case.settings_of(tmp_path / "own.parquet", "arrays"))
    assert sentence == f"{tmp_path}/own.parquet holds the column 'a' twice; keep one, or rename it."


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_an_att_of_no_numbers_beside_original_att_is_not_needed(tmp_path, value):
    path = case.write_xlsa17(tmp_path, {}, {"att": np.full((3, 4), value)})
    assert (
        index_dataset(case.settings_of(path, "xlsa17")).percent[3].tolist() == case.STRENGTHS[3].astype("f4").tolist()
    )
