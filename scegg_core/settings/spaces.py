"""Settings of spaces: what a variant works on, and how it is made of the backbone's regions."""

from typing import Literal

from pydantic import Field, model_validator

from scegg_core.settings.base import settings
from scegg_core.settings.overrides import DazleOverrides, ScenOverrides

#: Kinds of spaces that a network makes of region maps and attribute vectors, and what the network is called.
NETWORKS = {"scen": "SCEN", "dazle": "DAZLE"}


@settings
class SpaceSettings:
    """What a variant works on: average-pooled backbone features, SCEN's dense-semantic ones, or DAZLE's embedding."""

    kind: Literal["scen", "dazle", "backbone"] = Field(
        "scen",
        description="scen: learned by SCEN; dazle: DAZLE's embedding alone, no features; backbone: pooled regions",
    )
    scen: ScenOverrides = Field(default_factory=dict, description="overrides of section scen")
    dazle: DazleOverrides = Field(default_factory=dict, description="overrides of section dazle")

    @model_validator(mode="after")
    def _settings_of_its_own_network_alone(self) -> "SpaceSettings":
        for section, network in NETWORKS.items():
            if self.kind != section and getattr(self, section):
                raise ValueError(f"a space of kind {self.kind} has no {network}, so it takes no {section} settings")
        return self

    @property
    def on_maps(self) -> bool:
        """Whether it is made of region maps and attribute vectors."""
        return self.kind in NETWORKS
