"""The cheap truths of a run: what would stop one of its jobs later, tried before; and what its files and jobs will take."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from scegg_core.data.boxes import read_boxes
from scegg_core.data.index import check_index
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.validation import class_split
from scegg_core.eggn.generators import NETWORKS
from scegg_core.errors import InputError
from scegg_core.regions.backbone import FeatureMap, build_backbone, map_size
from scegg_core.regions.batches import check_budget
from scegg_core.regions.timm_networks import filled
from scegg_core.regions.train import check_batch_size
from scegg_core.regions.weights import weights_url
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.plan import Plan
from scegg_core.training.device import pick_device

#: Bytes of a weight: on disk; with its gradient and Adam's two moments in training; those saved twice as its state.
WEIGHT, TRAINED, SAVED = 4, 16, 24


def size_of_map(settings: BackboneSettings) -> FeatureMap:
    """Return the size of the regions' map: the network is run once at its size, with the weights that are there.

    Raises InputError for a network, a part of it or weights that a run could not use.
    """
    settings = filled(settings)
    path = Path(settings.weights if settings.local_weights else settings.fetched_to or "")
    if settings.local_weights and not path.is_file():
        raise InputError(f"the weight file backbone.weights {path} is missing; put it there or correct the setting.")
    if settings.fetched_to:
        weights_url(settings)
    return map_size(build_backbone(settings, path if path.is_file() else None), settings.image_size)


def truths(index: DatasetIndex, settings: DatasetSettings, size: FeatureMap, plan: Plan) -> Iterator[Callable]:
    """Yield steps that raise InputError for what would stop a run on `index` later, each for another reason."""
    yield lambda: _check_device(settings, plan)
    yield lambda: _check_training_of_backbone(index, settings)
    yield lambda: _check_budgets(index, size, plan)
    yield lambda: _check_validation(index, settings, plan)
    yield lambda: _check_sheets(index, plan)


def bytes_of_generators(plan: Plan, channels: int, attributes: int) -> tuple[int, int]:
    """Return the bytes of all generators with their snapshots on disk, and of the largest one in training."""
    if not channels:  # the backbone cannot be used, and that is said
        return 0, 0
    known = {given: _weights(given, channels, attributes) for given in set(plan.eggn)}  # counting each takes a while
    counts = [(known[given], min(given.snapshots, given.epochs)) for given in plan.eggn]
    largest = max(known.values(), default=0)
    return sum(WEIGHT * count * (1 + kept) for count, kept in counts) + SAVED * largest, TRAINED * largest


def memory_here() -> int:
    """Return the bytes of memory that this machine has."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _weights(given: EggnSettings, channels: int, attributes: int) -> int:
    with torch.device("meta"):  # counted without being made
        return sum(weight.numel() for weight in NETWORKS[given.generator](channels, attributes, given).parameters())


def _check_device(settings: DatasetSettings, plan: Plan) -> None:
    device = pick_device(plan.run.device) if plan.here else None
    if settings.backbone.decoder == "gpu" and device is not None and device.type != "cuda":
        raise InputError("backbone.decoder is 'gpu', but there is no CUDA device here; use 'pillow'.")


def _check_training_of_backbone(index: DatasetIndex, settings: DatasetSettings) -> None:
    training = settings.backbone.training
    if settings.backbone.weights != "train":
        return
    images = index.in_split("trainval")
    check_batch_size(len(images), training)
    if training.crop:
        boxes = read_boxes(Path(settings.folder))
        for path in (index.paths[image] for image in images):
            if path not in boxes:
                raise InputError(f"{path} has no bounding box; add it, or set backbone.training.crop to null.")


def _check_budgets(index: DatasetIndex, size: FeatureMap, plan: Plan) -> None:
    needed = 2 * len(index.in_split("trainval")) * size.regions * size.channels
    for scen in plan.scen:
        check_budget(needed, scen.memory_budget, scen.sampling == "class_balanced")


def _check_validation(index: DatasetIndex, settings: DatasetSettings, plan: Plan) -> None:
    if plan.validation:
        check_index(class_split(index, settings))


def _check_sheets(index: DatasetIndex, plan: Plan) -> None:
    from scegg_core.report.figures.attention import chosen_images

    if plan.sheets is not None:
        chosen_images(index, plan.sheets)


def regions_on_disk(images: int, size: FeatureMap) -> int:
    """Return the bytes of the region features of all images."""
    return 2 * images * size.regions * size.channels


def held(index: DatasetIndex, size: FeatureMap, plan: Plan) -> int:
    """Return the bytes of region features that a training of SCEN holds."""
    needed = regions_on_disk(len(index.in_split("trainval")), size)
    return int(max((min(needed, given.memory_budget * 2**30) for given in plan.scen), default=0))
