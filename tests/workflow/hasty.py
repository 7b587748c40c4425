"""Snakemake as it is, but that it looks every second after the jobs of a cluster: `python hasty.py` for `snakemake`.

The executor for SLURM waits 10 seconds longer after each look at which no job has ended.
"""

import sys
from pathlib import Path

from snakemake.cli import main
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor

if __name__ == "__main__":
    RemoteExecutor.next_seconds_between_status_checks = property(lambda self: 1.0, lambda self, seconds: None)
    sys.path[0], sys.argv[0] = str(Path.cwd()), "snakemake"
    main()
