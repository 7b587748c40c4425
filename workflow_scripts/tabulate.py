"""Rule tabulate: one row per variant, mean and standard deviation over seeds, published figures beside ours."""

from scegg_core.artifacts import write_text
from scegg_core.jobs import run_job
from scegg_core.published import read_published
from scegg_core.tables import result_table, seed_rows, to_markdown
from scegg_core.tabulate import TableSettings, run_results

with run_job(snakemake) as job:
    results = run_results(snakemake.input.metrics, job.settings(TableSettings))
    table = result_table(results, read_published(*snakemake.input.published))
    write_text(snakemake.output.table, table.to_csv(index=False))
    write_text(snakemake.output.markdown, to_markdown(table))
    write_text(snakemake.output.seeds, seed_rows(results).to_csv(index=False))
