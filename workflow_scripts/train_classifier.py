"""Rule train_classifier: the final classifiers of both tasks, on real seen and synthetic unseen features."""

from pathlib import Path

from scegg_core.classify.classifier import write_classifier
from scegg_core.classify.train import train_final
from scegg_core.data.tasks import TASKS
from scegg_core.eggn.files import read_eggn, read_synthetic
from scegg_core.evaluate.scores import read_constant
from scegg_core.scen.space import read_space
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.training.checkpoint import resumable
from scegg_core.training.device import prepare_device
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings, seed = job.settings(ClassifierSettings), int(snakemake.wildcards.seed)
    device = prepare_device(snakemake.resources.device, snakemake.params.deterministic)
    eggn, _ = read_eggn(Path(snakemake.input.eggn))
    synthetic = read_synthetic(Path(snakemake.input.synthetic))
    space = read_space(job.space_files())
    constant = read_constant(snakemake.input.get("calibration"))
    made_from = job.provenance(seed=seed, device=device)
    for task in TASKS:
        output = Path(snakemake.output[task])
        with resumable(output, made_from, snakemake.resources.checkpoint_seconds) as checkpoint:
            final = train_final(space, synthetic, eggn, task, settings, seed, device, checkpoint)
            final = final.calibrated(constant, space.index.seen)
            write_classifier(output, final, made_from, snakemake.wildcards.variant)
