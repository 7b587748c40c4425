"""What all tests share."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

#: Seconds in which what a test waits for happens on any machine, however busy; where all is well, far fewer pass.
PATIENCE = 120.0

# Else each of hundreds of jobs compiles all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# What somebody has set for other work changes no test: profiles, proxies, settings of git, repositories of hooks or others.
for name in [name for name in os.environ if name.startswith("GIT_") or name == "SNAKEMAKE_PROFILE"]:
    del os.environ[name]
os.environ |= dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1")
os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
os.environ |= {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}


def comes_true(condition: Callable[[], bool], seconds: float = PATIENCE, pause: float = 0.02) -> bool:
    """Wait until `condition` holds, looking after each pause; return whether it did in time."""
    end = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < end:
        time.sleep(pause)
    return holds


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real photographs, weights and metadata; tests that need it skip where it is not."""
    folder = os.environ.get("SCEGG_REAL_DATA")
    if not folder:
        pytest.skip("SCEGG_REAL_DATA is not set: no real photographs here")
    return Path(folder)
