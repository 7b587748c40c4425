"""Invents the classes: for each the probability of every trait value, its name, and which classes are unseen."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scegg_core.aviary.traits import TRAITS, Trait
from scegg_core.settings.aviary import AviarySettings

ADJECTIVES = {
    "red": "Crimson", "orange": "Amber", "yellow": "Golden", "green": "Jade", "blue": "Azure",
    "brown": "Umber", "black": "Sable", "gray": "Ashy", "white": "Ivory",
}  # fmt: skip
NOUNS = {
    ("dagger", "small"): "Warbler", ("dagger", "large"): "Thrush",
    ("cone", "small"): "Finch", ("cone", "large"): "Grosbeak",
    ("hooked", "small"): "Shrike", ("hooked", "large"): "Parrot",
    ("needle", "small"): "Sunbird", ("needle", "large"): "Bee_Eater",
}  # fmt: skip


@dataclass(frozen=True)
class Species:
    """All classes in folder order.

    names: "001.Crimson_capped_Warbler" and so on; probabilities: (classes, attributes), with which an
    image of the class shows the value, summing to 1 within each trait; unseen: (classes,) booleans.
    """

    names: list[str]
    probabilities: np.ndarray
    unseen: np.ndarray


def invent_species(settings: AviarySettings) -> Species:
    """Return the classes that the settings describe; the same settings give the same classes."""
    rng = np.random.default_rng([settings.seed, 0])
    unseen = np.zeros(settings.classes, dtype=bool)
    unseen[rng.choice(settings.classes, settings.unseen_classes, replace=False)] = True
    probabilities = np.concatenate(
        [_trait_probabilities(trait, unseen, settings.constancy, rng) for trait in TRAITS], axis=1
    )
    # CUB's percentages have a limited resolution as well, and rounded ones read better in the text files
    return Species(_name_all(probabilities), np.round(probabilities, 2), unseen)


def split_traits(row: np.ndarray) -> Iterator[tuple[Trait, np.ndarray]]:
    """Yield each trait with its slice of a vector over all attributes, shape (attributes,)."""
    start = 0
    for trait in TRAITS:
        yield trait, row[start : start + len(trait.values)]
        start += len(trait.values)


def main_values(row: np.ndarray) -> dict[str, str]:
    """Return the most frequent value of every trait for one class's probabilities, shape (attributes,)."""
    return {trait.name: trait.values[int(part.argmax())] for trait, part in split_traits(row)}


def _trait_probabilities(trait: Trait, unseen: np.ndarray, constancy: float, rng: np.random.Generator) -> np.ndarray:
    """Return (classes, values): the probability of a main value, and the rest for one second value."""
    count = len(trait.values)
    main = np.empty(len(unseen), dtype=int)
    # balanced within seen and within unseen classes, so that no unseen class has a value never trained on
    for group in (unseen, ~unseen):
        main[group] = rng.permutation(np.arange(group.sum()) + rng.integers(count)) % count
    second = (main + rng.integers(1, count, len(main))) % count
    spread = 1.0 - constancy
    larger = np.round(rng.uniform(constancy - spread, 1.0, len(main)), 2)
    probabilities = np.zeros((len(main), count))
    rows = np.arange(len(main))
    probabilities[rows, main], probabilities[rows, second] = larger, 1.0 - larger
    return probabilities


def _name_all(probabilities: np.ndarray) -> list[str]:
    """Return one name per class, made from its main values and different from the others where that is possible."""
    taken: list[str] = []
    for row in probabilities:
        candidates = _candidate_names(main_values(row))
        taken.append(next((name for name in candidates if name not in taken), candidates[-1]))
    return [f"{number:03d}.{name}" for number, name in enumerate(taken, start=1)]


def _candidate_names(look: dict[str, str]) -> list[str]:
    """Return possible names of a bird, the plainest first."""
    noun = NOUNS[look["bill_shape"], look["size"]]
    crown = "crested" if look["crown_shape"] == "crested" else "capped"
    marks = [("crown_color", crown), ("breast_color", "breasted"), ("wing_color", "winged"), ("back_color", "backed")]
    plain = [f"{ADJECTIVES[look[trait]]}_{word}_{noun}" for trait, word in marks]
    return [*plain, f"{look['habitat'].title()}_{plain[0]}"]
