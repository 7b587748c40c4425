"""Rule fetch: bring one archive or file, checked and unpacked, and record what arrived."""

from scegg_core.data.fetch import fetch, write_arrival
from scegg_core.jobs import run_job
from scegg_core.settings.data import Download

with run_job(snakemake) as job:
    write_arrival(snakemake.output.record, fetch(job.settings(Download)))
