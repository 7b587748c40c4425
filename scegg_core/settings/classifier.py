"""Settings of the final classifier (paper section 3.3)."""

from typing import Literal

from pydantic import Field

from scegg_core.settings.base import settings
from scegg_core.settings.numbers import Count, Rate, Weight


@settings
class ClassifierSettings:
    """Final classifier, one fully connected layer (paper section 3.3)."""

    input: Literal["dense", "transformed"] = Field(
        "dense",
        description="g alone (the paper), or what the generator's method makes of it: TF-VAEGAN's [g, Dec(g), Dec's hidden layer], CE-GZSL's embedding, CADA-VAE's latent features",
    )
    # ASSUME: TF-VAEGAN's, since E_C is not given.
    epochs: Count = Field(25, description="epochs, E_C; not given in the paper, TF-VAEGAN's")
    batch_size: Count = Field(300, description="features per step; TF-VAEGAN's")
    learning_rate: Rate = Field(1e-3, description="Adam learning rate; TF-VAEGAN's")
    beta1: float = Field(0.5, ge=0, lt=1, description="Adam's first beta; TF-VAEGAN's")
    weight_decay: Weight = Field(0.0, description="weight decay")
    seen_per_class: Count | None = Field(
        None,
        description="features of each seen class that the classifier of all classes learns from, repeated where there are fewer; null: all training images once; CADA-VAE's is 200",
    )
    cascade_share: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="LisGAN's cascade: share of the test images, those that the first classifier is surest of, that a second one learns from; transductive, so tables say it; null: test images are never learned from; LisGAN's released code has 0.6",
    )
