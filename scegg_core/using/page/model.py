"""What a page of predictions holds, as its template and its scripts show it."""

from dataclasses import dataclass

import numpy as np

from scegg_core.report.page.model import ClassNames, ShownSheet


@dataclass(frozen=True)
class ShownAnswer:
    """A picture: its name, thumbnail (base64 of WebP), first classes (k) with their probabilities, the attributes that
    speak for the first, each with its part, and its attention where that was asked for."""

    name: str
    thumbnail: str
    classes: np.ndarray
    chances: np.ndarray
    reasons: tuple[tuple[str, float], ...]
    sheet: ShownSheet | None


@dataclass(frozen=True)
class AnswersPage:
    """A page of predictions: what was asked, as (label, text); pictures; those left out, as (name, sentence)."""

    title: str
    facts: tuple[tuple[str, str], ...]
    classes: ClassNames
    answers: tuple[ShownAnswer, ...]
    left_out: tuple[tuple[str, str], ...]
    not_shown: int  # answered pictures that are not in the page
