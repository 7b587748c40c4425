"""The workflow on a real SLURM of one machine, by way of profiles/slurm: GPUs, groups, retries, cancelling, killing."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.conftest import comes_true
from tests.workflow.conftest import TINY, Workflow, copy_project
from tests.workflow.slurm_cluster import cluster, why_not

pytestmark = [pytest.mark.slow, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]

PROFILE = Path(__file__).resolve().parents[2] / "profiles/slurm/config.yaml"
STATE = "results/aviary/variants/sc-egg/seed0/eggn.safetensors.state"
GPU_RULES = ("extract_regions", "train_scen", "embed_images", "train_eggn", "answer")
PATIENCE = 3000  # seconds for a step of the story, on a busy machine


@dataclass(frozen=True)
class SlurmJob:
    """What scontrol says of a job."""

    number: str
    rule: str
    state: str
    megabytes: int
    gpu: bool
    minutes: str
    partition: str


def jobs() -> list[SlurmJob]:
    """All jobs so far, the oldest first."""
    text = subprocess.run(["scontrol", "show", "jobs", "--oneliner"], capture_output=True, text=True, check=True).stdout
    fields = [dict(re.findall(r"(\w+)=(\S*)", line)) for line in text.splitlines() if line.startswith("JobId=")]
    return sorted((_job(given) for given in fields), key=lambda job: int(job.number))


def _job(given: dict[str, str]) -> SlurmJob:
    size, unit = re.fullmatch(r"([\d.]+)([MG])", given["MinMemoryNode"]).groups()
    rule = given.get("Comment", "").removeprefix("rule_")
    return SlurmJob(
        given["JobId"], rule, given["JobState"], int(float(size) * (1024 if unit == "G" else 1)),
        "gpu" in given.get("TresPerJob", ""), given["TimeLimit"], given["Partition"],
    )  # fmt: skip


def of(rule: str) -> list[SlurmJob]:
    return [job for job in jobs() if job.rule.startswith(rule)]


def wait_until(condition, run: subprocess.Popen) -> None:
    assert comes_true(lambda: condition() or run.poll() is not None, PATIENCE, pause=0.3), "nothing happened"
    assert run.poll() is None, "the run ended too early"


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    with cluster(tmp_path_factory.mktemp("slurm")):
        yield


@dataclass(frozen=True)
class Story:
    """What happened to one run: its folder, all SLURM jobs, what the command and what its continuation said."""

    folder: Path
    jobs: list[SlurmJob]
    first: str
    second: str


def hasty(base: Path) -> str:
    """The profile as it is, but for shorter waits, and too little memory for SCEN's training at the first attempt."""
    profile = yaml.safe_load(PROFILE.read_text())
    profile |= {"slurm-init-seconds-before-status-checks": 2, "seconds-between-status-checks": 1, "latency-wait": 10}
    profile["set-resources"]["train_scen"]["mem_mb"] = (
        "100 if attempt == 1 else 2800"  # torch alone needs more than 100
    )
    (base / "profile").mkdir()
    (base / "profile/config.yaml").write_text(yaml.safe_dump(profile))
    return str(base / "profile")


def start(command: list[str], folder: Path, project: Path, said: Path) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(project)}
    with said.open("wb") as file:
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, cwd=folder, env=environment)


@pytest.fixture(scope="module")
def story(slurm, tmp_path_factory) -> Story:
    """A run in which SCEN's training gets too little memory at first, and the generator's is cancelled; then the
    workflow engine is killed, and the run is continued without any argument."""
    base = tmp_path_factory.mktemp("story").resolve()
    flow = Workflow(copy_project(base / "project"), base / "work")
    flow.folder.mkdir()
    command = [
        sys.executable, str(Path(__file__).with_name("hasty.py")), "--snakefile", str(flow.project / "Snakefile"),
        "--profile", hasty(base),
        "--configfile", str(TINY), str(TINY.with_name("slurm.yaml")), "--", "results/aviary/table.csv",
    ]  # fmt: skip
    run = start(command, flow.folder, flow.project, base / "first.log")
    wait_until(lambda: of("train_eggn") and (flow.folder / STATE).exists(), run)
    cancelled = of("train_eggn")[0].number
    subprocess.run(["scancel", cancelled], check=True)
    wait_until(lambda: len(of("train_eggn")) == 2 and of("train_eggn")[1].state == "RUNNING", run)
    run.kill()
    run.wait()
    assert of("train_eggn")[1].state == "RUNNING"
    again = start([sys.executable, str(flow.project / "resume.py")], flow.folder, flow.project, base / "second.log")
    assert again.wait(PATIENCE) == 0, (base / "second.log").read_text()[-3000:]
    return Story(flow.folder, jobs(), (base / "first.log").read_text(), (base / "second.log").read_text())


def states(story: Story, rule: str) -> list[str]:
    return [job.state for job in story.jobs if job.rule.startswith(rule)]


def test_the_run_reaches_its_table(story):
    assert (story.folder / "results/aviary/table.csv").is_file()
    assert not list((story.folder / "results").rglob("*.state*"))


def test_gpu_rules_get_a_gpu_and_the_others_none(story):
    for job in story.jobs:
        assert job.gpu == job.rule.startswith(GPU_RULES), job
        assert job.partition == ("gpu" if job.gpu else "cpu"), job
    assert {rule for rule in GPU_RULES for job in story.jobs if job.rule.startswith(rule)} == set(GPU_RULES)


def test_short_jobs_share_one_place_in_the_queue(story):
    assert [job.rule for job in story.jobs if job.rule.startswith("data")] == ["data_embed_attributes_index_dataset"]
    assert states(story, "answer_predict_score_synthesize_train_classifier") == ["COMPLETED"]
    assert not [job for job in story.jobs if "tabulate" in job.rule]


def test_out_of_memory_is_tried_again_with_more(story):
    tried = [job for job in story.jobs if job.rule.startswith("train_scen")]
    assert [job.megabytes for job in tried] == [100, 2800]
    assert tried[0].state != "COMPLETED"
    assert tried[1].state == "COMPLETED"


def test_a_cancelled_and_an_abandoned_training_go_on_from_their_states(story):
    assert states(story, "train_eggn")[0] == "CANCELLED"
    assert states(story, "train_eggn")[-1] == "COMPLETED"
    assert "cancelling 1 SLURM jobs that it left behind" in story.second
    log = (story.folder / "logs/aviary/variants/sc-egg/seed0/train_eggn.log").read_text()
    assert "continuing from eggn.safetensors.state" in log


def test_time_limits_come_from_the_rules(story):
    assert {job.minutes for job in story.jobs if job.rule.startswith("embed_images")} == {"00:20:00"}
