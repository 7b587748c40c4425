"""Rule summarize: Table 1 over data sets, published rows and ours."""

from scegg_core.artifacts.files import write_text
from scegg_core.report.published import read_published
from scegg_core.report.rows import SummarySettings, remarks, summary_results
from scegg_core.report.tables import summary_table
from scegg_core.report.typeset import to_latex, to_markdown, write_csv_and_page
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings, files = job.settings(SummarySettings), snakemake.output
    results = summary_results(snakemake.input.metrics, settings)
    table = summary_table(results, read_published(*snakemake.params.published))
    notes = [note for one in settings.tables for note in remarks([r for r in results if r.dataset == one.dataset], one)]
    write_csv_and_page(files.summary, files.summary_page, "Summary over data sets", table, notes)
    write_text(files.markdown, to_markdown(table, notes))
    write_text(files.latex, to_latex(table, notes))
