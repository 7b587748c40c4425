"""Rule train_backbone: train a small backbone on the training images of the seen classes."""

from scegg_core.artifacts.files import write_tensors
from scegg_core.data.tables import read_index
from scegg_core.regions.timm_networks import filled
from scegg_core.regions.train import train_on_seen
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.training.checkpoint import resumable
from scegg_core.training.device import prepare_device
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings = filled(job.settings(BackboneSettings))
    index = read_index(job.index_files())
    device = prepare_device(snakemake.resources.device, snakemake.params.deterministic)
    made_from = job.provenance(device=device)
    with resumable(snakemake.output.backbone, made_from, snakemake.resources.checkpoint_seconds) as checkpoint:
        trained = train_on_seen(index, snakemake.params.folder, settings, device, checkpoint)
        extra = {"train_accuracy": trained.train_accuracy, "loss": trained.curve}
        write_tensors(snakemake.output.backbone, "backbone", trained.state_dict, made_from, extra)
