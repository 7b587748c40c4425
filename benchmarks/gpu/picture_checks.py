"""Whether a device extracts from pictures what the CPU extracts: in each precision, and with its own decoder."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from benchmarks.gpu.checks import CPU, Check
from benchmarks.pipeline import photographs
from scegg_core.regions.backbone import build_backbone
from scegg_core.regions.decoding import GpuDecoder, PillowDecoder, load_images, make_decoder
from scegg_core.regions.extraction import batch_size_on, region_features
from scegg_core.settings.backbone import BackboneSettings

PICTURES = 5
BATCHES = 8


def small(**settings) -> BackboneSettings:
    """Return settings of a small backbone of small pictures."""
    given = {"network": "resnet18", "features_up_to": "layer1", "weights": "random", "image_size": 32, "batch_size": 4}
    return BackboneSettings(**given | settings)


def extracted(paths: list[Path], settings: BackboneSettings, device: torch.device) -> np.ndarray:
    """Return the region features of pictures on `device`, in single precision."""
    backbone = build_backbone(settings, None)
    return np.concatenate(list(region_features(backbone, paths, settings, device))).astype(np.float32)


def with_pictures(difference: Callable[[list[Path], torch.device], float]) -> Callable[[torch.device], float]:
    """Return `difference` as a function of the device alone, on pictures made for it."""

    def measured(device: torch.device) -> float:
        with tempfile.TemporaryDirectory() as folder:
            return difference(photographs(Path(folder), PICTURES), device)

    return measured


@contextmanager
def no_pillow_instead() -> Iterator[None]:
    """Within the block a decoder of the device that fails is an error; else Pillow takes its place, and all looks right."""

    def refused(_decoder: GpuDecoder, _files: list, error: RuntimeError) -> None:
        raise error

    usual, GpuDecoder.instead = GpuDecoder.instead, refused
    try:
        yield
    finally:
        GpuDecoder.instead = usual


@with_pictures
def extraction_difference(paths: list[Path], device: torch.device) -> float:
    """The largest difference of region features, whose numbers are about 1; convolutions of CUDA round to TF32."""
    return float(np.abs(extracted(paths, small(), device) - extracted(paths, small(), CPU)).max())


@with_pictures
def half_difference(paths: list[Path], device: torch.device) -> float:
    """The mean difference of features in half precision, in parts of the mean feature."""
    rough, exact = (extracted(paths, small(precision=name), device) for name in ("float16", "float32"))
    return float(np.abs(rough - exact).mean() / np.abs(exact).mean())


@with_pictures
def batch_difference(paths: list[Path], device: torch.device) -> float:
    """The largest difference of features between batches of 4 and batches as large as the device's memory allows."""
    fitting = small(batch_size=None)
    size = batch_size_on(device, build_backbone(fitting, None).to(device), fitting)
    if size & (size - 1):
        raise ValueError(f"the batch that fits is {size}, which is no power of two")
    return float(np.abs(extracted(paths, fitting, device) - extracted(paths, small(), device)).max())


@with_pictures
def decoder_difference(paths: list[Path], device: torch.device) -> float:
    """The mean difference of pixels, of 255 levels, between the device's decoder and Pillow; raises where it has none."""
    decoder = make_decoder(small(decoder="gpu"), device)
    with no_pillow_instead():
        found = decoder.batch([decoder.load(path) for path in paths]).cpu()
    return float((found.int() - load_images(paths, PillowDecoder(small(), CPU)).int()).abs().float().mean())


def decoded_features_difference(device: torch.device) -> float:
    """The mean difference of an image's features between both decoders, in parts of the mean feature: the largest of many.

    A batch is decoded right behind the forward pass of the one before. A decoder that does not wait for that would
    overwrite its memory, so on a GPU the passes are long.
    """
    images, batch = (448, 32) if device.type == "cuda" else (32, 2)
    size = {"features_up_to": None, "image_size": images, "batch_size": batch}
    with tempfile.TemporaryDirectory() as folder, no_pillow_instead():
        paths = photographs(Path(folder), BATCHES * batch)
        found, wanted = (extracted(paths, small(decoder=name, **size), device) for name in ("gpu", "pillow"))
    return float(np.abs(found - wanted).mean(axis=(1, 2)).max() / np.abs(wanted).mean())


PICTURE_CHECKS = (
    Check("region features", 2e-2, extraction_difference),
    Check("region features in half precision, share", 2e-2, half_difference),
    Check("region features in batches of another size", 2e-2, batch_difference),
    Check("pixels of the device's JPEG decoder and Pillow's, levels of 255", 2.0, decoder_difference),
    Check(
        "region features by the device's JPEG decoder and Pillow's, share of any image",
        0.1,
        decoded_features_difference,
    ),
)
