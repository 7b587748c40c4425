"""Rule count_classes: accuracy of every class, and the class it is most often taken for, per variant and task."""

from pandas import concat

from scegg_core.class_table import class_rows
from scegg_core.data.tables import read_index_of
from scegg_core.jobs import run_job
from scegg_core.run_predictions import read_runs
from scegg_core.settings.report import RunNames
from scegg_core.typeset import write_csv_and_page

with run_job(snakemake) as job:
    given, index = job.settings(RunNames), read_index_of(snakemake.input)
    tables = [class_rows(read_runs(snakemake.input[task], given), index, task) for task in ("gzsl", "czsl")]
    files = snakemake.output
    write_csv_and_page(files.per_class, files.per_class_page, "Accuracy of every class (%)", concat(tables))
