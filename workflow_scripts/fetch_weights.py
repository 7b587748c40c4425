"""Rule fetch_weights: bring torchvision's ImageNet weights of one network."""

from pathlib import Path

from scegg_core.fetch.weights import fetch_weights
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    fetch_weights(snakemake.wildcards.network, snakemake.wildcards.weights, Path(snakemake.output.weights))
