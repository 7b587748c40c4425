"""Settings of the attention sheets (paper's Fig. 3) and of the pointing score."""

from typing import Literal

from pydantic import Field

from scegg_core.settings.base import settings
from scegg_core.settings.names import Distinct, Seed
from scegg_core.settings.numbers import Count


@settings
class AttentionSettings:
    """The attention sheets (paper's Fig. 3) and the pointing score."""

    space: str = Field("sc-egg", description="the space whose SCEN is shown, at the data set's first seed")
    count: int = Field(6, ge=1, le=99, description="images shown, one sheet each: those named, then random test images")
    seed: Seed = Field(0, description="seed of the random choice")
    images: dict[str, Distinct] = Field(
        default_factory=dict, description="data set: paths of the images shown; leading folders may be left out"
    )
    attributes: Count = Field(8, description="attributes of highest score in a sheet")
    overview_attributes: Count = Field(4, description="and in a row of the overview")


@settings
class SheetSettings:
    """What one data set's attention sheets show, as `Configuration.sheets_of` gives it."""

    count: int
    seed: int
    images: tuple[str, ...]
    attributes: int
    overview_attributes: int
    resize: Literal["squash", "crop"]
