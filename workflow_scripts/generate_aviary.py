"""Rule generate_aviary: draw the embedded data set, in CUB's own layout."""

from pathlib import Path

from scegg_core.aviary.generate import generate_aviary
from scegg_core.settings.aviary import AviarySettings
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    generate_aviary(job.settings(AviarySettings), Path(snakemake.output.done).parent, workers=snakemake.threads)
