"""Rule count_classes: accuracy of every class, and the class it is most often taken for, per variant and task."""

from pandas import concat

from scegg_core.data.tables import read_index
from scegg_core.report.classes import class_rows
from scegg_core.report.runs import read_runs
from scegg_core.report.typeset import write_csv_and_page
from scegg_core.settings.tables import RunNames
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings, index = job.settings(RunNames), read_index(job.index_files())
    tables = [class_rows(read_runs(snakemake.input[task], settings), index, task) for task in ("gzsl", "czsl")]
    files = snakemake.output
    write_csv_and_page(files.per_class, files.per_class_page, "Accuracy of every class (%)", concat(tables))
