"""Rule plot_curves: the losses of a variant's stages and its accuracies on validation over epochs, a line per seed."""

from scegg_core.report.figures.curves import draw_curves, read_curves, write_curves
from scegg_core.report.style import save
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    files, params = snakemake.input, snakemake.params
    curves = read_curves(files.curves, params.seeds, files.epochs, params.scored)
    write_curves(snakemake.output.curves, curves, job.provenance())
    save(draw_curves(curves, params.title), snakemake.output.png)
