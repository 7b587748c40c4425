"""Predictions on test images and their scores, for the two tasks: CZSL and GZSL (section 4, evaluation protocols)."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.artifacts.files import Provenance, matrix, read_description, read_table, write_table
from scegg_core.artifacts.finite import all_finite
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.tasks import task_classes, task_images
from scegg_core.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

    from scegg_core.classify.classifier import FinalClassifier
    from scegg_core.eggn.model import Networks
    from scegg_core.scen.space import Space


@dataclass(frozen=True)
class Predictions:
    """Scores of test images over the classes of a task; `calibration` was taken off those of seen classes (None: nothing)."""

    images: np.ndarray  # (n,) positions in the index
    labels: np.ndarray  # (n,) true classes
    scores: np.ndarray  # (n, k)
    classes: np.ndarray  # (k,) rows of the class table that the columns stand for
    calibration: float | None = None

    def __post_init__(self):
        if not all_finite(self.scores):  # the largest of them would mean nothing
            raise InputError(
                "scores of test images are not finite: the training before went wrong; lower its learning rate."
            )

    @property
    def predicted(self) -> np.ndarray:
        """Return the predicted classes (n,), rows of the class table."""
        return self.classes[self.scores.argmax(axis=1)]


def predict_final(final: "FinalClassifier", eggn: "Networks | None", space: "Space", task: str) -> Predictions:
    """Return predictions of the final classifier of `task` on its test images, computed on the classifier's device."""
    inputs, classes = final.inputs(space.features, eggn), final.classifier.classes.cpu().numpy()
    found = predict_by(final.classifier.scores, inputs, space.index, task, classes)
    return replace(found, calibration=final.calibration)


def predict_embedding(
    semantics: "Tensor",
    vectors: "Tensor",
    index: DatasetIndex,
    task: str,
    constant: float | None = None,
    margin: float = 0.0,
) -> Predictions:
    """Return predictions by p_l alone (Eq. 3): e_l (images, A) against the class vectors (classes, A).

    In gzsl the `constant` is taken off the seen classes' scores; None: nothing is. DAZLE's `margin` is taken off them
    too, and added to those of the unseen classes.
    """
    images, classes = task_images(index, task), task_classes(index, task)
    scores = (semantics[images] @ vectors[classes].T).numpy()
    if margin:
        scores += np.where(index.seen[classes], -margin, margin).astype(scores.dtype)
    taken = None if task == "czsl" else constant
    if taken is not None:
        scores -= np.float32(taken) * index.seen[classes]
    return Predictions(images, index.labels[images], scores, classes, taken)


def predict_by(
    score, inputs: "Tensor", index: DatasetIndex, task: str, classes: np.ndarray, batch: int = 4096
) -> Predictions:
    """Return predictions with `score` (batch, size) -> (batch, k) on the classifier inputs of the task's test images."""
    import torch  # here, because tables and pictures read predictions without it

    images = task_images(index, task)
    scores = torch.empty(len(images), len(classes), dtype=inputs.dtype)
    with torch.inference_mode():
        for start in range(0, len(images), batch):
            scores[start : start + batch] = score(inputs[images[start : start + batch]])
    return Predictions(images, index.labels[images], scores.numpy(), classes)


def write_predictions(path: Path, predictions: Predictions, provenance: Provenance) -> None:
    """Write predictions as a table of kind `predictions`; the classes of its score columns are in its metadata, and so is
    the calibration where there is one."""
    columns = {
        "image": predictions.images.astype(np.int32),
        "label": predictions.labels.astype(np.int32),
        "predicted": predictions.predicted.astype(np.int32),
        "scores": predictions.scores,
    }
    extra = {"classes": predictions.classes.tolist()}
    if predictions.calibration is not None:
        extra["calibration"] = predictions.calibration
    write_table(path, "predictions", columns, provenance, extra)


def read_predictions(path: Path) -> Predictions:
    """Return the predictions at `path`."""
    table = read_table(path, "predictions")
    extra = read_description(path)["extra"]
    return Predictions(
        images=table.column("image").to_numpy(),
        labels=table.column("label").to_numpy(),
        scores=matrix(table.column("scores")),
        classes=np.array(extra["classes"]),
        calibration=extra.get("calibration"),
    )
