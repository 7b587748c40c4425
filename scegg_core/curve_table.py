"""Training curves of all seeds and stages of a variant, and its accuracies on validation, in one table."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.artifacts import Provenance, read_table, write_table
from scegg_core.figures.curves import gather
from scegg_core.kinds import KINDS, Kind
from scegg_core.selection import EPOCHS

if TYPE_CHECKING:
    from pandas import DataFrame

#: Declared here and not in artifacts.py, which every stage reaches.
CURVES = Kind("curves", 1, {"seed": "int32", "stage": "string", "epoch": "int32", "term": "string", "value": "double"})
KINDS[CURVES.name] = CURVES


def read_curves(
    paths: Sequence[str | Path], seeds: Sequence[int], epochs: Sequence[str | Path] = (), scored: Sequence[int] = ()
) -> "DataFrame":
    """Return the curves at `paths`, each of the seed at the same place of `seeds`: seed, stage, epoch, term, value.

    `epochs` are tables of scores on the validation split, of the seeds `scored`: they become the stage "validation".
    """
    curves = [read_table(path, "curve").to_pandas() for path in paths]
    return gather([*seeds, *scored], [*curves, *map(_validation_curve, epochs)])


def _validation_curve(path: str | Path) -> "DataFrame":
    """The scores of epochs at `path` as a curve; accuracies stay shares in [0, 1]."""
    long = read_table(path, EPOCHS.name).to_pandas().melt("epoch", var_name="term")
    return long.assign(stage="validation")


def write_curves(path: str | Path, curves: "DataFrame", provenance: Provenance) -> None:
    """Write the curves of several seeds as a table of kind `curves`."""
    columns = {
        name: list(curves[name]) if curves[name].dtype.kind not in "if" else np.array(curves[name])
        for name in CURVES.columns
    }
    write_table(path, CURVES.name, columns, provenance)
