"""Rule split_validation: split the trainval images again, some of their classes played as unseen."""

from pathlib import Path

from scegg_core.data.tables import read_index_of, write_index
from scegg_core.data.validation import class_split
from scegg_core.settings.base import parse_section
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    given = {**snakemake.params.settings, **snakemake.params.places}
    settings = parse_section(DatasetSettings, given, f"datasets.{snakemake.wildcards.dataset}")
    index = read_index_of(snakemake.input)
    files = snakemake.output
    paths = [Path(path) for path in (files.classes, files.images, files.attributes, files.test_labels)]
    write_index(class_split(index, settings), *paths, job.provenance())
