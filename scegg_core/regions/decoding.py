"""Images as uint8 batches on a device: decoded and resized by threads, or on the GPU where torchvision can.

Pillow leaves Python's lock while it decodes and resizes, so threads are enough and no processes are needed.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scegg_core.data.images import open_rgb, plain_jpeg
from scegg_core.errors import InputError
from scegg_core.regions.store import read_ahead
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.training.device import moved
from scegg_core.training.progress import bar

SHOWN = 20  # bad images named in a message


class PillowDecoder:
    """Decodes and resizes in the threads that call `load`."""

    def __init__(self, settings: BackboneSettings, device: torch.device):
        self.settings, self.device = settings, device

    def load(self, path: Path) -> np.ndarray | str:
        """Return the image as uint8 (size, size, 3), or the sentence that says why it cannot be used."""
        return load_image(path, self.settings)

    def batch(self, loaded: list[np.ndarray]) -> Tensor:
        """Return what `load` returned for some images as one uint8 tensor (n, 3, size, size), channels last."""
        return moved(torch.from_numpy(np.stack(loaded)), self.device).permute(0, 3, 1, 2)


@dataclass(frozen=True)
class Encoded:
    """A JPEG file in memory."""

    path: Path
    data: Tensor  # (bytes,) uint8


class GpuDecoder:
    """Decodes plain JPEG files with `decode` on the device and resizes there; leaves all other images to Pillow."""

    def __init__(
        self, settings: BackboneSettings, device: torch.device, decode: Callable[[list[Tensor]], list[Tensor]]
    ):
        """`decode` takes the bytes of JPEG files and returns uint8 (3, height, width) on the device."""
        self.settings, self.device, self.decode = settings, device, decode
        self.said = False  # that it failed

    def load(self, path: Path) -> Encoded | np.ndarray | str:
        """Return the file's bytes, or the image, or the sentence that says why it cannot be used."""
        if plain_jpeg(path):
            return Encoded(path, torch.from_numpy(np.fromfile(path, np.uint8)))
        return load_image(path, self.settings)

    def batch(self, loaded: list[Encoded | np.ndarray]) -> Tensor:
        """Return what `load` returned for some images as one uint8 tensor (n, 3, size, size), channels last."""
        decoded = iter(self._decode([item for item in loaded if isinstance(item, Encoded)]))
        images = [next(decoded) if isinstance(item, Encoded) else self._uploaded(item) for item in loaded]
        return torch.stack(images).permute(0, 3, 1, 2)

    def _decode(self, files: list[Encoded]) -> list[Tensor]:
        """Decoded and resized images (size, size, 3)."""
        try:
            images = self.decode([file.data for file in files]) if files else []
        except torch.cuda.OutOfMemoryError:  # Pillow would only hide it
            raise
        except RuntimeError as error:
            return self.instead(files, error)
        cut = _gray_ends(images)
        return [
            self._by_pillow(file.path) if suspect else self._resize(image)
            for file, image, suspect in zip(files, images, cut, strict=True)
        ]

    def instead(self, files: list[Encoded], error: RuntimeError) -> list[Tensor]:
        """Return the files, on which the decoder failed, as Pillow decodes them: it finds the bad one, or names it."""
        if not self.said:
            print(
                f"warning: the JPEG decoder of {self.device} failed ({error}); Pillow takes its place", file=sys.stderr
            )
        self.said = True
        return [self._by_pillow(file.path) for file in files]

    def _resize(self, image: Tensor) -> Tensor:
        height, width = image.shape[1:]
        if self.settings.resize == "crop":
            side = min(height, width)
            image = image[:, (height - side) // 2 :, (width - side) // 2 :][:, :side, :side]
        size = (self.settings.image_size, self.settings.image_size)
        resized = functional.interpolate(image[None].float(), size, mode=self.settings.interpolation, antialias=True)[0]
        return resized.round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0)

    def _by_pillow(self, path: Path) -> Tensor:
        image = load_image(path, self.settings)
        if isinstance(image, str):
            raise InputError(image)
        return self._uploaded(image)

    def _uploaded(self, image: np.ndarray) -> Tensor:
        return moved(torch.tensor(image), self.device)


def _gray_ends(images: list[Tensor]) -> list[bool]:
    """Whether each image's last pixels are plain gray: decoders put that where data are missing, and Pillow can tell."""
    if not images:
        return []
    ends = torch.stack([(image[:, -1, -8:].int() - 128).abs().max() for image in images])
    return (ends <= 1).tolist()


def make_decoder(settings: BackboneSettings, device: torch.device) -> PillowDecoder | GpuDecoder:
    """Return the decoder that `settings.decoder` names; raises InputError where the device has none."""
    if settings.decoder == "pillow":
        return PillowDecoder(settings, device)
    from scegg_core.regions.vision import import_torchvision

    import_torchvision()
    from torchvision import io

    if device.type != "cuda" or not hasattr(torch.ops.image, "decode_jpegs_cuda"):
        raise InputError(
            f"backbone.decoder is 'gpu', but there is no JPEG decoder of torchvision on {device}; use 'pillow'."
        )

    def decode(files: list[Tensor]) -> list[Tensor]:
        """Return the images of JPEG files, (3, height, width) each, on the device."""
        # nvJPEG writes from a stream of its own into memory that work queued on this one may still use: torchvision
        # 0.28 does not wait for that (pytorch/vision#9606), and images or features would be wrong without a word
        torch.cuda.current_stream(device).synchronize()
        return io.decode_jpeg(files, io.ImageReadMode.RGB, device)

    return GpuDecoder(settings, device, decode)


def load_image(path: Path, settings: BackboneSettings) -> np.ndarray | str:
    """Return the image as uint8 (size, size, 3), or the sentence that says why it cannot be used."""
    from PIL import Image

    size, by = settings.image_size, Image.Resampling[settings.interpolation.upper()]
    try:
        image = open_rgb(path)
    except InputError as error:
        return str(error)
    if settings.resize == "crop":
        from PIL import ImageOps

        image = ImageOps.fit(image, (size, size), by)
    # ASSUME: squash to a square, so that nothing of the image is lost; PIL's filter averages when it shrinks.
    return np.asarray(image.resize((size, size), by))


def loaded_batches(paths: list[Path], decoder: PillowDecoder | GpuDecoder, size: int) -> Iterator[list]:
    """Yield what the decoder loads of the images in order, `size` at a time, two batches ahead.

    As many threads load as torch computes with, which a job sets; their number changes no image. All unusable images are named in one InputError at the end.
    """
    bad, waiting = [], []
    for image in read_ahead(decoder.load, paths, 2 * size, torch.get_num_threads()):
        if isinstance(image, str):
            bad.append(image)
        elif not bad:
            waiting.append(image)
            if len(waiting) == size:
                yield waiting
                waiting = []
    if bad:
        more = f" … and {len(bad) - SHOWN} more" if len(bad) > SHOWN else ""
        raise InputError(f"{len(bad)} images cannot be read: " + " ".join(bad[:SHOWN]) + more)
    if waiting:
        yield waiting


def load_images(paths: list[Path], decoder: PillowDecoder) -> Tensor:
    """Return all images as uint8 (n, 3, size, size), channels last."""
    size = decoder.settings.image_size
    images = np.empty((len(paths), size, size, 3), np.uint8)
    with bar(len(paths), "images", unit="image", delay=2) as progress:
        for loaded in loaded_batches(paths, decoder, decoder.settings.usual_batch):
            images[progress.n : progress.n + len(loaded)] = loaded
            progress.update(len(loaded))
    return torch.from_numpy(images).permute(0, 3, 1, 2)
