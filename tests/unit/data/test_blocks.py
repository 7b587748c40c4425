"""Walks by class and by block: every image once, in order, and no block above its limit."""

import numpy as np
import pytest

from scegg_core.data import blocks as walks
from scegg_core.data.tables import SAME, _first_equal_rows


def test_by_class_gives_each_class_its_images_in_order():
    labels = np.array([3, 0, 3, 5, 0, 3], np.int32)
    found = [(label, images.tolist()) for label, images in walks.by_class(labels)]
    assert found == [(0, [1, 4]), (3, [0, 2, 5]), (5, [3])]
    assert list(walks.by_class(labels[:0])) == []


@pytest.mark.parametrize(("rows", "columns", "sizes"), [(10, 3, [4, 4, 2]), (2, 100, [1, 1]), (4, 3, [4]), (0, 3, [])])
def test_blocks_cover_all_rows_once(monkeypatch, rows, columns, sizes):
    monkeypatch.setattr(walks, "NUMBERS", 12)
    found = list(walks.blocks(rows, columns))
    assert [part.stop - part.start for part in found] == sizes
    assert np.concatenate([np.arange(rows)[part] for part in found] or [[]]).tolist() == list(range(rows))


def pairs_one_by_one(rows: np.ndarray) -> set[tuple[int, int]]:
    """All pairs of rows that are the same but for the last digits, each pair compared."""
    lengths = np.linalg.norm(rows, axis=1)
    places = [(i, j) for j in range(len(rows)) for i in range(j)]
    return {(i, j) for i, j in places if np.linalg.norm(rows[i] - rows[j]) <= SAME * max(lengths[i], lengths[j])}


@pytest.mark.parametrize("seed", range(20))
def test_rows_that_are_the_same_are_found_among_rows_that_nearly_are(seed):
    """Lengths from 0.01 to 100, copies that differ by a half or by thrice what counts as the same."""
    draw = np.random.default_rng(seed)
    rows = draw.normal(size=(40, 3)) * 10 ** draw.uniform(-2, 2, (40, 1))
    for copy, original in draw.permutation(40)[:6].reshape(3, 2):
        aside = draw.normal(size=3)
        by = draw.choice([0, 0.5, 3, 30]) * SAME * np.linalg.norm(rows[original])
        rows[copy] = rows[original] + by * aside / np.linalg.norm(aside)
    expected, found = pairs_one_by_one(rows), _first_equal_rows(rows)
    assert found in expected if expected else found is None


def test_of_many_equal_rows_the_first_two_are_named():
    rows = np.vstack([np.eye(4), np.ones((50, 4))])
    assert _first_equal_rows(rows) == (4, 5)
    assert _first_equal_rows(rows[:5]) is None
