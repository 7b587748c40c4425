"""Settings of the confusion matrices of the unseen classes."""

from typing import Literal

from pydantic import Field

from scegg_core.settings.base import settings
from scegg_core.settings.names import Distinct


@settings
class ConfusionSettings:
    """The confusion matrices of the unseen classes."""

    variants: Distinct = Field(("sc-egg",), description="variants drawn, where they are rows of the data set's table")
    task: Literal["czsl", "gzsl"] = Field("gzsl", description="the task whose predictions are counted")
