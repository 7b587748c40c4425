"""Chromium without a window, by Playwright: what pages are tried and measured in."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 120_000  # milliseconds that a browser and its pages may take for a step on a busy machine


@cache
def lacking() -> str | None:
    """Return why `start_browser` cannot work here, in one sentence; None if it can, which was tried."""
    if CHROMIUM is None:
        return "no Chromium is installed (Debian's package: chromium)"
    if find_spec("playwright") is None:
        return "playwright is not installed (envs/requirements-dev.txt)"
    from playwright.sync_api import Error

    try:
        with start_browser():
            return None
    except Error as error:
        return f"{CHROMIUM} does not start here: {error.message.splitlines()[0]}"


@contextmanager
def start_browser() -> Iterator:
    """Yield a running Chromium, Playwright's `Browser`; see `lacking` first."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as running:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = running.chromium.launch(executable_path=CHROMIUM, args=flags, timeout=PATIENCE)
        yield started
        started.close()


def open_tab(browser, **options):
    """Return a new page of the browser, which is patient."""
    tab = browser.new_page(**options)
    tab.set_default_timeout(PATIENCE)
    return tab
