"""The vocabulary of the aviary: which traits a bird has, on which part, with which values and colours.

A trait is what CUB calls an attribute group ("has_bill_shape"), a value one attribute of it
("has_bill_shape::dagger"). Attributes are numbered through all traits in the order of `TRAITS`.
"""

from dataclasses import dataclass

PARTS = ("back", "bill", "breast", "crown", "eye", "leg", "tail", "wing")

COLORS = {
    "red": (203, 38, 36),
    "orange": (236, 125, 28),
    "yellow": (246, 208, 48),
    "green": (74, 146, 62),
    "blue": (46, 98, 190),
    "brown": (122, 76, 42),
    "black": (36, 34, 40),
    "gray": (138, 141, 148),
    "white": (242, 240, 233),
}


@dataclass(frozen=True)
class Trait:
    """One attribute group: its name, the part that shows it (empty: the whole picture) and its values."""

    name: str
    part: str
    values: tuple[str, ...]


TRAITS = (
    Trait("bill_shape", "bill", ("dagger", "cone", "hooked", "needle")),
    Trait("bill_color", "bill", ("black", "gray", "yellow", "red")),
    Trait("crown_color", "crown", ("red", "yellow", "blue", "black", "white", "brown")),
    Trait("crown_shape", "crown", ("crested", "round")),
    Trait("eye_color", "eye", ("black", "red", "yellow")),
    Trait("breast_color", "breast", ("red", "orange", "yellow", "white", "blue", "gray")),
    Trait("breast_pattern", "breast", ("solid", "striped", "spotted")),
    Trait("back_color", "back", ("brown", "green", "blue", "gray", "black", "red")),
    Trait("wing_color", "wing", ("brown", "green", "blue", "black", "white", "yellow")),
    Trait("wing_pattern", "wing", ("solid", "striped", "spotted")),
    Trait("tail_shape", "tail", ("forked", "fan", "pointed", "square")),
    Trait("leg_color", "leg", ("black", "gray", "yellow", "red")),
    Trait("size", "", ("small", "large")),
    Trait("habitat", "", ("forest", "meadow", "shore", "desert")),
)


def attribute_names() -> list[str]:
    """Return all attributes in order, written as in CUB: "has_bill_shape::dagger"."""
    return [f"has_{trait.name}::{value}" for trait in TRAITS for value in trait.values]


def attribute_parts() -> list[str]:
    """Return for every attribute the part that shows it, or "" for the whole picture; same order as the names."""
    return [trait.part for trait in TRAITS for _ in trait.values]
