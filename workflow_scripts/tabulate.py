"""Rule tabulate: one row per variant, mean, deviation and interval, published figures beside ours."""

from scegg_core.artifacts.files import write_text
from scegg_core.report.paired import paired_differences, paired_remarks
from scegg_core.report.published import read_published
from scegg_core.report.rows import (
    TableSettings,
    ablation_remarks,
    remarks,
    run_results,
    with_alarms,
    with_intervals,
    with_oracle,
)
from scegg_core.report.tables import ablation_table, result_table, seed_rows
from scegg_core.report.typeset import to_latex, to_markdown, write_csv_and_page
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings, files = job.settings(TableSettings), snakemake.output
    results = run_results(snakemake.input.metrics, snakemake.params.runs, settings)
    results = with_intervals(results, snakemake.input.outcomes, snakemake.params.resampled)
    results = with_oracle(results, snakemake.input.oracle, snakemake.params.oracle)
    results = with_alarms(results, snakemake.input.curves, snakemake.params.trained)
    published = read_published(*snakemake.params.published)
    table, notes = result_table(results, published), remarks(results, settings)
    ablation, ablation_notes = ablation_table(results, published), ablation_remarks(results, settings)
    paired = paired_differences(results, settings.reference)
    paired_notes = [*notes, *paired_remarks(results, settings.reference)]

    write_csv_and_page(files.table, files.table_page, f"{settings.dataset}: results", table, notes)
    write_csv_and_page(files.ablation, files.ablation_page, f"{settings.dataset}: ablation", ablation, ablation_notes)
    title = f"{settings.dataset}: differences to {settings.reference}"
    write_csv_and_page(files.paired, files.paired_page, title, paired, paired_notes)
    write_csv_and_page(files.seeds, files.seeds_page, f"{settings.dataset}: single runs", seed_rows(results), notes)
    write_text(files.markdown, to_markdown(table, notes))
    write_text(files.latex, to_latex(table, notes))
    write_text(files.ablation_markdown, to_markdown(ablation, ablation_notes))
    write_text(files.ablation_latex, to_latex(ablation, ablation_notes))
