"""Settings of a data set's backbone: the network that turns an image into region features."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from scegg_core.settings.base import as_mapping, settings
from scegg_core.settings.numbers import Count, Rate, Weight
from scegg_core.settings.paths import LocalPath

#: How the names of weight files end; torchvision's names of weights do not.
WEIGHT_FILES = (".pt", ".pth", ".tar", ".bin", ".ckpt", ".safetensors")


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

    network: str = Field("resnet101", description="name of a torchvision classification model")
    weights: LocalPath = Field(
        "IMAGENET1K_V1",
        description="a torchvision weights name, 'train' (on the seen classes' training images), 'random', or the path of a local weight file (.pt, .pth, .tar, .bin, .ckpt, .safetensors), trained on images normalized by ImageNet's mean and deviation unless it has the name of a torchvision file",
    )
    features_up_to: str | None = Field(None, description="last module kept, e.g. layer3; null: the last feature map")
    image_size: int = Field(
        448,
        ge=16,
        le=4096,
        description="square input size in pixels; a multiple of the patch for vit_*, of 224 for maxvit_t",
    )
    resize: Literal["squash", "crop"] = Field(
        "squash", description="squash to the square, or resize the short side and crop the centre"
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

    @property
    def trained(self) -> bool:
        """Return whether the backbone is trained here."""
        return self.weights == "train"

    @property
    def usual_batch(self) -> int:
        """Return the images per batch where no device's memory decides."""
        return self.batch_size or 32

    def training_part(self) -> dict:
        """Return the settings that a backbone trained here depends on."""
        names = ("network", "weights", "features_up_to", "image_size", "resize", "training")
        own = as_mapping(self)
        return {name: own[name] for name in names}

    @property
    def local_weights(self) -> bool:
        """Return whether weights is the path of a file."""
        return self.weights.lower().endswith(WEIGHT_FILES)

    @property
    def fetched_to(self) -> str | None:
        """Return where torchvision's weights are fetched to; None for other weights."""
        if self.local_weights or self.weights in ("train", "random"):
            return None
        return f"data/weights/{self.network}/{self.weights}.pth"

    @property
    def fetch_record(self) -> str | None:
        """Return where it is recorded that torchvision's weights were fetched; None for other weights."""
        return str(Path(self.fetched_to).with_suffix(".json")) if self.fetched_to else None
