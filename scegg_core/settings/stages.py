"""All stages' settings under one name."""

from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.final import ClassifierSettings, SynthesisSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.settings.variants import SpaceSettings, VariantSettings

__all__ = [
    "ClassifierSettings",
    "EggnSettings",
    "ScenSettings",
    "SpaceSettings",
    "SynthesisSettings",
    "VariantSettings",
]
