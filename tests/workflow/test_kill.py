"""Runs killed at random moments end with the bytes of an undisturbed one. More kills: tests/reliability/kill.py."""

import pytest

from tests.reliability.kill import contents, torture

pytestmark = pytest.mark.slow


def test_killed_runs_end_like_undisturbed_ones(undisturbed, tmp_path):
    tally = torture(tmp_path.resolve(), contents(undisturbed.folder), kills=3, seed=19, longest=16)
    assert tally.kills == 3
    assert tally.finished >= 1
