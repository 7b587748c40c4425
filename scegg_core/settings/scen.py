"""Settings of SCEN, stages 1 and 2. Defaults are the paper's; what it leaves open is said in docs/paper_map.md."""

from typing import Literal

from pydantic import Field

from scegg_core.settings.base import settings
from scegg_core.settings.numbers import Count, CountFrom0, Rate, Scale, Weight, Width


@settings
class ScenSettings:
    """Semantic compression embedding network, stages 1 and 2 (paper section 3.1, Eqs. 1-8, 16, 17)."""

    region_norm: Literal["l2", "image", "none"] = Field(
        "l2",
        description="region features: each of unit length, all of an image of unit length on average, or as they are; open in the paper, l2 as DAZLE",
    )
    word_norm: Literal["l2", "centered", "none"] = Field(
        "l2",
        description="attribute vectors at the start: of unit length; centered: without their mean, then of unit length; or as they are; open in the paper, l2 as DAZLE",
    )
    attention_words: Literal["own", "part"] = Field(
        "own",
        description="v_n in Eq. 1's attention: the attribute's own vector, or the mean over those of its body part; own as written",
    )
    train_words: bool = Field(
        True, description="whether the attribute vectors are learned from that start; open in the paper, as DAZLE"
    )
    initialization: Literal["xavier", "normal", "dazle"] = Field(
        "xavier",
        description="start of W_alpha and W_beta; normal: N(0, initial_std); dazle: W_alpha 0, W_beta N(0, initial_std); open in the paper",
    )
    initial_std: Scale = Field(1.0, description="with initialization normal or dazle: standard deviation")
    compression: Literal["mlp", "mean"] = Field(
        "mlp",
        description="SC (Eq. 4): an MLP over the attribute axis; mean: the MLP and a linear classifier in stage 1 only, then the mean over attributes, scaled to [0, 1] for CLS_g",
    )
    compression_width: Width | None = Field(None, description="SC's hidden width; null: half the number of attributes")
    compression_start: Literal["default", "mean"] = Field(
        "default", description="start of SC: torch's own, or close to the mean over the attributes; open in the paper"
    )
    classifier_width: Width | None = Field(None, description="hidden width of CLS_g (Eq. 5); null: one linear layer")
    # ASSUME: 1: nothing is said of a(c)'s length in Eq. 3, and with few steps it decides how far LEN gets.
    local_scale: Scale = Field(1.0, description="factor on p_l (Eq. 3); open in the paper")
    local_weight: Weight = Field(1.0, description="weight of L_LCE in Eq. 16; 0 leaves it out")
    global_weight: Weight = Field(1.0, description="lambda_g, weight of L_GCE in Eq. 16; 0 leaves it out")
    calibration_weight: Weight = Field(
        0.0, description="weight of DAZLE's self-calibration loss in stage 1; the paper has none"
    )
    # ASSUME: all classes, as Eqs. 6 and 7 are written; the released code has the seen ones.
    softmax_classes: Literal["all", "seen"] = Field(
        "all", description="classes in the softmax of Eqs. 6 and 7; all as written"
    )
    stage1_epochs: CountFrom0 = Field(20, description="epochs of Eq. 16")
    stage2_epochs: CountFrom0 = Field(20, description="epochs of Eq. 17; 0 leaves L_SCR out")
    stage1_steps: Count | None = Field(None, description="steps instead of epochs in stage 1")
    stage2_steps: Count | None = Field(None, description="steps instead of epochs in stage 2")
    stage2_updates: Literal["gen", "classifier"] = Field(
        "gen", description="what L_SCR trains: SC and CLS_g, or CLS_g alone"
    )
    stage2_reduction: Literal["sum", "mean"] = Field(
        "sum", description="L_SCR over classes: the squared norm (Eq. 8), or its mean"
    )
    sampling: Literal["shuffled", "class_balanced"] = Field(
        "shuffled", description="every image once an epoch, or in a batch every class once before any comes twice"
    )
    batch_size: Count = Field(64, description="images per step")
    optimizer: Literal["adam", "rmsprop"] = Field("adam", description="optimizer of both stages")
    learning_rate: Rate = Field(1e-4, description="learning rate of stage 1")
    # ASSUME: one learning rate for all weights; the paper names no other.
    attention_rate: Scale = Field(
        1.0, description="factor on the learning rate of W_alpha, which shapes the attention; open in the paper"
    )
    stage2_learning_rate: Rate | None = Field(None, description="learning rate of stage 2; null: the same")
    weight_decay: Weight = Field(0.0, description="weight decay of both stages")
    momentum: float = Field(0.0, ge=0, lt=1, description="momentum of RMSprop")
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="number type of the products with region features; all else is float32"
    )
    memory_budget: Scale = Field(
        4.0,
        description="GiB of region features held in memory, and of stage 2's attention on them where that fits too; more is streamed",
    )
