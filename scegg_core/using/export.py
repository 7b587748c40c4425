"""A trained run as one folder that needs neither the workflow nor its results: safetensors, and JSON that says it all."""

import shutil
from pathlib import Path

import numpy as np

from scegg_core.artifacts.files import (
    Provenance,
    file_digest,
    input_digest,
    read_record,
    read_tensors,
    write_record,
    write_tensors,
)
from scegg_core.artifacts.json_text import parse_json
from scegg_core.artifacts.sets import refuse_changed, refuse_others, whole_folder
from scegg_core.classify.classifier import read_classifier
from scegg_core.data.names import as_unicode
from scegg_core.data.tasks import TASKS
from scegg_core.errors import InputError
from scegg_core.regions.backbone import build_backbone, loaded_features
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.base import as_mapping, parse_section, settings
from scegg_core.using.model import ClassList, Model, assemble, read_attributes, read_classes
from scegg_core.using.places import require_output_folder
from scegg_core.using.run_files import RunFiles, WeightFiles, classifiers_in
from scegg_core.using.run_folder import (
    DESCRIPTION,
    BackboneOrigin,
    find_run,
    find_weights,
    read_origin,
    refuse_exported,
)

KIND = "exported_model"
#: What the folder of an exported model may hold.
CONTENT = (
    DESCRIPTION,
    *(f"{name}.safetensors" for name in ("backbone", "classes", "scaler", "scen", "eggn")),
    *(f"classifier_{task}.safetensors" for task in TASKS),
)
AGAIN = "export the run again"


@settings
class ExportedModel:
    """What `model.json` says of an exported model, under a digest of its own."""

    name: str
    backbone: BackboneSettings
    weights_digest: str | None  # of the file that the backbone's weights came from; None: random
    classes: tuple[str, ...]
    seen: tuple[str, ...]
    class_norm: str
    given_vectors: bool = False
    attributes: tuple[str, ...]
    files: dict[str, str]  # sha256 of every other file


def export_run(run: str | Path, folder: str | Path, weights: str | Path | None = None) -> Path:
    """Write the run as one self-contained folder and return it; all of it takes the place of an earlier export at once.

    Raises InputError, before any work, if `folder` holds anything but an earlier export or cannot be written.
    """
    folder = require_output_folder(folder)
    refuse_others(folder, CONTENT if _was_exported(folder) else (), "export into a new folder")
    refuse_exported(run, "run to be exported")
    files = find_run(run)
    origin = read_origin(files)
    path = find_weights(files, origin, weights)
    with whole_folder(folder) as temporary:
        _write(temporary, files, origin, path)
    return folder


def load_exported(folder: str | Path, device: str = "auto") -> Model:
    """Return the model in an exported folder; its description and every file are checked against their digests."""
    folder = Path(folder)
    described = _read_description(folder)
    percent = read_tensors(folder / "classes.safetensors", "class_attributes")["percent"].numpy()
    known_seen = set(described.seen)
    seen = np.array([name in known_seen for name in described.classes])
    classes = ClassList(described.classes, seen, percent, described.class_norm, described.given_vectors)
    backbone = build_backbone(described.backbone, folder / "backbone.safetensors")
    weights = _weights_in(folder, described)
    return assemble(weights, backbone, described.backbone, classes, described.attributes, device)


def _was_exported(folder: Path) -> bool:
    """Whether the description in `folder` is ours, so that an export may take its place; those of schema 1 are."""
    try:
        described = parse_json((folder / DESCRIPTION).read_bytes())
        return described["kind"] in (KIND, "exported model")
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _write(folder: Path, files: RunFiles, origin: BackboneOrigin, weights: Path | None) -> None:
    _write_backbone(folder / "backbone.safetensors", origin, weights)
    classes = read_classes(files)
    made_from = Provenance("export", inputs={"classes": input_digest(files.index.classes)})
    percent = {"percent": _tensor(classes.percent)}
    write_tensors(folder / "classes.safetensors", "class_attributes", percent, made_from)
    for source in _needed(files.weights):
        shutil.copyfile(source, folder / source.name)
    described = _description(files, origin, classes, folder)
    write_record(folder / DESCRIPTION, KIND, as_mapping(described), Provenance("export"))


def _weights_in(folder: Path, described: ExportedModel) -> WeightFiles:
    scaler, scen, eggn = (folder / f"{kind}.safetensors" for kind in ("scaler", "scen", "eggn"))
    scen = scen if scen.name in described.files else None
    return WeightFiles(described.name, scaler, scen, eggn, classifiers_in(folder))


def _needed(files: WeightFiles) -> list[Path]:
    """The files that prediction needs; the generator only where a classifier sees features transformed by it."""
    classifiers = list(files.classifiers.values())
    transformed = any(read_classifier(path).settings.input == "transformed" for path in classifiers)
    return [*classifiers, files.scaler, *([files.scen] if files.scen else []), *([files.eggn] if transformed else [])]


def _write_backbone(target: Path, origin: BackboneOrigin, path: Path | None) -> None:
    """Write the network up to its feature map, nothing merged, so that it is built as the workflow builds it."""
    own = origin.settings
    state = loaded_features(own, path).state_dict()
    inputs = {"weights": origin.digest} if origin.digest else {}
    write_tensors(target, "backbone", state, Provenance("export", as_mapping(own), inputs=inputs))


def _description(files: RunFiles, origin: BackboneOrigin, classes: ClassList, folder: Path) -> ExportedModel:
    return ExportedModel(
        name=as_unicode(files.name),
        backbone=origin.settings,
        weights_digest=origin.digest,
        classes=classes.names,
        seen=tuple(name for name, seen in zip(classes.names, classes.seen, strict=True) if seen),
        class_norm=classes.norm,
        given_vectors=classes.given_vectors,
        attributes=read_attributes(files),
        files={path.name: file_digest(path) for path in sorted(folder.glob("*.safetensors"))},
    )


def _read_description(folder: Path) -> ExportedModel:
    path = folder / DESCRIPTION
    try:
        described = parse_section(ExportedModel, read_record(path, KIND), DESCRIPTION)
    except InputError:
        raise InputError(f"{path} is not the description that the export wrote; {AGAIN}.") from None
    refuse_changed(folder, described.files, AGAIN)
    return described


def _tensor(values: np.ndarray):
    import torch

    return torch.from_numpy(np.array(values))
