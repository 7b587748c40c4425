"""Settings of tables and pictures."""

from typing import Literal

from pydantic import Field

from scegg_core.settings.base import settings


@settings
class ReportTables:
    """The tables, and which runs they and the pictures are made of."""

    summary: tuple[str, ...] = Field(("aviary",), description="data sets in results/summary.csv and in the report")
    missing: Literal["make", "name"] = Field(
        "make", description="runs that are not there yet: make them, or name them in a remark and go on without them"
    )
    oracle: bool = Field(
        False, description="whether columns oracle_* show the best epoch on test, as released codes report; no result"
    )
    reference: str = Field("sc-egg", description="the variant that paired.csv compares the others with")


@settings
class TsneSettings:
    """The t-SNE picture (paper's Fig. 4)."""

    classes: int = Field(10, ge=1, description="unseen classes drawn, and as many seen ones")
    per_class: int = Field(40, ge=1, description="most real and most synthetic features of a class")
    perplexity: float = Field(30.0, gt=0, description="t-SNE's perplexity; smaller where there are few points")
    seed: int = Field(0, description="seed of the choice and of t-SNE")
    variants: tuple[str, ...] = Field(("baseline", "sc-egg"), min_length=1, description="variants side by side")


@settings
class AttentionSettings:
    """The attention sheets (paper's Fig. 3) and the pointing score."""

    space: str = Field("sc-egg", description="the space whose SCEN is shown, at the data set's first seed")
    count: int = Field(6, ge=1, le=99, description="images shown, one sheet each: those named, then random test images")
    seed: int = Field(0, ge=0, description="seed of the random choice")
    images: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="data set: paths of the images shown; leading folders may be left out"
    )
    attributes: int = Field(8, ge=1, description="attributes of highest score in a sheet")
    overview_attributes: int = Field(4, ge=1, description="and in a row of the overview")


@settings
class SheetSettings:
    """What one data set's attention sheets show, as `Configuration.sheets_of` gives it."""

    count: int
    seed: int
    images: tuple[str, ...]
    attributes: int
    overview_attributes: int
    resize: Literal["squash", "crop"]


@settings
class ConfusionSettings:
    """The confusion matrices of the unseen classes."""

    variants: tuple[str, ...] = Field(("sc-egg",), description="variants drawn")
    task: Literal["czsl", "gzsl"] = Field("gzsl", description="the task whose predictions are counted")


@settings
class RunNames:
    """The runs of a table or picture, (variant, seed) each, and the variants' names in print."""

    runs: tuple[tuple[str, int], ...]
    titles: dict[str, str]
