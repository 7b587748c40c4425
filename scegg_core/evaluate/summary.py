"""Means and deviations of metrics over seeds, under the names that tables show."""

from statistics import fmean, stdev

import numpy as np

#: Metric as shown → field of RunResult.
METRICS = {"Acc": "acc", "U": "u", "S": "s", "H": "h", "AUSUC": "ausuc"}


def moments(values: dict[str, list[float]]) -> dict:
    """Return mean `name` and sample deviation `name_std` of each list, rounded; no deviation of a single value."""
    columns = {}
    for name, numbers in values.items():
        columns[name] = round(fmean(numbers), 2)
        columns[f"{name}_std"] = round(stdev(numbers), 2) if len(numbers) > 1 and np.isfinite(numbers).all() else np.nan
    return columns
