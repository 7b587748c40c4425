"""t-SNE of visual spaces (paper's Fig. 4): real seen, real unseen and synthetic unseen features, and their separation.

The same classes, images and colours in every space, so that the spaces can be compared by eye; `separation` gives the
numbers for what the eye sees.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.figures.style import class_colours, mix, new_figure, shorten, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from pandas import DataFrame

SEEN, UNSEEN, SYNTHETIC = "real seen", "real unseen", "synthetic unseen"
MARKERS = {SEEN: "^", UNSEEN: "o", SYNTHETIC: "x"}
#: Share of white (above 0) or black (below 0) in a group's colours: crosses stay visible on circles of their class.
TINTS = {SEEN: 0.0, UNSEEN: 0.3, SYNTHETIC: -0.35}
#: Classes of a group that the legend names; colours repeat anyway where there are many more.
MOST_NAMES = 40
LEGEND_ROWS = 26  # that fit beside the axes
#: t-SNE looks at the features' leading principal components.
COMPONENTS = 50
#: Most features that a silhouette is computed of; it compares all pairs.
SILHOUETTE_SAMPLE = 4000


@dataclass(frozen=True)
class Labelled:
    """Features (n, d) and the classes (n,) they are of."""

    features: np.ndarray
    labels: np.ndarray


@dataclass(frozen=True)
class DrawnClasses:
    """The classes of a picture: positions of seen and of unseen ones, ascending."""

    seen: np.ndarray
    unseen: np.ndarray


@dataclass(frozen=True)
class Points:
    """The points of one space: features (n, d), classes (n,) and group (n,), one of SEEN, UNSEEN, SYNTHETIC."""

    title: str
    features: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    classes: DrawnClasses


@dataclass(frozen=True)
class Separation:
    """How well a space separates its unseen classes; accuracy and chance in percent, silhouettes in [-1, 1]."""

    space: str
    classes: int
    real: int
    synthetic: int
    ncm_accuracy: float
    chance: float
    silhouette_real: float
    silhouette_synthetic: float


def choose_classes(labels: np.ndarray, seen: np.ndarray, count: int, seed: int) -> DrawnClasses:
    """Return up to `count` seen and as many unseen classes drawn from those in `labels` (images,).

    `seen` (classes,) is bool. Depends on the set of labels and the seed alone.
    """
    generator = np.random.default_rng(seed)
    present = np.unique(labels)
    drawn = [_draw(present[seen[present] == kind], count, generator) for kind in (True, False)]
    return DrawnClasses(*drawn)


def choose_points(
    title: str, real: Labelled, synthetic: Labelled, classes: DrawnClasses, *, per_class: int, seed: int
) -> Points:
    """Return up to `per_class` real features of each class and as many synthetic ones of each unseen class.

    Spaces whose `real.labels` agree get the same images. Pass test images as `real`: training has not seen them.
    """
    parts = (
        (SEEN, real, _rows(real.labels, classes.seen, per_class, seed)),
        (UNSEEN, real, _rows(real.labels, classes.unseen, per_class, seed)),
        (SYNTHETIC, synthetic, _rows(synthetic.labels, classes.unseen, per_class, seed)),
    )
    features = np.concatenate([source.features[rows] for _, source, rows in parts]).astype(np.float32)
    labels = np.concatenate([source.labels[rows] for _, source, rows in parts])
    groups = np.repeat([group for group, _, _ in parts], [len(rows) for _, _, rows in parts])
    return Points(title, features, labels, groups, classes)


def embed(features: np.ndarray, perplexity: float, seed: int, jobs: int = 1) -> np.ndarray:
    """Return t-SNE coordinates (n, 2) of `features` (n, d), n at least 5; the same for the same seed and any `jobs`.

    More than 50 channels are reduced to 50 principal components first; the perplexity is lowered to (n - 1) / 3 where
    there are few points. More than one job pays on idle cores only: on busy ones its threads wait for each other.
    """
    from openTSNE import TSNE

    if len(features) < 5:
        raise ValueError(f"t-SNE needs at least 5 points, got {len(features)}")
    reduced = principal_components(features, COMPONENTS, seed)
    tsne = TSNE(
        perplexity=min(perplexity, (len(features) - 1) / 3),
        initialization="pca",
        neighbors="exact",
        n_jobs=jobs,
        random_state=seed,
    )
    return np.asarray(tsne.fit(reduced))


def principal_components(features: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return the scores (n, count) of the leading principal components; `features` (n, d) themselves if d <= count."""
    from sklearn.decomposition import PCA

    if features.shape[1] <= count or len(features) <= count:
        return np.asarray(features, dtype=np.float64)
    return PCA(count, svd_solver="randomized", random_state=seed).fit_transform(features.astype(np.float64))


