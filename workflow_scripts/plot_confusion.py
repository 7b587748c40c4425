"""Rule plot_confusion: what a variant takes the images of unseen classes for."""

from scegg_core.data.tables import read_index
from scegg_core.report.figures.confusion import confusion_picture
from scegg_core.report.runs import read_runs
from scegg_core.report.style import save
from scegg_core.settings.tables import RunNames
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    (runs,) = read_runs(snakemake.input.predictions, job.settings(RunNames))
    save(confusion_picture(runs, read_index(job.index_files()), snakemake.params.task), snakemake.output.png)
