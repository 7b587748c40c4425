"""Pages in a real browser: what they ask for, complain of, and whether they fit."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.browser import lacking, open_tab, start_browser


def browser_or_skip() -> Iterator:
    """Yield Chromium; the test is skipped where it does not start."""
    if reason := lacking():
        pytest.skip(reason)
    with start_browser() as started:
        yield started


def open_page(browser, file: Path):
    """Return the page at `file`, open, with what it asked for and complained of."""
    tab = open_tab(browser, viewport={"width": 1366, "height": 900})
    tab.requests, tab.complaints = [], []
    tab.on("request", lambda request: tab.requests.append(request.url))
    tab.on("console", lambda message: tab.complaints.append(message.text))
    tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
    tab.goto(file.as_uri())
    return tab


def assert_quiet(page) -> None:
    """The page asked for its own file and nothing else, and complained of nothing."""
    assert [url for url in page.requests if not url.startswith(("data:", "file:"))] == []
    assert len([url for url in page.requests if url.startswith("file:")]) == 1
    assert page.complaints == []


def assert_fits(page) -> None:
    """Nothing is wider than the window, light and dark, on a telephone, a tablet and a screen."""
    page.evaluate("document.querySelectorAll('section').forEach((one) => (one.style.contentVisibility = 'visible'))")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        for width in (360, 768, 1366):
            page.set_viewport_size({"width": width, "height": 900})
            # charts are drawn anew in the frames after; one that stays too wide ends in a TimeoutError
            page.wait_for_function("(width) => document.documentElement.scrollWidth <= width", arg=width)
