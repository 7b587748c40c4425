"""Rule score: Acc, U, S, H and AUSUC of one run, and the epoch that validation selected."""

from pathlib import Path

from scegg_core.classify.predictions import read_predictions
from scegg_core.data.tables import read_index
from scegg_core.evaluate.scores import score, write_metrics
from scegg_core.evaluate.selection import selected_epoch
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    czsl, gzsl = read_predictions(Path(snakemake.input.czsl)), read_predictions(Path(snakemake.input.gzsl))
    selected = selected_epoch(snakemake.input.get("selection"))
    metrics = score(czsl, gzsl, read_index(job.index_files()), selected)
    write_metrics(Path(snakemake.output.metrics), metrics, job.provenance())
