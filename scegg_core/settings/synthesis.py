"""Settings of the synthesis of unseen features (paper section 3.3)."""

from pydantic import Field

from scegg_core.settings.base import settings
from scegg_core.settings.numbers import Count, Weight


@settings
class SynthesisSettings:
    """Synthetic features of the unseen classes (paper section 3.3)."""

    per_class: Count = Field(300, description="synthetic features per unseen class; TF-VAEGAN's")
    # ASSUME: TF-VAEGAN's for CUB, since the paper points there; config.yaml has SUN's and AWA2's.
    feedback_strength: Weight = Field(1.0, description="weight of F's correction while synthesizing; TF-VAEGAN's")
