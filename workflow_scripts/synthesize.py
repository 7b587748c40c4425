"""Rule synthesize: features of the unseen classes."""

from pathlib import Path

from scegg_core.data.tables import read_index_of
from scegg_core.generators import read_eggn, write_synthetic
from scegg_core.jobs import run_job
from scegg_core.settings.final import SynthesisSettings
from scegg_core.synthesize import synthesize_unseen
from scegg_core.training import prepare_device

with run_job(snakemake) as job:
    settings, seed = job.settings(SynthesisSettings), int(snakemake.wildcards.seed)
    device = prepare_device(snakemake.resources.device, snakemake.params.deterministic)
    index = read_index_of(snakemake.input)
    eggn, eggn_settings = read_eggn(Path(snakemake.input.eggn))
    made = synthesize_unseen(index, eggn, eggn_settings, settings, seed, device)
    write_synthetic(Path(snakemake.output.synthetic), made, job.provenance(seed=seed, device=device))
