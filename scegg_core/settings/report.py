"""Settings of the pictures."""

from pydantic import Field

from scegg_core.settings.base import settings


@settings
class TsneSettings:
    """The t-SNE picture (paper's Fig. 4)."""

    classes: int = Field(10, ge=1, description="unseen classes drawn, and as many seen ones")
    per_class: int = Field(40, ge=1, description="most real and most synthetic features of a class")
    perplexity: float = Field(30.0, gt=0, description="t-SNE's perplexity; smaller where there are few points")
    seed: int = Field(0, description="seed of the choice and of t-SNE")
    variants: tuple[str, ...] = Field(("baseline", "sc-egg"), min_length=1, description="variants side by side")
