"""Features for other code, read as the loaders of xlsa17's users and of DAZLE read their own files."""

import errno
import time
from collections import namedtuple
from dataclasses import replace

import h5py
import numpy as np
import pytest
import torch
from scipy.io import loadmat
from sklearn.preprocessing import MinMaxScaler

from scegg_core.artifacts.files import Provenance, file_digest, read_record
from scegg_core.data.att_splits import read_att_splits, read_res101
from scegg_core.data.index import load_index
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.validation import class_split
from scegg_core.errors import InputError
from scegg_core.regions.backbone import FeatureMap
from scegg_core.regions.store import RegionStore, shard_rows, write_shard
from scegg_core.scen.scaling import MinMaxScaler as OurScaler
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.using.exchange import FILES, check_exchange, map_name, write_exchange
from scegg_core.using.feature_map import write_feature_map
from tests.unit import ready_case

MADE = Provenance("exchange_features")
SETTINGS = DatasetSettings(format="folder", folder="here")
CLASSES = ("Möwe", "002.Laysan Albatross", "Wren", "Heron", "Finch", "Gull")
SIZE = FeatureMap(channels=3, height=2, width=4)

Peer = namedtuple("Peer", "train train_label seen seen_label unseen unseen_label att original names files")


@pytest.fixture
def index() -> DatasetIndex:
    """Six classes of five images each, the first and the last class unseen."""
    draw = np.random.default_rng(0)
    labels = np.repeat(np.arange(6), 5).astype(np.int32)
    split = [
        "test_unseen" if label in (0, 5) else ("test_seen" if n % 5 == 4 else "trainval")
        for n, label in enumerate(labels)
    ]
    percent = draw.integers(0, 101, (6, 4)).astype(np.float32)
    percent[2, 1] = -1
    return DatasetIndex(
        classes=CLASSES,
        seen=np.array([False, True, True, True, True, False]),
        percent=percent,
        attributes=("has_size::small", "2 legs", "red", "blue"),
        words=("size small", "legs", "red", "blue"),
        parts=("",) * 4,
        paths=tuple(f"images/{CLASSES[label]}/{n}.jpg" for n, label in enumerate(labels)),
        labels=labels,
        split=tuple(split),
        rows=np.arange(30, dtype=np.int32),
    )


@pytest.fixture
def features() -> np.ndarray:
    values = np.random.default_rng(1).gamma(1.0, 2.0, (30, 7)).astype(np.float32)
    values[:, 3] = 0.25  # a constant channel
    return values


@pytest.fixture
def folder(tmp_path, index, features):
    write_exchange(tmp_path / "backbone", index, class_split(index, SETTINGS), features, MADE)
    return tmp_path / "backbone"


def as_tf_vaegan_reads(folder) -> Peer:
    """What TF-VAEGAN's loader makes of the two files; f-CLSWGAN's and those after it read them in the same way."""
    res, splits = loadmat(f"{folder}/res101.mat"), loadmat(f"{folder}/att_splits.mat")
    rows = {
        name: splits[f"{name}_loc"].squeeze() - 1 for name in ("trainval", "train", "val", "test_seen", "test_unseen")
    }
    every, label = res["features"].T, res["labels"].astype(int).squeeze() - 1
    scaler = MinMaxScaler().fit(every[rows["trainval"]])
    parts = []
    for name in ("trainval", "test_seen", "test_unseen"):
        parts += [
            torch.from_numpy(scaler.transform(every[rows[name]])).float(),
            torch.from_numpy(label[rows[name]]).long(),
        ]
    names = [str(cell[0][0]) for cell in splits["allclasses_names"]]
    files = [str(cell[0][0]) for cell in res["image_files"]]
    return Peer(*parts, torch.from_numpy(splits["att"].T).float(), splits["original_att"].T, names, files)


def test_the_loaders_of_xlsa17s_users_read_what_the_workflow_trains_on(folder, index, features):
    peer = as_tf_vaegan_reads(folder)
    ours = OurScaler.fit(torch.from_numpy(features[index.in_split("trainval")]))
    torch.testing.assert_close(
        peer.train[:, :3], ours.transform(torch.from_numpy(features))[index.in_split("trainval"), :3]
    )
    assert peer.train_label.tolist() == index.labels[index.in_split("trainval")].tolist()
    assert peer.seen_label.tolist() == index.labels[index.in_split("test_seen")].tolist()
    assert peer.unseen_label.tolist() == [0] * 5 + [5] * 5
    assert peer.seen.max() > 1  # not cut off, as our own scaled features are
    np.testing.assert_array_equal(peer.att, index.vectors)
    np.testing.assert_array_equal(peer.original, index.percent)
    assert (peer.names, peer.files) == (list(index.classes), list(index.paths))


