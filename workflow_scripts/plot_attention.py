"""Rule plot_attention: LEN's and GEN's attention on chosen test images."""

from pathlib import Path

from scegg_core.data.tables import read_index
from scegg_core.regions.store import RegionStore
from scegg_core.report.figures.attention import attention_sheets, draw_overview, draw_sheet
from scegg_core.report.style import save
from scegg_core.scen.files import read_scen
from scegg_core.settings.attention import SheetSettings
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings, files = job.settings(SheetSettings), snakemake.input
    index, store, scen = read_index(job.index_files()), RegionStore(files.regions), read_scen(Path(files.scen))
    sheets = attention_sheets(index, store, scen, snakemake.params.folder, settings)
    for sheet, path in zip(sheets, snakemake.output.sheets, strict=True):
        save(draw_sheet(sheet), path)
    save(draw_overview(sheets, settings.overview_attributes), snakemake.output.overview)
