"""What counts as the file that a record was written of."""

import asyncio
import json
import os
import shlex
import shutil
import sys
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import torch
from snakemake.io import _IOFile
from snakemake.persistence import MetadataRecord
from snakemake_interface_executor_plugins.settings import ExecMode

import records
from scegg_core.artifacts.files import Provenance, write_record, write_tensors


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
    records._digest.cache_clear()
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


def test_the_run_of_a_seed_is_not_that_of_another_though_both_read_the_same(store, tmp_path):
    shutil.copytree(tmp_path / records.FOLDER, tmp_path / "seed1" / records.FOLDER)
    shutil.copy(tmp_path / "table.csv", tmp_path / "seed1")
    assert read(store, "seed1/table.csv").params == ["made as table.csv, and copied"]


def test_an_exchanged_input_is_seen_also_with_an_old_date(store, tmp_path):
    write_tensors("a.safetensors", "scaler", {"low": torch.ones(2)}, Provenance("stage"))
    os.utime(tmp_path / "a.safetensors", (1, 1))
    assert read(store).params == ["made from another a.safetensors"]
    write_tensors("a.safetensors", "scaler", {"low": torch.zeros(2)}, Provenance("stage"))
    assert read(store).params == ["1"]  # the same content again


@dataclass(eq=False)
class Job:
    """What of a job says where its outputs come from."""

    rule: SimpleNamespace
    input: list[str]
    output: list[str]
    non_derived_params: list


def chain(layer: str, picture: str = "1") -> list[Job]:
    """Regions of `layer`, features of them, and a table of these."""
    steps = [
        ("index", [], "images.parquet", picture),
        ("extract", ["images.parquet", "weights.pth"], "regions.parquet", layer),
        ("pool", ["regions.parquet"], "a.safetensors", "mean"),
        ("tabulate", ["a.safetensors"], "table.csv", "1"),
    ]
    return [Job(SimpleNamespace(name=rule), needs, [made], [param]) for rule, needs, made, param in steps]


GONE = "made from regions.parquet of other settings, inputs or code, which is gone"


@pytest.mark.parametrize(
    ("now", "weights", "said"),
    [
        (chain("layer3"), b"1", "1"),
        (chain("layer2"), b"1", GONE),
        (chain("layer3", "2"), b"1", GONE),
        (chain("layer3"), b"2", GONE),
        (chain("layer3")[2:], b"1", "1"),
    ],
)
def test_an_input_that_is_gone_counts_by_what_would_make_it_now(store, tmp_path, now, weights, said):
    (tmp_path / "regions.parquet").write_bytes(b"1")
    (tmp_path / "weights.pth").write_bytes(b"1")
    store.dag = SimpleNamespace(jobs=dict.fromkeys(chain("layer3")))
    store._write_record("a.safetensors", MetadataRecord(rule="pool", params=["1"], input=["regions.parquet"]))
    (tmp_path / "regions.parquet").unlink()
    (tmp_path / "weights.pth").write_bytes(weights)
    os.utime(tmp_path / "weights.pth", (1, 1))
    store.dag, store._origins = SimpleNamespace(jobs=dict.fromkeys(now)), {}
    assert read(store, "a.safetensors").params == [said]


EXCHANGED = "made from another a.safetensors"


@pytest.mark.parametrize(
    ("mode", "maker", "said"),
    [
        (ExecMode.DEFAULT, None, EXCHANGED),
        (ExecMode.DEFAULT, "finished", EXCHANGED),
        (ExecMode.DEFAULT, "in its group", "1"),
        (ExecMode.REMOTE, None, "1"),
    ],
)
def test_an_input_that_is_exchanged_while_its_job_works_is_not_what_that_job_has_read(store, mode, maker, said):
    """But for one that a job of the same group makes in this time; and what a single job on a cluster sees is not asked."""
    dag = SimpleNamespace(
        workflow=SimpleNamespace(exec_mode=mode),
        dependencies=SimpleNamespace(get=lambda *_: {maker: {"a.safetensors"}} if maker else {}),
        noneedrun_finished=lambda job: job == "finished",
    )
    store.started(SimpleNamespace(input=["a.safetensors"], output=[_IOFile("table.csv", rule=None)], dag=dag))
    write_tensors("a.safetensors", "scaler", {"low": torch.ones(2)}, Provenance("stage"))
    store._write_record("table.csv", MetadataRecord(rule="tabulate", params=["1"], input=["a.safetensors"]))
    assert read(store).params == [said]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"record": 1, "file": {}, "inputs": {}}'])
def test_a_damaged_record_says_nothing(store, content):
    records.record_of("table.csv").write_text(content)
    assert read(store).params == ["nothing says how this file was made"]


def test_a_record_whose_inputs_were_taken_out_says_nothing(store):
    path = records.record_of("table.csv")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"inputs": {}}))
    assert read(store).params == ["nothing says what this file was made from"]


