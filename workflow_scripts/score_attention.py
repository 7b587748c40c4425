"""Rule score_attention: how often an attribute's attention points at its part, against chance and the mean map."""

from pathlib import Path

from scegg_core.data.tables import read_index
from scegg_core.evaluate.pointing import score_attention
from scegg_core.regions.store import RegionStore
from scegg_core.report.typeset import write_csv_and_page
from scegg_core.scen.files import read_scen
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    files, params = snakemake.input, snakemake.params
    index, store, scen = read_index(job.index_files()), RegionStore(files.regions), read_scen(Path(files.scen))
    table = score_attention(index, store, scen, params.folder, params.resize)
    files = snakemake.output
    write_csv_and_page(files.attention, files.attention_page, "Pointing score of attention (%)", table)
