"""Settings of variants, the rows of the tables: which features, and how predictions are made on them."""

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from pydantic import Field, model_validator

from scegg_core.settings.base import settings
from scegg_core.settings.names import Seeds, Title
from scegg_core.settings.overrides import ClassifierOverrides, EggnOverrides, SynthesisOverrides

if TYPE_CHECKING:
    from scegg_core.settings.resolve import Configuration

CLOSED_FORM = ("prototype", "eszsl")  # they draw nothing, and choose their constants on the validation split


@settings
class VariantSettings:
    """One row of the tables: a space and how predictions are made on it."""

    space: str = Field("sc-egg", description="name of the space")
    title: Title | None = Field(None, description="name in tables; null: the variant's own")
    predict_by: Literal["generation", "embedding", "prototype", "eszsl"] = Field(
        "generation", description="EGGN and a classifier, LEN's scores alone, or a closed-form yardstick"
    )
    seeds: Seeds | None = Field(None, description="seeds of this variant; null: the data set's")
    eggn: EggnOverrides = Field(default_factory=dict, description="overrides of section eggn")
    synthesis: SynthesisOverrides = Field(default_factory=dict, description="overrides of section synthesis")
    classifier: ClassifierOverrides = Field(default_factory=dict, description="overrides of section classifier")
    # ASSUME: the last epoch, since the test set must not choose one.
    selection: Literal["last", "validation"] = Field(
        "last",
        description="how many epochs the generator is trained: all, or as many as have the highest H on the validation split with the same seed",
    )
    calibration: Literal["none", "validation"] = Field(
        "none",
        description="the constant taken off the seen classes' scores: nothing, or what has the highest H on the validation split with the same seed; closed-form rows always take theirs there",
    )
    tuned: str | None = Field(
        None, description="stands for the best point of this entry of section tuning; takes title and seeds only"
    )

    @model_validator(mode="after")
    def _no_generator_settings_without_generation(self) -> "VariantSettings":
        if self.predict_by != "generation" and (self.eggn or self.synthesis or self.classifier):
            raise ValueError(f"predict_by {self.predict_by} takes no eggn, synthesis or classifier settings")
        return self

    @model_validator(mode="after")
    def _selection_needs_epochs(self) -> "VariantSettings":
        if self.predict_by != "generation" and self.selection != "last":
            raise ValueError(f"predict_by {self.predict_by} has no generator whose epoch could be selected")
        return self

    @model_validator(mode="after")
    def _tuned_has_the_settings_of_its_grid(self) -> "VariantSettings":
        if self.tuned is not None and replace(self, tuned=None, title=None, seeds=None) != VariantSettings():
            raise ValueError(
                f"tuned: {self.tuned} takes its settings from section tuning; beside it only title and seeds"
            )
        return self


def shown_selection(config: "Configuration", dataset: str, name: str) -> str:
    """Return how tables call a row's selection, and whether its classifier learns from test images."""
    own = config.variant(name)
    cascade = own.predict_by == "generation" and config.classifier_of(dataset, name).cascade_share is not None
    return own.selection + ("; transductive" if cascade else "")
