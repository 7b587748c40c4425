"""What it costs to train a backbone here, as often as a run does: images, and the time that a step takes."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional

from scegg_core.data.tables import DatasetIndex
from scegg_core.data.validation import class_split
from scegg_core.regions.extraction import autocast
from scegg_core.regions.train import start
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.settings.plan import Plan
from scegg_core.training.device import pick_device

TRIED = 4  # images of the step whose time is taken


@dataclass(frozen=True)
class TrainingCost:
    """The trainings of a data set's backbone: images that each sees in all epochs, of the data set and of its validation
    split; how often each is trained; and how many a second takes here while nothing else runs, 0 where not known."""

    images: tuple[int, int]
    times: tuple[int, int]
    rate: float = 0.0

    def sentence(self) -> str:
        """Return what the check says of it."""
        seen = sum(count * times for count, times in zip(self.images, self.times, strict=True))
        split = f", {self.times[1]} of them for the validation split" if self.times[1] else ""
        text = f"{sum(self.times)} of the backbone{split}: {seen:,} images in all epochs"
        if not self.rate:
            return text
        minutes = seen / self.rate / 60
        return f"{text}; about {minutes:.0f} minutes on this machine alone, at {self.rate:.2g} images a second"


def training_cost(
    index: DatasetIndex, settings: DatasetSettings, plan: Plan, weights: Path | None
) -> TrainingCost | None:
    """Return what the trainings of the backbone take; None where it is not trained here."""
    if not settings.backbone.trained:
        return None
    parts = [index, class_split(index, settings)] if plan.extractions[1] else [index]
    epochs = settings.backbone.tuning.epochs
    images = [epochs * len(part.in_split("trainval")) for part in parts]
    rate = images_per_second(settings, plan, weights) if plan.here else 0.0
    return TrainingCost((images[0], images[-1] if len(parts) > 1 else 0), plan.extractions, rate)


def images_per_second(settings: DatasetSettings, plan: Plan, weights: Path | None) -> float:
    """Return how many images a training of the backbone takes in a second here, by the second of two steps."""
    device, before = pick_device(plan.run.device), torch.get_num_threads()
    torch.set_num_threads(settings.threads)
    try:
        _seconds_of_step(settings, device, weights)
        return TRIED / _seconds_of_step(settings, device, weights)
    finally:
        torch.set_num_threads(before)


def _seconds_of_step(settings: DatasetSettings, device: torch.device, weights: Path | None) -> float:
    """Return the seconds that a few gray images take, forward and backward."""
    network = start(settings.backbone, weights).to(device, memory_format=torch.channels_last).train()
    size = settings.backbone.training_size
    images = torch.full((TRIED, 3, size, size), 128, dtype=torch.uint8, device=device)
    begin = _clock(device)
    with autocast(device, settings.backbone):
        features = network.feature_map(images)
    functional.mse_loss(features.float(), torch.zeros_like(features, dtype=torch.float32)).backward()
    return _clock(device) - begin


def _clock(device: torch.device) -> float:
    """Return seconds: of a CPU's threads, so that what else runs on it does not count; of the clock for a GPU."""
    if device.type == "cpu":
        return time.process_time() / min(torch.get_num_threads(), os.cpu_count() or 1)
    torch.cuda.synchronize(device)
    return time.perf_counter()
