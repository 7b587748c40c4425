"""The pointing score: its margin is that of the difference beside it."""

import numpy as np
import pytest

from scegg_core.evaluate.pointing import Pointing, pointing_table

TABLES, MISSED = 200, 0.09  # of the tables 5 %, and what chance adds


def table_of(hit: np.ndarray, mean_hit: np.ndarray, present: np.ndarray | None = None):
    names = [f"a{attribute}" for attribute in range(hit.shape[1])]
    found = Pointing(hit, mean_hit, np.where(np.isnan(hit), np.nan, 0.1), np.zeros(hit.shape))
    return pointing_table(found, names, ["wing"] * len(names), present)


def test_the_margin_is_that_of_the_difference_beside_it():
    """By hand: the first attribute counts half, though all but two images show it alone."""
    hit = np.full((100, 2), np.nan)
    hit[:, 0], hit[:2, 1] = 0, 1
    table = table_of(hit, np.where(np.isnan(hit), np.nan, 0.0))
    assert table["above_mean_map"].tolist() == [50, 0, 100]
    # shares of the difference, 0.5: of two images -0.5 / 200 + 0.5 / 4, of 98 images -0.5 / 200
    variance = 100 / 99 * (2 * (0.125 - 0.0025) ** 2 + 98 * 0.0025**2)
    assert table["margin"].tolist() == [pytest.approx(196 * variance**0.5, abs=0.01), 0, 0]


@pytest.mark.parametrize("more", [0.0, 0.15])  # how much more often attributes hit than the mean map does
def test_margins_hold_the_true_difference_in_nearly_all_tables(more):
    """Attributes of unequal frequency, an image's hits bound together: 19 of 20 intervals hold the truth."""
    draw, missed = np.random.default_rng(0), np.zeros(2)
    for _ in range(TABLES):
        labels = np.repeat(np.arange(40), draw.integers(5, 20, 40))
        shape = (len(labels), 30)
        present = (draw.random((40, 30)) < draw.beta(0.3, 2.7, 30))[labels]
        alike = draw.random((len(labels), 1)) < 0.3
        hit = (draw.random(shape) < np.where(alike, 0.5, 0.1) + more).astype(float)
        mean_hit = (draw.random(shape) < np.where(alike, 0.5, 0.1)).astype(float)
        hidden = draw.random(shape) < 0.2
        hit[hidden] = mean_hit[hidden] = np.nan
        table = table_of(hit, mean_hit, present)
        missed += [abs(table["above_mean_map"][row] - 100 * more) > table["margin"][row] for row in (0, 1)]
    assert (missed < MISSED * TABLES).all()
