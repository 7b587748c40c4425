"""Rule fetch: bring one archive or file, checked and unpacked, and record what arrived."""

from scegg_core.fetch.archives import fetch, write_arrival
from scegg_core.settings.downloads import Download
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    write_arrival(snakemake.output.record, fetch(job.settings(Download)))
