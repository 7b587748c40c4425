"""Adding classes to a finished run: synthesis, final classifiers and what follows, on weights that stay as they are."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic_core import PydanticCustomError

import scegg_core
from scegg_core.artifacts.files import Provenance, file_digest, input_digest, read_description
from scegg_core.artifacts.provenance import computed_on, threads_of
from scegg_core.artifacts.sets import refuse_others, whole_folder
from scegg_core.classify.classifier import read_classifier, write_classifier
from scegg_core.classify.predictions import write_predictions
from scegg_core.data.tables import DatasetIndex, read_index, write_classes
from scegg_core.data.tasks import TASKS
from scegg_core.eggn.files import read_eggn, write_synthetic
from scegg_core.errors import InputError
from scegg_core.evaluate.final import FinalResults, FinalSettings, run_final_steps
from scegg_core.evaluate.scores import write_metrics
from scegg_core.scen.space import Space, read_features, read_scaler
from scegg_core.settings.base import as_mapping, parse_section
from scegg_core.settings.names import usable_name
from scegg_core.settings.synthesis import SynthesisSettings
from scegg_core.training.device import cpu_threads, prepare_device
from scegg_core.using.new_classes import extend_index
from scegg_core.using.places import require_input
from scegg_core.using.run_files import RunFiles, classifiers_in
from scegg_core.using.run_folder import EXTENDED, find_run, refuse_exported
from scegg_core.workflow.code import code_digest

MadeFrom = Callable[..., Provenance]

#: What the folder of an extension holds.
CONTENT = (
    *("classes.parquet", "synthetic_unseen.parquet", "metrics.json"),
    *(f"classifier_{task}.safetensors" for task in TASKS),
    *(f"predictions_{task}.parquet" for task in TASKS),
)


@dataclass(frozen=True)
class Parent:
    """The finished run that is extended, and the settings and CPU threads of the final steps that it was made with."""

    files: RunFiles
    settings: FinalSettings
    threads: int | None  # None: none are named, as of a run on a GPU alone


def add_classes(run: str | Path, table: str | Path, name: str, device: str = "auto") -> Path:
    """Extend the finished `run` by the classes described in the CSV `table`; return the extension's folder.

    It is <run>/extended/<name> and can be used as a run itself: a class table, synthetic features, classifiers,
    predictions and scores of the data set's test images among all classes. Nothing of the run itself changes. All of it
    takes the place of an earlier extension of the same name at once. On a CPU it computes with as many threads as the
    run did, so that it gives the bits that the workflow gives for `extensions`.

    Raises InputError before anything is computed: for a table that `extend_index` refuses, a name that no folder can
    have, an exported model or an extension, and a run that lacks a file.
    """
    _refuse_name(name)
    refuse_exported(run, "features of seen classes to train on")
    computing = prepare_device(device)
    table = require_input(table, "the descriptions of the new classes")
    parent = _parent(run)
    files, folder = parent.files.space, parent.files.folder / EXTENDED / name
    refuse_others(folder, CONTENT, "give the extension another name")
    base = read_index(files.index)
    index = extend_index(base, table)
    made_from = _provenance(parent, table, computing.type)
    space = Space(index, read_features(files.features, base), read_scaler(files.scaler), None)
    eggn, _ = read_eggn(parent.files.weights.eggn)
    with cpu_threads(parent.threads):
        # as rule `predict` does, on the CPU
        results = run_final_steps(space, eggn, parent.settings, computing, predict_on=torch.device("cpu"))
    with whole_folder(folder) as temporary:
        _write(temporary, index, results, parent.settings, made_from)
    return folder


def _write(
    folder: Path, index: DatasetIndex, results: FinalResults, settings: FinalSettings, made_from: MadeFrom
) -> None:
    """Write the class table and what the final steps made, under the names that a run's files have."""
    classes, synthetic = folder / "classes.parquet", folder / "synthetic_unseen.parquet"
    write_classes(index, classes, made_from("extend_classes"))
    now = {"classes": input_digest(classes)}
    write_synthetic(synthetic, results.synthetic, made_from("synthesize", as_mapping(settings.synthesis), now))
    now["synthetic"] = input_digest(synthetic)
    trained = made_from("train_classifier", as_mapping(settings.classifier), now)
    for task, path in classifiers_in(folder).items():
        write_classifier(path, results.classifiers[task], trained)
        write_predictions(folder / f"predictions_{task}.parquet", results.predictions[task], made_from("predict"))
    write_metrics(folder / "metrics.json", results.metrics, made_from("score"))


def _refuse_name(name: str) -> None:
    try:
        usable_name(name)
    except PydanticCustomError as error:
        raise InputError(f"the extension's name {name!r} {error.message()}.") from None


def _parent(run: str | Path) -> Parent:
    """The run to extend, refused where it is an extension itself or cannot be extended."""
    files = find_run(run)
    if files.folder != files.run:
        raise InputError(
            f"{files.folder} is an extension itself; put all new classes into one table and extend the run."
        )
    for path in (files.synthetic, files.eggn, files.space.features):
        if not path.is_file():
            raise InputError(
                f"{path} is missing, without which no classes can be added; let the workflow make it again."
            )
    origin = read_description(files.synthetic, "synthetic")["provenance"]
    synthesis = parse_section(SynthesisSettings, origin["settings"], str(files.synthetic))
    final = read_classifier(files.weights.classifiers["gzsl"])  # the settings of both tasks are the same
    settings = FinalSettings(synthesis, final.settings, origin["seed"], final.calibration)
    return Parent(files, settings, max(threads_of(origin["computed"]), default=None))


def _provenance(parent: Parent, table: Path, device_type: str) -> MadeFrom:
    """A function from stage (settings, and digests of what came before in the extension) to an artifact's provenance."""
    space, seed = parent.files.space, parent.settings.seed
    root = Path(scegg_core.__file__).resolve().parents[1]
    files = {"classes": space.index.classes, "images": space.index.images, "attributes": space.index.attributes}
    files |= {"eggn": parent.files.eggn, "features": space.features, "scaler": space.scaler}
    files |= {"scen": space.scen} if space.scen else {}
    inputs = {"table": file_digest(table)} | {name: input_digest(path) for name, path in files.items()}
    code = code_digest(Path(__file__).resolve(), root)

    def made_from(stage: str, settings: dict | None = None, now: dict[str, str] | None = None) -> Provenance:
        """Return the provenance of a file of `stage`; `now`: inputs that the extension itself has made, by name."""
        computed = computed_on(device_type, deterministic=True, threads=parent.threads)
        return Provenance(stage, settings or {}, code, inputs | (now or {}), seed, computed=computed)

    return made_from
