"""Adding classes to a finished run: synthesis, final classifiers and what follows, on weights that stay as they are."""

from dataclasses import dataclass
from pathlib import Path

import scegg_core
from scegg_core.artifacts.files import Provenance, file_digest, input_digest, read_description
from scegg_core.artifacts.provenance import computed_on
from scegg_core.classify.files import read_classifier, write_classifier
from scegg_core.classify.predictions import predict_by, write_predictions
from scegg_core.classify.train import classifier_input, train_final
from scegg_core.data.tables import read_index
from scegg_core.data.tasks import TASKS
from scegg_core.eggn.files import read_eggn, write_synthetic
from scegg_core.eggn.synthesis import synthesize_unseen
from scegg_core.errors import InputError
from scegg_core.evaluate.scores import score, write_metrics
from scegg_core.scen.space import Space, read_features, read_scaler
from scegg_core.settings.base import as_mapping, parse_section
from scegg_core.settings.synthesis import SynthesisSettings
from scegg_core.training.device import prepare_device
from scegg_core.using.new_classes import extend_index, write_classes
from scegg_core.using.run_folder import EXTENDED, RunFiles, find_run
from scegg_core.workflow.code import code_digest


@dataclass(frozen=True)
class Parent:
    """The finished run that is extended: its synthesis settings and seed are those it was made with."""

    files: RunFiles
    synthesis: SynthesisSettings
    seed: int


def add_classes(run: str | Path, table: str | Path, name: str, device: str = "auto") -> Path:
    """Extend the finished `run` by the classes described in the CSV `table`; return the extension's folder.

    It lies at <run>/extended/<name> and can be used as a run itself: a class table, synthetic features, classifiers,
    predictions and scores of the data set's own test images among all classes. Nothing of the run itself changes.
    """
    parent = _parent(run, name)
    files, folder = parent.files, parent.files.folder / EXTENDED / name
    base = read_index(files.classes, files.images, files.attributes, files.test_labels)
    index = extend_index(base, Path(table))
    place = prepare_device(device)
    made_from = _provenance(parent, Path(table), place.type)
    write_classes(index, folder / "classes.parquet", made_from("extend_classes"))
    eggn, eggn_settings = read_eggn(files.eggn)
    made = synthesize_unseen(index, eggn, eggn_settings, parent.synthesis, parent.seed, place)
    write_synthetic(folder / "synthetic_unseen.parquet", made, made_from("synthesize", as_mapping(parent.synthesis)))
    space = Space(index, read_features(files.features, base), read_scaler(files.scaler), None)
    found = {}
    for task in TASKS:
        settings = read_classifier(files.classifiers[task])[1]
        classifier = train_final(space, made, eggn, task, settings, parent.seed, place)
        written = made_from("train_classifier", as_mapping(settings))
        write_classifier(folder / f"classifier_{task}.safetensors", classifier, settings, written)
        classifier, settings = read_classifier(folder / f"classifier_{task}.safetensors")
        inputs = classifier_input(space.features, eggn.cpu(), settings)
        found[task] = predict_by(classifier.scores, inputs, index, task, classifier.classes.numpy())
        write_predictions(folder / f"predictions_{task}.parquet", found[task], made_from("predict"))
    write_metrics(folder / "metrics.json", score(found["czsl"], found["gzsl"], index), made_from("score"))
    return folder


def _parent(run: str | Path, name: str) -> Parent:
    """The run to extend, refused where it is an extension itself or `name` is no name for a folder."""
    if not name.replace("-", "").replace("_", "").isalnum():
        raise InputError(f"the name {name!r} is not usable for a folder; use letters, digits, '-' and '_'.")
    files = find_run(run)
    if files.folder != files.run:
        raise InputError(
            f"{files.folder} is an extension itself; put all new classes into one table and extend the run."
        )
    made = files.run / "synthetic_unseen.parquet"
    if not made.is_file():
        raise InputError(f"{files.run} has no synthetic features, so no generator has been used; extend another run.")
    origin = read_description(made)["provenance"]
    return Parent(files, parse_section(SynthesisSettings, origin["settings"], str(made)), origin["seed"])


def _provenance(parent: Parent, table: Path, device_type: str):
    """A function from stage (and settings) to the provenance of its artifact."""
    files = parent.files
    root = Path(scegg_core.__file__).resolve().parents[1]
    inputs = {"table": file_digest(table), "eggn": input_digest(files.eggn), "features": input_digest(files.features)}
    inputs |= {"scaler": input_digest(files.scaler), **({"scen": input_digest(files.scen)} if files.scen else {})}
    code = code_digest(Path(__file__).resolve(), root)

    def made_from(stage: str, settings: dict | None = None) -> Provenance:
        return Provenance(
            stage, settings or {}, code, inputs, parent.seed, computed=computed_on(device_type, deterministic=True)
        )

    return made_from
