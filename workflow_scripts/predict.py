"""Rule predict: the final classifiers' scores on the test images of both tasks."""

from pathlib import Path

from scegg_core.classify.classifier import read_classifier
from scegg_core.classify.predictions import predict_final, write_predictions
from scegg_core.data.tasks import TASKS
from scegg_core.eggn.files import read_eggn
from scegg_core.scen.space import read_space
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    space = read_space(job.space_files())
    eggn, _ = read_eggn(Path(snakemake.input.eggn))
    for task in TASKS:
        predictions = predict_final(read_classifier(Path(snakemake.input[task])), eggn, space, task)
        write_predictions(Path(snakemake.output[task]), predictions, job.provenance())
