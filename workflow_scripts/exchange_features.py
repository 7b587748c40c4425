"""Rule exchange_features: g of all images, unscaled, with labels, splits and class lists in xlsa17's files."""

from pathlib import Path

from scegg_core.data.tables import read_index
from scegg_core.regions.store import RegionStore
from scegg_core.scen.embed import embed_images
from scegg_core.scen.files import read_scen
from scegg_core.training.device import prepare_device
from scegg_core.using.exchange import check_exchange, write_exchange
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    device = prepare_device(snakemake.resources.device, snakemake.params.deterministic)
    index, validation = read_index(job.index_files()), read_index(job.index_files("val_"))
    store, scen = RegionStore(snakemake.input.regions), read_scen(Path(snakemake.input.scen)).to(device)
    folder = Path(snakemake.output.features).parent
    check_exchange(folder, len(index.paths), store.size.channels)
    features = embed_images(store, index.rows, scen, device).features.numpy()
    write_exchange(folder, index, validation, features, job.provenance(device=device))
