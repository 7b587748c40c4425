"""Settings of how things are computed, without effect on what is computed."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, WithJsonSchema

from scegg_core.settings.base import problem, settings, shown

DEVICE = r"auto|cpu|cuda(:\d{1,2})?"


def known_device(name: str) -> str:
    """Return `name`, or refuse one that no device is called by."""
    if not re.fullmatch(DEVICE, name, re.ASCII):
        raise problem(f"is {shown(name)}: should be auto, cpu, cuda, or one GPU, such as cuda:0")
    return name


Device = Annotated[str, AfterValidator(known_device), WithJsonSchema({"type": "string", "pattern": f"^({DEVICE})$"})]


@settings
class RunSettings:
    """How things are computed, without effect on what is computed."""

    device: Device = Field("auto", description="auto, cpu, cuda or cuda:N")
    deterministic: bool = Field(True, description="same bits in every run on the same machine; slower on CUDA")
    checkpoint_interval: float = Field(60.0, ge=1, le=1_000_000, description="seconds between saved training states")
    image_memory: float = Field(
        4.0,
        ge=0,
        le=1_000_000,
        description="GiB of decoded images that the training of a backbone keeps in memory; more are decoded again in every epoch",
    )
