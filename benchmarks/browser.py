"""Chromium without a window, by Playwright: what pages are tried and measured in."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def lacking() -> str | None:
    """Return what is not installed for `start_browser`, in one sentence; None if all is there."""
    if CHROMIUM is None:
        return "no Chromium is installed (Debian's package: chromium)"
    if find_spec("playwright") is None:
        return "playwright is not installed (envs/requirements-dev.txt)"
    return None


@contextmanager
def start_browser() -> Iterator:
    """Yield a running Chromium, Playwright's `Browser`; see `lacking` first."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = running.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield started
        started.close()
