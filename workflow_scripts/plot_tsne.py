"""Rule plot_tsne: real and synthetic features of several spaces side by side, and how well they separate."""

from scegg_core.artifacts.files import write_text
from scegg_core.data.tables import read_index
from scegg_core.report.figures.tsne import SpaceFiles, remarks, tsne_picture
from scegg_core.report.style import save
from scegg_core.report.typeset import write_csv_and_page
from scegg_core.settings.tsne import TsneSettings
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings, files, params = job.settings(TsneSettings), snakemake.input, snakemake.params
    spaces = [
        SpaceFiles(title, files[f"features_{name}"], files[f"synthetic_{name}"])
        for name, title in params.titles.items()
    ]
    figure, numbers, points = tsne_picture(read_index(job.index_files()), spaces, settings, params.threads)
    save(figure, snakemake.output.png, snakemake.output.pdf)
    write_text(snakemake.output.points, points.to_csv(index=False))
    notes = remarks(params.missing)
    write_csv_and_page(snakemake.output.tsne, snakemake.output.tsne_page, "Separation of spaces", numbers, notes)
