"""Draws all images of the aviary and writes the data set in the layout of CUB and xlsa17."""

import json
import multiprocessing
import signal
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from scegg_core.artifacts.sets import refuse_others, whole_folder
from scegg_core.aviary.captions import write_captions
from scegg_core.aviary.cub_files import image_paths, write_cub_files
from scegg_core.aviary.picture import draw_picture
from scegg_core.aviary.species import Species, invent_species
from scegg_core.aviary.traits import PARTS, attribute_names
from scegg_core.aviary.xlsa_files import write_xlsa_files
from scegg_core.settings.aviary import AviarySettings

JPEG_QUALITY = 92
MARKER = "aviary.json"

#: Workers end by SIGTERM as a process does that knows nothing of it. A handler taken over from the job is called by
#: Python only after the worker's wait for the next picture, which never ends if the signal came just before it.
_END = (signal.SIGTERM, signal.SIG_DFL)

#: What the folder of the data set holds.
CONTENT = (MARKER, "CUB_200_2011", "xlsa17", "attributes.txt", "attribute_parts.csv", "captions.txt")


def generate_aviary(settings: AviarySettings, folder: Path, workers: int = 1) -> None:
    """Write the data set as `folder`, the same bytes for the same settings whatever the number of workers.

    All of it takes the place of an earlier one at once. Raises ValueError for fewer than one worker, and InputError for
    a folder that holds anything else.
    """
    if workers < 1:
        raise ValueError(f"workers must be at least 1, got {workers}")
    refuse_others(folder, CONTENT, "move them out of the drawn data set")
    with whole_folder(folder) as temporary:
        _write_all(settings, temporary, workers)


def _write_all(settings: AviarySettings, folder: Path, workers: int) -> None:
    species = invent_species(settings)
    paths = image_paths(species, settings.images_per_class)
    boxes, parts = _draw_all(settings, folder / "CUB_200_2011" / "images", species, paths, workers)
    write_cub_files(folder, species, paths, boxes, parts)
    splits = write_xlsa_files(folder, species, paths, settings.seed)
    captions = write_captions(settings.captions, settings.seed)
    (folder / "captions.txt").write_text("\n".join(captions) + "\n", encoding="utf-8")
    counts = {"images": len(paths), "attributes": len(attribute_names()), "parts": len(PARTS), **splits}
    summary = {"settings": asdict(settings), "counts": counts}
    (folder / MARKER).write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")


def _draw_all(
    settings: AviarySettings, images: Path, species: Species, paths: list[str], workers: int
) -> tuple[np.ndarray, np.ndarray]:
    """Write all pictures; return boxes (images, 4) and parts (images, parts, 3) in pixels."""
    for name in species.names:
        (images / name).mkdir(parents=True, exist_ok=True)
    draw = partial(_draw_one, settings, images, species.probabilities, paths)
    if workers == 1:
        drawn = [draw(number) for number in range(len(paths))]
    else:
        # fork: the other start methods import the caller's main script again, which need not be guarded against it
        with multiprocessing.get_context("fork").Pool(workers, signal.signal, _END) as pool:
            drawn = pool.map(draw, range(len(paths)), chunksize=8)
    boxes, parts = zip(*drawn, strict=True)
    return np.stack(boxes), np.stack(parts)


def _draw_one(
    settings: AviarySettings, images: Path, probabilities: np.ndarray, paths: list[str], number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw and write one picture and return its box (4,) and parts (parts, 3)."""
    # with one random generator per picture, pictures do not depend on their order and the number of workers
    rng = np.random.default_rng([settings.seed, 1, number])
    row = probabilities[number // settings.images_per_class]
    picture = draw_picture(row, settings.image_size, settings.distractors, rng)
    Image.fromarray(picture.pixels).save(images / paths[number], quality=JPEG_QUALITY)
    return picture.box, picture.parts
