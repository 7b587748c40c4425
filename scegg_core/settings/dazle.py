"""Settings of DAZLE. Defaults are those of its released notebook for CUB; config.yaml has SUN's and AWA2's."""

from typing import Literal

from pydantic import Field

from scegg_core.settings.base import settings
from scegg_core.settings.numbers import Count, Rate, Scale, Weight


@settings
class DazleSettings:
    """DAZLE (Huynh and Elhamifar, CVPR 2020), trained on region features; it predicts by embedding."""

    word_norm: Literal["l2", "centered", "none"] = Field(
        "l2",
        description="attribute vectors at the start: of unit length; centered: without their mean, then of unit length; or as they are",
    )
    normalize_words: bool = Field(
        False, description="whether attribute vectors have unit length in every step, not only at the start; AWA2's"
    )
    attribute_attention: bool = Field(
        True, description="whether each attribute's score is weighted by the second attention; SUN's notebook: not"
    )
    initial_std: Scale = Field(1.0, description="standard deviation of W_e at the start; both attentions start at 0")
    calibration_weight: Weight = Field(0.1, description="lambda, weight of the self-calibration loss")
    margin: Weight = Field(
        1.0,
        description="added to the scores of unseen classes and taken from those of seen ones, in the self-calibration loss and in predictions",
    )
    # ASSUME: all classes, as the released notebooks: over the seen ones alone nothing holds back the scores of unseen
    # classes, which the self-calibration loss raises.
    softmax_classes: Literal["all", "seen"] = Field("all", description="classes in the softmax of the cross-entropy")
    epochs: Count = Field(20, description="epochs")
    batch_size: Count = Field(50, description="images per step")
    sampling: Literal["shuffled", "class_balanced"] = Field(
        "shuffled", description="every image once an epoch, or in a batch every class once before any comes twice"
    )
    learning_rate: Rate = Field(1e-4, description="learning rate of RMSprop")
    weight_decay: Weight = Field(1e-4, description="weight decay")
    momentum: float = Field(0.9, ge=0, lt=1, description="momentum of RMSprop")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="number type of the products with region features; all else is float32"
    )
    memory_budget: Scale = Field(4.0, description="GiB of region features held in memory; more is streamed")
