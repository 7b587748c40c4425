"""Artifacts: whole or absent, self-describing, equal bytes for equal content, damage found."""

import hashlib
import multiprocessing
import random

import numpy as np
import pandas as pd
import pytest
import torch

from scegg_core.artifacts.files import (
    Provenance,
    input_digest,
    read_description,
    read_table,
    read_tensors,
    whole_file,
    write_table,
    write_tensors,
)
from scegg_core.artifacts.kinds import KINDS, Kind
from scegg_core.errors import InputError

MADE = Provenance("stage", {"epochs": 2}, "abc", {"images": "def"}, 3)


def write_features(path, value: float = 1.0) -> None:
    """A small table of kind features."""
    write_table(path, "features", {"image": np.arange(50, dtype=np.int32), "feature": np.full((50, 7), value)}, MADE)


def test_table_round_trip_and_pandas(tmp_path):
    write_features(tmp_path / "a.parquet")
    frame = pd.read_parquet(tmp_path / "a.parquet")
    assert list(frame.columns) == ["image", "feature"]
    assert np.stack(frame["feature"]).shape == (50, 7)
    assert read_table(tmp_path / "a.parquet", "features").num_rows == 50


def test_the_name_of_a_folder_adds_no_column(tmp_path):
    folder = tmp_path / "tried=1"
    folder.mkdir()
    write_features(folder / "a.parquet")
    assert read_table(folder / "a.parquet", "features").column_names == ["image", "feature"]


def test_description_holds_provenance_and_no_time(tmp_path):
    write_features(tmp_path / "a.parquet")
    found = read_description(tmp_path / "a.parquet")
    assert found["provenance"]["settings"] == {"epochs": 2}
    assert found["provenance"]["inputs"] == {"images": "def"}
    assert found["provenance"]["seed"] == 3
    assert "torch" in found["provenance"]["versions"]
    assert str(tmp_path) not in str(found)


@pytest.mark.parametrize("kind", ["table", "tensors"])
def test_equal_content_gives_equal_bytes(tmp_path, kind):
    for name in ("a", "b"):
        if kind == "table":
            write_features(tmp_path / f"{name}.parquet")
        else:
            write_tensors(tmp_path / f"{name}.parquet", "scaler", {"low": torch.ones(3), "span": torch.zeros(3)}, MADE)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_nothing_stays_of_a_failed_write(tmp_path):
    with pytest.raises(RuntimeError), whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_keeps_the_old_file(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    with pytest.raises(RuntimeError), whole_file(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "old")]


def write_often(path, value: float) -> None:
    """One of two writers at once."""
    for _ in range(30):
        write_features(path, value)


def test_two_writers_at_once_leave_a_whole_file(tmp_path):
    path = tmp_path / "a.parquet"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_often, args=(path, value)) for value in (1.0, 2.0)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert read_table(path, "features").num_rows == 50
    assert [file.name for file in tmp_path.iterdir()] == ["a.parquet"]


@pytest.mark.parametrize("kind", ["table", "tensors"])
@pytest.mark.slow
def test_flipped_bits_are_found_or_harmless(tmp_path, kind):
    path = tmp_path / ("a.parquet" if kind == "table" else "a.safetensors")
    values = np.random.default_rng(0).normal(size=(50, 7)).astype(np.float32)
    if kind == "table":
        write_table(path, "features", {"image": np.arange(50, dtype=np.int32), "feature": values}, MADE)
    else:
        write_tensors(path, "scaler", {"low": torch.from_numpy(values)}, MADE)
    whole, draw, found = path.read_bytes(), random.Random(0), 0
    for _ in range(50):
        damaged = bytearray(whole)
        damaged[draw.randrange(len(damaged))] ^= 1 << draw.randrange(8)
        path.write_bytes(bytes(damaged))
        try:
            if kind == "table":
                back = np.stack(read_table(path, "features").to_pandas()["feature"])
            else:
                back = read_tensors(path, "scaler")["low"].numpy()
        except InputError as error:
            assert str(path) in str(error)
            found += 1
        else:
            assert np.array_equal(back, values)
    assert found > 10


def test_another_kind_is_refused(tmp_path):
    write_features(tmp_path / "a.parquet")
    with pytest.raises(
        InputError,
        match=r"a\.parquet is a features artifact of schema 2, expected synthetic of schema 2; have it made again\.",
    ):
        read_table(tmp_path / "a.parquet", "synthetic")


def test_a_foreign_parquet_file_is_refused(tmp_path):
    pd.DataFrame({"image": [1]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="carries no provenance"):
        read_table(tmp_path / "a.parquet", "features")


def test_a_kind_that_is_not_in_the_list_is_neither_written_nor_read(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    with pytest.raises(KeyError):
        write_tensors(path, "novel", {"low": torch.ones(3)}, MADE)
    monkeypatch.setitem(KINDS, "novel", Kind("novel", 1))
    write_tensors(path, "novel", {"low": torch.ones(3)}, MADE)
    monkeypatch.delitem(KINDS, "novel")
    with pytest.raises(InputError, match=r"a\.safetensors is a novel artifact, a kind that this version does not know"):
        read_description(path)


def test_digest_follows_the_content_alone(tmp_path):
    write_features(tmp_path / "a.parquet")
    write_table(
        tmp_path / "b.parquet",
        "features",
        {"image": np.arange(50, dtype=np.int32), "feature": np.ones((50, 7))},
        Provenance("other"),
    )
    write_features(tmp_path / "c.parquet", 2.0)
    assert input_digest(tmp_path / "a.parquet") == input_digest(tmp_path / "b.parquet")
    assert input_digest(tmp_path / "a.parquet") != input_digest(tmp_path / "c.parquet")


def test_wrong_columns_are_a_fault_of_the_program(tmp_path):
    with pytest.raises(ValueError, match="has columns"):
        write_table(tmp_path / "a.parquet", "features", {"image": np.arange(3)}, MADE)
    assert list(tmp_path.iterdir()) == []


def test_a_users_own_weights_are_digested_by_their_bytes(tmp_path):
    from safetensors.torch import save_file

    save_file({"weight": torch.zeros(2)}, tmp_path / "own.safetensors")
    assert (
        input_digest(tmp_path / "own.safetensors")
        == hashlib.sha256((tmp_path / "own.safetensors").read_bytes()).hexdigest()
    )
