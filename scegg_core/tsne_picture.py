"""The t-SNE picture of a data set: test features and synthetic features of several variants' spaces (Fig. 4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scegg_core.data.tables import DatasetIndex
from scegg_core.figures.tsne import Labelled, choose_classes, choose_points, draw, embed, separation, separation_table
from scegg_core.generators import read_synthetic
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
        made = read_synthetic(Path(space.synthetic))
        synthetic = Labelled(made.features.numpy(), made.labels.numpy())
        points.append(choose_points(space.title, real, synthetic, classes, per_class=given.per_class, seed=given.seed))
        real_unseen = Labelled(real.features[unseen], real.labels[unseen])
        numbers.append(separation(space.title, real_unseen, synthetic, given.seed))
    places = [embed(point.features, given.perplexity, given.seed, jobs) for point in points]
    return draw(points, places, index.classes), separation_table(numbers)
