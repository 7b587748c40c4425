"""Fonts for names in any script: of those installed, the ones that have the letters which the usual font lacks."""

import sys
import unicodedata
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure


USUAL = "DejaVu Sans"

#: Looked at first, since they are made for screens and for many scripts; then all others by name.
PREFERRED = ("Noto Sans", "Arial Unicode", "Microsoft YaHei", "PingFang", "Hiragino", "WenQuanYi", "Nirmala", "Arial")

#: They have a box for every letter.
BOXES = ("Last Resort", "LastResort")

SHOWN = 12  # letters that a warning names


def fonts_of(figure: "Figure") -> list[str]:
    """Return the families that together have the letters of all texts of `figure`: the usual one, then others.

    Letters that no installed font has are warned of, in one sentence.
    """
    families, missing = fonts_for(frozenset(_letters(figure)))
    if missing:
        _warn(missing[:SHOWN] + ("…" if len(missing) > SHOWN else ""))
    return list(families)


@cache
def fonts_for(letters: frozenset[str]) -> tuple[tuple[str, ...], str]:
    """Return the families, first USUAL, that have the `letters` one after the other, and the letters none has."""
    from matplotlib.font_manager import findfont, fontManager

    families, missing = [USUAL], {ord(letter) for letter in letters} - _codes(findfont(USUAL))
    fonts = {(_rank(font.name), font.name, font.fname) for font in fontManager.ttflist} if missing else ()
    for _, name, path in sorted(fonts):
        if missing & _codes(path) and name not in families:
            families.append(name)
            missing -= _codes(findfont(name))
    return tuple(families), "".join(map(chr, sorted(missing)))


@cache  # once a process
def _warn(letters: str) -> None:
    print(
        f"warning: no installed font has {letters}, so figures show boxes in their place; "
        "install one that does, such as Noto Sans of their script.",
        file=sys.stderr,
    )


def _letters(figure: "Figure") -> set[str]:
    """The signs of all texts; the names of ticks are no texts before they are drawn."""
    from matplotlib.text import Text
    from matplotlib.ticker import FixedFormatter

    texts = [text.get_text() for text in figure.findobj(Text)]
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            formatter = axis.get_major_formatter()
            texts += formatter.seq if isinstance(formatter, FixedFormatter) else []
    return {sign for sign in "".join(map(str, texts)) if unicodedata.category(sign) not in ("Cc", "Cf", "Cs")}


def _rank(name: str) -> int:
    return next((rank for rank, start in enumerate(PREFERRED) if name.startswith(start)), len(PREFERRED))


@cache
def _codes(path: str) -> frozenset[int]:
    """The code points that the font file has outlines for; none where it cannot be drawn with (bitmaps, damage)."""
    from matplotlib.font_manager import get_font

    if any(name.replace(" ", "") in path.replace(" ", "") for name in BOXES):
        return frozenset()
    try:
        font = get_font(path)
        return frozenset(font.get_charmap()) if font.scalable else frozenset()
    except (OSError, RuntimeError):
        return frozenset()
