"""The images that a backbone is trained on: decoded once where they fit into memory, else batch by batch; and what is
done to them at random."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scegg_core.data.boxes import Box, cut_out, read_boxes
from scegg_core.errors import InputError
from scegg_core.regions.decoding import PillowDecoder, load_images, loaded_batches
from scegg_core.settings.backbone import BackboneSettings, FinetuneSettings

#: Width to height of a random crop, and the reverse.
# ASSUME: torchvision's RandomResizedCrop has the same.
WIDEST = 4 / 3


class TrainingImages(Protocol):
    """Images of one size, by number."""

    def __len__(self) -> int:
        """Return the number of images."""

    def batches(self, order: Tensor, size: int) -> Iterator[Tensor]:
        """Yield the images numbered `order` (n,), `size` at a time, uint8 (size, 3, height, width)."""


@dataclass(frozen=True)
class KeptImages:
    """Images in memory: uint8 (N, 3, height, width)."""

    images: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def batches(self, order: Tensor, size: int) -> Iterator[Tensor]:
        """Yield the images numbered `order` (n,), `size` at a time."""
        stored = self.images.permute(0, 2, 3, 1)  # channels last, as they were decoded
        for rows in order.split(size):
            yield stored[rows].permute(0, 3, 1, 2)


@dataclass(frozen=True)
class StreamedImages:
    """Images that are decoded when they are asked for, the next ones by threads in the meantime."""

    paths: list[Path]
    decoder: PillowDecoder

    def __len__(self) -> int:
        return len(self.paths)

    def batches(self, order: Tensor, size: int) -> Iterator[Tensor]:
        """Yield the images numbered `order` (n,), `size` at a time."""
        paths = [self.paths[row] for row in order.tolist()]
        for loaded in loaded_batches(paths, self.decoder, size):
            yield self.decoder.batch(loaded)


class BoxDecoder(PillowDecoder):
    """Decodes what lies in the images' boxes.

    As the photographs of ImageNet do, such pictures show the object large and little else, so the backbone does not
    learn to ignore the background: that is left to the attention.
    """

    def __init__(self, settings: BackboneSettings, boxes: dict[Path, Box]):
        super().__init__(settings, torch.device("cpu"))
        self.boxes = boxes

    def load(self, path: Path) -> np.ndarray | str:
        """Return the cut-out as uint8 (size, size, 3), or the sentence that says why it cannot be used."""
        try:
            return cut_out(path, self.boxes[path], self.settings.image_size)
        except InputError as error:
            return str(error)


def training_images(folder: Path, paths: list[str], settings: BackboneSettings, memory: float) -> TrainingImages:
    """Return the images at `paths`, relative to `folder`, at the size that random crops are taken from.

    They are kept in memory where they take at most `memory` bytes; the bytes of a batch are the same either way.
    """
    whole = [folder / path for path in paths]
    given = replace(settings, image_size=settings.decoded_size)
    if settings.tuning.cut_out:
        boxes = {folder / path: box for path, box in read_boxes(folder).items()}
        decoder = BoxDecoder(given, boxes)
    else:
        decoder = PillowDecoder(given, torch.device("cpu"))
    if kept_bytes(len(paths), settings) <= memory:
        return KeptImages(load_images(whole, decoder))
    return StreamedImages(whole, decoder)


def kept_bytes(images: int, settings: BackboneSettings) -> int:
    """Return the bytes that so many decoded images take."""
    return 3 * images * settings.decoded_size**2


def augment(images: Tensor, settings: FinetuneSettings, size: int, generator: torch.Generator) -> Tensor:
    """Return images (N, 3, height, width) as a step of training sees them, (N, 3, size, size).

    Each is mirrored or not, all are moved by the same few pixels, and of each a random part is taken.
    """
    if settings.mirror:
        mirrored = torch.rand(len(images), generator=generator) < 0.5
        images = torch.where(mirrored[:, None, None, None], images.flip(3), images)
    down, right = torch.randint(-settings.shift, settings.shift + 1, (2,), generator=generator).tolist()
    # ASSUME: pixels pushed out on one side come in on the other; backgrounds hardly differ there
    images = images.roll((down, right), dims=(2, 3))
    return random_crops(images, settings.smallest_crop, size, generator) if settings.smallest_crop < 1 else images


def random_crops(images: Tensor, smallest: float, size: int, generator: torch.Generator) -> Tensor:
    """Return a random part of each image, at least the share `smallest` of its area, at (N, 3, size, size)."""
    crops = []
    for image, (top, left, height, width) in zip(images, _places(images, smallest, generator), strict=True):
        part = image[None, :, top : top + height, left : left + width]
        crops.append(functional.interpolate(part, (size, size), mode="bilinear", antialias=True))
    return torch.cat(crops)


def _places(images: Tensor, smallest: float, generator: torch.Generator) -> list[list[int]]:
    """Top, left, height and width of a random part of each image, in pixels."""
    count, (height, width) = len(images), images.shape[2:]
    area, shape, down, right = torch.rand((4, count), generator=generator, dtype=torch.float64)
    area = smallest + (1 - smallest) * area
    wider = WIDEST ** (2 * shape - 1)
    heights = (height * (area / wider).sqrt()).round().clamp(1, height)
    widths = (width * (area * wider).sqrt()).round().clamp(1, width)
    tops, lefts = (down * (height - heights)).round(), (right * (width - widths)).round()
    return torch.stack([tops, lefts, heights, widths], dim=1).long().tolist()