def test_the_files_hold_what_those_of_the_benchmark_hold(folder, real_data):
    """Variables, types and directions of the real CUB files; its res101.mat here has no features."""
    for name in ("res101.mat", "att_splits.mat"):
        real, own = loadmat(real_data / "xlsa17/data/CUB" / name), loadmat(folder / name)
        for key in (key for key in real if not key.startswith("__")):
            assert real[key].dtype == own[key].dtype
            assert [side == 1 for side in real[key].shape] == [side == 1 for side in own[key].shape]
    assert loadmat(folder / "res101.mat")["features"].shape == (7, 30)


def test_features_are_those_given_to_the_last_bit(folder, features):
    np.testing.assert_array_equal(loadmat(folder / "res101.mat")["features"].T, features)


def test_the_workflow_reads_its_own_files(folder, index):
    splits = read_att_splits(folder / "att_splits.mat")
    files, labels = read_res101(folder / "res101.mat", 6)
    assert (splits.classes, files) == (index.classes, index.paths)
    np.testing.assert_array_equal(labels, index.labels)
    np.testing.assert_array_equal(splits.percent, index.percent)
    for split, rows in zip(("trainval", "test_seen", "test_unseen"), splits.locations, strict=True):
        np.testing.assert_array_equal(rows, index.in_split(split))


def test_train_and_val_are_the_workflows_own_validation_classes_without_a_test_image(folder, index):
    found, validation = loadmat(folder / "att_splits.mat"), class_split(index, SETTINGS)
    train, val = (found[name].squeeze().astype(int) - 1 for name in ("train_loc", "val_loc"))
    assert sorted([*train, *val]) == index.in_split("trainval").tolist()
    played = {index.classes[label] for label in index.labels[val]}
    assert played == {validation.classes[row] for row in np.flatnonzero(~validation.seen)}
    assert not played & {index.classes[label] for label in index.labels[train]}
    assert set((folder / "valclasses1.txt").read_text(encoding="utf-8").splitlines()) == played


