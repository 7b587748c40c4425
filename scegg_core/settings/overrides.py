"""Overrides: parts of the sections of the trained stages, in data sets, spaces, variants and tuning grids.

An override is a mapping of the settings that it changes; each of them is checked as the section's own.
"""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import WrapValidator

from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.dazle import DazleSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.settings.synthesis import SynthesisSettings

#: The sections that overrides change, in the order in which a run uses them.
STAGES = {
    "scen": ScenSettings,
    "dazle": DazleSettings,
    "eggn": EggnSettings,
    "synthesis": SynthesisSettings,
    "classifier": ClassifierSettings,
}


def keep_what_is_said(values: Any, parse: Callable[[Any], object]) -> dict[str, Any]:
    """Return the mapping `values` with its values as the section parses them; what is not said is left out."""
    section = parse(values)  # the section's defaults are laid under the values
    return {name: getattr(section, name) for name in values}


ScenOverrides = Annotated[ScenSettings, WrapValidator(keep_what_is_said)]
DazleOverrides = Annotated[DazleSettings, WrapValidator(keep_what_is_said)]
EggnOverrides = Annotated[EggnSettings, WrapValidator(keep_what_is_said)]
SynthesisOverrides = Annotated[SynthesisSettings, WrapValidator(keep_what_is_said)]
ClassifierOverrides = Annotated[ClassifierSettings, WrapValidator(keep_what_is_said)]