@styled
def draw(spaces: Sequence[Points], coordinates: Sequence[np.ndarray], names: Sequence[str]) -> "Figure":
    """Return the spaces side by side, each with its `coordinates` (n, 2); `names` are those of all classes.

    Colours are the classes of the first space, seen ones paler; the legend with class names is right of the axes.
    """
    classes = spaces[0].classes
    colours = _colours(classes)
    entries = _legend_entries(classes, colours, names)
    columns = -(-len(entries) // LEGEND_ROWS)
    figure = new_figure(4.4 * len(spaces) + 2.0 * columns, 4.9)
    for axes, points, place in zip(np.atleast_1d(figure.subplots(1, len(spaces))), spaces, coordinates, strict=True):
        _draw_space(axes, points, place, colours)
    look = {"ncols": columns, "frameon": False, "handletextpad": 0.2, "columnspacing": 1.0}
    figure.legend(handles=entries, loc="outside right upper", **look)
    figure.supxlabel(caption(spaces), fontsize=8, color="0.3")
    return figure


def caption(spaces: Sequence[Points]) -> str:
    """Return one sentence with the numbers of classes and points of the picture."""
    classes = spaces[0].classes
    count = f"{len(classes.seen)} seen and {len(classes.unseen)} unseen classes; "
    same = len({tuple(_counts(points)) for points in spaces}) == 1
    shown = spaces[:1] if same else spaces
    parts = ["{} real seen, {} real unseen, {} synthetic unseen features".format(*_counts(points)) for points in shown]
    if same:
        return count + parts[0] + (" in each space" if len(spaces) > 1 else "")
    return count + "; ".join(f"{points.title}: {part}" for points, part in zip(shown, parts, strict=True))


def separation(space: str, real: Labelled, synthetic: Labelled, seed: int = 0) -> Separation:
    """Return the numbers of one space: `real` are the unseen classes' test features, `synthetic` the generated ones.

    `ncm_accuracy`: mean per-class accuracy on `real` of the nearest mean of the synthetic classes (Euclidean).
    """
    classes = np.unique(synthetic.labels)
    return Separation(
        space=space,
        classes=len(classes),
        real=len(real.labels),
        synthetic=len(synthetic.labels),
        ncm_accuracy=round(100 * nearest_mean_accuracy(synthetic, real), 2),
        chance=round(100 / len(classes), 2),
        silhouette_real=round(silhouette(real, seed), 4),
        silhouette_synthetic=round(silhouette(synthetic, seed), 4),
    )


def separation_table(rows: Sequence[Separation]) -> "DataFrame":
    """Return one row per space: the fields of Separation."""
    from pandas import DataFrame

    return DataFrame([asdict(row) for row in rows])


def nearest_mean_accuracy(known: Labelled, tested: Labelled) -> float:
    """Return the mean per-class accuracy in [0, 1] on `tested` of the nearest class mean of `known`."""
    classes = np.unique(known.labels)
    means = np.stack([known.features[known.labels == label].mean(axis=0) for label in classes]).astype(np.float64)
    # |x - m|^2 without its part that is the same for all m
    distances = (means**2).sum(axis=1) - 2 * tested.features.astype(np.float64) @ means.T
    right = classes[distances.argmin(axis=1)] == tested.labels
    return float(np.mean([right[tested.labels == label].mean() for label in np.unique(tested.labels)]))


def silhouette(points: Labelled, seed: int = 0) -> float:
    """Return the mean silhouette (Euclidean) in [-1, 1], of a sample where there are many; NaN where undefined."""
    from sklearn.metrics import silhouette_score

    rows = np.random.default_rng(seed).permutation(len(points.labels))[:SILHOUETTE_SAMPLE]
    labels = points.labels[rows]
    if not 2 <= len(np.unique(labels)) < len(labels):
        return float("nan")
    return float(silhouette_score(points.features[rows], labels))


def _draw(choices: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
    return np.sort(generator.permutation(choices)[:count])


def _rows(labels: np.ndarray, classes: np.ndarray, per_class: int, seed: int) -> np.ndarray:
    """Up to `per_class` positions of each class; a class's choice does not depend on the other classes."""
    chosen = [_draw(np.flatnonzero(labels == c), per_class, np.random.default_rng([seed, int(c)])) for c in classes]
    return np.concatenate([*chosen, np.empty(0, dtype=np.int64)]).astype(np.int64)


def _counts(points: Points) -> list[int]:
    return [int((points.groups == group).sum()) for group in MARKERS]


def _colours(classes: DrawnClasses) -> dict[int, np.ndarray]:
    """Full colours for unseen classes, paler ones of the same palette for seen classes."""
    unseen, seen = class_colours(len(classes.unseen)), mix(class_colours(len(classes.seen)), 0.5)
    pairs = (*zip(classes.unseen, unseen, strict=True), *zip(classes.seen, seen, strict=True))
    return {int(label): colour for label, colour in pairs}


def _draw_space(axes: "Axes", points: Points, place: np.ndarray, colours: dict[int, np.ndarray]) -> None:
    shade = np.array([colours[int(label)] for label in points.labels])
    for group, marker in MARKERS.items():
        rows = points.groups == group
        look = {"s": 20, "linewidths": 0.9} if marker == "x" else {"s": 16, "linewidths": 0.3, "edgecolors": "white"}
        axes.scatter(*place[rows].T, c=mix(shade[rows], TINTS[group]), marker=marker, **look)
    axes.set(title=points.title, xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2")
    axes.spines[:].set_visible(True)
    axes.spines[:].set_color("0.8")
    axes.margins(0.03)


def _legend_entries(classes: DrawnClasses, colours: dict[int, np.ndarray], names: Sequence[str]) -> list["Line2D"]:
    """The three markers, then the classes of both groups under their headings."""
    entries = [_entry(group, marker, "0.25") for group, marker in MARKERS.items()]
    for heading, group, members in (("Unseen", UNSEEN, classes.unseen), ("Seen", SEEN, classes.seen)):
        entries.append(_entry(f"$\\bf{{{heading}~classes}}$"))
        for label in members[:MOST_NAMES]:
            colour = mix(colours[int(label)], TINTS[group])
            entries.append(_entry(shorten(names[label]), MARKERS[group], colour))
        if len(members) > MOST_NAMES:
            entries.append(_entry(f"and {len(members) - MOST_NAMES} more"))
    return entries


def _entry(label: str, marker: str = "", colour="none") -> "Line2D":
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="", marker=marker, markersize=5, color=colour, label=label)
