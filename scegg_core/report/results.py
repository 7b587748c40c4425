"""Results of single runs, and what the runs of one row of a table have in common: all that decides a comparison."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.evaluate.intervals import interval
from scegg_core.evaluate.summary import METRICS, moments

if TYPE_CHECKING:
    from pandas import DataFrame

#: Columns that say what a row was reached with; rows that differ in one of them are not compared alike.
DECIDING = (
    *("backbone", "weights", "weights_digest", "backbone_state", "image_size", "selection", "calibration"),
    *("seeds", "backbones", "device", "threads"),
)

#: Whole numbers among the columns, which may be missing.
WHOLE = ("image_size", "seeds", "backbones")

#: Columns of text, whatever they hold: digits alone, 12e45678 and NA are no numbers, and empty ones are not missing.
TEXTS = (
    *(
        "dataset",
        "method",
        "variant",
        "title",
        "space",
        "reference",
        "helps",
        "differs",
        "remark",
        "class",
        "most_often_taken_for",
    ),
    *(name for name in DECIDING if name not in WHOLE),
)

#: How they are read.
TYPES = {**dict.fromkeys(TEXTS, str), **dict.fromkeys(WHOLE, "Int64")}


def read_results(path: str | Path) -> "DataFrame":
    """Return the table of results at `path` as it was before it was written: texts stay texts, empty ones too; an empty
    table where no run had finished yet."""
    from pandas import DataFrame, read_csv
    from pandas.errors import EmptyDataError

    try:
        table = read_csv(path, dtype=TYPES, keep_default_na=False, na_values=[""])
    except EmptyDataError:
        return DataFrame()
    return table.assign(**{name: table[name].fillna("") for name in TEXTS if name in table})


@dataclass(frozen=True)
class RunResult:
    """What one variant reached with one seed; accuracies in [0, 1], NaN where a task was not run.

    `dataset` is the name shown, `published` the data set's name in the published tables ('' for none); `computed` says
    on what it was computed and whether the same bits come out again. `tuned` are the settings that the validation
    split selected ('' for none), `epoch` the epoch (None: the last); `oracle` has the paper's metrics of the best
    epochs on test, where they are to be shown. `without_images` are classes without test images: they do
    not count. `alarms` are what the training curves warn of. `backbone_state` is
    frozen or trained here, `backbones` short digests of its weights; `calibration` was taken off the seen classes'
    scores (None: nothing was). `resampled` has the metrics on the resamples of the test images, (metrics, resamples) in
    the order of METRICS, where they were resampled.
    """

    dataset: str
    variant: str
    title: str
    seed: int
    backbone: str
    weights: str
    image_size: int | None
    selection: str
    acc: float
    u: float
    s: float
    h: float
    ausuc: float
    published: str = ""
    computed: str = ""
    tuned: str = ""
    epoch: int | None = None
    oracle: dict[str, float] | None = None
    without_images: tuple[str, ...] = ()
    alarms: tuple[str, ...] = ()
    backbone_state: str = ""
    backbones: tuple[str, ...] = ()
    calibration: float | None = None
    devices: tuple[str, ...] = ()
    threads: tuple[int, ...] = ()
    resampled: np.ndarray | None = field(default=None, compare=False, repr=False)

    def percent(self, metric: str) -> float:
        """Return a metric (a key of METRICS) in percent."""
        return 100 * getattr(self, METRICS[metric])


def groups(results: Sequence[RunResult]) -> list[list[RunResult]]:
    """Return runs that differ in the seed alone, in order of first appearance; ValueError if a run occurs twice."""
    found: dict[tuple, list[RunResult]] = {}
    for run in results:
        group = found.setdefault(tuple(identity(run).values()), [])
        if run.seed in {other.seed for other in group}:
            raise ValueError(f"{run.dataset}/{run.variant} has two results of seed {run.seed}")
        group.append(run)
    return list(found.values())


def identity(run: RunResult) -> dict:
    """Return what the runs of one row have in common."""
    names = ("dataset", "variant", "title", "backbone", "weights", "backbone_state", "image_size", "selection", "tuned")
    return {name: getattr(run, name) for name in names} | {"calibration": _calibration([run], constants=False)}


def head(runs: Sequence[RunResult]) -> dict:
    """Return what a row says of runs that differ in the seed alone, and maybe in what validation selected."""
    common = identity(runs[0])
    names = ("dataset", "variant", "title", "backbone", "weights")
    return {
        **{name: common[name] for name in names},
        "weights_digest": " ".join(_backbones(runs)),
        "backbone_state": common["backbone_state"],
        "image_size": common["image_size"],
        "selection": _selection(runs),
        "calibration": _calibration(runs),
        **counts(runs),
    }


def counts(runs: Sequence[RunResult]) -> dict:
    """Return of how many seeds and backbones a row is, and on which devices with how many threads it was computed."""
    devices = sorted({device for run in runs for device in run.devices})
    threads = sorted({count for run in runs for count in run.threads})
    return {
        "seeds": len(runs),
        "backbones": max(1, len(_backbones(runs))),
        "device": ", ".join(devices),
        "threads": ", ".join(map(str, threads)),
    }


def differences(rows: Sequence[Sequence[RunResult]]) -> list[str]:
    """Return for each row what decides a comparison and is another than in most rows of its data set; '' for nothing."""
    kinds = [_deciding(runs) for runs in rows]
    texts = []
    for runs, kind in zip(rows, kinds, strict=True):
        beside = Counter(other for row, other in zip(rows, kinds, strict=True) if row[0].dataset == runs[0].dataset)
        usual = beside.most_common(1)[0][0]  # the first of equally common ones
        parts = [
            f"{name} {value or 'not known'}"
            for (name, value), other in zip(kind, usual, strict=True)
            if (name, value) != other
        ]
        texts.append(", ".join(parts))
    return texts


def measured(values: dict[str, list[float]], resampled: Sequence[np.ndarray | None], signs: bool = False) -> dict:
    """Return of each metric mean, `_std` and, where all runs were resampled, the ends of its 95 % interval, in percent.

    `values` are those of the runs, in percent; `resampled` those on the resamples, in [0, 1]. Accuracies end at 0 and
    100; with `signs` they are differences, and `_sign` says in how many percent of the resamples the sign holds.
    """
    columns = {}
    for place, (name, own) in enumerate(METRICS.items()):
        columns |= moments({name: values[name]})
        if not resampled or any(one is None for one in resampled):
            continue
        found = interval(np.array(values[name]), np.stack([100 * one[place] for one in resampled]))
        low, high = np.clip((found.low, found.high), -100 if signs else 0, 100)
        columns |= {f"{own}_low": round(float(low), 2), f"{own}_high": round(float(high), 2)}
        if signs:
            columns[f"{own}_sign"] = round(100 * found.sign_holds, 2)
    return columns


def _deciding(runs: Sequence[RunResult]) -> tuple[tuple[str, object], ...]:
    """What a row is compared by, name and value each; constants and epochs that validation chose do not count."""
    common = identity(runs[0]) | counts(runs)
    selection = common["selection"] + ("; tuned" if common["tuned"] else "")
    digest = " ".join(_backbones(runs)) if common["backbones"] == 1 else ""  # the number of several says enough
    known = common | {"selection": selection, "weights_digest": digest}
    return tuple((name.replace("_", " "), known[name]) for name in DECIDING)


def _backbones(runs: Sequence[RunResult]) -> list[str]:
    return sorted({digest for run in runs for digest in run.backbones})


def _selection(runs: Sequence[RunResult]) -> str:
    epochs = sorted({run.epoch for run in runs if run.epoch is not None})
    text = runs[0].selection
    if epochs:
        span = f"epoch {epochs[0]}" if len(epochs) == 1 else f"epochs {epochs[0]}-{epochs[-1]}"
        text += f" ({span})"
    return text + (f"; tuned: {runs[0].tuned}" if runs[0].tuned else "")


def _calibration(runs: Sequence[RunResult], constants: bool = True) -> str:
    """Where the constant taken off the seen classes' scores was chosen, and which it is."""
    found = sorted({f"{run.calibration:.4g}" for run in runs if run.calibration is not None}, key=float)
    if not found:
        return "none"
    span = f"constant {found[0]}" if len(found) == 1 else f"constants {found[0]} to {found[-1]}"
    return f"validation ({span})" if constants else "validation"
