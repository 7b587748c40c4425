"""Rule train_eggn: stage 3 of the method."""

from pathlib import Path

from scegg_core.eggn.files import write_eggn
from scegg_core.eggn.snapshots import keeping
from scegg_core.eggn.train import train_eggn
from scegg_core.evaluate.selection import selected_epoch, up_to
from scegg_core.scen.space import read_space
from scegg_core.settings.base import as_mapping
from scegg_core.settings.eggn import EggnSettings
from scegg_core.training.checkpoint import resumable
from scegg_core.training.device import prepare_device
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings, seed = job.settings(EggnSettings), int(snakemake.wildcards.seed)
    settings = up_to(settings, selected_epoch(snakemake.input.get("selection")))
    device = prepare_device(snakemake.resources.device, snakemake.params.deterministic)
    made_from, files = job.provenance(as_mapping(settings), seed, device), snakemake.output
    with (
        keeping(files.snapshots, settings, made_from) as snapshots,
        resumable(files.eggn, made_from, snakemake.resources.checkpoint_seconds) as checkpoint,
    ):
        eggn, curve = train_eggn(read_space(job.space_files()), settings, seed, device, checkpoint, snapshots.take)
        curve.write(files.curve, made_from)
        snapshots.publish()
        write_eggn(Path(files.eggn), eggn, settings, made_from)
