"""Settings of synthesis and of the final classifier (paper section 3.3)."""

from typing import Literal

from pydantic import Field

from scegg_core.settings.base import settings


@settings
class SynthesisSettings:
    """Synthetic features of the unseen classes (paper section 3.3)."""

    per_class: int = Field(300, ge=1, description="synthetic features per unseen class")
    # ASSUME: TF-VAEGAN's for CUB, since the paper points there; config.yaml has SUN's and AWA2's.
    feedback_strength: float = Field(1.0, ge=0, description="weight of F's correction while synthesizing")


@settings
class ClassifierSettings:
    """Final classifier, one fully connected layer (paper section 3.3)."""

    input: Literal["dense", "transformed"] = Field(
        "dense", description="g alone (the paper), or [g, Dec(g), Dec's hidden layer] as in TF-VAEGAN"
    )
    epochs: int = Field(25, ge=1, description="epochs")
    batch_size: int = Field(300, ge=1, description="features per step")
    learning_rate: float = Field(1e-3, gt=0, description="Adam learning rate")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first beta")
    weight_decay: float = Field(0.0, ge=0, description="weight decay")
