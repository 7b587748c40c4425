"""The aviary: a generated data set of drawn birds that stands in for CUB where nothing can be downloaded."""

from scegg_core.aviary.generate import generate_aviary
from scegg_core.settings.aviary import AviarySettings

__all__ = ["AviarySettings", "generate_aviary"]
