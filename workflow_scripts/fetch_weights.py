"""Rule fetch_weights: bring the weights that torchvision or timm names for one network, and record what arrived."""

from scegg_core.fetch.archives import write_arrival
from scegg_core.fetch.weights import fetch_weights
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    fetched = fetch_weights(snakemake.wildcards.network, snakemake.wildcards.weights)
    write_arrival(snakemake.output.record, fetched)
