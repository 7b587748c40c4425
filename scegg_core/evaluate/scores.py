"""Scores of one run: Acc, U, S, H and AUSUC (section 4), and their file, a record of kind `metrics`."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from scegg_core.artifacts.files import Provenance, read_record, write_record
from scegg_core.classify.predictions import Predictions
from scegg_core.data.tables import DatasetIndex
from scegg_core.evaluate.metrics import class_accuracies, harmonic_mean, mean_class_accuracy, trade_off
from scegg_core.evaluate.selection import EpochScore, selected_epoch


@dataclass(frozen=True)
class Metrics:
    """Accuracies of one run in [0, 1]; `classes_without_images` do not count, they have no test image.

    `constant` taken off the seen classes' scores would give the highest H on these images: on a validation split it is
    what calibration takes. `calibration` was taken off before these metrics (None: nothing was).
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
    constant: float
    calibration: float | None = None
    selected: EpochScore | None = None


def score(czsl: Predictions, gzsl: Predictions, index: DatasetIndex, selected: EpochScore | None = None) -> Metrics:
    """Return Acc, U, S, H and AUSUC of a run, per-class averages as section 4 defines them.

    Raises ValueError without test images of seen or of unseen classes, which an index always has.
    """
    seen, unseen = np.flatnonzero(index.seen), np.flatnonzero(~index.seen)
    s = mean_class_accuracy(gzsl.labels, gzsl.predicted, seen)
    u = mean_class_accuracy(gzsl.labels, gzsl.predicted, unseen)
    per_class = class_accuracies(gzsl.labels, gzsl.predicted, np.arange(len(index.classes)))
    empty, curve = np.isnan(per_class), trade_off(gzsl.labels, gzsl.scores, index.seen)
    return Metrics(
        acc=mean_class_accuracy(czsl.labels, czsl.predicted, unseen),
        u=u,
        s=s,
        h=harmonic_mean(s, u),
        ausuc=curve.area,
        images={"test_unseen": len(czsl.labels), "test_seen": len(gzsl.labels) - len(czsl.labels)},
        classes_without_images=tuple(np.array(index.classes)[empty].tolist()),
        per_class={
            name: float(value) for name, value in zip(index.classes, per_class, strict=True) if not np.isnan(value)
        },
        constant=curve.constant,
        calibration=gzsl.calibration,
        selected=selected,
    )


def write_metrics(path: Path, metrics: Metrics, provenance: Provenance) -> None:
    """Write metrics as a JSON artifact."""
    write_record(path, "metrics", asdict(metrics), provenance)


def read_metrics(path: Path) -> Metrics:
    """Return the metrics at `path`, refused with one sentence if the file does not hold any, or not what was written."""
    content = read_record(path, "metrics")
    selected = EpochScore(**content["selected"]) if content["selected"] else None
    without = tuple(content["classes_without_images"])
    return Metrics(**{**content, "classes_without_images": without, "selected": selected})


def read_scores(path: Path) -> Metrics | EpochScore:
    """Return the metrics at `path`, or the best epoch of a table of epochs."""
    return selected_epoch(path) if path.suffix == ".parquet" else read_metrics(path)


def read_constant(path: str | None) -> float | None:
    """Return the constant of highest H in the scores on validation at `path`; None without scores."""
    return read_scores(Path(path)).constant if path else None
