"""Rule index_dataset: read classes, attributes, images and splits of a data set, and check them."""

from scegg_core.data.index import index_dataset, write_index
from scegg_core.settings.base import parse_section
from scegg_core.settings.datasets import IndexSettings
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    section = {**snakemake.params.settings, **snakemake.params.paths}
    settings = parse_section(IndexSettings, section, f"datasets.{snakemake.wildcards.dataset}")
    index = index_dataset(settings, cores=snakemake.threads)
    write_index(index, job.index_outputs(), job.provenance(further=snakemake.params.digest))
