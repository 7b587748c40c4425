"""Rule index_dataset: read classes, attributes, images and splits of a data set, and check them."""

from pathlib import Path

from scegg_core.data.index import index_dataset, write_index
from scegg_core.settings.base import parse_section
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    given = {**snakemake.params.settings, **snakemake.params.places}
    index = index_dataset(parse_section(DatasetSettings, given, f"datasets.{snakemake.wildcards.dataset}"))
    files = snakemake.output
    paths = [Path(path) for path in (files.classes, files.images, files.attributes, files.test_labels)]
    write_index(index, *paths, job.provenance())
