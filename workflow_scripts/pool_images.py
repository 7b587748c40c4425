"""Rule pool_images: average-pooled backbone features of all images, scaled for the generator."""

from pathlib import Path

import torch

from scegg_core.data.tables import read_index
from scegg_core.regions.store import RegionStore
from scegg_core.scen.embed import embed_images
from scegg_core.scen.space import write_space
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    index = read_index(job.index_files())
    embedded = embed_images(RegionStore(snakemake.input.regions), index.rows, None, torch.device("cpu"))
    features, scaler = Path(snakemake.output.features), Path(snakemake.output.scaler)
    made_from, scaling = job.provenance(), snakemake.params.settings["feature_scaling"]
    write_space(embedded, index.in_split("trainval"), features, scaler, None, made_from, scaling)
