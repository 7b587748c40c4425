"""Rule split_validation: split the trainval images again, some of their classes played as unseen."""

from scegg_core.data.tables import read_index, write_index
from scegg_core.data.validation import class_split
from scegg_core.settings.base import parse_section
from scegg_core.settings.datasets import IndexSettings
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    section = {**snakemake.params.settings, **snakemake.params.paths}
    settings = parse_section(IndexSettings, section, f"datasets.{snakemake.wildcards.dataset}")
    index = read_index(job.index_files())
    write_index(class_split(index, settings), job.index_outputs(), job.provenance())
