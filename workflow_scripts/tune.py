"""Rule tune: the points of the grids on the validation split, one row each."""

from scegg_core.evaluate.tuning import TuneSettings, tuning_table
from scegg_core.report.typeset import write_csv_and_page
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings, files = job.settings(TuneSettings), snakemake.output
    table = tuning_table(snakemake.input.scores, settings.points)
    write_csv_and_page(files.tuning, files.tuning_page, f"{settings.dataset}: tuning on validation", table)
