"""Rule build_page: everything about a data set in one file to look at, and to describe a class on."""

from scegg_core.artifacts.files import write_text
from scegg_core.report.page.build import PageFiles, build_page
from scegg_core.report.page.model import PageSettings
from scegg_core.report.page.render import render
from scegg_core.workflow.commit import commit_of
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    files, given = snakemake.input, job.settings(PageSettings)
    made_from = PageFiles(
        index=job.index_files(),
        folder=snakemake.params.folder,
        published=snakemake.params.published,
        **{name: files[name] for name in ("table", "per_class", "metrics", "gzsl", "confused", "curves", "epochs")},
        **{name: files[name] for name in ("points", "regions", "shown_scen", "semantics") if files.get(name)},
    )
    page = build_page(made_from, given, job.provenance().versions, commit_of())
    write_text(snakemake.output.page, render(page))
