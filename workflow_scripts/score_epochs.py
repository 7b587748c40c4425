"""Rule score_epochs: what the final classifiers reach on each snapshot of a generator."""

from scegg_core.eggn.snapshots import read_snapshots
from scegg_core.evaluate.epochs import score_snapshots
from scegg_core.evaluate.final import FinalSettings
from scegg_core.evaluate.selection import write_epochs
from scegg_core.scen.space import read_space
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.synthesis import SynthesisSettings
from scegg_core.training.device import prepare_device
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    synthesis, classifier = job.settings(SynthesisSettings, "synthesis"), job.settings(ClassifierSettings, "classifier")
    settings = FinalSettings(synthesis, classifier, seed=int(snakemake.wildcards.seed))
    device = prepare_device(snakemake.resources.device, snakemake.params.deterministic)
    snapshots = read_snapshots(snakemake.input.snapshots)
    scores = score_snapshots(read_space(job.space_files()), snapshots, settings, device)
    made_with = {name: dict(snakemake.params[name]) for name in ("synthesis", "classifier")}
    write_epochs(snakemake.output.epochs, scores, job.provenance(made_with, settings.seed, device))
