"""The frame of a job: what its provenance says, and inputs that do not belong together."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from scegg_core.artifacts.files import Provenance, input_digest, read_description, write_record, write_tensors
from scegg_core.artifacts.paths import IndexFiles, SpaceFiles
from scegg_core.errors import InputError
from scegg_core.training.device import use_threads
from scegg_core.workflow.job import Job, run_job
from scegg_core.workflow.logs import LOG_ALONE
from tests.conftest import PATIENCE, ROOT


class Params(dict):
    """Named values, as a task has them."""

    __getattr__ = dict.__getitem__


def job(inputs: dict, deterministic: bool = True, **params) -> Job:
    params = Params(settings={"epochs": 2}, code="abc", deterministic=deterministic, **params)
    return Job(SimpleNamespace(rule="embed", params=params, input=inputs))


def write_scaler(path: Path, value: float, **made_from) -> str:
    write_tensors(path, "scaler", {"low": torch.full((2,), value)}, Provenance("stage", **made_from))
    return str(path)


def test_provenance_names_settings_code_inputs_and_device(tmp_path):
    scaler = write_scaler(tmp_path / "a.safetensors", 1.0)
    made = job({"scaler": scaler, "several": [scaler, scaler]}).provenance(seed=3, device=torch.device("cpu"))
    digest = input_digest(scaler)
    assert made.inputs == {"scaler": digest, "several": f"{digest}+{digest}"}
    assert (made.stage, made.settings, made.code, made.seed) == ("embed", {"epochs": 2}, "abc", 3)
    assert made.computed == ("cpu, deterministic",)


@pytest.mark.parametrize(
    ("threads", "device", "says"), [(1, "cpu", "cpu, 1 thread"), (3, "cpu", "cpu, 3 threads"), (3, "cuda", "cuda")]
)
def test_the_number_of_threads_is_said_where_it_decides_the_bits(threads, device, says):
    made = job({}, threads=threads).provenance(device=torch.device(device))
    assert made.computed == (f"{says}, deterministic",)


def test_a_job_computes_with_the_threads_of_the_settings_not_of_the_machine(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before, wanted = torch.get_num_threads(), 3 if os.cpu_count() != 3 else 2  # libraries have a limit, such as 64
    try:
        task = SimpleNamespace(rule="embed", params={"threads": wanted}, log=["log"], output=["out"])
        with run_job(task):
            assert torch.get_num_threads() == wanted
            assert {pool["num_threads"] for pool in threadpool_info()} == {wanted}
    finally:
        use_threads(before)


def test_what_inputs_were_computed_on_is_handed_down(tmp_path):
    first = write_scaler(tmp_path / "a.safetensors", 1.0, computed=("cuda, not deterministic",))
    assert job({"scaler": first}).provenance().computed == ("cuda, not deterministic",)
    both = job({"scaler": first}, deterministic=False).provenance(device=torch.device("cpu"))
    assert both.computed == ("cpu, not deterministic", "cuda, not deterministic")
    write_record(tmp_path / "m.json", "metrics", {"acc": 1.0}, both)
    assert read_description(tmp_path / "m.json")["provenance"]["computed"] == list(both.computed)


def test_the_backbone_of_a_result_is_its_own_not_that_of_the_split_which_chose_its_constants(tmp_path):
    own, other = (write_scaler(tmp_path / f"{name}.safetensors", 1.0, backbones=(name,)) for name in ("own", "other"))
    for name in ("calibration", "selection", "val_features"):
        assert job({"features": own, name: other}).provenance().backbones == ("own",)
    assert job({"features": own, "scaler": other}).provenance().backbones == ("other", "own")
    assert job({"features": own, "weights": other}).provenance().backbones == (input_digest(other)[:8],)


def test_inputs_made_from_another_scen_are_refused(tmp_path):
    scen, other = (write_scaler(tmp_path / f"scen{n}.safetensors", n) for n in (1.0, 2.0))
    features = write_scaler(tmp_path / "features.safetensors", 3.0, inputs={"scen": input_digest(scen)})
    assert job({"scen": scen, "features": features}).provenance().inputs["scen"] == input_digest(scen)
    with pytest.raises(InputError, match=r"features\.safetensors was made from another scen than the one there is now"):
        job({"scen": other, "features": features}).provenance()


def test_files_are_handed_to_the_core_as_typed_paths():
    tables = {"classes": "c.parquet", "images": "i.parquet", "attributes": "a.parquet"}
    index = IndexFiles(Path("c.parquet"), Path("i.parquet"), Path("a.parquet"))
    space = {"features": "f.parquet", "scaler": "s.safetensors"}
    task = job(Params(tables | space))
    assert task.index_files() == index
    assert task.space_files() == SpaceFiles(index, Path("f.parquet"), Path("s.safetensors"))
    task = job(Params({f"val_{name}": path for name, path in (tables | {"test_labels": "t.parquet"}).items()}))
    assert task.index_files("val_") == IndexFiles(index.classes, index.images, index.attributes, Path("t.parquet"))
    task = job(Params(tables | space | {"scen": "scen.safetensors"}))
    assert task.space_files().scen == Path("scen.safetensors")


STOPPED = """
import signal, sys, time
from types import SimpleNamespace
from scegg_core.artifacts.files import whole_file
from scegg_core.workflow.job import run_job
with run_job(SimpleNamespace(rule="embed", params={}, log=["log"], output=["out"])), whole_file("out") as temporary:
    temporary.write_text("half")
    print("writing", flush=True)
    time.sleep(300)
