"""A trained run in memory: from an image to region features, to features in the space, to the classes' scores."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scegg_core.artifacts.files import matrix, read_table
from scegg_core.classify.classifier import FinalClassifier, read_classifier
from scegg_core.data.names import likeness, tidy, without_number
from scegg_core.data.tables import class_norm, class_vectors, has_given_vectors
from scegg_core.eggn.files import read_eggn
from scegg_core.eggn.model import Networks
from scegg_core.errors import InputError
from scegg_core.regions.backbone import Backbone
from scegg_core.regions.extraction import region_features
from scegg_core.scen.files import read_scen
from scegg_core.scen.model import SCEN
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.space import read_scaler
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.training.device import pick_device
from scegg_core.using.new_classes import plain_name
from scegg_core.using.run_files import RunFiles, WeightFiles
from scegg_core.using.run_folder import no_backbone


@dataclass(frozen=True)
class ClassList:
    """The classes that can be told apart: names, which are seen, strength of each attribute (C, A) as in the source."""

    names: tuple[str, ...]
    seen: np.ndarray
    percent: np.ndarray
    norm: str = "l2"  # `IndexSettings.class_norm`
    given_vectors: bool = False  # `DatasetIndex.given_vectors`

    @property
    def vectors(self) -> np.ndarray:
        """Return the class vectors a(c), (C, A) float32."""
        return class_vectors(self.percent, self.names, self.norm, self.given_vectors)


@dataclass(frozen=True)
class Embedding:
    """Images in the space: features (n, channels) in [0, 1], and e_l (n, attributes) where the space has a SCEN."""

    features: Tensor
    semantics: Tensor | None


@dataclass(frozen=True)
class Model:
    """A trained run; it computes exactly what the workflow's own stages compute."""

    name: str
    backbone: Backbone | None  # None where it was trained on ready features
    images: BackboneSettings  # how images are prepared
    scen: SCEN | None
    scaler: MinMaxScaler
    eggn: Networks | None  # where a classifier looks at features through it
    classifiers: dict[str, FinalClassifier]  # by task
    classes: ClassList
    attributes: tuple[str, ...]
    device: torch.device

    def regions(self, paths: list[Path]) -> Iterator[np.ndarray]:
        """Yield region features (n, R, channels) of the images, batch by batch, in the precision they are stored in.

        Raises InputError, after all have been tried, if any image cannot be used; at once without a backbone.
        """
        self.require_backbone()
        return region_features(self.backbone, paths, self.images, self.device)

    def require_backbone(self) -> None:
        """Raise InputError where no backbone is known, since the run was made from ready features."""
        if self.backbone is None:
            raise no_backbone(self.name)

    @torch.inference_mode()
    def embed(self, regions: np.ndarray) -> Embedding:
        """Return the features of images in the space, from their regions (n, R, channels)."""
        part = torch.from_numpy(regions).to(self.device)
        if self.scen is None:
            return Embedding(self.scaler.transform(part.float().mean(dim=1).cpu()), None)
        feature, semantic = self.scen.embed(part)
        return Embedding(self.scaler.transform(feature.float().cpu()), semantic.float().cpu())

    @torch.inference_mode()
    def scores(self, features: Tensor, task: str) -> Tensor:
        """Return the scores (n, k) of features (n, channels) of `embed`, whose softmax are the probabilities.

        k are all classes for task gzsl, seen ones lowered by the run's constant where it has one, and the unseen ones for
        czsl: `classifiers[task].classifier.classes` are their rows in `classes`. Raises KeyError for another task.
        """
        final = self.classifiers[task]
        return final.classifier.scores(final.inputs(features, self.eggn))


def assemble(
    files: WeightFiles,
    backbone: Backbone | None,
    images: BackboneSettings,
    classes: ClassList,
    attributes: tuple[str, ...],
    device_name: str,
) -> Model:
    """Return the model of the weights in `files`, with its backbone, classes and attributes."""
    device = pick_device(device_name)
    classifiers = {task: read_classifier(path) for task, path in files.classifiers.items()}
    transformed = any(final.settings.input == "transformed" for final in classifiers.values())
    return Model(
        name=files.name,
        backbone=backbone.to(device) if backbone else None,
        images=images,
        scen=read_scen(files.scen).to(device) if files.scen else None,
        scaler=read_scaler(files.scaler),
        eggn=read_eggn(files.eggn)[0] if transformed else None,
        classifiers=classifiers,
        classes=classes,
        attributes=attributes,
        device=device,
    )


def read_classes(files: RunFiles) -> ClassList:
    """Return the classes of the run, or of its extension."""
    table = read_table(files.index.classes, "classes")
    names, seen, percent = tuple(table["name"].to_pylist()), table["seen"].to_numpy(), matrix(table["percent"])
    path = files.index.classes
    return ClassList(names, seen, percent, class_norm(path), has_given_vectors(path))


def read_attributes(files: RunFiles) -> tuple[str, ...]:
    """Return the names of the attributes."""
    return tuple(read_table(files.index.attributes, "attributes")["name"].to_pylist())


def find_class(model: Model, name: str) -> int:
    """Return the row of the class called `name`; its number and the kind of blanks may be left out where one class alone
    is meant."""
    names = model.classes.names
    if tidy(name) in names:
        return names.index(tidy(name))
    known = [plain_name(other) for other in names]
    found = [row for row, other in enumerate(known) if other == plain_name(name)]
    if without_number(tidy(name)) != tidy(name):  # a number that is written has to be the right one
        found = [row for row in found if likeness(_blanks(names[row])) == likeness(_blanks(name))]
    if len(found) > 1:
        several = " or ".join(repr(names[row]) for row in found)
        raise InputError(f"{model.name} has {len(found)} classes that {name!r} may mean; write {several}.")
    if found:
        return found[0]
    close = difflib.get_close_matches(plain_name(name), known, n=1)
    hint = f"; did you mean {names[known.index(close[0])]}?" if close else "."
    raise InputError(f"{model.name} has no class {name!r}{hint}")


def _blanks(name: str) -> str:
    return name.replace("_", " ")


def contributions(semantic: np.ndarray, vector: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return each attribute's contribution (A,) to the lead of class `vector` over `other` in Eq. 3, for one e_l (A,).

    They add up to p_l of the one minus p_l of the other: they say what LEN reads in an image, not what the final
    classifier does.
    """
    return semantic * (vector - other)
