"""Rule extract_regions: region features of one shard of the images."""

from pathlib import Path

from scegg_core.data.tables import read_index
from scegg_core.regions.backbone import build_backbone
from scegg_core.regions.extraction import extract_shard
from scegg_core.regions.store import shard_rows
from scegg_core.regions.timm_networks import filled
from scegg_core.regions.weights import weights_file
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.base import as_mapping
from scegg_core.training.device import prepare_device
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings = filled(job.settings(BackboneSettings))
    index = read_index(job.index_files())
    rows = shard_rows(len(index.paths), len(snakemake.params.shards), int(snakemake.wildcards.shard))
    paths = [Path(snakemake.params.folder) / index.paths[row] for row in rows]
    backbone = build_backbone(settings, weights_file(settings, snakemake.input.get("weights")))
    shown = {**as_mapping(settings), "weights": Path(settings.weights).name}
    device = prepare_device(snakemake.resources.device, snakemake.params.deterministic)
    extract_shard(
        backbone,
        paths,
        index.rows[rows],
        settings,
        device,
        Path(snakemake.output.shard),
        job.provenance(shown, device=device),
    )
