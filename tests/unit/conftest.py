"""What all unit tests share."""

from pathlib import Path

import pytest
import torch
from browser_case import browser_or_skip


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    """Tensors here are tiny: on a busy machine a second thread costs far more time than it saves."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def next_tick(tmp_path_factory):
    """Wait until a change of a file gets another time than its last one: the clock of some kernels moves each 10 ms."""
    probe = tmp_path_factory.mktemp("tick") / "probe"

    def wait(file: Path) -> None:
        probe.touch()
        while probe.stat().st_ctime_ns <= file.stat().st_ctime_ns:
            probe.touch()

    return wait


@pytest.fixture(scope="module")
def browser():
    """Chromium; of a module, since other tests may not run within its loop of events."""
    yield from browser_or_skip()


def pytest_collection_modifyitems(items):
    """What opens a browser or reads real photographs is slow."""
    for item in items:
        if {"browser", "real_data"} & set(item.fixturenames):
            item.add_marker(pytest.mark.slow)
