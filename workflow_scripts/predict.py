"""Rule predict: the final classifiers' scores on the test images of both tasks."""

from pathlib import Path

from scegg_core.classify import classifier_input
from scegg_core.generators import read_classifier, read_eggn
from scegg_core.jobs import run_job
from scegg_core.predictions import predict_by, write_predictions
from scegg_core.spaces import read_space
from scegg_core.tasks import TASKS

with run_job(snakemake) as job:
    space = read_space(snakemake.input)
    eggn, _ = read_eggn(Path(snakemake.input.eggn))
    for task in TASKS:
        classifier, settings = read_classifier(Path(snakemake.input[task]))
        inputs = classifier_input(space.features, eggn, settings)
        found = predict_by(classifier.scores, inputs, space.index, task, classifier.classes.numpy())
        write_predictions(Path(snakemake.output[task]), found, job.provenance())