def test_a_validation_split_read_from_the_lists_is_the_same(folder, index):
    again = class_split(index, replace(SETTINGS, format="cub", splits=str(folder)))
    drawn = class_split(index, SETTINGS)
    assert again.split == drawn.split
    np.testing.assert_array_equal(again.rows, drawn.rows)
    lists = {
        name: (folder / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        for name in ("allclasses", "testclasses")
    }
    assert lists == {"allclasses": list(CLASSES), "testclasses": ["Möwe", "Gull"]}
    assert len((folder / "trainvalclasses.txt").read_text(encoding="utf-8").splitlines()) == 4


def test_equal_content_gives_equal_bytes_and_the_record_says_what_was_written(folder, tmp_path, index, features):
    write_exchange(tmp_path / "again", index, class_split(index, SETTINGS), features, MADE)
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert all((tmp_path / "again" / name).read_bytes() == (folder / name).read_bytes() for name in FILES)
    written = read_record(folder / "exchange.json", "exchange")["files"]
    assert written == {name: file_digest(folder / name) for name in FILES if name != "exchange.json"}


def test_a_folder_that_holds_more_is_left_alone(folder, index, features):
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds other files \('notes.txt'\), which would be lost; move them away"):
        write_exchange(folder, index, class_split(index, SETTINGS), features, MADE)
    assert (folder / "notes.txt").read_text() == "mine"


def test_what_stops_the_writing_leaves_the_earlier_set(folder, index, features, monkeypatch):
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    monkeypatch.setattr("scegg_core.using.exchange.write_record", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        write_exchange(folder, index, class_split(index, SETTINGS), features + 1, MADE)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert [path.name for path in folder.parent.iterdir()] == ["backbone"]


def test_features_that_no_matlab_file_of_level_5_holds_are_refused_before_they_are_made(tmp_path):
    check_exchange(tmp_path, 262_143, 2048)
    with pytest.raises(
        InputError, match=r"262144 images of 2048 channels are 2.0 GiB, .* less than 2 GiB; give other code"
    ):
        check_exchange(tmp_path, 262_144, 2048)


@pytest.fixture
def store(tmp_path) -> RegionStore:
    """Three shards of half-precision maps."""
    values = np.random.default_rng(2).gamma(1.0, 2.0, (30, SIZE.regions, SIZE.channels)).astype(np.float16)
    for shard in range(3):
        rows = np.array(shard_rows(30, 3, shard))
        with write_shard(tmp_path / f"{shard}.parquet", SIZE, Provenance("regions")) as writer:
            writer.add(rows, values[rows])
    return RegionStore([tmp_path / f"{shard}.parquet" for shard in range(3)])


def as_dazle_reads(path) -> Peer:
    """What DAZLE's loader makes of the file: it converts training features, and no others, to single precision."""
    with h5py.File(path, "r") as file:
        held = {name: np.array(file.get(name)) for name in file}
    maps, labels = held["feature_map"], held["labels"]
    rows = [held[f"{name}_loc"] for name in ("trainval", "test_seen", "test_unseen")]
    parts = [part for own in rows for part in (torch.from_numpy(maps[own]), torch.from_numpy(labels[own]))]
    vectors = torch.from_numpy(held["w2v_att"]).float()
    return Peer(*parts, torch.from_numpy(held["att"]).float(), held["original_att"], vectors, None)


def test_dazles_loader_reads_the_maps_with_their_places(tmp_path, store, index):
    vectors = np.random.default_rng(3).normal(size=(4, 300)).astype(np.float32)
    path = tmp_path / "results/feature_map_ResNet_101_CUB.hdf5"
    write_feature_map(path, path.with_suffix(".json"), store, index, vectors, MADE)
    peer = as_dazle_reads(path)
    regions = np.concatenate([block for _, block in store.scan()])
    for maps, split in ((peer.train, "trainval"), (peer.seen, "test_seen"), (peer.unseen, "test_unseen")):
        assert (maps.dtype, maps.shape[1:]) == (torch.float32, (3, 2, 4))
        unfolded = maps.reshape(len(maps), 3, 8).transpose(1, 2)  # as DAZLE's network takes its regions
        np.testing.assert_array_equal(unfolded.numpy(), regions[index.in_split(split)].astype(np.float32))
    assert peer.train_label.dtype == peer.seen_label.dtype == torch.int64
    assert peer.unseen_label.tolist() == [0] * 5 + [5] * 5
    np.testing.assert_array_equal(peer.att, index.vectors)
    np.testing.assert_array_equal(peer.original, index.percent)
    np.testing.assert_array_equal(peer.names, vectors)
    assert read_record(path.with_suffix(".json"), "exchange")["shape"] == [30, 3, 2, 4]


@pytest.mark.slow
def test_equal_maps_give_equal_bytes(tmp_path, store, index):
    for name in ("a", "b"):
        write_feature_map(tmp_path / f"{name}.hdf5", tmp_path / f"{name}.json", store, index, np.ones((4, 2)), MADE)
        time.sleep(1.1)  # HDF5 would note times by the second
    assert (tmp_path / "a.hdf5").read_bytes() == (tmp_path / "b.hdf5").read_bytes()


def test_maps_that_the_disk_has_no_room_for_are_refused_before_work(tmp_path, store, index, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda _: namedtuple("Usage", "free")(2000))
    with pytest.raises(InputError, match=r"m.hdf5 takes 2.88e-06 GB, but its disk has 2e-06 GB left; make room"):
        write_feature_map(tmp_path / "m.hdf5", tmp_path / "m.json", store, index, np.ones((4, 2)), MADE)
    assert not (tmp_path / "m.hdf5").exists()


def test_a_disk_that_fills_while_maps_are_written_leaves_no_file(tmp_path, store, index, monkeypatch):
    def full(self):
        yield from [(group.images, self.read(group)) for group in self.groups[:1]]
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RegionStore, "scan", full)
    (tmp_path / "out").mkdir()
    with pytest.raises(OSError, match="No space left") as error:
        write_feature_map(tmp_path / "out/m.hdf5", tmp_path / "out/m.json", store, index, np.ones((4, 2)), MADE)
    assert error.value.filename == str(tmp_path / "out/m.hdf5")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_store_that_lacks_images_is_refused(tmp_path, store, index):
    lacking = RegionStore([tmp_path / "0.parquet", tmp_path / "2.parquet"])
    with pytest.raises(InputError, match="hold 20 of 30 images"):
        write_feature_map(tmp_path / "m.hdf5", tmp_path / "m.json", lacking, index, np.ones((4, 2)), MADE)


@pytest.mark.parametrize(
    ("network", "dataset", "name"),
    [
        ("resnet101", "cub", "feature_map_ResNet_101_CUB"),
        ("resnet18", "awa2", "feature_map_ResNet_18_AWA2"),
        ("mobilenet_v2", "cub100", "feature_map_mobilenet_v2_CUB100"),
        ("resnext50_32x4d", "my-birds", "feature_map_resnext50_32x4d_MY-BIRDS"),
        ("timm/vit_small_patch14_dinov2.lvd142m", "cub", "feature_map_timm_vit_small_patch14_dinov2_lvd142m_CUB"),
    ],
)
def test_names_are_dazles(network, dataset, name):
    assert map_name(network, dataset) == name


def test_what_is_not_known_is_no_contradiction_when_a_set_is_read_again(tmp_path):
    """att has 0 where original_att has -1, not known: a class known of one attribute alone points elsewhere."""
    percent = np.array([[-1, 0.1, 0], [0.5, -1, 0], [0.2, 0.2, -1], [0, 0.3, 0.4]])
    known = np.maximum(percent, 0)
    att = known / np.linalg.norm(known, axis=1, keepdims=True)
    file = ready_case.write_xlsa17(tmp_path, splits={"original_att": percent.T, "att": att.T})
    assert np.allclose(load_index(ready_case.settings_of(file, "xlsa17")).vectors, att)
    file = ready_case.write_dazle(tmp_path, {"original_att": percent, "att": att})
    assert np.allclose(load_index(ready_case.settings_of(file, "dazle")).vectors, att)
