"""The look of all figures: a palette that colour-blind readers can tell apart, fonts, and reproducible saving."""

import io
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import numpy as np

from scegg_core.artifacts.files import whole_file
from scegg_core.data.names import without_number
from scegg_core.report.fonts import USUAL, fonts_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


P = ParamSpec("P")

R = TypeVar("R")

#: Okabe and Ito's palette with two colours of Tol's, in an order that keeps neighbours apart.
PALETTE = (
    *("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#000000", "#F0E442", "#882255", "#7F7F3F"),
)

#: How far the later rounds through the palette are mixed with white (above 0) or black (below 0).
SHADES = (0.0, 0.45, -0.4, 0.65, -0.6)

STYLE = {
    "font.family": USUAL,
    "text.parse_math": False,  # a name may hold dollars; texts that are formulas say so themselves
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "savefig.dpi": 150,
    "pdf.fonttype": 42,
}

#: Metadata that savefig would otherwise fill with times or versions.
METADATA = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
    "svg": {"Date": None, "Creator": None},
}


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Return `draw` run under STYLE, which leaves the settings of matplotlib unchanged."""

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        """Return what `draw` draws."""
        from matplotlib import rc_context

        with rc_context(STYLE):
            return draw(*args, **kwargs)

    return wrapper


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of this size in inches whose parts are laid out without overlap."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def save(figure: "Figure", *paths: str | Path, title: str | None = None) -> None:
    """Write `figure` to each of `paths` (.png, .pdf or .svg), completely or not at all; equal figures give equal bytes.

    A `title` is in the file's metadata, readable as it stands.
    """
    from matplotlib import rc_context
    from matplotlib.text import Text

    fonts, own = fonts_of(figure), {"Title": title} if title else {}
    if len(fonts) > 1:
        for text in figure.findobj(Text):
            text.set_fontfamily(fonts)
    for path in map(Path, paths):
        kind = path.suffix.lstrip(".").lower()
        if kind not in METADATA:
            raise ValueError(f"figures are saved as {', '.join(METADATA)}, got {path.name}")
        drawn = io.BytesIO()  # where a disk is full, matplotlib's own writers raise errors that do not say so
        look = STYLE | {"font.family": fonts, "svg.hashsalt": "scegg"}
        with rc_context(look), warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Glyph .* missing")  # `fonts_of` has said so
            figure.savefig(drawn, format=kind, metadata=METADATA[kind] | own)
        with whole_file(path) as temporary:
            temporary.write_bytes(drawn.getbuffer())


def class_colours(count: int) -> np.ndarray:
    """Return `count` colours (count, 3) in [0, 1]: the palette, then its lighter and darker shades, then again."""
    from matplotlib.colors import to_rgb

    base = np.array([to_rgb(colour) for colour in PALETTE])
    rounds = [mix(base, SHADES[turn % len(SHADES)]) for turn in range(-(-count // len(base)))]
    return np.concatenate([*rounds, np.empty((0, 3))])[:count]


def mix(colours: np.ndarray, amount: float) -> np.ndarray:
    """Return `colours` mixed with white (amount > 0) or black (amount < 0) by the fraction |amount|."""
    return colours + (1 - colours) * amount if amount > 0 else colours * (1 + amount)


def shorten(name: str, length: int = 24) -> str:
    """Return a class name for print: without its number, underscores as blanks, cut to `length` with an ellipsis."""
    plain = without_number(name).replace("_", " ").replace("+", " ").strip() or name
    return plain if len(plain) <= length else plain[: length - 1].rstrip() + "…"


def short_names(names: Sequence[str], length: int = 24) -> tuple[str, ...]:
    """Return the names of classes for print (`shorten`); those that would look the same stay whole."""
    short = [shorten(name, length) for name in names]
    times = Counter(short)
    return tuple(own if times[own] == 1 else name for own, name in zip(short, names, strict=True))
