"""The t-SNE picture of a data set: test features and synthetic features of several variants' spaces (Fig. 4)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.artifacts import matrix, read_table
from scegg_core.data.tables import DatasetIndex
from scegg_core.figures.tsne import Labelled, choose_classes, choose_points, draw, embed, separation, separation_table
from scegg_core.settings.report import TsneSettings
from scegg_core.spaces import read_features

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame


@dataclass(frozen=True)
class SpaceFiles:
    """The files that one panel is drawn from, and its title."""

    title: str
    features: str
    synthetic: str


def tsne_picture(
    index: DatasetIndex, spaces: Sequence[SpaceFiles], given: TsneSettings, jobs: int
) -> tuple["Figure", "DataFrame"]:
    """Return the figure with one panel per space, and the numbers for what the eye sees."""
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
    return draw(points, places, index.classes), separation_table(numbers)


def remarks(given: TsneSettings, drawn: Collection[str]) -> list[str]:
    """Return a sentence for each variant of the settings that is not among the `drawn` ones."""
    return [f"Missing: {name} is not drawn, it has no features yet." for name in given.variants if name not in drawn]
