"""Predictions on test images and their scores, for the two tasks: CZSL and GZSL (section 4, evaluation protocols)."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.artifacts import (
    Provenance,
    matrix,
    read_description,
    read_record,
    read_table,
    write_record,
    write_table,
)
from scegg_core.data.tables import DatasetIndex
from scegg_core.metrics import class_accuracies, harmonic_mean, mean_class_accuracy, trade_off
from scegg_core.selection import EpochScore
from scegg_core.tasks import task_classes, task_images

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Predictions:
    """Scores of test images over the classes of a task."""

    images: np.ndarray  # (n,) positions in the index
    labels: np.ndarray  # (n,) true classes
    scores: np.ndarray  # (n, k)
    classes: np.ndarray  # (k,) rows of the class table that the columns stand for

    @property
    def predicted(self) -> np.ndarray:
        """Return the predicted classes (n,), rows of the class table."""
        return self.classes[self.scores.argmax(axis=1)]


@dataclass(frozen=True)
class Metrics:
    """Accuracies of one run in [0, 1], and where no image is there to count: the classes left out.

    `selected` is the epoch that the validation split selected, with its scores there; None: nothing was selected.
    """

    acc: float
    u: float
    s: float
    h: float
    ausuc: float
    images: dict[str, int]
    classes_without_images: tuple[str, ...]
    per_class: dict[str, float]
    selected: EpochScore | None = None


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


def score(czsl: Predictions, gzsl: Predictions, index: DatasetIndex, selected: EpochScore | None = None) -> Metrics:
    """Return Acc, U, S, H and AUSUC of a run, per-class averages as section 4 defines them."""
    seen, unseen = np.flatnonzero(index.seen), np.flatnonzero(~index.seen)
    s = _mean_or_zero(gzsl, seen)
    u = mean_class_accuracy(gzsl.labels, gzsl.predicted, unseen)
    per_class = class_accuracies(gzsl.labels, gzsl.predicted, np.arange(len(index.classes)))
    empty = np.isnan(per_class)
    return Metrics(
        acc=mean_class_accuracy(czsl.labels, czsl.predicted, unseen),
        u=u,
        s=s,
        h=harmonic_mean(s, u),
        ausuc=trade_off(gzsl.labels, gzsl.scores, index.seen).area,
        images={"test_unseen": len(czsl.labels), "test_seen": len(gzsl.labels) - len(czsl.labels)},
        classes_without_images=tuple(np.array(index.classes)[empty].tolist()),
        per_class={
            name: float(value) for name, value in zip(index.classes, per_class, strict=True) if not np.isnan(value)
        },
        selected=selected,
    )


def write_metrics(path: Path, metrics: Metrics, provenance: Provenance) -> None:
    """Write metrics as a JSON artifact."""
    write_record(path, "metrics", asdict(metrics), provenance)


def read_metrics(path: Path) -> Metrics:
    """Return the metrics at `path`, refused with one sentence if the file does not hold any, or not what was written."""
    found = read_record(path, "metrics")
    selected = EpochScore(**found["selected"]) if found["selected"] else None
    without = tuple(found["classes_without_images"])
    return Metrics(**{**found, "classes_without_images": without, "selected": selected})


def _mean_or_zero(predictions: Predictions, classes: np.ndarray) -> float:
    """Mean class accuracy; 0 for a data set without test images of seen classes."""
    present = np.isin(predictions.labels, classes).any()
    return mean_class_accuracy(predictions.labels, predictions.predicted, classes) if present else 0.0
