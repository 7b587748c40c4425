"""Rule embed_images: dense-semantic features of all images, scaled for the generator, and LEN's semantics."""

from pathlib import Path

from scegg_core.data.tables import read_index
from scegg_core.regions.store import RegionStore
from scegg_core.scen.embed import embed_images
from scegg_core.scen.files import read_scen
from scegg_core.scen.space import write_space
from scegg_core.training.device import prepare_device
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    device = prepare_device(snakemake.resources.device, snakemake.params.deterministic)
    index = read_index(job.index_files())
    scen = read_scen(Path(snakemake.input.scen)).to(device)
    embedded = embed_images(RegionStore(snakemake.input.regions), index.rows, scen, device)
    paths = [Path(path) for path in (snakemake.output.features, snakemake.output.scaler, snakemake.output.semantics)]
    made_from, scaling = job.provenance(device=device), snakemake.params.settings["feature_scaling"]
    write_space(embedded, index.in_split("trainval"), *paths, made_from, scaling)
