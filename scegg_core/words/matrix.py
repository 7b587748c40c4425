"""Reading a precomputed matrix of attribute vectors from a .npy file, or from a pickle that holds an array alone."""

from pathlib import Path

import numpy as np

from scegg_core.data.npy import mapped
from scegg_core.data.text_files import require_readable
from scegg_core.errors import InputError
from scegg_core.settings.attribute_vectors import PICKLES
from scegg_core.words.pickled import read_pickled_array

#: Between these lies the largest value of a vector: beyond, LEN's products vanish or become infinite in float32.
SMALLEST, LARGEST = 1e-6, 1e6


def of_usual_size(vector: np.ndarray) -> bool:
    """Return whether the largest value of a vector is such as LEN can compute with."""
    return bool(SMALLEST <= np.abs(vector).max() <= LARGEST)


def read_matrix(file: str | None, words: tuple[str, ...], dimensions: int) -> np.ndarray:
    """Return the matrix in `file`, (A, `dimensions`) float32: the vector of each attribute, whose `words` name it.

    Raises InputError unless it holds finite real numbers of this shape that float32 can hold, in no row only zeros.
    """
    missing = f"attribute_vectors.path {file} is missing; the source matrix reads a .npy of attributes × dimensions."
    if not file:
        raise InputError(missing)
    path = Path(file)
    require_readable(path, missing)
    pickled = path.suffix.lower() in PICKLES
    values = read_pickled_array(path) if pickled else mapped(path, "matrix")
    _check_shape(values, (len(words), dimensions), path)
    return checked_rows(values, words, path, zeros=pickled)


def checked_rows(values: np.ndarray, words: tuple[str, ...], path: Path, zeros: bool = False) -> np.ndarray:
    """Return `values` (A, d) as float32, the vector of each attribute; InputError for one that LEN cannot use.

    With `zeros` some rows may be zeros alone: DAZLE's own file for SUN has one, and released code computes with it.
    """
    with np.errstate(over="ignore"):  # what is too large for float32 becomes infinite
        vectors = values.astype(np.float32)
    empty = ~vectors.any(axis=1)
    lacking = empty & (not zeros or empty.all())
    for row in np.flatnonzero(~np.isfinite(vectors).all(axis=1) | lacking)[:1]:
        raise InputError(
            f"{path} has no vector for attribute {words[row]!r}: row {row} is all zeros or not finite in float32; "
            "fill it or take another source."
        )
    for row in [row for row in np.flatnonzero(~empty) if not of_usual_size(vectors[row])][:1]:
        raise InputError(
            f"{path} gives attribute {words[row]!r} values of up to {np.abs(vectors[row]).max():.0e}; "
            f"scale the matrix, so that each row's largest is between {SMALLEST:g} and {LARGEST:g}."
        )
    return np.ascontiguousarray(vectors)


def _check_shape(values: np.ndarray, expected: tuple[int, int], path: Path) -> None:
    if values.shape != expected:
        turned = "; transpose it" if values.shape == expected[::-1] else ""
        raise InputError(
            f"{path} holds an array of shape {values.shape}, expected numbers of shape {expected}, attributes × "
            f"attribute_vectors.dimensions{turned}."
        )
    if values.dtype.kind not in "fiu":
        raise InputError(f"{path} holds values of type {values.dtype}, expected real numbers; save it as float32.")
