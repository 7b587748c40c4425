"""Predictions on test images and their scores, for the two tasks: CZSL and GZSL (section 4, evaluation protocols)."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.artifacts.files import Provenance, matrix, read_description, read_table, write_table
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.tasks import task_classes, task_images
from scegg_core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from scegg_core.classify.classifier import FinalClassifier
    from scegg_core.eggn.model import EGGN
    from scegg_core.scen.space import Space


@dataclass(frozen=True)
class Predictions:
    """Scores of test images over the classes of a task."""

    images: np.ndarray  # (n,) positions in the index
    labels: np.ndarray  # (n,) true classes
    scores: np.ndarray  # (n, k)
    classes: np.ndarray  # (k,) rows of the class table that the columns stand for

    def __post_init__(self):
        if not np.isfinite(self.scores).all():  # the largest of them would mean nothing
            raise InputError(
                "scores of test images are not finite: the training before went wrong; lower its learning rate."
            )

    @property
    def predicted(self) -> np.ndarray:
        """Return the predicted classes (n,), rows of the class table."""
        return self.classes[self.scores.argmax(axis=1)]


def predict_final(final: "FinalClassifier", eggn: "EGGN | None", space: "Space", task: str) -> Predictions:
    """Return predictions of the final classifier of `task` on its test images, computed on the classifier's device."""
    inputs, classes = final.inputs(space.features, eggn), final.classifier.classes.cpu().numpy()
    return predict_by(final.classifier.scores, inputs, space.index, task, classes)


def predict_embedding(semantics: "Tensor", vectors: "Tensor", index: DatasetIndex, task: str) -> Predictions:
    """Return predictions by p_l alone (Eq. 3): e_l (images, A) against the class vectors (classes, A)."""
    images, classes = task_images(index, task), task_classes(index, task)
    scores = semantics[images] @ vectors[classes].T
    return Predictions(images, index.labels[images], scores.numpy(), classes)


def predict_by(
    score, inputs: "Tensor", index: DatasetIndex, task: str, classes: np.ndarray, batch: int = 4096
) -> Predictions:
    """Return predictions with `score` (batch, size) -> (batch, k) on the classifier inputs of the task's test images."""
    import torch  # here, because tables and pictures read predictions without it

    images = task_images(index, task)
    with torch.inference_mode():
        scores = torch.cat([score(part) for part in inputs[images].split(batch)])
    return Predictions(images, index.labels[images], scores.cpu().numpy(), classes)


def write_predictions(path: Path, predictions: Predictions, provenance: Provenance) -> None:
    """Write predictions as a table of kind `predictions`; the classes of the score columns are in its metadata."""
    columns = {
        "image": predictions.images.astype(np.int32),
        "label": predictions.labels.astype(np.int32),
        "predicted": predictions.predicted.astype(np.int32),
        "scores": predictions.scores,
    }
    write_table(path, "predictions", columns, provenance, {"classes": predictions.classes.tolist()})


def read_predictions(path: Path) -> Predictions:
    """Return the predictions at `path`."""
    table = read_table(path, "predictions")
    classes = np.array(read_description(path)["extra"]["classes"])
    return Predictions(
        table.column("image").to_numpy(), table.column("label").to_numpy(), matrix(table.column("scores")), classes
    )
