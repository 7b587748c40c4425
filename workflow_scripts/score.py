"""Rule score: Acc, U, S, H and AUSUC of one run."""

from pathlib import Path

from scegg_core.data.tables import read_index_of
from scegg_core.jobs import run_job
from scegg_core.predictions import read_predictions, score, write_metrics

with run_job(snakemake) as job:
    czsl, gzsl = read_predictions(Path(snakemake.input.czsl)), read_predictions(Path(snakemake.input.gzsl))
    write_metrics(Path(snakemake.output.metrics), score(czsl, gzsl, read_index_of(snakemake.input)), job.provenance())
