"""What counts as the file that a record was written of."""

import os
import time

import pytest
import torch
from snakemake.persistence import MetadataRecord

import records
from scegg_core.artifacts.files import Provenance, write_tensors


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Records of an artifact and a table that was made from it."""
    monkeypatch.chdir(tmp_path)
    write_tensors("a.safetensors", "scaler", {"low": torch.zeros(2)}, Provenance("stage"))
    (tmp_path / "table.csv").write_text("1")
    store = records.RecordsBesideFiles()
    store._write_record("table.csv", MetadataRecord(rule="tabulate", params=["1"], input=["a.safetensors"]))
    yield store
    store._clear_cache()


def read(store, file: str = "table.csv"):
    store._clear_cache()
    return store._read_record(file)


def test_a_record_is_read_back_and_deleted_with_its_file(store, tmp_path):
    assert (read(store).rule, read(store).params) == ("tabulate", ["1"])
    assert read(store, "absent.csv") is None
    assert store._delete_record("table.csv")
    assert not store._delete_record("table.csv")
    assert read(store).params == ["nothing says how this file was made"]


def test_a_moved_folder_keeps_its_records(store, tmp_path, monkeypatch):
    (tmp_path / "there").mkdir()
    for name in ("table.csv", "a.safetensors", records.FOLDER):
        (tmp_path / name).rename(tmp_path / "there" / name)
    os.utime(tmp_path / "there/table.csv", (1, 1))
    monkeypatch.chdir(tmp_path / "there")
    assert read(store).params == ["1"]


def test_another_file_with_the_name_is_not_the_one_that_was_made(store, tmp_path):
    (tmp_path / "table.csv").write_text("2")
    os.utime(tmp_path / "table.csv", (1, 1))
    assert read(store).params == ["this file is not the one that was made"]


def test_an_exchanged_input_is_seen_also_with_an_old_date(store, tmp_path):
    write_tensors("a.safetensors", "scaler", {"low": torch.ones(2)}, Provenance("stage"))
    os.utime(tmp_path / "a.safetensors", (1, 1))
    assert read(store).params == ["made from another a.safetensors"]
    write_tensors("a.safetensors", "scaler", {"low": torch.zeros(2)}, Provenance("stage"))
    assert read(store).params == ["1"]  # the same content again


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"record": 1, "file": {}, "inputs": {}}'])
def test_a_damaged_record_says_nothing(store, content):
    records.record_of("table.csv").write_text(content)
    assert read(store).params == ["nothing says how this file was made"]


def test_a_record_that_cannot_be_written_stops_nothing(store, tmp_path):
    store._write_record("absent.csv", MetadataRecord(rule="tabulate"))  # of a job that failed before it
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/b.csv").write_text("1")
    (tmp_path / "folder" / records.FOLDER).write_text("in the way")
    store._write_record("folder/b.csv", MetadataRecord(rule="tabulate"))
    assert read(store, "folder/b.csv").params == ["nothing says how this file was made"]


def test_dates_in_the_future_are_brought_back(tmp_path):
    (tmp_path / "a").write_text("")
    (tmp_path / "b").write_text("")
    os.utime(tmp_path / "a", (time.time() + 1e6,) * 2)
    os.utime(tmp_path / "b", (1, 1))
    records.date_back(tmp_path)
    assert abs((tmp_path / "a").stat().st_mtime - time.time()) < 60
    assert (tmp_path / "b").stat().st_mtime == 1
