"""Batches of region features, in memory or streamed from shards: every image once an epoch, restartable anywhere."""

import threading
import time

import numpy as np
import pytest
import torch

from scegg_core.artifacts.files import Provenance
from scegg_core.errors import InputError
from scegg_core.regions.backbone import FeatureMap
from scegg_core.regions.batches import (
    ResidentBatches,
    StreamedBatches,
    _near,
    balanced_order,
    load_rows,
    on_device,
    region_batches,
)
from scegg_core.regions.store import RegionStore, shard_rows, write_shard
from tests.conftest import PATIENCE, comes_true

SIZE, IMAGES, SHARDS, BATCH = FeatureMap(channels=3, height=2, width=1), 53, 7, 6
ROW_BYTES = 2 * 2 * 3
ROWS = np.array([row for row in range(IMAGES) if row % 5 != 2])  # every fifth image is not for training
LABELS = (ROWS * 7 % 11).astype(np.int64)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> RegionStore:
    """Seven shards; every number of image i's features is i."""
    folder = tmp_path_factory.mktemp("shards")
    for shard in range(SHARDS):
        rows = np.array(shard_rows(IMAGES, SHARDS, shard))
        with write_shard(folder / f"{shard}.parquet", SIZE, Provenance("regions")) as writer:
            writer.add(rows, np.broadcast_to(rows[:, None, None], (len(rows), 2, 3)))
    return RegionStore([folder / f"{shard}.parquet" for shard in range(SHARDS)])


def streamed(store: RegionStore, window_rows: int = 20, seed: int = 3, batch: int = BATCH) -> StreamedBatches:
    return StreamedBatches(store, ROWS, LABELS, batch, seed, window_rows * ROW_BYTES)


def resident(store: RegionStore, seed: int = 3, batch: int = BATCH) -> ResidentBatches:
    return ResidentBatches(load_rows(store, ROWS), LABELS, batch, seed)


BOTH = pytest.mark.parametrize("make", [streamed, resident])


def images(batches, epoch: int, start: int = 0) -> list[list[int]]:
    """Image rows of each batch of an epoch; features and labels have to belong to the same image."""
    found = []
    for features, labels in batches.epoch(epoch, start):
        rows = features[:, 0, 0].long()
        assert features.shape[1:] == (2, 3)
        assert (features == rows[:, None, None]).all()
        assert labels.tolist() == [LABELS[row == ROWS][0] for row in rows.tolist()]
        found.append(rows.tolist())
    return found


@BOTH
@pytest.mark.parametrize("batch", [1, 6, 43, 100])
def test_every_image_comes_exactly_once_an_epoch(store, make, batch):
    batches = make(store, batch=batch)
    found = images(batches, epoch=0)
    assert sorted(sum(found, [])) == ROWS.tolist()
    assert len(found) == batches.steps
    assert all(len(part) == batch for part in found[:-1])


@pytest.mark.parametrize("window_rows", [1, 6, 13, 1000])
def test_every_image_comes_exactly_once_whatever_the_window(store, window_rows):
    assert sorted(sum(images(streamed(store, window_rows), 0), [])) == ROWS.tolist()


@BOTH
def test_order_follows_seed_and_epoch_alone(store, make):
    first = images(make(store), epoch=4)
    batches = make(store)
    images(batches, epoch=0)
    assert images(batches, epoch=4) == first
    assert images(batches, epoch=5) != first
    assert images(make(store, seed=4), epoch=4) != first


@BOTH
def test_an_epoch_restarted_at_any_step_gives_the_remaining_batches(store, make):
    whole = images(make(store), epoch=1)
    for start in range(len(whole) + 1):
        assert images(make(store), epoch=1, start=start) == whole[start:]


@pytest.mark.parametrize("window_rows", [6, 7, 13])
def test_restart_is_right_at_every_window_size(store, window_rows):
    whole = images(streamed(store, window_rows), epoch=1)
    assert [images(streamed(store, window_rows), 1, start)[0] for start in range(len(whole))] == whole


def test_streamed_batches_mix_rows_of_several_shards(store):
    shard_of = {row: shard for shard in range(SHARDS) for row in shard_rows(IMAGES, SHARDS, shard)}
    spread = [len({shard_of[row] for row in batch}) for batch in images(streamed(store), epoch=0)]
    assert min(spread[:-1]) >= 2
    assert np.mean(spread) > 2.2


