"""What a run on a data set is going to do, so that it can be checked before: its rows' trainings, split and sheets."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from pydantic import Field

from scegg_core.settings.attention import SheetSettings
from scegg_core.settings.base import as_mapping, settings
from scegg_core.settings.dazle import DazleSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.names import VALIDATION
from scegg_core.settings.run import RunSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.settings.variants import CLOSED_FORM

if TYPE_CHECKING:
    from scegg_core.settings.resolve import Configuration


@settings
class Plan:
    """A run of a data set's table: every training of SCEN, of DAZLE and of a generator, as often as it is trained.

    `extractions`: how often regions are extracted, of the data set and of its validation split; where a backbone is
    trained here, so often is that. `validation`: whether a row needs the validation split; `sheets`: the attention sheets, if the report has any.
    `here`: whether jobs run on this machine, whose device and memory then count, and not on a cluster.
    """

    scen: tuple[ScenSettings, ...] = ()
    dazle: tuple[DazleSettings, ...] = ()
    eggn: tuple[EggnSettings, ...] = ()
    extractions: tuple[int, int] = (1, 0)
    validation: bool = False
    sheets: SheetSettings | None = None
    run: RunSettings = Field(default_factory=RunSettings)
    here: bool = True

    @property
    def on_maps(self) -> tuple[ScenSettings | DazleSettings, ...]:
        """Every training on region maps."""
        return self.scen + self.dazle


def plan_of(config: "Configuration", dataset: str, here: bool = True) -> dict:
    """Return the plan of a run on `dataset`, as the mapping that Plan is made from."""
    own = config.dataset(dataset)
    rows = {name: config.variant(name) for name in own.variants}
    spaces = {row.space for row in rows.values()}
    runs = [(dataset, name, len(config.seeds_of(dataset, name))) for name in rows if config.tuned(name) is None]
    asking = [run for run in runs if "validation" in (rows[run[1]].selection, rows[run[1]].calibration)]
    runs += [
        (dataset + VALIDATION, name, seeds) for _, name, seeds in asking if rows[name].predict_by not in CLOSED_FORM
    ]
    tuned = any(config.tuned(name) for name in rows)
    points = config.grid_points(dataset) if tuned else []
    runs += [(dataset + VALIDATION, point["point"], len(point["seeds"])) for point in points]
    made = {(name, config.variant(row).space): seeds for name, row, seeds in runs}
    validation = tuned or bool(asking) or any(row.predict_by in CLOSED_FORM for row in rows.values())
    return {
        "extractions": _extractions(config, dataset, validation),
        "scen": _trainings(config, made, "scen", config.scen_of),
        "dazle": _trainings(config, made, "dazle", config.dazle_of),
        "eggn": [
            as_mapping(config.eggn_of(name, row))
            for name, row, seeds in runs
            for _ in range(seeds)
            if config.variant(row).predict_by == "generation"
        ],
        "validation": validation,
        "sheets": config.sheets_of(dataset) if config.attention.space in spaces else None,
        "run": as_mapping(config.run),
        "here": here,
    }


def _trainings(config: "Configuration", made: dict, kind: str, settings_of: Callable) -> list[dict]:
    """The settings of every training of the spaces of a kind; `made` says of how many seeds each is."""
    return [
        as_mapping(settings_of(name, space))
        for (name, space), seeds in made.items()
        for _ in range(seeds)
        if config.space(space).kind == kind
    ]


def _extractions(config: "Configuration", dataset: str, validation: bool) -> tuple[int, int]:
    """How often regions are extracted, of the data set and of its validation split."""
    backbone = config.dataset(dataset).backbone
    if not backbone.trained:
        return 1, 0
    times = len({seed for _, seed in config.runs(dataset)}) if backbone.seeds == "own" else 1
    return times, times if validation else 0
