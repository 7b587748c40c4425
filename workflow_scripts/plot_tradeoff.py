"""Rule plot_tradeoff: accuracy on seen against unseen classes, with the operating points, for all variants."""

from scegg_core.data.tables import read_index
from scegg_core.report.figures.tradeoff import draw_trade_off, trade_offs
from scegg_core.report.runs import read_runs
from scegg_core.report.style import save
from scegg_core.settings.tables import RunNames
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    runs = read_runs(snakemake.input.gzsl, job.settings(RunNames))
    variants = trade_offs(runs, read_index(job.index_files()))
    save(draw_trade_off(variants, snakemake.params.title), snakemake.output.png)
