"""What all tests share."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

# Else each of hundreds of jobs compiles all that it imports.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with real photographs, weights and metadata; tests that need it skip where it is not."""
    folder = os.environ.get("SCEGG_REAL_DATA")
    if not folder:
        pytest.skip("SCEGG_REAL_DATA is not set: no real photographs here")
    return Path(folder)
