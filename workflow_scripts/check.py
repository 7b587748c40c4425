"""Rules check_<data set>: what the data set holds, what a run will need, and "ready" or what to mend."""

import sys

from scegg_core.settings.base import parse_section
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.settings.downloads import Download
from scegg_core.settings.plan import Plan
from scegg_core.using.check import check_dataset, render
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    settings = job.settings(DatasetSettings)
    report = check_dataset(
        settings,
        snakemake.params.dataset,
        job.settings(Plan, "plan"),
        downloads=tuple(parse_section(Download, item, "downloads") for item in snakemake.params.downloads),
        captions=settings.home / "captions.txt",
    )
    print(render(report), file=sys.stderr)
    if not report.ready:
        sys.exit("not ready; mend what is said above, in its log too")
