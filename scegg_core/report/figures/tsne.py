"""t-SNE of visual spaces (paper's Fig. 4): real seen, real unseen and synthetic unseen features, and their separation.

The same classes, images and colours in every space, so that the spaces can be compared by eye; `separation` gives the
numbers for what the eye sees.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.artifacts.files import matrix, read_table
from scegg_core.data.tables import DatasetIndex
from scegg_core.evaluate.separation import Labelled, separation, separation_table
from scegg_core.report.style import class_colours, mix, new_figure, short_names, styled
from scegg_core.scen.space import read_features
from scegg_core.settings.tsne import TsneSettings

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from pandas import DataFrame


SEEN, UNSEEN, SYNTHETIC = "real seen", "real unseen", "synthetic unseen"

MARKERS = {SEEN: "^", UNSEEN: "o", SYNTHETIC: "x"}

#: Of the legend, bold as formulas are.
HEADINGS = {UNSEEN: r"$\bf{Unseen~classes}$", SEEN: r"$\bf{Seen~classes}$"}

#: Share of white (above 0) or black (below 0) in a group's colours: crosses stay visible on circles of their class.
TINTS = {SEEN: 0.0, UNSEEN: 0.3, SYNTHETIC: -0.35}

#: Classes of a group that the legend names; colours repeat anyway where there are many more.
MOST_NAMES = 40

LEGEND_ROWS = 26  # that fit beside the axes

#: t-SNE looks at the features' leading principal components.
COMPONENTS = 50


@dataclass(frozen=True)
class DrawnClasses:
    """The classes of a picture: positions of seen and of unseen ones, ascending."""

    seen: np.ndarray
    unseen: np.ndarray


@dataclass(frozen=True)
class Points:
    """The points of one space: features (n, d), classes (n,) and group (n,), one of SEEN, UNSEEN, SYNTHETIC.

    `rows` (n,) are the positions in what the features were chosen from: the real ones, or the synthetic ones.
    """

    title: str
    features: np.ndarray
    labels: np.ndarray
    groups: np.ndarray
    rows: np.ndarray
    classes: DrawnClasses


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
    return Points(title, features, labels, groups, np.concatenate([rows for _, _, rows in parts]), classes)


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
    legend = figure.legend(handles=entries, loc="outside right upper", **look)
    for text in legend.get_texts():
        text.set_parse_math(text.get_text() in HEADINGS.values())
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
    short = short_names(names)
    for group, members in ((UNSEEN, classes.unseen), (SEEN, classes.seen)):
        entries.append(_entry(HEADINGS[group]))
        for label in members[:MOST_NAMES]:
            colour = mix(colours[int(label)], TINTS[group])
            entries.append(_entry(short[label], MARKERS[group], colour))
        if len(members) > MOST_NAMES:
            entries.append(_entry(f"and {len(members) - MOST_NAMES} more"))
    return entries


def _entry(label: str, marker: str = "", colour="none") -> "Line2D":
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="", marker=marker, markersize=5, color=colour, label=label)


@dataclass(frozen=True)
class SpaceFiles:
    """The files that one panel is drawn from, and its title."""

    title: str
    features: str
    synthetic: str


def tsne_picture(
    index: DatasetIndex, spaces: Sequence[SpaceFiles], given: TsneSettings, jobs: int
) -> tuple["Figure", "DataFrame", "DataFrame"]:
    """Return the figure with one panel per space, the numbers for what the eye sees, and its `points_table`."""
    test = np.concatenate([index.in_split("test_seen"), index.in_split("test_unseen")])
    classes = choose_classes(index.labels[test], index.seen, given.classes, given.seed)
    unseen = ~index.seen[index.labels[test]]
    points, numbers = [], []
    for space in spaces:
        real = Labelled(read_features(Path(space.features), index).numpy()[test], index.labels[test])
        made = read_table(space.synthetic, "synthetic")
        synthetic = Labelled(matrix(made["feature"]), made["label"].to_numpy())
        points.append(choose_points(space.title, real, synthetic, classes, per_class=given.per_class, seed=given.seed))
        real_unseen = Labelled(real.features[unseen], real.labels[unseen])
        numbers.append(separation(space.title, real_unseen, synthetic, given.seed))
    places = [embed(point.features, given.perplexity, given.seed, jobs) for point in points]
    table = points_table(points, places, test, index)
    return draw(points, places, index.classes), separation_table(numbers), table


def points_table(
    spaces: Sequence[Points], coordinates: Sequence[np.ndarray], images: np.ndarray, index: DatasetIndex
) -> "DataFrame":
    """Return a row per point: space, its place x and y, class, group, and the path of its image ('' if synthetic).

    `images` are the positions in `index` that the rows of real points stand for.
    """
    from pandas import DataFrame, concat

    parts = []
    for points, place in zip(spaces, coordinates, strict=True):
        real = points.groups != SYNTHETIC
        paths = [index.paths[images[row]] if known else "" for row, known in zip(points.rows, real, strict=True)]
        names = [index.classes[label] for label in points.labels]
        x, y = np.round(place, 4).T
        parts.append(
            DataFrame({"space": points.title, "x": x, "y": y, "class": names, "group": points.groups, "image": paths})
        )
    return concat(parts, ignore_index=True)


def remarks(missing: Iterable[str]) -> list[str]:
    """Return a sentence for each variant that should be drawn and has no features yet."""
    return [f"Missing: {name} is not drawn, it has no features yet." for name in missing]
