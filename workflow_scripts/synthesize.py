"""Rule synthesize: features of the unseen classes."""

from pathlib import Path

from scegg_core.data.tables import read_index
from scegg_core.eggn.files import read_eggn, write_synthetic
from scegg_core.eggn.synthesis import synthesize_unseen
from scegg_core.settings.synthesis import SynthesisSettings
from scegg_core.training.device import prepare_device
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings, seed = job.settings(SynthesisSettings), int(snakemake.wildcards.seed)
    device = prepare_device(snakemake.resources.device, snakemake.params.deterministic)
    index = read_index(job.index_files())
    eggn, _ = read_eggn(Path(snakemake.input.eggn))
    made = synthesize_unseen(index, eggn, settings, seed, device)
    write_synthetic(Path(snakemake.output.synthetic), made, job.provenance(seed=seed, device=device))
