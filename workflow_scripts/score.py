"""Rule score: Acc, U, S, H and AUSUC of one run, the epoch that validation selected, and what became of each image."""

from pathlib import Path

from scegg_core.classify.predictions import read_predictions
from scegg_core.data.tables import read_index
from scegg_core.evaluate.outcomes import outcomes, write_outcomes
from scegg_core.evaluate.scores import score, write_metrics
from scegg_core.evaluate.selection import selected_epoch
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    czsl, gzsl = read_predictions(Path(snakemake.input.czsl)), read_predictions(Path(snakemake.input.gzsl))
    selected = selected_epoch(snakemake.input.get("selection"))
    index, made_from = read_index(job.index_files()), job.provenance()
    write_metrics(Path(snakemake.output.metrics), score(czsl, gzsl, index, selected), made_from)
    write_outcomes(snakemake.output.outcomes, outcomes(czsl, gzsl, index.seen), made_from)
