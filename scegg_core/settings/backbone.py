"""Settings of a data set's backbone: the network that turns an image into region features."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator
from pydantic_core import ArgsKwargs

from scegg_core.settings.base import as_mapping, settings
from scegg_core.settings.numbers import Count, Rate, Weight
from scegg_core.settings.paths import LocalPath

#: How the names of weight files end; torchvision's names of weights do not.
WEIGHT_FILES = (".pt", ".pth", ".tar", ".bin", ".ckpt", ".safetensors")

#: How the names of timm's networks begin here, and what stands for the weights that timm's name of a network names.
TIMM, PRETRAINED = "timm/", "pretrained"


@settings
class BackboneTrainingSettings:
    """How a backbone is trained here, where its weights are 'train'."""

    epochs: Count = Field(8, description="passes over the training images")
    batch_size: int = Field(16, ge=2, le=1_000_000, description="images per step")
    learning_rate: Rate = Field(2e-3, description="highest learning rate of AdamW; it rises, then falls to 0")
    weight_decay: Weight = Field(0.05, description="AdamW's weight decay")
    label_smoothing: float = Field(0.05, ge=0, lt=1, description="share of each target spread over all classes")
    crop: int | None = Field(
        None, ge=16, le=4096, description="train on birds cut out along their boxes at this size; null: on whole images"
    )
    top_share: float = Field(
        1.0, gt=0, le=1, description="share of the regions, each channel's strongest, that the head averages; 1: all"
    )
    shift: int = Field(6, ge=0, le=4096, description="images are moved by up to this many pixels in each direction")


@settings
class BackboneSettings:
    """The network that turns an image into region features."""

    network: str = Field(
        "resnet101",
        description="name of a torchvision classification model, or timm/<name> of one of timm's, e.g. timm/vit_small_patch14_dinov2.lvd142m",
    )
    weights: LocalPath = Field(
        "IMAGENET1K_V1",
        description="a torchvision weights name, 'pretrained' for a network of timm (its default), 'train' (on the seen classes' training images), 'random', or the path of a local weight file (.pt, .pth, .tar, .bin, .ckpt, .safetensors), trained on images normalized by ImageNet's mean and deviation unless it has the name of a torchvision file or timm says otherwise",
    )
    features_up_to: str | None = Field(None, description="last module kept, e.g. layer3; null: the last feature map")
    image_size: int | None = Field(
        448,
        ge=16,
        le=4096,
        description="square input size in pixels; a multiple of the patch for vit_*, of 224 for maxvit_t; null: a timm network's own (its default)",
    )
    resize: Literal["squash", "crop"] = Field(
        "squash", description="squash to the square, or resize the short side and crop the centre"
    )
    interpolation: Literal["bilinear", "bicubic"] | None = Field(
        "bilinear", description="how images are resized; null: as a timm network's weights expect it (its default)"
    )
    batch_size: Count | None = Field(
        32, description="images per forward pass; null: as many as a GPU's free memory holds, 32 on a CPU"
    )
    decoder: Literal["pillow", "gpu"] = Field(
        "pillow", description="what decodes JPEG files: Pillow, or torchvision on a CUDA device; last digits differ"
    )
    precision: Literal["float32", "bfloat16", "float16"] = Field(
        "float32", description="autocast type on CUDA; the CPU always computes in float32"
    )
    training: BackboneTrainingSettings = Field(
        default_factory=BackboneTrainingSettings, description="how it is trained where weights is 'train'"
    )

    @model_validator(mode="before")
    @classmethod
    def _timm_has_its_own(cls, given: Any) -> Any:
        """Networks of timm say themselves what is not set."""
        values = given.kwargs if isinstance(given, ArgsKwargs) else given
        if not isinstance(values, dict) or not str(values.get("network", "")).startswith(TIMM):
            return given
        return {"weights": PRETRAINED, "image_size": None, "interpolation": None} | values

    @model_validator(mode="after")
    def _torchvision_has_none(self) -> "BackboneSettings":
        if not self.of_timm and None in (self.image_size, self.interpolation):
            raise ValueError("only networks of timm have an image_size and an interpolation of their own; set both")
        return self

    @property
    def of_timm(self) -> bool:
        """Return whether the network is one of timm's."""
        return self.network.startswith(TIMM)

    @property
    def usual_batch(self) -> int:
        """Return the images per batch where no device's memory decides."""
        return self.batch_size or 32

    def training_part(self) -> dict:
        """Return the settings that a backbone trained here depends on."""
        names = ("network", "weights", "features_up_to", "image_size", "resize", "interpolation", "training")
        own = as_mapping(self)
        return {name: own[name] for name in names}

    @property
    def local_weights(self) -> bool:
        """Return whether weights is the path of a file."""
        return self.weights.lower().endswith(WEIGHT_FILES)

    @property
    def fetched_to(self) -> str | None:
        """Return where the weights of torchvision or timm are fetched to; None for other weights."""
        if self.local_weights or self.weights in ("train", "random"):
            return None
        return f"data/weights/{self.network}/{self.weights}.{'safetensors' if self.of_timm else 'pth'}"

    @property
    def fetch_record(self) -> str | None:
        """Return where it is recorded that these weights were fetched; None for other weights."""
        return str(Path(self.fetched_to).with_suffix(".json")) if self.fetched_to else None
