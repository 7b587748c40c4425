"""Settings of how things are computed, without effect on what is computed."""

from pydantic import Field

from scegg_core.settings.base import settings


@settings
class RunSettings:
    """How things are computed, without effect on what is computed."""

    device: str = Field("auto", pattern=r"^(auto|cpu|cuda(:\d{1,2})?)$", description="auto, cpu, cuda or cuda:N")
    deterministic: bool = Field(True, description="same bits in every run on the same machine; slower on CUDA")
    checkpoint_interval: float = Field(60.0, ge=1, le=1_000_000, description="seconds between saved training states")
    image_memory: float = Field(
        4.0,
        ge=0,
        le=1_000_000,
        description="GiB of decoded images that the training of a backbone keeps in memory; more are decoded again in every epoch",
    )
