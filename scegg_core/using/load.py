"""Loading a trained model, from a run of the workflow or from an exported folder."""

from pathlib import Path

from scegg_core.errors import InputError
from scegg_core.regions.backbone import build_backbone
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.using.export import load_exported
from scegg_core.using.model import Model, assemble, read_attributes, read_classes
from scegg_core.using.run_folder import find_run, find_weights, from_ready_features, is_exported, read_origin


def load_model(folder: str | Path, device: str = "auto", weights: str | Path | None = None) -> Model:
    """Return the model in `folder`: a run of the workflow, an extension of one, or an exported folder.

    `device` is auto (CUDA where there is one), cpu, cuda or cuda:<number>. `weights` is the backbone's weight file where
    it is not at its usual path; it is checked by its digest. A run on ready features has no backbone: it tells its
    classes apart, but answers no pictures. Raises InputError for a folder that is no such model, for a file of it that
    is missing or damaged, and for a device that is not there.
    """
    if is_exported(folder):
        if weights is not None:
            raise InputError(f"{folder} is an exported model, which holds its backbone; leave the weights out.")
        return load_exported(folder, device)
    files = find_run(folder)
    classes, attributes = read_classes(files), read_attributes(files)
    if weights is None and from_ready_features(files):
        return assemble(files.weights, None, BackboneSettings(), classes, attributes, device)
    origin = read_origin(files)
    backbone = build_backbone(origin.settings, find_weights(files, origin, weights))
    return assemble(files.weights, backbone, origin.settings, classes, attributes, device)
