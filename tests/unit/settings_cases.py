"""Values of settings made from their schema: both ends of every range, all choices, and numbers in between."""

import math
import os
import random
from typing import Any

from pydantic import TypeAdapter

#: Settings that say how much is computed, and the most of it that a test lets be computed.
WORK = {
    "epochs": 2, "batch_size": 9, "hidden_width": 9, "latent_size": 9, "critic_steps": 2, "per_class": 9,
    "stage1_epochs": 2, "stage2_epochs": 2, "stage1_steps": 3, "stage2_steps": 3, "compression_width": 9,
    "classifier_width": 9, "snapshots": 2, "image_encoder_width": 9, "image_decoder_width": 9, "vector_encoder_width": 9,
    "vector_decoder_width": 9, "embedding_size": 9, "projection_size": 9, "comparator_width": 9, "seen_per_class": 9,
    "soul_made": 9,
}  # fmt: skip

#: Drawn cases of a test; SCEGG_CASES=5000 is the long mode.
MANY = int(os.environ.get("SCEGG_CASES", "60"))
SMALLEST = 5e-324  # number above 0


def fields_of(kind: type) -> dict[str, dict]:
    """The schema of each setting of a section without sections inside."""
    return TypeAdapter(kind).json_schema()["properties"]


def ends(name: str, part: dict) -> list[Any]:
    """The values at the ends of a setting's range, or all its choices; what is computed much of is cut to WORK."""
    if "anyOf" in part:
        return [value for choice in part["anyOf"] for value in ends(name, choice)]
    if "enum" in part or "const" in part:
        return list(part.get("enum", [part.get("const")]))
    if part["type"] in ("null", "boolean"):
        return [None] if part["type"] == "null" else [False, True]
    low, high = _range(part)
    return [low, min(high, WORK.get(name, high))]


def drawn(name: str, part: dict, random: random.Random) -> Any:
    """A value of a setting: an end of its range, or one in between, on a logarithmic scale."""
    choices = ends(name, part)
    numbers = [value for value in choices if isinstance(value, int | float) and not isinstance(value, bool)]
    if not numbers or random.random() < 0.3:
        return random.choice(choices)
    low, high = min(numbers), max(numbers)
    if isinstance(low, int):
        return round(low + (high - low) * random.random() ** 4)
    return math.exp(random.uniform(math.log(max(low, 1e-9)), math.log(high)))


def _range(part: dict) -> tuple[Any, Any]:
    whole = part["type"] == "integer"
    low = part.get("minimum", SMALLEST)
    high = part["maximum"] if "maximum" in part else math.nextafter(part["exclusiveMaximum"], 0)
    return (int(low), int(high)) if whole else (float(low), float(high))
