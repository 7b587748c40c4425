"""Rule train_dazle: DAZLE on region features."""

from pathlib import Path

from scegg_core.data.tables import read_index, read_vectors
from scegg_core.dazle.files import write_dazle
from scegg_core.dazle.train import train_dazle
from scegg_core.regions.store import RegionStore
from scegg_core.settings.dazle import DazleSettings
from scegg_core.training.checkpoint import resumable
from scegg_core.training.device import prepare_device
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings, seed = job.settings(DazleSettings), int(snakemake.wildcards.seed)
    device = prepare_device(snakemake.resources.device, snakemake.params.deterministic)
    index, words = read_index(job.index_files()), read_vectors(Path(snakemake.input.vectors)).vectors
    made_from = job.provenance(seed=seed, device=device)
    with resumable(snakemake.output.dazle, made_from, snakemake.resources.checkpoint_seconds) as checkpoint:
        trained = train_dazle(index, RegionStore(snakemake.input.regions), words, settings, seed, device, checkpoint)
        trained.curve.write(snakemake.output.curve, made_from)
        write_dazle(Path(snakemake.output.dazle), trained.model, settings, made_from)
