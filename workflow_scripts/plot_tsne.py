"""Rule plot_tsne: real and synthetic features of several spaces side by side, and how well they separate."""

from scegg_core.artifacts import write_text
from scegg_core.data.tables import read_index_of
from scegg_core.figures.style import save
from scegg_core.jobs import run_job
from scegg_core.settings.report import TsneSettings
from scegg_core.tsne_picture import SpaceFiles, tsne_picture

with run_job(snakemake) as job:
    files = snakemake.input
    spaces = [
        SpaceFiles(title, files[f"features_{name}"], files[f"synthetic_{name}"])
        for name, title in snakemake.params.titles.items()
    ]
    figure, numbers = tsne_picture(read_index_of(files), spaces, job.settings(TsneSettings), snakemake.threads)
    save(figure, snakemake.output.png, snakemake.output.pdf)
    write_text(snakemake.output.table, numbers.to_csv(index=False))
