"""Rule predict: the final classifiers' scores on the test images of both tasks."""

from pathlib import Path

from scegg_core.classify.files import read_classifier
from scegg_core.classify.predictions import predict_by, write_predictions
from scegg_core.classify.train import classifier_input
from scegg_core.data.tasks import TASKS
from scegg_core.eggn.files import read_eggn
from scegg_core.scen.space import read_space
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    space = read_space(snakemake.input)
    eggn, _ = read_eggn(Path(snakemake.input.eggn))
    for task in TASKS:
        classifier, settings = read_classifier(Path(snakemake.input[task]))
        inputs = classifier_input(space.features, eggn, settings)
        found = predict_by(classifier.scores, inputs, space.index, task, classifier.classes.numpy())
        write_predictions(Path(snakemake.output[task]), found, job.provenance())
