"""Settings of the embedded data set: how many birds, of how many kinds, how large, from which seed."""

from pydantic import Field, model_validator

from scegg_core.settings.base import settings
from scegg_core.settings.names import Seed
from scegg_core.settings.numbers import Count


@settings
class AviarySettings:
    """What `generate_aviary` draws; every file it writes is a function of these values alone."""

    classes: int = Field(56, ge=4, le=999, description="number of bird classes, seen and unseen together")
    unseen_classes: Count = Field(16, description="how many of the classes have no training image")
    images_per_class: int = Field(36, ge=5, le=9999, description="images drawn of every class")
    image_size: int = Field(128, ge=48, le=512, description="width and height of an image in pixels")
    seed: Seed = Field(0, description="seed of the classes, the images, the splits and the captions")
    captions: int = Field(6000, ge=100, le=1_000_000, description="sentences written for training the word vectors")
    distractors: int = Field(14, ge=0, le=60, description="leaves, flowers, berries and stones in each background")
    constancy: float = Field(
        0.92, ge=0.5, le=1.0, description="mean share of a class's images that show its main value of a trait"
    )

    @model_validator(mode="after")
    def _keep_seen_classes(self) -> "AviarySettings":
        if self.unseen_classes > self.classes - 3:
            raise ValueError(
                f"unseen_classes must leave at least 3 seen classes, got {self.unseen_classes} of {self.classes}"
            )
        return self
