"""What resume.py decides: when it starts nothing, which folder it means, what it removes."""

import json
import os
import socket
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

import resume

HERE = resume.Run(["--cores", "1"], "/somewhere", socket.gethostname(), 4711, "2026-01-02 03:04:05")
HOLDER = "import resume, sys; held = resume.hold(); print('held', flush=True); sys.stdin.read()"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """A folder to work in; nothing is really executed, and there is no SLURM."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(resume, "_cluster_jobs", lambda folder: [])
    monkeypatch.setattr(os, "execv", lambda program, command: executed.append((Path.cwd(), command[3:])))
    executed.clear()
    (tmp_path / ".snakemake").mkdir()
    return tmp_path


executed: list[tuple[Path, list[str]]] = []


def record(run: resume.Run) -> None:
    resume.RECORD.write_text(json.dumps(asdict(run)))


def test_a_live_run_is_named_and_nothing_is_started(folder):
    record(HERE)
    environment = {**os.environ, "PYTHONPATH": str(Path(resume.__file__).parent)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", HOLDER], cwd=folder, env=environment, **pipes) as holder:
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(SystemExit, match=r"a run \(process 4711 on .*, since 2026-01-02 03:04:05\) is at work in"):
            resume.main([])
        holder.kill()
    resume.main(["--cores", "1"])  # the lock died with its holder
    assert len(executed) == 1


def test_without_arguments_the_last_command_is_given_again_where_it_was_given(folder, tmp_path_factory, capsys):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    record(replace(HERE, given_in=str(elsewhere), arguments=["--cores", "3", "--", "a b"]))
    resume.main([])
    assert executed == [(elsewhere, ["--rerun-incomplete", "--cores", "3", "--", "a b"])]
    said = capsys.readouterr().err
    assert "the run of 2026-01-02 03:04:05 (process 4711) was cut off" in said
    assert "running: snakemake --rerun-incomplete --cores 3 -- 'a b'" in said


def test_arguments_are_taken_as_given_and_the_directory_is_theirs(folder):
    (folder / "work").mkdir()
    resume.main(["--rerun-incomplete", "--directory", "work", "x"])
    resume.main(["--directory=work", "x"])
    assert executed == [
        (folder, ["--rerun-incomplete", "--directory", "work", "x"]),
        (folder, ["--rerun-incomplete", "--directory=work", "x"]),
    ]
    assert (folder / "work" / resume.LOCK).exists()


@pytest.mark.parametrize(
    "words",
    [
        "-d sub",
        "-dsub",
        "-nkdsub x",
        "--dir sub",
        "--directory=sub -- -dx",
        "-d x --directory sub",
        "--configfile a.yaml -d sub",
    ],
)
def test_the_folder_is_the_one_that_snakemake_reads_in_the_command(folder, words):
    resume.main(words.split())
    assert (folder / "sub" / resume.LOCK).exists() and not (folder / resume.LOCK).exists()


def test_words_that_are_targets_name_no_folder(folder):
    resume.main(["--cores", "1", "--", "-dsub"])
    assert (folder / resume.LOCK).exists() and not (folder / "sub").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-d", "f"], r"--directory .*/f can be no folder to work in \(File exists\); name another\.$"),
        (["-d", "f/x"], r"--directory .*/f/x can be no folder to work in \(Not a directory\); name another\.$"),
        (["-d"], r"expected one argument\.$"),
    ],
)
def test_what_can_be_no_folder_is_one_sentence(folder, words, said):
    (folder / "f").touch()
    with pytest.raises(SystemExit, match=f"^SC-EGG: .*{said}"):
        resume.main(words)
    assert executed == []


@pytest.mark.parametrize(
    ("command", "of_a_run"),
    [
        ("/x/bin/python3.11 -m snakemake --cores 1", True),
        ("python -u /x/bin/snakemake --cores 1", True),
        ("snakemake --cores 1", True),
        ("python /w/.snakemake/scripts/tmp1.train_scen.py", True),
        (
            "python -ISP /p/scegg_core/workflow/forks.py /tmp/scegg torch;a /w/.snakemake/scripts/tmp1.train_scen.py",
            True,
        ),
        ("tail -f f snakemake", False),
        ("tmux new -s snakemake", False),
        ("vim .snakemake/scripts/tmp1.train_scen.py", False),
        ("python -m pytest snakemake", False),
        ("python edit.py snakemake", False),
        ("python", False),
        ("", False),
    ],
)
def test_processes_of_a_run_are_those_that_execute_it(command, of_a_run):
    assert resume._executes_job(command.split(" ")) is of_a_run


def test_a_process_that_only_names_snakemake_lives_on(folder):
    (folder / "f").touch()
    with subprocess.Popen(["tail", "-f", "f", "snakemake"], cwd=folder, stderr=subprocess.DEVNULL) as other:
        resume.main(["--cores", "1"])
        assert other.poll() is None
        other.kill()


def test_without_a_record_a_command_is_asked_for():
    with pytest.raises(SystemExit, match="no run is recorded in"):
        resume.main([])
    assert executed == []


def test_a_run_of_another_machine_is_not_taken_for_dead():
    record(replace(HERE, host="elsewhere"))
    with pytest.raises(SystemExit, match="was started on elsewhere"):
        resume.main([])
    assert executed == []
    record(replace(HERE, host="elsewhere", given_in=".", ended=True))
    resume.main([])
    assert len(executed) == 1


def test_locks_and_half_written_files_go_and_the_rest_stays(folder, capsys):
    (folder / ".snakemake/locks").mkdir()
    (folder / "results/a").mkdir(parents=True)
    gone = [".snakemake/locks/0.input.lock", "results/a/.scen.safetensors.x1.part"]
    kept = ["results/a/scen.safetensors.state", "results/a/table.csv"]
    for name in gone + kept:
        (folder / name).touch()
    record(replace(HERE, given_in="."))
    resume.main([])
    assert [name for name in gone + kept if (folder / name).exists()] == kept
    assert "removed 1 locks and 1 half-written files" in capsys.readouterr().err


def test_a_run_records_itself_and_its_end(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["snakemake", "--cores", "1"])
    resume.started("/given/here", None)
    run = resume.last_run()
    assert (run.arguments, run.given_in, run.pid, run.ended) == (["--cores", "1"], "/given/here", os.getpid(), False)
    resume.ended()
    assert resume.last_run() == replace(run, ended=True)


def test_the_end_of_another_run_is_not_recorded():
    record(HERE)
    resume.ended()
    assert resume.last_run() == HERE


def test_a_run_that_was_started_in_a_folder_that_is_gone(folder):
    record(replace(HERE, given_in=str(folder / "gone"), ended=True))
    with pytest.raises(SystemExit, match=r"gone, which is not there any more; give its arguments\."):
        resume.main([])
    assert executed == []


@pytest.mark.parametrize("wrong", [{"arguments": [1]}, {"arguments": 5}, {"given_in": None}])
def test_a_damaged_record_of_a_run_is_none(wrong):
    resume.RECORD.write_text(json.dumps(asdict(HERE) | wrong))
    assert resume.last_run() is None


@pytest.mark.parametrize("name", resume.FOLDERS)
def test_a_file_where_a_folder_belongs_is_one_sentence(folder, name):
    (folder / ".snakemake").rmdir()
    (folder / name).write_text("")
    with pytest.raises(SystemExit, match=rf"{name} is not a folder, but a run keeps its files there; move it away\."):
        resume.hold()


def test_with_directory_paths_count_from_where_the_command_was_given(tmp_path, monkeypatch):
    (tmp_path / "work").mkdir()
    inside = str(tmp_path / "work")
    monkeypatch.setenv("PWD", str(tmp_path))
    assert resume.place_of(inside, "work") == str(tmp_path) == resume.place_of(inside, inside)
    assert resume.place_of(inside, None) == inside
    for stale in ("", "elsewhere", str(tmp_path / "gone"), "/"):
        monkeypatch.setenv("PWD", stale)
        assert resume.place_of(inside, "work") == inside
