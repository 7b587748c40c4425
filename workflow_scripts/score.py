"""Rule score: Acc, U, S, H and AUSUC of one run, and the epoch that validation selected."""

from pathlib import Path

from scegg_core.data.tables import read_index_of
from scegg_core.jobs import run_job
from scegg_core.predictions import read_predictions, score, write_metrics
from scegg_core.selection import selected_epoch

with run_job(snakemake) as job:
    czsl, gzsl = read_predictions(Path(snakemake.input.czsl)), read_predictions(Path(snakemake.input.gzsl))
    selected = selected_epoch(snakemake.input.get("selection"))
    metrics = score(czsl, gzsl, read_index_of(snakemake.input), selected)
    write_metrics(Path(snakemake.output.metrics), metrics, job.provenance())
