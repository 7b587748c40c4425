"""Adding classes to a finished run: synthesis, final classifiers and what follows, on weights that stay as they are."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

import scegg_core
from scegg_core.artifacts.files import Provenance, file_digest, input_digest, read_description
from scegg_core.artifacts.provenance import computed_on
from scegg_core.classify.classifier import read_classifier, write_classifier
from scegg_core.classify.predictions import write_predictions
from scegg_core.data.tables import read_index, write_classes
from scegg_core.eggn.files import read_eggn, write_synthetic
from scegg_core.errors import InputError
from scegg_core.evaluate.final import FinalResults, FinalSettings, run_final_steps
from scegg_core.evaluate.scores import write_metrics
from scegg_core.scen.space import Space, read_features, read_scaler
from scegg_core.settings.base import as_mapping, parse_section
from scegg_core.settings.synthesis import SynthesisSettings
from scegg_core.training.device import prepare_device
from scegg_core.using.new_classes import extend_index
from scegg_core.using.run_folder import EXTENDED, RunFiles, classifiers_in, find_run
from scegg_core.workflow.code import code_digest

MadeFrom = Callable[..., Provenance]


@dataclass(frozen=True)
class Parent:
    """The finished run that is extended, and the settings of the final steps that it was made with."""

    files: RunFiles
    settings: FinalSettings


def add_classes(run: str | Path, table: str | Path, name: str, device: str = "auto") -> Path:
    """Extend the finished `run` by the classes described in the CSV `table`; return the extension's folder.

    It is <run>/extended/<name> and can be used as a run itself: a class table, synthetic features, classifiers,
    predictions and scores of the data set's test images among all classes. Nothing of the run itself changes.
    """
    parent = _parent(run, name)
    files, folder = parent.files.space, parent.files.folder / EXTENDED / name
    base = read_index(files.index)
    index = extend_index(base, Path(table))
    computing = prepare_device(device)
    made_from = _provenance(parent, Path(table), computing.type)
    write_classes(index, folder / "classes.parquet", made_from("extend_classes"))
    space = Space(index, read_features(files.features, base), read_scaler(files.scaler), None)
    eggn, _ = read_eggn(parent.files.weights.eggn)
    # as rule `predict` does, on the CPU
    results = run_final_steps(space, eggn, parent.settings, computing, predict_on=torch.device("cpu"))
    _write(folder, results, parent.settings, made_from)
    return folder


def _write(folder: Path, results: FinalResults, settings: FinalSettings, made_from: MadeFrom) -> None:
    """Write what the final steps made, under the names that a run's files have."""
    synthesized = made_from("synthesize", as_mapping(settings.synthesis))
    write_synthetic(folder / "synthetic_unseen.parquet", results.synthetic, synthesized)
    trained = made_from("train_classifier", as_mapping(settings.classifier))
    for task, path in classifiers_in(folder).items():
        write_classifier(path, results.classifiers[task], trained)
        write_predictions(folder / f"predictions_{task}.parquet", results.predictions[task], made_from("predict"))
    write_metrics(folder / "metrics.json", results.metrics, made_from("score"))


def _parent(run: str | Path, name: str) -> Parent:
    """The run to extend, refused where it is an extension itself or `name` is no name for a folder."""
    if not name.replace("-", "").replace("_", "").isalnum():
        raise InputError(f"the name {name!r} is not usable for a folder; use letters, digits, '-' and '_'.")
    files = find_run(run)
    if files.folder != files.run:
        raise InputError(
            f"{files.folder} is an extension itself; put all new classes into one table and extend the run."
        )
    if not files.synthetic.is_file():
        raise InputError(f"{files.run} has no synthetic features, so no generator has been used; extend another run.")
    origin = read_description(files.synthetic)["provenance"]
    synthesis = parse_section(SynthesisSettings, origin["settings"], str(files.synthetic))
    classifier = read_classifier(files.weights.classifiers["gzsl"]).settings  # those of both tasks are the same
    return Parent(files, FinalSettings(synthesis, classifier, origin["seed"]))


def _provenance(parent: Parent, table: Path, device_type: str) -> MadeFrom:
    """A function from stage (and settings) to the provenance of its artifact."""
    space, eggn, seed = parent.files.space, parent.files.weights.eggn, parent.settings.seed
    root = Path(scegg_core.__file__).resolve().parents[1]
    inputs = {"table": file_digest(table), "eggn": input_digest(eggn), "features": input_digest(space.features)}
    inputs |= {"scaler": input_digest(space.scaler), **({"scen": input_digest(space.scen)} if space.scen else {})}
    code = code_digest(Path(__file__).resolve(), root)

    def made_from(stage: str, settings: dict | None = None) -> Provenance:
        return Provenance(
            stage, settings or {}, code, inputs, seed, computed=computed_on(device_type, deterministic=True)
        )

    return made_from
