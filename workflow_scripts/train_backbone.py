"""Rule train_backbone: train a backbone on the training images of the seen classes, from given or random weights."""

from pathlib import Path

from scegg_core.artifacts.files import write_tensors
from scegg_core.data.tables import read_index
from scegg_core.regions.timm_networks import filled
from scegg_core.regions.train import Computing, train_on_seen
from scegg_core.regions.weights import weights_file
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.training.checkpoint import resumable
from scegg_core.training.device import prepare_device
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings, seed = filled(job.settings(BackboneSettings)), snakemake.params.seed["seed"]
    weights = weights_file(settings, snakemake.input.get("weights"))
    device = prepare_device(snakemake.resources.device, snakemake.params.deterministic)
    computing = Computing(device, snakemake.resources.images_mb * 2**20)
    shown = {**snakemake.params.settings, "weights": Path(settings.weights).name}
    made_from = job.provenance(shown, seed=seed, device=device, further=snakemake.params.digest)
    index, folder = read_index(job.index_files()), snakemake.params.folder
    with resumable(snakemake.output.backbone, made_from, snakemake.resources.checkpoint_seconds) as checkpoint:
        trained = train_on_seen(index, folder, settings, computing, weights=weights, seed=seed, checkpoint=checkpoint)
        extra = {"train_accuracy": trained.train_accuracy, "loss": trained.curve}
        write_tensors(snakemake.output.backbone, "backbone", trained.state_dict, made_from, extra)
