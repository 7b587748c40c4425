"""Species that no training has ever seen: their pictures, and the table that describes them by attributes."""

import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image

from scegg_core.artifacts.files import write_text
from scegg_core.aviary.generate import JPEG_QUALITY
from scegg_core.aviary.picture import draw_picture
from scegg_core.aviary.species import invent_species
from scegg_core.aviary.traits import attribute_names
from scegg_core.settings.aviary import AviarySettings

PREFIX = "Moon_"  # no species of the data set itself is called so


def draw_new_species(folder: Path, count: int = 3, pictures: int = 40, size: int = 128, seed: int = 1000) -> list[str]:
    """Write `pictures` of each of `count` new species to folder/images/<name>/ and their description to classes.csv.

    The table has a row per species and, in percent, how many of its pictures show each attribute. Returns the names.
    """
    settings = AviarySettings(classes=count + 3, unseen_classes=count, image_size=size, seed=seed)
    species = invent_species(settings)
    rows = np.flatnonzero(species.unseen)
    names = [PREFIX + species.names[row].partition(".")[2] for row in rows]
    for name, row in zip(names, rows, strict=True):
        _draw(folder / "images" / name, species.probabilities[row], pictures, settings, int(row))
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["class", *attribute_names()])
    table.writerows(
        [name, *(f"{100 * probability:g}" for probability in species.probabilities[row])]
        for name, row in zip(names, rows, strict=True)
    )
    write_text(folder / "classes.csv", text.getvalue())
    return names


def _draw(folder: Path, probabilities: np.ndarray, pictures: int, settings: AviarySettings, row: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(pictures):
        rng = np.random.default_rng([settings.seed, 1, row, number])
        drawn = draw_picture(probabilities, settings.image_size, settings.distractors, rng)
        Image.fromarray(drawn.pixels).save(folder / f"{number + 1:03d}.jpg", quality=JPEG_QUALITY)
