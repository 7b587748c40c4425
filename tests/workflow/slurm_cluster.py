"""A SLURM of one machine with two GPUs that are none, for tests: munged, slurmctld and slurmd, started and stopped.

Needs root and Debian's packages slurmctld, slurmd, slurm-client, munge. Its configuration lies in a folder of its own, which
SLURM_CONF names to all that is started within: a SLURM of this machine, or another such one, is not touched.
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import comes_true

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue")
MUNGE = Path("/run/munge")  # of its socket and lock

SLURM_CONF = """ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
SlurmctldPidFile={base}/slurmctld.pid
SlurmdPidFile={base}/slurmd.pid
StateSaveLocation={base}/state
SlurmdSpoolDir={base}/spool
SlurmctldLogFile={base}/slurmctld.log
SlurmdLogFile={base}/slurmd.log
SchedulerType=sched/backfill
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
MinJobAge=3600
KillWait=20
MessageTimeout=100
BatchStartTimeout=300
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory=64000 Gres=gpu:2 State=UNKNOWN
PartitionName=cpu Nodes={host} Default=YES State=UP
PartitionName=gpu Nodes={host} State=UP
"""
# a GPU without a file drains the node
GRES_CONF = "Name=gpu File=/dev/zero\nName=gpu File=/dev/full\n"


def why_not() -> str | None:
    """Return why no SLURM can be started here, or None if it can."""
    if os.geteuid() != 0:
        return "a SLURM for tests needs root"
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        return f"no SLURM here: {', '.join(missing)} not found"
    return None


@contextmanager
def cluster(base: Path):
    """Within the block a SLURM with partitions cpu and gpu runs; its own files lie in `base`."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SLURM_CONF", str(_configure(base)))
        environment.setenv("PATH", str(base), prepend=os.pathsep)
        try:
            for command in (["runuser", "-u", "munge", "--", "munged"], ["slurmctld"], ["slurmd"]):
                subprocess.run(command, check=False, capture_output=True)  # munged may be running already
            _wait_for_node(base)
            yield
        finally:
            subprocess.run(["scancel", "--user", "root"], check=False, capture_output=True)
            for name in ("slurmd", "slurmctld"):
                _stop(base / f"{name}.pid")


def _configure(base: Path) -> Path:
    """Write the configuration; return its main file, beside which SLURM looks for the others."""
    for name in ("state", "spool"):
        (base / name).mkdir(parents=True)
    if not MUNGE.exists():
        MUNGE.mkdir()
        shutil.chown(MUNGE, "munge", "munge")
    host, cpus = socket.gethostname().partition(".")[0], max(2, os.cpu_count() or 1)
    config = SLURM_CONF.format(host=host, base=base, cpus=cpus, ports=_free_ports())
    for name, text in (("slurm.conf", config), ("gres.conf", GRES_CONF), ("cgroup.conf", "CgroupAutomount=no\n")):
        (base / name).write_text(text)
    # Snakemake's plugin takes SLURM_CONF away from the srun of its jobs
    (base / "srun").write_text(f'#!/bin/sh\nSLURM_CONF="{base}/slurm.conf" exec {shutil.which("srun")} "$@"\n')
    (base / "srun").chmod(0o755)
    return base / "slurm.conf"


def _free_ports() -> list[int]:
    """Two ports that nobody listens on: daemons that a killed run of the tests left behind keep theirs, and get no jobs."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [opened.getsockname()[1] for opened in sockets]
    for opened in sockets:
        opened.close()
    return ports


def _wait_for_node(base: Path) -> None:
    def idle() -> bool:
        return "idle" in subprocess.run(["sinfo", "-h", "-o", "%t"], capture_output=True, text=True, check=False).stdout

    if not comes_true(idle, seconds=600, pause=0.5):
        logs = "\n".join(path.read_text()[-2000:] for path in base.glob("*.log"))
        raise RuntimeError(f"the SLURM for tests did not start:\n{logs}")


def _stop(pid_file: Path) -> None:
    try:
        process = int(pid_file.read_text())
        os.kill(process, signal.SIGTERM)
    except (OSError, ValueError):
        return
    for _ in range(50):
        if not Path(f"/proc/{process}").exists():
            return
        time.sleep(0.1)
