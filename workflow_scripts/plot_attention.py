"""Rule plot_attention: LEN's and GEN's attention on chosen test images."""

from pathlib import Path

from scegg_core.attention_picture import attention_sheets
from scegg_core.data.tables import read_index_of
from scegg_core.figures.attention import draw_overview, draw_sheet
from scegg_core.figures.style import save
from scegg_core.jobs import run_job
from scegg_core.regions import RegionStore
from scegg_core.settings.report import SheetSettings
from scegg_core.spaces import read_scen

with run_job(snakemake) as job:
    given, files = job.settings(SheetSettings), snakemake.input
    index, store, scen = read_index_of(files), RegionStore(files.regions), read_scen(Path(files.scen))
    sheets = attention_sheets(index, store, scen, snakemake.params.folder, given)
    for sheet, path in zip(sheets, snakemake.output.sheets, strict=True):
        save(draw_sheet(sheet), path)
    save(draw_overview(sheets, given.overview_attributes), snakemake.output.overview)
