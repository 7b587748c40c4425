"""Rule embed_by_dazle: DAZLE's weighted attribute scores of all images."""

from pathlib import Path

from scegg_core.data.tables import read_index
from scegg_core.dazle.embed import embed_by_dazle
from scegg_core.dazle.files import read_dazle
from scegg_core.regions.store import RegionStore
from scegg_core.scen.space import write_semantics
from scegg_core.training.device import prepare_device
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    device = prepare_device(snakemake.resources.device, snakemake.params.deterministic)
    index = read_index(job.index_files())
    dazle = read_dazle(Path(snakemake.input.dazle)).to(device)
    semantics = embed_by_dazle(RegionStore(snakemake.input.regions), index.rows, dazle, device)
    write_semantics(Path(snakemake.output.semantics), semantics, job.provenance(device=device))
