"""A trained run as one folder that needs neither the workflow nor its results: safetensors, and JSON that says it all."""

import json
import shutil
from pathlib import Path

import numpy as np

from scegg_core.artifacts.files import (
    Provenance,
    file_digest,
    input_digest,
    read_tensors,
    whole_file,
    write_json,
    write_tensors,
)
from scegg_core.artifacts.provenance import package_versions
from scegg_core.classify.classifier import read_classifier
from scegg_core.errors import InputError
from scegg_core.regions.backbone import build_backbone, feature_extractor, load_weights, random_features
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.base import as_mapping, parse_section
from scegg_core.using.model import ClassList, Model, assemble, read_attributes, read_classes
from scegg_core.using.run_folder import (
    BackboneOrigin,
    RunFiles,
    WeightFiles,
    classifiers_in,
    find_run,
    find_weights,
    read_origin,
)

SCHEMA = 1
DESCRIPTION = "model.json"


def is_exported(folder: str | Path) -> bool:
    """Return whether `folder` is an exported model."""
    return (Path(folder) / DESCRIPTION).is_file()


def export_run(run: str | Path, folder: str | Path, weights: str | Path | None = None) -> Path:
    """Write the run as one self-contained folder and return it; its description is written last: a folder with it is complete.

    Raises InputError if `folder` holds anything but an earlier export.
    """
    folder = Path(folder)
    if folder.exists() and not is_exported(folder) and any(folder.iterdir()):
        raise InputError(f"{folder} holds other files; export into a new folder.")
    files = find_run(run)
    origin = read_origin(files)
    path = find_weights(files, origin, weights)
    for old in (folder / DESCRIPTION, *folder.glob("*.safetensors")):
        old.unlink(missing_ok=True)
    _write_backbone(folder / "backbone.safetensors", origin, path)
    classes = read_classes(files)
    made_from = Provenance("export", inputs={"classes": input_digest(files.index.classes)})
    percent = {"percent": _tensor(classes.percent)}
    write_tensors(folder / "classes.safetensors", "class_attributes", percent, made_from)
    for source in _needed(files.weights):
        _copy(source, folder / source.name)
    write_json(folder / DESCRIPTION, _description(files, origin, classes, folder))
    return folder


def load_exported(folder: str | Path, device: str = "auto") -> Model:
    """Return the model in an exported folder; every file is checked against its digest."""
    folder = Path(folder)
    described = _read_description(folder)
    settings = parse_section(BackboneSettings, described["backbone"]["settings"], f"{folder / DESCRIPTION}: backbone")
    percent = read_tensors(folder / "classes.safetensors", "class_attributes")["percent"].numpy()
    seen, norm = np.isin(described["classes"], described["seen"]), described.get("class_norm", "l2")
    classes = ClassList(tuple(described["classes"]), seen, percent, norm)
    backbone = build_backbone(settings, folder / "backbone.safetensors")
    return assemble(
        _weights_in(folder, described["name"]), backbone, settings, classes, tuple(described["attributes"]), device
    )


def _weights_in(folder: Path, name: str) -> WeightFiles:
    scaler, scen, eggn = (folder / f"{kind}.safetensors" for kind in ("scaler", "scen", "eggn"))
    return WeightFiles(name, scaler, scen if scen.is_file() else None, eggn, classifiers_in(folder))


def _needed(files: WeightFiles) -> list[Path]:
    """The files that prediction needs; the generator only where a classifier sees features transformed by it."""
    classifiers = list(files.classifiers.values())
    transformed = any(read_classifier(path).settings.input == "transformed" for path in classifiers)
    return [*classifiers, files.scaler, *([files.scen] if files.scen else []), *([files.eggn] if transformed else [])]


def _write_backbone(target: Path, origin: BackboneOrigin, path: Path | None) -> None:
    """Write the network up to its feature map, nothing merged, so that it is built as the workflow builds it."""
    settings = origin.settings
    if path is None:
        features = random_features(settings)
    else:
        features = feature_extractor(settings.network, settings.features_up_to)
        load_weights(features, settings, path)
    inputs = {"weights": origin.digest} if origin.digest else {}
    write_tensors(target, "backbone", features.state_dict(), Provenance("export", as_mapping(settings), inputs=inputs))


def _description(files: RunFiles, origin: BackboneOrigin, classes: ClassList, folder: Path) -> dict:
    stored = sorted(folder.glob("*.safetensors"))
    return {
        "kind": "exported model",
        "schema": SCHEMA,
        "name": files.name,
        "backbone": {"settings": as_mapping(origin.settings), "weights_digest": origin.digest},
        "classes": list(classes.names),
        "seen": [name for name, seen in zip(classes.names, classes.seen, strict=True) if seen],
        "class_norm": classes.norm,
        "attributes": list(read_attributes(files)),
        "versions": package_versions(),
        "files": {path.name: file_digest(path) for path in stored},
    }


def _read_description(folder: Path) -> dict:
    path = folder / DESCRIPTION
    try:
        described = json.loads(path.read_text(encoding="utf-8"))
        known = described["kind"] == "exported model" and described["schema"] == SCHEMA
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        raise InputError(f"{path} does not describe an exported model of schema {SCHEMA}; export the run again.")
    for name, digest in described["files"].items():
        if not (folder / name).is_file() or file_digest(folder / name) != digest:
            raise InputError(f"{folder / name} is missing or not the file that was exported; export the run again.")
    return described


def _copy(source: Path, target: Path) -> None:
    with whole_file(target) as temporary:
        shutil.copyfile(source, temporary)


def _tensor(values: np.ndarray):
    import torch

    return torch.from_numpy(np.array(values))
