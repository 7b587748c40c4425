"""Numbers that are not finite: no artifact holds any, since whatever is made of them looks like a result."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from scegg_core.errors import InputError

BLOCK = 1 << 25  # numbers looked at together


def refuse_not_finite(path: str | Path, parts: Mapping[str, Any]) -> None:
    """Refuse to make `path` of `parts`, arrays or CPU tensors by name, if one holds a number that is not finite."""
    for name, values in parts.items():
        numbers = np.asarray(values)
        if np.issubdtype(numbers.dtype, np.floating) and not all_finite(numbers):
            raise InputError(
                f"{path} would hold numbers that are not finite (in {name}): the training that led to them went wrong; "
                "lower a learning rate, or the weight of a loss."
            )


def all_finite(numbers: np.ndarray) -> bool:
    """Return whether all numbers of an array are finite; it is looked at in parts, since the answers take memory, too."""
    parts = np.array_split(np.atleast_1d(numbers), 1 + numbers.size // BLOCK)
    return all(np.isfinite(part).all() for part in parts)
