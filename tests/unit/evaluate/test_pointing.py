"""The pointing score: its margin is that of the difference beside it."""

import numpy as np
import pytest

from scegg_core.evaluate.pointing import Pointing, had_by_classes, pointing_table

TABLES, MISSED = 200, 0.09  # of the tables 5 %, and what chance adds


def table_of(hit: np.ndarray, mean_hit: np.ndarray, present: np.ndarray | None = None):
    names = [f"a{attribute}" for attribute in range(hit.shape[1])]
    found = Pointing(hit, mean_hit, np.where(np.isnan(hit), np.nan, 0.1), np.zeros(hit.shape))
    return pointing_table(found, names, ["wing"] * len(names), present)


@pytest.mark.parametrize("scale", [1, 4, 5, 20, 100], ids=lambda scale: f"0 to {scale}")
def test_a_class_has_an_attribute_from_half_of_the_scale_on(scale):
    shares = np.array([[1, 0.5, 0.45, 0], [0.25, 0, -1, 0.95]], np.float32)
    given = np.where(shares < 0, -1, scale * shares).astype(np.float32)
    assert had_by_classes(given).tolist() == [[True, True, False, False], [False, False, False, True]]


def test_the_margin_is_that_of_the_difference_beside_it():
    """By hand: the second attribute counts half, though only four of 100 images show it."""
    hit = np.full((100, 2), np.nan)
    hit[:, 0], hit[:4, 1] = np.tile([1, 0], 50), [1, 1, 1, 0]
    table = table_of(hit, np.where(np.isnan(hit), np.nan, 0.0))
    assert table["above_mean_map"].tolist() == [62.5, 50, 75]
    # shares of the means 0.5 and 0.75, their squares by 100 / 99 and by 4 / 3 larger, as in any variance
    one, other = 0.5 / 200 * (100 / 99) ** 0.5, 0.25 / 8 * (4 / 3) ** 0.5
    both = sum(share**2 for share in (other + one, other - one, other + one, -3 * other - one)) + 96 * one**2
    alone = (100 * (2 * one) ** 2, 12 * (2 * other) ** 2)
    assert table["margin"].tolist() == [pytest.approx(196 * variance**0.5, abs=0.01) for variance in (both, *alone)]


@pytest.mark.parametrize("more", [0.0, 0.15, np.linspace(0, 0.3, 30)], ids=["none", "alike", "unlike"])
def test_margins_hold_the_true_difference_in_nearly_all_tables(more):
    """Attributes of unequal frequency, an image's hits bound together, `more` of them than the mean map's: 19 of 20
    intervals hold the truth, neither fewer nor all."""
    draw, missed = np.random.default_rng(0), 0
    for _ in range(TABLES):
        labels = np.repeat(np.arange(40), draw.integers(5, 20, 40))
        shape = (len(labels), 30)
        present = (draw.random((40, 30)) < draw.beta(0.3, 2.7, 30))[labels]
        alike = draw.random((len(labels), 1)) < 0.3
        hit = (draw.random(shape) < np.where(alike, 0.5, 0.1) + more).astype(float)
        mean_hit = (draw.random(shape) < np.where(alike, 0.5, 0.1)).astype(float)
        hidden = draw.random(shape) < np.linspace(0, 0.9, 30)
        hit[hidden] = mean_hit[hidden] = np.nan
        table = table_of(hit, mean_hit, present)
        truth = [100 * np.broadcast_to(more, 30)[seen.any(axis=0)].mean() for seen in (~hidden, ~hidden & present)]
        missed += np.array([abs(table["above_mean_map"][row] - truth[row]) > table["margin"][row] for row in (0, 1)])
    assert (missed > 0.01 * TABLES).all() and (missed < MISSED * TABLES).all()
