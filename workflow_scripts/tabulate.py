"""Rule tabulate: one row per variant, mean and standard deviation over seeds, published figures beside ours."""

from scegg_core.artifacts import write_text
from scegg_core.jobs import run_job
from scegg_core.published import read_published
from scegg_core.tables import ablation_table, paired_differences, result_table, seed_rows
from scegg_core.tabulate import TableSettings, ablation_remarks, remarks, run_results, with_oracle
from scegg_core.typeset import to_latex, to_markdown, write_csv_and_page

with run_job(snakemake) as job:
    given, files = job.settings(TableSettings), snakemake.output
    results = run_results(snakemake.input.metrics, snakemake.params.there, given)
    results = with_oracle(results, snakemake.input.oracle, snakemake.params.oracle)
    published = read_published(*snakemake.params.published)
    table, notes = result_table(results, published), remarks(results, given)
    ablation, ablation_notes = ablation_table(results, published), ablation_remarks(results, given)
    paired = paired_differences(results, given.reference)

    write_csv_and_page(files.table, files.table_page, f"{given.dataset}: results", table, notes)
    write_csv_and_page(files.ablation, files.ablation_page, f"{given.dataset}: ablation", ablation, ablation_notes)
    write_csv_and_page(
        files.paired, files.paired_page, f"{given.dataset}: differences to {given.reference}", paired, notes
    )
    write_csv_and_page(files.seeds, files.seeds_page, f"{given.dataset}: single runs", seed_rows(results), notes)
    write_text(files.markdown, to_markdown(table, notes))
    write_text(files.latex, to_latex(table, notes))
    write_text(files.ablation_markdown, to_markdown(ablation, ablation_notes))
    write_text(files.ablation_latex, to_latex(ablation, ablation_notes))
