"""Settings of the tables, and which runs they and the pictures are made of."""

from typing import Literal

from pydantic import Field

from scegg_core.settings.base import settings
from scegg_core.settings.names import Distinct
from scegg_core.settings.numbers import Count


@settings
class BudgetSettings:
    """How long each method of a comparison is trained, whatever its variant says."""

    epochs: Count | None = Field(None, description="epochs of the generator; null: the data set's own (section eggn)")
    batch_size: Count | None = Field(None, description="images per step; null: the data set's own (section eggn)")


@settings
class ReportTables:
    """The tables, and which runs they and the pictures are made of."""

    summary: Distinct = Field(
        ("aviary",), min_length=1, description="data sets in results/summary.csv and in the report"
    )
    missing: Literal["make", "name"] = Field(
        "make", description="runs that are not there yet: make them, or name them in a remark and go on without them"
    )
    oracle: bool = Field(
        False, description="whether columns oracle_* show the best epoch on test, as released codes report; no result"
    )
    reference: str = Field("sc-egg", description="the variant that paired.csv compares the others with")
    spaces: Distinct = Field(
        ("backbone", "sc-egg"),
        min_length=2,
        description="spaces of features that spaces.csv compares: each method on all of them, and differences to the first",
    )
    methods: Distinct | None = Field(
        None,
        description="variants whose methods spaces.csv compares; null: all that generate on the first of the spaces",
    )
    budget: BudgetSettings | None = Field(
        default_factory=BudgetSettings,
        description="how long spaces.csv trains each method, and rows called <variant>~budget; null: spaces.csv as the variants say",
    )


@settings
class RunNames:
    """The runs of a table or picture, (variant, seed) each, and the variants' names in print."""

    runs: tuple[tuple[str, int], ...]
    titles: dict[str, str]
