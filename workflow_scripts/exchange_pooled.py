"""Rule exchange_pooled: average-pooled backbone features, unscaled, with labels, splits and class lists in xlsa17's files."""

from pathlib import Path

import torch

from scegg_core.data.tables import read_index
from scegg_core.regions.store import RegionStore
from scegg_core.scen.embed import embed_images
from scegg_core.using.exchange import check_exchange, write_exchange
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    index, validation = read_index(job.index_files()), read_index(job.index_files("val_"))
    store = RegionStore(snakemake.input.regions)
    folder = Path(snakemake.output.features).parent
    check_exchange(folder, len(index.paths), store.size.channels)
    features = embed_images(store, index.rows, None, torch.device("cpu")).features.numpy()
    write_exchange(folder, index, validation, features, job.provenance())
