"""Extraction of region features: the backbone computes while threads prepare the next images and write the last ones."""

import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from scegg_core.artifacts.files import Provenance
from scegg_core.errors import InputError
from scegg_core.regions.backbone import Backbone, map_size
from scegg_core.regions.decoding import loaded_batches, make_decoder
from scegg_core.regions.store import one_ahead, write_shard
from scegg_core.regions.timm_networks import library_versions
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.training.progress import bar

MOST_IMAGES = 512  # per forward pass; a GPU is busy long before that

MEMORY_FRACTION = 0.5  # of the device's free memory, for one forward pass


@dataclass
class Rate:
    """How many images went through in how many seconds, and how long the network waited for them."""

    images: int = 0
    seconds: float = 0.0
    waited: float = 0.0

    def sentence(self, name: str) -> str:
        """Return the line for the log."""
        if not self.images:  # of more shards than images some are empty
            return f"{name}: no images"
        return (
            f"{name}: {self.images:,} images in {self.seconds:.1f} s, {self.images / self.seconds:.1f} images/s; "
            f"the network waited for images {self.waited / self.seconds:.0%} of the time"
        )


def extract_shard(
    backbone: Backbone,
    paths: list[Path],
    rows: Sequence[int],
    settings: BackboneSettings,
    device: torch.device,
    shard: Path,
    provenance: Provenance,
) -> None:
    """Write the region features of the images `paths`, the `rows` of the base data set's images table, as one shard."""
    size = map_size(backbone.to(device), settings.image_size)
    rate = Rate()
    done = 0
    scaled = asdict(backbone.normalization) | library_versions(settings)
    with write_shard(shard, size, provenance, scaled) as writer, bar(len(paths), "regions", unit="image") as progress:
        for features in one_ahead(region_features(backbone, paths, settings, device, rate)):
            writer.add(rows[done : done + len(features)], features)
            done += len(features)
            progress.update(len(features))
    print(rate.sentence(shard.stem), file=sys.stderr)


def region_features(
    backbone: Backbone,
    paths: list[Path],
    settings: BackboneSettings,
    device: torch.device,
    rate: Rate | None = None,
) -> Iterator[np.ndarray]:
    """Yield half-precision region features (n, R, channels) of the images in order, batch by batch; notes the `rate`.

    Raises InputError, after all have been tried, if any image cannot be used.
    """
    rate = rate or Rate()
    backbone = backbone.to(device, memory_format=torch.channels_last)
    decoder = make_decoder(settings, device)
    start = asked = time.perf_counter()
    last = None  # what a GPU still computes while the next batch is put together and asked of it
    for loaded in loaded_batches(paths, decoder, batch_size_on(device, backbone, settings)):
        rate.waited += time.perf_counter() - asked
        following = _Arriving(_forward(backbone, decoder.batch(loaded), settings).half())
        if last is not None:
            yield last.arrived()
        last = following
        asked = time.perf_counter()
        rate.images, rate.seconds = rate.images + len(loaded), asked - start
    if last is not None:
        yield last.arrived()
        rate.seconds = time.perf_counter() - start


class _Arriving:
    """Features on their way to main memory, behind what a GPU computes now and before what it is asked next."""

    def __init__(self, features: torch.Tensor):
        cuda, ends = features.device.type == "cuda", torch.stack(features.aminmax())
        # into memory that torch pins itself, so that the host goes on
        self.features, self.ends = (part.to("cpu", non_blocking=cuda) for part in (features, ends))
        self.there = torch.cuda.current_stream(features.device).record_event() if cuda else None

    def arrived(self) -> np.ndarray:
        """Wait for the features and return them; refused where half precision cannot hold them."""
        if self.there is not None:
            self.there.synchronize()
        if not torch.isfinite(self.ends).all():
            raise InputError(
                "the backbone gives region features that are not finite in half precision; its weights do not fit these images."
            )
        return self.features.numpy()


@torch.inference_mode()
def _forward(backbone: Backbone, batch: torch.Tensor, settings: BackboneSettings) -> torch.Tensor:
    """Run a batch, in halves where the device has too little memory for it."""
    try:
        with autocast(batch.device, settings):
            return backbone(batch)
    except torch.cuda.OutOfMemoryError:
        if len(batch) == 1:
            raise
    # Only here has the error let go of what the batch had allocated.
    return torch.cat([_forward(backbone, part, settings) for part in batch.split(len(batch) // 2)])


def autocast(device: torch.device, settings: BackboneSettings) -> torch.autocast:
    """Return the context in which the network computes: with `precision` on CUDA, in float32 elsewhere."""
    enabled = device.type == "cuda" and settings.precision != "float32"
    return torch.autocast(device.type, getattr(torch, settings.precision), enabled=enabled)


def batch_size_on(device: torch.device, backbone: Backbone, settings: BackboneSettings) -> int:
    """Return the images per forward pass: as set, or as many as the device's free memory holds."""
    if settings.batch_size is not None or device.type != "cuda":
        return settings.usual_batch
    per_image = (_peak_bytes(4, backbone, settings, device) - _peak_bytes(2, backbone, settings, device)) // 2
    free, _ = torch.cuda.mem_get_info(device)
    return fitting_batch(free, per_image)


def fitting_batch(free: int, per_image: int) -> int:
    """Return the largest power of two of images, of `per_image` bytes each, that fit into MEMORY_FRACTION of `free` bytes.

    A power of two, so that small changes of the free memory change neither the batches nor the last digits of results.
    """
    fits = int(MEMORY_FRACTION * free) // max(1, per_image)
    return 1 << (max(1, min(fits, MOST_IMAGES)).bit_length() - 1)


def _peak_bytes(images: int, backbone: Backbone, settings: BackboneSettings, device: torch.device) -> int:
    blank = torch.zeros(images, 3, settings.image_size, settings.image_size, dtype=torch.uint8, device=device)
    torch.cuda.reset_peak_memory_stats(device)
    _forward(backbone, blank.contiguous(memory_format=torch.channels_last), settings)
    return torch.cuda.max_memory_allocated(device)
