"""Rule predict_closed_form: a yardstick's predictions, its two constants chosen on the validation split."""

from dataclasses import asdict
from pathlib import Path

from scegg_core.classify.predictions import write_predictions
from scegg_core.data.tables import read_index
from scegg_core.data.tasks import TASKS
from scegg_core.evaluate.closed_form import YARDSTICKS, calibrate, predict_closed_form
from scegg_core.scen.space import read_features
from scegg_core.workflow.job import run_job

with run_job(snakemake) as job:
    files, yardstick = snakemake.input, YARDSTICKS[snakemake.params.settings["predict_by"]]
    validation = read_index(job.index_files("val_"))
    chosen = calibrate(yardstick, read_features(Path(files.val_features), validation).numpy(), validation)
    index = read_index(job.index_files())
    features = read_features(Path(files.features), index).numpy()
    for task in TASKS:
        predictions = predict_closed_form(yardstick, features, index, task, chosen)
        write_predictions(
            Path(snakemake.output[task]), predictions, job.provenance({**snakemake.params.settings, **asdict(chosen)})
        )
