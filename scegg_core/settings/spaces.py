"""Settings of spaces: the visual features that a variant works on."""

from typing import Literal

from pydantic import Field, model_validator

from scegg_core.settings.base import settings
from scegg_core.settings.overrides import ScenOverrides


@settings
class SpaceSettings:
    """A visual feature space: average-pooled backbone features, or SCEN's dense-semantic ones."""

    kind: Literal["scen", "backbone"] = Field("scen", description="scen: learned by SCEN; backbone: pooled regions")
    scen: ScenOverrides = Field(default_factory=dict, description="overrides of section scen")

    @model_validator(mode="after")
    def _no_scen_settings_without_scen(self) -> "SpaceSettings":
        if self.kind == "backbone" and self.scen:
            raise ValueError("a space of kind backbone has no SCEN, so it takes no scen settings")
        return self
