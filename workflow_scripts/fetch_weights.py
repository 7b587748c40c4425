"""Rule fetch_weights: bring torchvision's ImageNet weights of one network, and record what arrived."""

from scegg_core.data.fetch import write_arrival
from scegg_core.data.fetch_weights import fetch_weights
from scegg_core.jobs import run_job

with run_job(snakemake) as job:
    fetched = fetch_weights(snakemake.wildcards.network, snakemake.wildcards.weights)
    write_arrival(snakemake.output.record, fetched)
