"""Rule compare_spaces: every method on pooled and on SCEN's features, and the paired difference of each."""

from scegg_core.artifacts.files import write_text
from scegg_core.report.rows import remarks, run_results, with_intervals
from scegg_core.report.spaces import SpacesSettings, answers, in_print, spaces_table
from scegg_core.report.typeset import to_markdown, to_page
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings, files = job.settings(SpacesSettings), snakemake.output
    results = run_results(snakemake.input.metrics, snakemake.params.runs, settings.table)
    results = with_intervals(results, snakemake.input.outcomes, snakemake.params.resampled)
    table = spaces_table(results, settings.methods)
    notes = [*answers(table), settings.budget, *remarks(results, settings.table)]
    write_text(files.spaces, table.to_csv(index=False))
    write_text(files.spaces_page, to_page(f"{settings.table.dataset}: methods on both spaces", in_print(table), notes))
    write_text(files.markdown, to_markdown(in_print(table), notes))
