"""Speed and memory of extraction from JPEG files, with each decoder and in each precision."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch

from benchmarks.gpu.machine import PRECISIONS, forget_peak, peak, set_precision
from benchmarks.gpu.picture_checks import no_pillow_instead
from benchmarks.gpu.record import Figure
from benchmarks.gpu.runner import Run, attempt
from benchmarks.measure import seconds_each, timed
from benchmarks.pipeline import photographs, random_backbone
from scegg_core.regions.backbone import Backbone
from scegg_core.regions.decoding import loaded_batches, make_decoder
from scegg_core.regions.extraction import Rate, autocast, region_features
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.training.device import prepare_device

GOAL = 500.0  # images a second from files to features
BATCH = 128
DECODERS = ("pillow", "gpu")


def settings_of(run: Run, precision: str = "float32", decoder: str = "pillow") -> BackboneSettings:
    """Return the paper's backbone with random weights, in batches that keep a GPU busy; a small one where all is tiny."""
    size = {"network": "resnet18", "image_size": 32, "batch_size": 2} if run.tiny else {"batch_size": BATCH}
    low = "float32" if precision == "TF32" else precision
    return BackboneSettings(weights="random", precision=low, decoder=decoder, **size)


def extraction(run: Run) -> Iterator[Figure]:
    """Yield images a second: of each decoder alone, of the network alone, and from files to features."""
    device = prepare_device("auto", deterministic=False)
    backbone = random_backbone(settings_of(run)).to(device, memory_format=torch.channels_last)
    with tempfile.TemporaryDirectory() as folder:
        paths = photographs(Path(folder), 4 if run.tiny else 8 * BATCH)
        for decoder in DECODERS:
            given = settings_of(run, decoder=decoder)
            yield attempt(
                f"decoder {decoder} alone, {torch.get_num_threads()} threads",
                "images/s",
                lambda given=given: decoding_rate(paths, given, device),
            )
        yield from _network_rates(backbone, run, device)
        for precision in PRECISIONS:
            for decoder in DECODERS:
                yield from _whole_rate(backbone, paths, run, precision, decoder, device)


def decoding_rate(paths: list[Path], settings: BackboneSettings, device: torch.device) -> float:
    """Return how many images a second come from files to the device, without a network."""
    decoder = make_decoder(settings, device)

    def work() -> None:
        for loaded in loaded_batches(paths, decoder, settings.usual_batch):
            decoder.batch(loaded)

    with no_pillow_instead():
        work()
        return len(paths) / timed(work)


def _network_rates(backbone: Backbone, run: Run, device: torch.device) -> Iterator[Figure]:
    """The network on images that are there already, in each precision; at last as other codes lay out their images."""
    for precision in (*PRECISIONS, "float16"):
        yield attempt(
            f"network alone, {precision}",
            "images/s",
            lambda precision=precision: network_rate(backbone, settings_of(run, precision), precision, run, device),
        )
    usual = random_backbone(settings_of(run)).to(device)
    bfloat16 = settings_of(run, "bfloat16")
    yield attempt(
        "network alone, bfloat16, not channels-last",
        "images/s",
        lambda: network_rate(usual, bfloat16, "bfloat16", run, device, torch.contiguous_format),
    )


@torch.inference_mode()
def network_rate(
    backbone: Backbone,
    settings: BackboneSettings,
    precision: str,
    run: Run,
    device: torch.device,
    layout: torch.memory_format = torch.channels_last,
) -> float:
    """Return how many images a second go through the network, images and weights in memory as `layout` says."""
    set_precision(precision if precision in PRECISIONS else "float32")
    shape = (settings.usual_batch, 3, settings.image_size, settings.image_size)
    images = torch.randint(0, 256, shape, dtype=torch.uint8, device=device).contiguous(memory_format=layout)

    def work() -> None:
        with autocast(device, settings):
            backbone(images)

    return settings.usual_batch / seconds_each(work, 0 if run.tiny else 1.0)


def _whole_rate(
    backbone: Backbone, paths: list[Path], run: Run, precision: str, decoder: str, device: torch.device
) -> Iterator[Figure]:
    """From files to features in main memory: images a second, how long the network waited, the device's memory."""
    set_precision(precision)
    given, rate = settings_of(run, precision, decoder), Rate()
    name = f"files to features, {precision}, decoder {decoder}"

    def measure() -> float:
        forget_peak()
        with no_pillow_instead():
            list(region_features(backbone, paths[: given.usual_batch], given, device))
            return len(paths) / timed(lambda: list(region_features(backbone, paths, given, device, rate)))

    found = attempt(name, "images/s", measure, goal=GOAL)
    yield found
    if found.value is not None:
        yield Figure(f"{name}: the network waited for images", 100 * rate.waited / rate.seconds, "% of the time")
        yield from peak(name)


def best_decoder(run: Run) -> str:
    """Return the decoder that was the faster one here with bfloat16; Pillow where that is not known."""
    found = {name: run.record.figure(f"files to features, bfloat16, decoder {name}") for name in DECODERS}
    rates = {name: figure.value for name, figure in found.items() if figure and figure.value is not None}
    return max(rates, key=rates.get, default="pillow")
