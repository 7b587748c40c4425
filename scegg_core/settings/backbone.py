"""Settings of a data set's backbone: the network that turns an image into region features."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator
from pydantic_core import ArgsKwargs

from scegg_core.settings.base import as_mapping, settings
from scegg_core.settings.names import Distinct, Seed
from scegg_core.settings.numbers import Count, Rate, Weight
from scegg_core.settings.paths import LocalPath

#: How the names of weight files end; torchvision's names of weights do not.
WEIGHT_FILES = (".pt", ".pth", ".tar", ".bin", ".ckpt", ".safetensors")

#: How the names of timm's networks begin here, and what stands for the weights that timm's name of a network names.
TIMM, PRETRAINED = "timm/", "pretrained"


@settings
class FinetuneSettings:
    """How a backbone is trained here, on training images of seen classes: from given weights, or from random ones."""

    epochs: Count = Field(8, description="passes over the training images")
    batch_size: int = Field(16, ge=2, le=1_000_000, description="images per step")
    learning_rate: Rate | None = Field(
        None,
        description="highest learning rate of AdamW; it rises, then falls to 0; null: 2e-3 for random weights, 3e-5 for given ones",
    )
    head_learning_rate: Rate | None = Field(
        None,
        description="that of the head, which begins with zeros; null: the same for random weights, 100 times it for given ones",
    )
    weight_decay: Weight = Field(0.05, description="AdamW's weight decay")
    label_smoothing: float = Field(0.05, ge=0, lt=1, description="share of each target spread over all classes")
    layers: Annotated[Distinct, Field(min_length=1)] | None = Field(
        None,
        description="parts of the network that are trained, by torchvision's names, e.g. [layer3, layer4], [features.18]; the others keep weights and statistics; null: all",
    )
    head: Literal["attribute", "class"] = Field(
        "attribute",
        description="what the head, thrown away later, learns: attributes, whose product with a(c) scores a class, or the seen classes one by one",
    )
    image_size: int | None = Field(
        None, ge=16, le=4096, description="size of the training images in pixels; null: the backbone's image_size"
    )
    cut_out: bool = Field(
        False,
        description="train on birds cut out along their boxes, not on whole images; interpolation and resize do not count for them",
    )
    smallest_crop: float = Field(
        1.0, ge=0.01, le=1, description="smallest share of an image's area in a random crop; 1: no crops"
    )
    mirror: bool = Field(True, description="mirror half of the images, left to right")
    shift: int = Field(6, ge=0, le=4096, description="images are moved by up to this many pixels in each direction")
    top_share: float = Field(
        1.0, gt=0, le=1, description="share of the regions, each channel's strongest, that the head averages; 1: all"
    )
    averaged_epochs: int = Field(
        0,
        ge=0,
        le=1_000_000,
        description="the weights are means over the steps of so many last epochs, and statistics that normalizations learn are learned again for these; 0: the weights of the last step",
    )
    start_noise: float = Field(
        0.0,
        ge=0,
        le=0.01,
        description="relative noise on the weights that training starts with; 1e-7 changes last digits alone, as another processor does: what results part by then is chance",
    )

    @model_validator(mode="after")
    def _no_more_epochs_than_there_are(self) -> "FinetuneSettings":
        if self.averaged_epochs > self.epochs:
            raise ValueError(f"averaged_epochs is {self.averaged_epochs}, but there are {self.epochs} epochs; lower it")
        return self


def _with_tuples(given: Any) -> Any:
    """Lists as tuples: what a validator has seen counts as Python's, where no list is taken for a tuple."""
    if isinstance(given, dict):
        return {name: _with_tuples(value) for name, value in given.items()}
    return tuple(given) if isinstance(given, list) else given


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
    finetune: FinetuneSettings | None = Field(
        None,
        description="how the network is trained on the seen classes' training images, from `weights` on; null: it stays as it is, or with weights 'train' the section's defaults; with weights 'random' it is never trained",
    )
    seeds: Literal["shared", "own"] = Field(
        "shared",
        description="a backbone trained here is one for all seeds, or each seed trains its own, with regions of its own",
    )
    shared_seed: Seed = Field(0, description="seed of the backbone that is trained here for all seeds")

    @model_validator(mode="after")
    def _training_fits_the_weights(self) -> "BackboneSettings":
        if self.weights == "train" and self.tuning.layers is not None:
            raise ValueError("with weights: train all layers are trained; leave finetune.layers out, or give weights")
        if self.seeds == "own" and not self.trained:
            raise ValueError("seeds: own needs a backbone that is trained here; give finetune, or set seeds: shared")
        if self.shared_seed and (self.seeds == "own" or not self.trained):
            raise ValueError("shared_seed is of a backbone that is trained here once for all seeds; leave it out")
        return self

    @property
    def trained(self) -> bool:
        """Return whether the backbone is trained here, from random or from given weights."""
        return self.weights == "train" or (self.finetune is not None and self.weights != "random")

    @property
    def tuning(self) -> FinetuneSettings:
        """Return how it is trained here."""
        return self.finetune or FinetuneSettings()

    @property
    def rates(self) -> tuple[float, float]:
        """Return the highest learning rates of the network and of the head."""
        # ASSUME: given weights know more than the few images here teach; larger steps distort that (docs/notes/cub100.md)
        usual, times = (2e-3, 1) if self.weights == "train" else (3e-5, 100)
        rate = self.tuning.learning_rate or usual
        return rate, self.tuning.head_learning_rate or rate * times

    @property
    def training_size(self) -> int:
        """Return the size of the training images in pixels."""
        return self.tuning.image_size or self.image_size

    @property
    def decoded_size(self) -> int:
        """Return the size in pixels of the images that random crops are taken from."""
        # ASSUME: crops have as many pixels, on average, as training images, so these show objects as large as they are
        return round(self.training_size / ((1 + self.tuning.smallest_crop) / 2) ** 0.5)

    @model_validator(mode="before")
    @classmethod
    def _timm_has_its_own(cls, given: Any) -> Any:
        """Networks of timm say themselves what is not set."""
        values = given.kwargs if isinstance(given, ArgsKwargs) else _with_tuples(given)
        if not isinstance(values, dict) or not str(values.get("network", "")).startswith(TIMM):
            return given if isinstance(given, ArgsKwargs) else values
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
        names = (
            "network",
            "weights",
            "features_up_to",
            "image_size",
            "resize",
            "interpolation",
            "precision",
            "finetune",
        )
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