@pytest.mark.parametrize("block", [lambda path: path.mkdir(), lambda path: (path.parent.rmdir(), path.parent.touch())])
def test_what_stands_in_the_place_of_a_record_gives_way(store, block):
    path = records.record_of("table.csv")
    path.unlink()
    block(path)
    assert read(store).params == ["nothing says how this file was made"]
    store._write_record("table.csv", MetadataRecord(rule="tabulate", params=["1"], input=["a.safetensors"]))
    assert read(store).params == ["1"]


def test_an_edited_number_in_metrics_is_seen_whatever_the_date(store, tmp_path):
    path = tmp_path / "metrics.json"
    write_record(path, "metrics", {"gzsl": 0.25}, Provenance("score"))
    store._write_record("metrics.json", MetadataRecord(rule="score", params=["1"], input=[]))
    path.write_text(path.read_text().replace("0.25", "0.75"))
    os.utime(path, (1, 1))
    assert read(store, "metrics.json").params == ["this file is not the one that was made"]


def test_nothing_is_recorded_of_what_a_failed_job_has_not_made(store):
    store._write_record("absent.csv", MetadataRecord(rule="tabulate", params=["1"], input=[]))
    assert not records.record_of("absent.csv").exists()


def test_an_edited_picture_of_the_drawn_data_set_makes_it_another(store, tmp_path, next_tick):
    (tmp_path / "aviary.json").write_text("{}")
    (tmp_path / "1.jpg").write_bytes(b"12")
    store._write_record("aviary.json", MetadataRecord(rule="generate_aviary", params=["1"], input=[]))
    assert read(store, "aviary.json").params == ["1"]
    next_tick(tmp_path / "1.jpg")
    (tmp_path / "1.jpg").write_bytes(b"21")
    assert read(store, "aviary.json").params == ["this file is not the one that was made"]


@pytest.mark.parametrize(
    ("triggers", "lacking"), [(["mtime"], "input and params"), (["mtime", "params"], "input"), (["input"], "params")]
)
def test_triggers_that_do_not_look_at_the_records_are_refused(triggers, lacking):
    with pytest.raises(SystemExit, match=f"--rerun-triggers lacks {lacking}, so results of other settings"):
        records.refuse_blindness(triggers)
    records.refuse_blindness(["mtime", "input", "params", "software-env"])


def shown_report(stale: list[str], file: str = "report.html") -> list[str]:
    """The files that `--report` writes where `stale` are to be made again."""
    shown = []

    async def auto_report(dag, plugin, settings):
        shown.append(settings.path)

    reports = SimpleNamespace(auto_report=auto_report)
    records.refuse_stale_reports(reports)
    dag = SimpleNamespace(needrun_jobs=lambda: [SimpleNamespace(output=stale)] if stale else [])
    asyncio.run(reports.auto_report(dag, None, SimpleNamespace(path=file)))
    return shown


def test_reports_show_what_is_up_to_date_alone(store):
    assert shown_report([]) == ["report.html"]
    with pytest.raises(SystemExit, match="2 results are not those of these settings"):
        shown_report(["table.csv", "absent.csv"])


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        ("--report x.html", "snakemake --cores 2"),
        ("--report --configfile a.yaml -- t.csv", "snakemake --cores 2 --configfile a.yaml -- t.csv"),
        ("--cores 8 --report=x.html --report-stylesheet a.css 'a b'", "snakemake --cores 8 'a b'"),
        ("--report", "snakemake --cores 2"),
    ],
)
def test_a_report_of_nothing_names_the_command_that_makes_it(store, monkeypatch, arguments, command):
    monkeypatch.setattr(sys, "argv", ["snakemake", *shlex.split(arguments)])
    with pytest.raises(SystemExit) as end:
        shown_report(["absent.csv"])
    said = "SC-EGG: none of what --report is to show has been made yet; make it first: "
    assert str(end.value) == said + command


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("results/aviary/table.html", "lies in results/, among what rules make; name another file: report.html."),
        ("a.safetensors", "is an artifact of a run, which would be overwritten; name another file."),
        ("folder", "is a folder; name a file to write."),
        ("table.csv/x.html", "cannot be written (not a directory); name another place."),
    ],
)
def test_a_report_takes_the_place_of_nothing_else(store, tmp_path, file, said):
    (tmp_path / "folder").mkdir()
    with pytest.raises(SystemExit) as end:
        shown_report([], file)
    assert str(end.value) == f"SC-EGG: --report {file} {said}"
    assert shown_report([], "new/report.html") and (tmp_path / "new").is_dir()


def test_a_record_that_cannot_be_written_stops_nothing(store, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(records, "write_text", full)
    store._write_record("table.csv", MetadataRecord(rule="tabulate", input=["a.safetensors"]))
    assert read(store).params == ["1"]  # the record from before
