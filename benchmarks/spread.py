"""Tables over several backbones: means, and intervals in which backbones, their seeds and the test images all vary.

A backbone is what is drawn anew; its seeds and the images say how well it is known. So the mean over a backbone's seeds
takes the place that a seed has in the tables of one backbone: docs/statistics.md.
"""

from collections.abc import Callable, Sequence
from statistics import fmean, variance
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.evaluate.summary import METRICS
from scegg_core.report.results import WHOLE, RunResult, differences, head, measured

if TYPE_CHECKING:
    from pandas import DataFrame

#: The runs of one row: those of a variant, or pairs of them, backbone by backbone.
Nested = Sequence[Sequence[RunResult]]

BETWEEN_SEEDS = "H between seeds"
SIGNS = "backbones of this sign"

#: The variant that differences are taken to.
REFERENCE = "sc-egg"


def spread_table(found: Nested) -> "DataFrame":
    """Return one row per variant of `found`, the runs of each backbone: what decides a comparison, mean, `_std` between
    backbones and interval of each metric in percent, and the deviation of H between seeds of one backbone."""
    from pandas import DataFrame

    rows = {variant: [_of(variant, runs) for runs in found] for variant in _variants(found)}
    flat = [[run for runs in nested for run in runs] for nested in rows.values()]
    table = DataFrame(
        head(runs) | _measured(nested) | {BETWEEN_SEEDS: between_seeds(nested), "differs": text}
        for nested, runs, text in zip(rows.values(), flat, differences(flat), strict=True)
    )
    return table.astype(dict.fromkeys(WHOLE, "Int64"))


def spread_differences(found: Nested, reference: str = REFERENCE) -> "DataFrame":
    """Return per variant its difference to `reference`, on the same backbone, seed and images: mean, `_std` between
    backbones, interval, in how many percent of the resamples the sign holds, and on how many backbones."""
    from pandas import DataFrame

    rows = []
    for variant in [name for name in _variants(found) if name != reference]:
        nested = [_of(variant, runs) for runs in found]
        base = {run.seed: run for runs in found for run in _of(reference, runs)}
        first = nested[0][0]
        row = {"dataset": first.dataset, "variant": variant, "title": first.title, "reference": reference}
        row |= {"seeds": sum(map(len, nested)), "backbones": len(nested)}
        row |= _measured(nested, lambda run, base=base: base[run.seed])
        means = [fmean(run.h - base[run.seed].h for run in runs) for runs in nested]
        rows.append(row | {SIGNS: sum(mean * row["H"] > 0 for mean in means)})
    return DataFrame(rows)


def leads(paired: "DataFrame", over: Sequence[str] = ("baseline", "len")) -> list[str]:
    """Return a sentence for each of the variants `over`: whether the reference's lead in H holds over the backbones."""
    rows = [row for _, row in paired.iterrows() if row["variant"] in over]
    return [
        f"{row['reference']} minus {row['title']} in H: {-row['H']:.1f} ({-row['h_high']:.1f} to {-row['h_low']:.1f}), "
        f"{'below' if row['H'] > 0 else 'above'} 0 on {row[SIGNS]} of {row['backbones']} backbones: "
        f"the lead {'holds' if row['h_high'] < 0 else 'does not hold'}."
        for row in rows
    ]


def between_seeds(nested: Nested) -> float:
    """Return the standard deviation of H between seeds of one backbone, in points; NaN where each has one seed."""
    variances = [variance(run.percent("H") for run in runs) for runs in nested if len(runs) > 1]
    return round(fmean(variances) ** 0.5, 2) if variances else float("nan")


def _measured(nested: Nested, base_of: Callable[[RunResult], RunResult] | None = None) -> dict:
    """Columns of the means over each backbone's seeds; of differences to the run that `base_of` names, if it is given."""
    values = {
        name: [
            fmean(run.percent(name) - (base_of(run).percent(name) if base_of else 0) for run in runs) for runs in nested
        ]
        for name in METRICS
    }
    resampled = [
        np.mean([run.resampled - (base_of(run).resampled if base_of else 0) for run in runs], axis=0) for runs in nested
    ]
    return measured(values, resampled, signs=base_of is not None)


def _variants(found: Nested) -> list[str]:
    return list(dict.fromkeys(run.variant for runs in found for run in runs))


def _of(variant: str, runs: Sequence[RunResult]) -> list[RunResult]:
    return [run for run in runs if run.variant == variant]
