"""Species that no training has ever seen: their pictures, and the table that describes them by attributes."""

import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image

from scegg_core.artifacts.sets import refuse_others, whole_folder
from scegg_core.aviary.generate import JPEG_QUALITY
from scegg_core.aviary.picture import draw_picture
from scegg_core.aviary.species import invent_species
from scegg_core.aviary.traits import attribute_names
from scegg_core.errors import InputError
from scegg_core.settings.aviary import AviarySettings
from scegg_core.settings.base import parse_section

MOST_SPECIES, MOST_PICTURES = 996, 9999

PREFIX = "Moon_"  # no species of the data set itself is called so


def draw_new_species(folder: Path, count: int = 3, pictures: int = 40, size: int = 128, seed: int = 1000) -> list[str]:
    """Write `pictures` of each of `count` new species to folder/images/<name>/ and their description to classes.csv.

    The table has a row per species and, in percent, how many of its pictures show each attribute. Returns the names.
    Raises InputError, before anything is drawn, for values out of range and for a folder that holds something.
    """
    settings = _settings(count, pictures, size, seed)
    refuse_others(folder, (), "name a new one")
    species = invent_species(settings)
    rows = np.flatnonzero(species.unseen)
    names = _distinct([PREFIX + species.names[row].partition(".")[2] for row in rows])
    with whole_folder(folder) as temporary:
        for name, row in zip(names, rows, strict=True):
            _draw(temporary / "images" / name, species.probabilities[row], pictures, settings, int(row))
        (temporary / "classes.csv").write_text(_described(names, species.probabilities[rows]), encoding="utf-8")
    return names


def _settings(count: int, pictures: int, size: int, seed: int) -> AviarySettings:
    """The settings of an aviary that has `count` unseen species besides the fewest seen ones."""
    if not 1 <= pictures <= MOST_PICTURES:
        raise InputError(f"pictures is {pictures}; it has to be from 1 to {MOST_PICTURES} of each species.")
    if not 1 <= count <= MOST_SPECIES:
        raise InputError(f"count is {count}; it has to be from 1 to {MOST_SPECIES} species.")
    return parse_section(
        AviarySettings, {"classes": count + 3, "unseen_classes": count, "image_size": size, "seed": seed}
    )


def _distinct(names: list[str]) -> list[str]:
    """The names, a number added to those that came before: a folder is named after each."""
    return [
        name if name not in names[:row] else f"{name}_{names[:row].count(name) + 1}" for row, name in enumerate(names)
    ]


def _described(names: list[str], probabilities: np.ndarray) -> str:
    """The table of the species `names`, whose attributes have these probabilities (species, attributes)."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["class", *attribute_names()])
    for name, row in zip(names, probabilities, strict=True):
        table.writerow([name, *(f"{100 * probability:g}" for probability in row)])
    return text.getvalue()


def _draw(folder: Path, probabilities: np.ndarray, pictures: int, settings: AviarySettings, row: int) -> None:
    folder.mkdir(parents=True)
    for number in range(pictures):
        rng = np.random.default_rng([settings.seed, 1, row, number])
        drawn = draw_picture(probabilities, settings.image_size, settings.distractors, rng)
        Image.fromarray(drawn.pixels).save(folder / f"{number + 1:03d}.jpg", quality=JPEG_QUALITY)
