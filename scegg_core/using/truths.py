"""The cheap truths of a run: what would stop one of its jobs later, tried before; and what its files and jobs will take."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import torch

from scegg_core.data.boxes import read_boxes
from scegg_core.data.features import require_maps
from scegg_core.data.index import check_index
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.validation import class_split
from scegg_core.eggn.generators import NETWORKS
from scegg_core.errors import InputError
from scegg_core.regions.backbone import FeatureMap, build_backbone, map_size
from scegg_core.regions.batches import check_budget
from scegg_core.regions.timm_networks import filled
from scegg_core.regions.train import check_batch_size, start
from scegg_core.regions.training_images import kept_bytes
from scegg_core.regions.weights import weights_url
from scegg_core.scen.train import attention_bytes
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
    if settings.local_weights and not Path(settings.weights).is_file():
        raise InputError(
            f"the weight file backbone.weights {settings.weights} is missing; put it there or correct the setting."
        )
    if settings.fetched_to:
        weights_url(settings)
    given = weights_here(settings)
    if settings.trained:
        map_size(start(settings, given).eval(), settings.training_size)
    return map_size(build_backbone(settings, given), settings.image_size)


def weights_here(settings: BackboneSettings) -> Path | None:
    """Return the weight file that the settings name, None where it is yet to be fetched or there is none."""
    path = Path(settings.weights if settings.local_weights else settings.fetched_to or "")
    return path if path.is_file() else None


def truths(index: DatasetIndex, settings: DatasetSettings, size: FeatureMap, plan: Plan) -> Iterator[Callable]:
    """Yield steps that raise InputError for what would stop a run on `index` later, each for another reason."""
    yield lambda: _check_device(settings, plan)
    yield lambda: _check_training_of_backbone(index, settings, plan)
    yield lambda: _check_maps(settings, plan)
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


def _check_training_of_backbone(index: DatasetIndex, settings: DatasetSettings, plan: Plan) -> None:
    if not settings.backbone.trained:
        return
    for part in (index, *([class_split(index, settings)] if plan.validation else [])):
        check_batch_size(len(part.in_split("trainval")), settings.backbone)
    if settings.backbone.tuning.cut_out:
        boxes = read_boxes(Path(settings.folder))
        for path in (index.paths[image] for image in index.in_split("trainval")):
            if path not in boxes:
                raise InputError(f"{path} has no bounding box; add it, or set backbone.finetune.cut_out to false.")


def _check_maps(settings: DatasetSettings, plan: Plan) -> None:
    if settings.features is not None and plan.on_maps:
        require_maps(settings.features)


def _check_budgets(index: DatasetIndex, size: FeatureMap, plan: Plan) -> None:
    needed = 2 * len(index.in_split("trainval")) * size.regions * size.channels
    for section, trainings in (("scen", plan.scen), ("dazle", plan.dazle)):
        for given in trainings:
            check_budget(needed, given.memory_budget, given.sampling == "class_balanced", section)


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
    """Return the bytes of region features, and of attention on them, that a training on them holds."""
    images, attributes = len(index.in_split("trainval")), len(index.attributes)
    needed = regions_on_disk(images, size)
    maps = (min(needed, int(given.memory_budget * 2**30)) for given in plan.on_maps)
    sizes = images, size.regions, size.channels, attributes
    attention = (attention_bytes(*sizes, given.memory_budget) for given in plan.scen)
    return max((*maps, *(needed + more for more in attention if more)), default=0)


def images_held(index: DatasetIndex, settings: DatasetSettings, plan: Plan) -> int:
    """Return the bytes of decoded images that the training of a backbone holds."""
    if not settings.backbone.trained:
        return 0
    needed = kept_bytes(len(index.in_split("trainval")), settings.backbone)
    return int(min(needed, plan.run.image_memory * 2**30))
