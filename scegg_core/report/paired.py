"""Variants compared seed by seed: the differences to one of them, on the same resamples of the test images."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from scegg_core.evaluate.summary import METRICS
from scegg_core.report.results import RunResult, groups, measured

if TYPE_CHECKING:
    import numpy as np
    from pandas import DataFrame


def paired_differences(results: Sequence[RunResult], reference: str = "sc-egg") -> "DataFrame":
    """Return per variant the mean and `_std` over common seeds of its difference to `reference`, in points, the 95 %
    interval of the mean (h_low, h_high, …), and h_sign, …: in how many percent of the resamples its sign holds.

    Positive: the variant is above the reference. Compared are runs on the same backbone and image size; `seeds` counts
    the common seeds, and variants without any are left out (`paired_remarks`).
    """
    from pandas import DataFrame

    base = {_pair(run): run for run in results if run.variant == reference}
    rows = []
    for runs in groups([run for run in results if run.variant != reference and _pair(run) in base]):
        pairs = [(run, base[_pair(run)]) for run in runs]
        values = {name: [run.percent(name) - other.percent(name) for run, other in pairs] for name in METRICS}
        row = {"dataset": runs[0].dataset, "variant": runs[0].variant, "title": runs[0].title, "reference": reference}
        rows.append(row | {"seeds": len(runs)} | measured(values, [_difference(*pair) for pair in pairs], signs=True))
    return DataFrame(rows)


def paired_remarks(results: Sequence[RunResult], reference: str) -> list[str]:
    """Return a sentence for each variant that `paired_differences` leaves out, or one that there is no `reference`."""
    base = {_pair(run) for run in results if run.variant == reference}
    if not base:
        return [f"Not compared: {reference}, to which differences are taken, has no results here."]
    compared = {run.variant for run in results if _pair(run) in base}
    return [
        f"Not compared: {variant} has no seed on the same backbone and image size in common with {reference}."
        for variant in dict.fromkeys(run.variant for run in results)
        if variant not in compared
    ]


def _pair(run: RunResult) -> tuple:
    """What two runs have in common that are compared."""
    return run.dataset, run.backbone, run.weights, run.image_size, run.seed


def _difference(run: RunResult, other: RunResult) -> "np.ndarray | None":
    return None if run.resampled is None or other.resampled is None else run.resampled - other.resampled