"""


@pytest.mark.slow
def test_sigterm_leaves_no_half_written_file(tmp_path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-c", STOPPED], cwd=tmp_path, env=environment, stdout=subprocess.PIPE
    ) as task:
        assert task.stdout.readline() == b"writing\n"
        task.send_signal(signal.SIGTERM)
        assert task.wait(PATIENCE) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["log"]


@pytest.fixture
def task(tmp_path):
    """A task with a log, after which SIGTERM means what it did before."""
    before = signal.getsignal(signal.SIGTERM)
    yield SimpleNamespace(rule="train_eggn", params={}, log=[str(tmp_path / "job.log")], output=["out"])
    signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize("error", [ZeroDivisionError("a bug"), KeyboardInterrupt(), SystemExit("stopped by SIGTERM")])
def test_the_last_line_of_a_log_says_what_ended_the_job(task, capsys, error):
    with pytest.raises(SystemExit) as end, run_job(task):
        raise error
    said = Path(task.log[0]).read_text("utf-8")
    expected = isinstance(error, ZeroDivisionError)
    assert end.value.code == 1
    assert ("Traceback" in said) == expected
    last = "ZeroDivisionError: a bug" if expected else str(error) or "stopped by Ctrl-C"
    assert said.splitlines()[-1] == f"train_eggn: {last}"
    assert capsys.readouterr().err == said


def test_a_job_whose_code_was_edited_does_nothing(task, monkeypatch):
    def edited(code):
        assert code == "abc"
        raise InputError("the code was edited.")

    monkeypatch.setattr("scegg_core.workflow.job.refuse_edited", edited)
    task.params["code"] = "abc"
    with pytest.raises(SystemExit), run_job(task):
        raise AssertionError("it has begun")
    assert Path(task.log[0]).read_text("utf-8") == "train_eggn: the code was edited.\n"


@pytest.mark.parametrize("room", [True, False])
def test_a_job_whose_log_is_shown_writes_to_the_terminal_only_what_the_log_has_no_room_for(
    task, capsys, monkeypatch, room
):
    monkeypatch.setenv(LOG_ALONE, "yes")
    if not room:
        Path(task.log[0]).symlink_to("/dev/full")
    with run_job(task):
        print("a warning", file=sys.stderr)
    assert capsys.readouterr().err == ("" if room else "a warning\n")
    assert not room or Path(task.log[0]).read_text("utf-8").startswith("a warning\ntook ")


def test_the_log_ends_with_the_time_and_memory_that_the_job_itself_took(task, capsys):
    with run_job(task):
        kept = np.ones(200 << 17)  # 200 MiB
        end = time.process_time() + 0.3
        while time.process_time() < end:
            kept[0] += 1
    said = Path(task.log[0]).read_text("utf-8")
    found = re.fullmatch(r"took ([\d.]+) s, ([\d.]+) s of processor time, at most ([\d,]+) MiB of memory\n", said)
    assert 0.3 <= float(found[1]) < PATIENCE and float(found[2]) >= 0.3
    assert int(found[3].replace(",", "")) > 200
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("ask", [lambda: torch.empty(2**50), lambda: np.empty(2**50)], ids=["torch", "numpy"])
def test_memory_that_there_is_not_ends_a_job_with_a_sentence(task, capsys, ask):
    with pytest.raises(SystemExit), run_job(task):
        ask()
    said = Path(task.log[0]).read_text("utf-8")
    assert said.startswith("train_eggn: there is not enough memory; lower what the job's settings make large (widths, ")
    assert said.endswith(").\n") and said.count("\n") == 1
    assert "not enough memory" in capsys.readouterr().err