def test_streamed_reading_skips_shards_without_wanted_images(store):
    few = np.array([0, 1, 30])
    batches = StreamedBatches(store, few, np.zeros(3, np.int64), 2, 0, 1000)
    assert len(batches.groups) == 2


@pytest.fixture(scope="module")
def sorted_store(tmp_path_factory) -> RegionStore:
    """600 images of 60 classes in the order of their classes, as data sets list them, five to a row group."""
    folder = tmp_path_factory.mktemp("sorted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scegg_core.regions.store.GROUP_BYTES", 5 * ROW_BYTES)
        for shard in range(4):
            rows = np.array(shard_rows(600, 4, shard))
            with write_shard(folder / f"{shard}.parquet", SIZE, Provenance("regions")) as writer:
                writer.add(rows, np.broadcast_to(rows[:, None, None], (len(rows), 2, 3)))
    return RegionStore([folder / f"{shard}.parquet" for shard in range(4)])


def epoch_of(store: RegionStore, number: int, window_rows: int = 120, batch: int = 30) -> np.ndarray:
    """The image rows of the batches of an epoch that streams 600 images through a fifth of them."""
    batches = StreamedBatches(store, np.arange(600), np.arange(600) // 10, batch, 0, window_rows * ROW_BYTES)
    return np.array([features[:, 0, 0].long().tolist() for features, _ in batches.epoch(number)])


def test_streamed_batches_are_nearly_as_mixed_as_a_perfect_shuffle(sorted_store):
    perfect = 60 * (1 - (59 / 60) ** 30)  # classes expected in a batch of 30: 23.8; unshuffled there are 3
    classes = [len(set(batch // 10)) for epoch in range(5) for batch in epoch_of(sorted_store, epoch)]
    assert np.mean(classes) > 0.6 * perfect
    assert min(classes) > 9


@pytest.mark.slow
def test_place_in_the_epoch_says_nothing_about_place_on_disk(sorted_store):
    correlations = [np.corrcoef(epoch_of(sorted_store, epoch).ravel(), np.arange(600))[0, 1] for epoch in range(20)]
    # 120 row groups move as wholes, so chance gives 1 / sqrt(120) = 0.09 and not 1 / sqrt(600)
    assert np.abs(np.mean(correlations)) < 3 * 0.09 / np.sqrt(20)
    assert np.std(correlations) < 0.18


def test_images_meet_others_in_the_next_epoch(sorted_store):
    def pairs(epoch: int) -> set:
        return {(a, b) for batch in epoch_of(sorted_store, epoch) for a in batch for b in batch if a < b}

    shared = len(pairs(0) & pairs(1)) / len(pairs(0))
    assert shared < 0.1  # 29 of 599 others, 0.048, for a perfect shuffle; 1 without shuffling


def test_reading_is_one_window_ahead_and_never_more(sorted_store, monkeypatch):
    rows_read = []
    read = sorted_store.read
    monkeypatch.setattr(sorted_store, "read", lambda group: rows_read.append(len(group.images)) or read(group))
    batches = StreamedBatches(sorted_store, np.arange(600), np.zeros(600), 30, 0, 120 * ROW_BYTES)
    used = 0
    for features, _ in batches.epoch(0):
        used += len(features)
        ahead = min(600, -(-used // 120) * 120 + 120)  # the window in use, and the next
        assert comes_true(lambda: sum(rows_read) >= ahead, pause=0.001)
        time.sleep(0.005)  # whoever reads too far would do it now
        assert sum(rows_read) == ahead


def test_a_training_image_without_features_stops_streaming_before_it_starts(store):
    with pytest.raises(InputError, match="hold 1 of 2 images"):
        StreamedBatches(store, np.array([0, IMAGES]), np.zeros(2), 2, 0, 1000)


def test_more_shards_than_images_leave_empty_shards(tmp_path):
    for shard in range(3):
        rows = np.array(shard_rows(2, 3, shard))
        with write_shard(tmp_path / f"{shard}.parquet", SIZE, Provenance("regions")) as writer:
            writer.add(rows, np.broadcast_to(rows[:, None, None], (len(rows), 2, 3)))
    store = RegionStore([tmp_path / f"{shard}.parquet" for shard in range(3)])
    assert load_rows(store, np.array([1, 0]))[:, 0, 0].tolist() == [1, 0]


def test_features_stay_in_host_memory_where_the_gpu_has_no_room(monkeypatch):
    features, cuda = torch.zeros(100, dtype=torch.float16), torch.device("cuda")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (285, 1000))  # 70 % of it are 199.5 bytes
    assert _near(features, cuda) is features
    assert _near(features, torch.device("cpu")) is features


def test_batches_are_resident_where_they_fit_the_budget(store):
    need = len(ROWS) * ROW_BYTES / 2**30

    def make(budget: float, balanced: bool = False):
        return region_batches(store, ROWS, LABELS, BATCH, 3, budget, balanced, torch.device("cpu"))

    assert isinstance(make(need), ResidentBatches)
    assert isinstance(make(0.99 * need), StreamedBatches)
    with pytest.raises(InputError, match="class_balanced needs all"):
        make(0.99 * need, balanced=True)


def test_rows_are_loaded_in_the_order_asked_for(store):
    assert load_rows(store, np.array([40, 3, 17]))[:, 1, 2].tolist() == [40, 3, 17]


def test_an_image_without_features_is_an_error(store):
    with pytest.raises(InputError, match="hold 1 of 2 images"):
        load_rows(store, np.array([0, IMAGES]))


def test_balanced_order_draws_classes_evenly_and_images_evenly_within():
    labels = np.repeat([4, 0, 9], [1, 9, 90])
    drawn = balanced_order(labels, 30_000, 3, np.random.default_rng(0))
    assert (np.sort(labels[drawn].reshape(-1, 3)) == [0, 4, 9]).all()  # each class once in each batch
    within = np.bincount(drawn, minlength=100)
    np.testing.assert_allclose(within[1:10] / within[1:10].sum(), 1 / 9, atol=0.01)
    assert within[10:].min() > 0


def test_a_balanced_batch_has_every_class_before_any_comes_twice():
    labels = np.repeat(np.arange(7), 5)
    few, many = (labels[balanced_order(labels, 2000, size, np.random.default_rng(1))] for size in (4, 9))
    assert all(len(set(batch)) == 4 for batch in few.reshape(-1, 4))
    counts = np.stack([np.bincount(batch, minlength=7) for batch in many.reshape(-1, 9)])
    assert counts.min() == 1 and counts.max() == 2
    np.testing.assert_allclose(counts.mean(axis=0), 9 / 7, atol=0.05)


def test_balanced_batches_are_full_and_even_and_restartable(store):
    labels = np.repeat([0, 1], [len(ROWS) - 3, 3])
    make = lambda: ResidentBatches(load_rows(store, ROWS), labels, BATCH, 3, balanced=True)  # noqa: E731
    drawn = [batch[1].tolist() for epoch in range(40) for batch in make().epoch(epoch)]
    assert {len(batch) for batch in drawn} == {BATCH}
    assert np.mean(sum(drawn, [])) == pytest.approx(0.5, abs=0.05)
    assert [b[1].tolist() for b in make().epoch(2, 3)] == [b[1].tolist() for b in make().epoch(2)][3:]


def test_numbered_batches_have_each_images_number_beside_its_features():
    features = torch.arange(7, dtype=torch.half)[:, None, None]
    batches = ResidentBatches(features, np.array([5, 5, 5, 6, 6, 6, 6]), 3, seed=1, balanced=True)
    numbered = [(found.flatten().long(), number) for found, number in batches.numbered().epoch(2)]
    assert all(torch.equal(found, number) for found, number in numbered)
    assert torch.equal(
        torch.cat([found for found, _ in numbered]), torch.cat([f.flatten().long() for f, _ in batches.epoch(2)])
    )


@BOTH
def test_for_a_gpu_a_thread_pins_the_next_batch_while_one_is_in_use(store, monkeypatch, make):
    threads, second = [], threading.Event()

    def pinned(part, device):
        threads.append(threading.current_thread())
        if len(threads) == 4:  # features and labels of two batches
            second.set()
        return part

    monkeypatch.setattr("scegg_core.regions.batches.pinned", pinned)
    monkeypatch.setattr("scegg_core.regions.batches.moved", lambda part, device: part)
    batches = on_device(make(store).epoch(2), torch.device("cuda"))
    first = next(batches)
    assert second.wait(PATIENCE)
    for found, wanted in zip([first, *batches], make(store).epoch(2), strict=True):
        assert all(map(torch.equal, found, wanted))
    assert threading.main_thread() not in threads


def test_on_a_cpu_batches_come_as_they_are(store):
    given = [*resident(store).epoch(0)]
    found = [*on_device(iter(given), torch.device("cpu"))]
    assert all(
        part is same for batch, own in zip(found, given, strict=True) for part, same in zip(batch, own, strict=True)
    )
