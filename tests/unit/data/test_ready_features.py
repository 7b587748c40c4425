"""Ready features of each kind: what is read is what was written, to the last bit, and the index says what the files say."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_tensors
from scipy.io import loadmat, savemat

from scegg_core.data.features import open_features, ready
from scegg_core.data.features.dazle import _boxes, read_attribute_vectors
from scegg_core.data.features.ready import _largest
from scegg_core.data.index import index_dataset, load_with_copies
from scegg_core.data.validation import validation_classes
from scegg_core.errors import InputError
from tests.unit import ready_case as case


def features_of(settings, rows=range(case.IMAGES)) -> np.ndarray:
    with open_features(settings.features) as features:
        return np.concatenate(list(features.blocks(rows)))


@pytest.mark.parametrize("turned", [False, True], ids=["channels x images", "images x channels"])
@pytest.mark.parametrize("version", ["5", "7.3"])
def test_pooled_features_of_a_matlab_file_come_back_bit_for_bit(tmp_path, version, turned):
    changes = {"features": case.pooled() if turned else case.pooled().T}
    path = case.write_xlsa17(tmp_path, changes)
    if version == "7.3":
        case.write_73(path, case.res101() | changes)
        case.write_73(tmp_path / "att_splits.mat", case.att_splits())
    settings = case.settings_of(path, "xlsa17")
    found = features_of(settings)
    assert found.dtype == np.float32 and found.shape == (case.IMAGES, 1, case.CHANNELS)
    assert np.array_equal(found[:, 0], case.pooled())
    index = index_dataset(settings)
    assert index.paths[0] == "c0/0.jpg" and index.labels.tolist() == case.LABELS.tolist()
    assert index.classes == ("class 0", "class 1", "class 2", "class 3")
    assert index.seen.tolist() == [True, True, True, False]
    assert [index.in_split(name).tolist() for name in ("trainval", "test_seen", "test_unseen")] == [
        case.TRAINVAL.tolist(),
        case.TEST_SEEN.tolist(),
        case.TEST_UNSEEN.tolist(),
    ]
    assert np.allclose(index.percent, case.STRENGTHS)


def test_lists_of_validation_classes_beside_the_file_are_read(tmp_path):
    settings = case.settings_of(case.write_xlsa17(tmp_path), "xlsa17", validation_list=2)
    (tmp_path / "valclasses2.txt").write_text("class 1\n")
    assert validation_classes(index_dataset(settings), settings) == {"class 1"}
    assert settings.class_lists() == tuple(str(tmp_path / f"{kind}classes2.txt") for kind in ("train", "val"))
    assert not set(settings.class_lists()) & set(settings.files())


@pytest.mark.parametrize("chunks", [None, (1, 5, 2, 3), (12, 5, 2, 3), (5, 2, 1, 2), (7, 1, 2, 1)], ids=str)
@pytest.mark.parametrize("rows", [range(12), range(4, 9), range(11, 12)], ids=str)
def test_region_maps_come_back_whatever_the_chunks(tmp_path, monkeypatch, chunks, rows):
    monkeypatch.setattr("scegg_core.data.features.dazle.HELD", 3 * 2 * case.CHANNELS * 6)  # three images at once
    monkeypatch.setattr("scegg_core.data.features.dazle.PIECE", 100)
    settings = case.settings_of(case.write_dazle(tmp_path, chunks=chunks), "dazle")
    found = features_of(settings, rows)
    expected = case.maps()[rows.start : rows.stop].reshape(len(rows), case.CHANNELS, 6).transpose(0, 2, 1)
    assert found.dtype == np.float16 and np.array_equal(found.astype(np.float32), expected)


def test_boxes_hold_every_value_once():
    shape, seen = (7, 5, 3, 2), np.zeros((7, 5, 3, 2), int)
    for box in _boxes(shape, (3, 2, 2, 1), 1 << 20, range(1, 7)):
        seen[box] += 1
    assert (seen[1:] == 1).all() and not seen[0].any()


def test_the_index_of_dazles_file(tmp_path):
    (tmp_path / "names.txt").write_text("long neck\nstriped\nspotted\n")
    case.write_xlsa17(tmp_path / "xlsa17")
    given = {"attributes": str(tmp_path / "names.txt"), "splits": str(tmp_path / "xlsa17")}
    settings = case.settings_of(case.write_dazle(tmp_path), "dazle", **given)
    index = index_dataset(settings)
    assert index.labels.tolist() == case.LABELS.tolist() and index.seen.tolist() == [True, True, True, False]
    assert index.attributes == ("long neck", "striped", "spotted") and index.classes[2] == "class 2"
    assert index.in_split("test_unseen").tolist() == case.TEST_UNSEEN.tolist()
    assert settings.vectors.source == "dazle"
    vectors = read_attribute_vectors(tmp_path / "feature_map.hdf5", case.ATTRIBUTES)
    assert np.array_equal(vectors, case.VECTORS.astype(np.float32))


def test_names_for_dazles_file_are_of_classes_that_are_described_alike(tmp_path):
    case.write_xlsa17(tmp_path / "xlsa17")
    path = tmp_path / "xlsa17/att_splits.mat"
    content = {name: value for name, value in loadmat(path).items() if not name.startswith("__")}
    turned = {name: content[name][:, ::-1] for name in ("att", "original_att") if name in content}
    savemat(path, content | turned | {"allclasses_names": content["allclasses_names"][::-1]})
    settings = case.settings_of(case.write_dazle(tmp_path), "dazle", splits=str(tmp_path / "xlsa17"))
    with pytest.raises(
        InputError, match=r"att_splits.mat describes class .* differently than .*hdf5 \(\d of 4 classes"
    ):
        index_dataset(settings)


def test_what_has_no_name_in_dazles_file_is_numbered(tmp_path):
    index = index_dataset(case.settings_of(case.write_dazle(tmp_path), "dazle"))
    assert (index.classes[1], index.attributes[2], index.paths[3]) == ("class 1", "attribute 2", "image 03")


def write_as(path, values: np.ndarray) -> None:
    """Write `values` in the format that the name of `path` ends in."""
    if path.suffix == ".npy":
        np.save(path, values)
    elif path.suffix == ".npz":
        np.savez_compressed(path, features=values, others=np.zeros(3))
    elif path.suffix == ".safetensors":
        save_file({"features": np.ascontiguousarray(values)}, path)
    elif values.ndim == 2:
        pd.DataFrame(values, columns=[f"c{n}" for n in range(values.shape[1])]).to_parquet(path)
    else:
        pd.DataFrame({"features": values.tolist()}).astype(object).to_parquet(path)


def test_bfloat16_is_read_too(tmp_path):
    case.write_arrays(tmp_path)
    values = torch.from_numpy(case.pooled()).bfloat16()
    save_tensors({"features": values}, tmp_path / "own.safetensors")
    found = features_of(case.settings_of(tmp_path / "own.safetensors", "arrays"))
    assert np.array_equal(found[:, 0], values.float().numpy())


@pytest.mark.parametrize("ending", ["npy", "npz", "safetensors", "parquet"])
@pytest.mark.parametrize("shape", ["pooled", "regions"])
def test_arrays_come_back_from_every_format(tmp_path, ending, shape):
    case.write_arrays(tmp_path)
    values = (
        case.pooled() if shape == "pooled" else case.maps().reshape(case.IMAGES, case.CHANNELS, 6).transpose(0, 2, 1)
    )
    path = tmp_path / f"own.{ending}"
    write_as(path, values)
    settings = case.settings_of(path, "arrays")
    found = features_of(settings, range(2, 12))
    assert found.dtype == (np.float32 if shape == "pooled" else np.float16)
    assert np.array_equal(found.astype(np.float32), values.reshape(12, -1, case.CHANNELS)[2:])
    index = index_dataset(settings)
    assert index.paths[0] == "0.jpg" and index.attributes == ("striped", "long neck", "spotted")
    assert index.in_split("trainval").tolist() == case.TRAINVAL.tolist()


def test_arrays_with_class_vectors_need_no_attributes(tmp_path):
    path = case.write_arrays(tmp_path, table=case.images_csv().replace("class 0", "zebra"))
    (tmp_path / "attributes.csv").unlink()
    rows = [
        f"{name},{vector}"
        for name, vector in zip(["okapi", "zebra", "class 3", "class 1", "class 2"], range(5), strict=True)
    ]
    (tmp_path / "text.csv").write_text("\n".join(["class,1,2", *(f"{row},-1" for row in rows)]) + "\n")
    index = index_dataset(case.settings_of(path, "arrays", class_vectors={"path": str(tmp_path / "text.csv")}))
    assert index.classes == ("class 1", "class 2", "class 3", "zebra") and index.given_vectors
    assert index.percent.tolist() == [[3, -1], [4, -1], [2, -1], [1, -1]]
    assert index.seen.tolist() == [True, True, False, True] and index.labels[:3].tolist() == [3, 3, 3]


def test_a_column_of_lists_is_an_array(tmp_path):
    case.write_arrays(tmp_path)
    pd.DataFrame({"name": ["x"] * 12, "vector": list(case.pooled())}).to_parquet(tmp_path / "own.parquet")
    assert np.array_equal(features_of(case.settings_of(tmp_path / "own.parquet", "arrays"))[:, 0], case.pooled())


def test_a_square_number_of_regions_is_a_square_map(tmp_path):
    path = case.write_arrays(tmp_path, np.ones((12, 9, 5), np.float32))
    with open_features(case.settings_of(path, "arrays").features) as features:
        assert (features.size.height, features.size.width) == (3, 3)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_largest_value_of_each_image_is_told_by_its_bits(dtype):
    values = np.random.default_rng(0).standard_normal((6, 4, 3)).astype(dtype)
    values[0], values[1], values[2], values[3] = 0, -0.0, -abs(values[2]), abs(values[3])
    values[4] *= dtype(1e-5)
    assert np.array_equal(_largest(values), np.abs(values).max(axis=(1, 2)))


KINDS = {"arrays": case.write_arrays, "xlsa17": case.write_xlsa17, "dazle": case.write_dazle}


@pytest.mark.parametrize("kind", KINDS)
def test_equal_features_in_training_and_test_are_noted(tmp_path, kind, caplog):
    settings = case.settings_of(KINDS[kind](tmp_path / "plain"), kind)
    assert load_with_copies(settings)[1] is None
    values = case.maps() if kind == "dazle" else case.pooled()
    values[2] = values[0]  # one class, training and test
    values[7] = values[6]  # both in training: no harm
    values[11] = values[5]  # two classes
    content = {"arrays": values, "xlsa17": {"features": values.T.astype(float)}, "dazle": {"feature_map": values}}
    settings = case.settings_of(KINDS[kind](tmp_path / "copied", content[kind]), kind)
    index = index_dataset(settings)
    first, second = index.paths[0], index.paths[2]
    said = f"{first} and {second} have the same features, but are in training and test, or in two classes, and 1 more"
    assert caplog.messages == [f"{said}: they spoil what is measured"]
    assert load_with_copies(settings)[1] == said


def test_of_a_large_file_three_images_are_read_and_no_copies_are_told(tmp_path, monkeypatch):
    values = np.ones((case.IMAGES, 5), dtype=np.float32)
    settings = case.settings_of(case.write_arrays(tmp_path, values), "arrays")
    assert "and 9 more" in load_with_copies(settings)[1]
    monkeypatch.setattr(ready, "WHOLE_BYTES", values.nbytes - 1)
    assert load_with_copies(settings)[1] is None
