"""Rule read_features: one shard of ready features, in place of those that a backbone would extract."""

from pathlib import Path

from scegg_core.data.tables import read_index
from scegg_core.regions.ready import read_shard
from scegg_core.regions.store import shard_rows
from scegg_core.settings.base import parse_section
from scegg_core.settings.features import FeatureSettings
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings = parse_section(FeatureSettings, dict(snakemake.params.features), "features")
    images = len(read_index(job.index_files()).paths)
    rows = shard_rows(images, len(snakemake.params.shards), int(snakemake.wildcards.shard))
    made_from = job.provenance(further=snakemake.params.digest)
    read_shard(settings, images, rows, Path(snakemake.output.shard), made_from)
