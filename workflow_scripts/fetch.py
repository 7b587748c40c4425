"""Rule fetch: bring one archive or file, checked and unpacked, and record what arrived."""

from scegg_core.artifacts import write_json
from scegg_core.data.fetch import fetch
from scegg_core.jobs import run_job
from scegg_core.settings.data import Download

with run_job(snakemake) as job:
    fetched = fetch(job.settings(Download))
    write_json(snakemake.output.record, {"file": fetched.file.name, "sha256": fetched.sha256})
