"""Settings of the t-SNE picture (paper's Fig. 4)."""

from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from scegg_core.settings.base import settings
from scegg_core.settings.names import distinct
from scegg_core.settings.numbers import Count

#: t-SNE needs 5 points; a class gives `per_class` each of real seen, real unseen and synthetic unseen features.
FEWEST_POINTS, GROUPS = 5, 3

LARGEST_SEED = 2**32 - 1  # of scikit-learn


@settings
class TsneSettings:
    """The t-SNE picture (paper's Fig. 4)."""

    classes: Count = Field(10, description="unseen classes drawn, and as many seen ones")
    per_class: Count = Field(40, description="most real and most synthetic features of a class")
    # a perplexity below 1 leaves t-SNE no neighbour to look at
    perplexity: float = Field(
        30.0, ge=1, le=1_000_000, description="t-SNE's perplexity; smaller where there are few points"
    )
    seed: int = Field(0, ge=0, le=LARGEST_SEED, description="seed of the choice and of t-SNE")
    variants: Annotated[tuple[str, ...], AfterValidator(distinct)] = Field(
        ("baseline", "sc-egg"), min_length=1, description="variants side by side"
    )

    @model_validator(mode="after")
    def _enough_points(self) -> "TsneSettings":
        points = GROUPS * self.classes * self.per_class
        if points < FEWEST_POINTS:
            raise ValueError(f"{points} points are too few for t-SNE, which needs {FEWEST_POINTS}; raise per_class")
        return self
