"""What became of each test image in one run: all that intervals need of it, a table of kind `outcomes`."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from scegg_core.artifacts.files import Provenance, read_table, write_table
from scegg_core.classify.predictions import Predictions
from scegg_core.evaluate.metrics import stacking


@dataclass(frozen=True)
class Outcomes:
    """The test images of seen and unseen classes in a run, (images,) each, in the order of the index."""

    image: np.ndarray  # position in the index
    label: np.ndarray
    seen: np.ndarray  # bool: whether the label is a seen class
    right_czsl: np.ndarray  # bool; False for images of seen classes, which are no part of the task
    right_gzsl: np.ndarray  # bool
    right_own: np.ndarray  # bool: whether it is right once classes of its own kind alone compete
    flip: np.ndarray  # the constant taken off the seen classes' scores from which on it is taken for an unseen class


def outcomes(czsl: Predictions, gzsl: Predictions, seen: np.ndarray) -> Outcomes:
    """Return the outcomes of a run's predictions; `seen` (classes,) bool."""
    stacked = stacking(gzsl.labels, gzsl.scores, seen)
    right = dict(zip(czsl.images.tolist(), (czsl.predicted == czsl.labels).tolist(), strict=True))
    return Outcomes(
        image=gzsl.images.astype(np.int32),
        label=gzsl.labels.astype(np.int32),
        seen=seen[gzsl.labels],
        right_czsl=np.array([right.get(image, False) for image in gzsl.images.tolist()]),
        right_gzsl=gzsl.predicted == gzsl.labels,
        right_own=stacked.right,
        flip=np.nan_to_num(stacked.flips).astype(np.float64),  # a difference of the largest scores is infinite
    )


def write_outcomes(path: str | Path, found: Outcomes, provenance: Provenance) -> None:
    """Write outcomes as a table of kind `outcomes`."""
    columns = {field.name: getattr(found, field.name) for field in fields(Outcomes)}
    write_table(path, "outcomes", columns, provenance)


def read_outcomes(path: str | Path) -> Outcomes:
    """Return the outcomes at `path`."""
    table = read_table(path, "outcomes")
    return Outcomes(**{name: table.column(name).to_numpy() for name in table.column_names})
