"""Rule predict_by_embedding: LEN's or DAZLE's class scores on the test images of both tasks (Eq. 3)."""

from pathlib import Path

import torch

from scegg_core.classify.predictions import predict_embedding, write_predictions
from scegg_core.data.tables import read_index
from scegg_core.data.tasks import TASKS
from scegg_core.evaluate.scores import read_constant
from scegg_core.scen.space import read_semantics
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    index = read_index(job.index_files())
    semantics = read_semantics(Path(snakemake.input.semantics), index)
    constant = read_constant(snakemake.input.get("calibration"))
    vectors, margin = torch.from_numpy(index.vectors), snakemake.params.settings["margin"]
    for task in TASKS:
        predictions = predict_embedding(semantics, vectors, index, task, constant, margin)
        write_predictions(Path(snakemake.output[task]), predictions, job.provenance())
