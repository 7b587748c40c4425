"""What a run on a data set is going to do, so that it can be checked before: its rows' trainings, split and sheets."""

from typing import TYPE_CHECKING

from pydantic import Field

from scegg_core.settings.attention import SheetSettings
from scegg_core.settings.base import as_mapping, settings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.names import VALIDATION
from scegg_core.settings.run import RunSettings
from scegg_core.settings.scen import ScenSettings

if TYPE_CHECKING:
    from scegg_core.settings.resolve import Configuration

CLOSED_FORM = ("prototype", "eszsl")  # they choose their constants on the validation split


@settings
class Plan:
    """A run of a data set's table: every training of SCEN and of a generator, as often as it is trained.

    `validation`: whether a row needs the validation split; `sheets`: the attention sheets, if the report has any.
    `here`: whether jobs run on this machine, whose device and memory then count, and not on a cluster.
    """

    scen: tuple[ScenSettings, ...] = ()
    eggn: tuple[EggnSettings, ...] = ()
    validation: bool = False
    sheets: SheetSettings | None = None
    run: RunSettings = Field(default_factory=RunSettings)
    here: bool = True


def plan_of(config: "Configuration", dataset: str, here: bool = True) -> dict:
    """Return the plan of a run on `dataset`, as the mapping that Plan is made from."""
    own = config.dataset(dataset)
    rows = {name: config.variant(name) for name in own.variants}
    spaces = {row.space for row in rows.values()}
    runs = [(dataset, name, len(row.seeds or own.seeds)) for name, row in rows.items() if config.tuned(name) is None]
    asking = [run for run in runs if "validation" in (rows[run[1]].selection, rows[run[1]].calibration)]
    runs += [
        (dataset + VALIDATION, name, seeds) for _, name, seeds in asking if rows[name].predict_by not in CLOSED_FORM
    ]
    tuned = any(config.tuned(name) for name in rows)
    points = config.grid_points(dataset) if tuned else []
    runs += [(dataset + VALIDATION, point["point"], len(point["seeds"])) for point in points]
    scen = {(name, config.variant(row).space): seeds for name, row, seeds in runs}
    return {
        "scen": [
            as_mapping(config.scen_of(name, space))
            for (name, space), seeds in scen.items()
            for _ in range(seeds)
            if config.space(space).kind == "scen"
        ],
        "eggn": [
            as_mapping(config.eggn_of(name, row))
            for name, row, seeds in runs
            for _ in range(seeds)
            if config.variant(row).predict_by == "generation"
        ],
        "validation": tuned or bool(asking) or any(row.predict_by in CLOSED_FORM for row in rows.values()),
        "sheets": config.sheets_of(dataset) if config.attention.space in spaces else None,
        "run": as_mapping(config.run),
        "here": here,
    }
