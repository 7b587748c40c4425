"""Rule extend_classes: a run's class table with new classes, known by description alone, at its end."""

from pathlib import Path

from scegg_core.data.tables import read_index, write_classes
from scegg_core.using.new_classes import extend_index
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    index = extend_index(read_index(job.index_files()), Path(snakemake.input.table))
    write_classes(index, Path(snakemake.output.classes), job.provenance())
