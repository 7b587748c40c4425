"""Measures the page of a data set: its size, how long it takes to build and to open, and what a moved slider waits.

    python -m benchmarks.page                         # the sizes of SUN and CUB, 2,000 pictures each
    python -m benchmarks.page --keep pages            # and keeps the pages in a folder, to look at
    python -m benchmarks.page --page docs/benchmarks.md

Results of a data set are made up (`page_files.py`); the page is built from their files by the workflow's own functions, opened
from the disk in Chromium, and its sliders are moved. Nothing is measured where Chromium or Playwright is not installed.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.browser import lacking, open_tab, start_browser
from benchmarks.measure import Spread, describe_machine, timed
from benchmarks.page_files import MadeUp, make_files
from benchmarks.report import fault_of_page, put_into, table
from benchmarks.shapes import PAPER, QUICK, Shape
from benchmarks.stream import Taken, measured
from scegg_core.artifacts.files import write_text
from scegg_core.artifacts.provenance import package_versions
from scegg_core.report.page.build import build_page
from scegg_core.report.page.pictures import MOST
from scegg_core.report.page.render import render
from scegg_core.using.options import count

SHAPES = tuple(next(shape for shape in PAPER if shape.name == name) for name in ("SUN", "CUB"))
MARKS = "<!-- the page: made by python -m benchmarks.page -->", "<!-- end of the page -->"
WINDOW = {"width": 1366, "height": 900}
MOVES = 40

#: Charts are drawn, and the frame with them has been painted.
DRAWN = "document.body.classList.contains('drawn')"

#: Moves sliders of the open groups, each some while after the last move was answered; returns the milliseconds from each move
#: until the frame after the answer's begins, which is when the answer has been painted.
MOVE = """async (moves) => {
  const frame = () => new Promise(requestAnimationFrame), wait = (time) => new Promise((wake) => setTimeout(wake, time));
  [...document.querySelectorAll("#describe-sliders details")].slice(0, 2).forEach((group) => (group.open = true));
  document.getElementById("describe").scrollIntoView();
  await wait(500);
  const sliders = document.querySelectorAll("#describe-sliders details[open] input"), taken = [];
  for (let move = 0; move < moves; move++) {
    await wait(100 + ((7 * move) % 16)); // at any moment between two frames
    const slider = sliders[move % sliders.length], start = performance.now();
    slider.value = slider.value > 0.5 ? 0 : 1;
    slider.dispatchEvent(new Event("input"));
    await frame(), await frame();
    taken.push(performance.now() - start);
  }
  return taken;
}"""


@dataclass(frozen=True)
class Measured:
    """What the page of one size took, round by round."""

    shape: Shape
    megabytes: float
    built: list[Taken]
    opened: list[float]  # seconds
    moved: list[float]  # milliseconds of all moves


def main(arguments: list[str] | None = None) -> None:
    """Measure the page at the sizes that the command line asks for, and print a table."""
    given = _parse(arguments)
    if reason := lacking():
        sys.exit(f"the page is measured in a browser, but {reason}")
    about, shapes = describe_machine(), QUICK if given.quick else SHAPES
    with tempfile.TemporaryDirectory() as folder:
        found = [measure(shape, given.rounds, given.keep or Path(folder)) for shape in shapes]
    text = "\n".join(f"- {line}" for line in about) + f"\n\n{_table(found)}\n"
    print(text)
    if given.page:
        put_into(given.page, text, MARKS)


def _parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.page", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--quick", action="store_true", help="a tiny size: tries the code, measures nothing of interest"
    )
    parser.add_argument("--rounds", type=count(), default=3, help="how often each page is built, and opened")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the pages in this folder")
    parser.add_argument("--page", type=Path, help="markdown page to put the results into, between its marks")
    given = parser.parse_args(arguments)
    if given.page and (fault := fault_of_page(given.page, MARKS)):
        parser.error(f"--page {given.page} {fault}")
    return given


def measure(shape: Shape, rounds: int, folder: Path) -> Measured:
    """Return what the page of a data set of `shape`'s size takes; it is left in `folder`."""
    page = folder / f"{shape.name}.html"
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        results = make_files(shape, Path(made))
        built = [measured(lambda: _build(results, page)) for _ in range(rounds)]
    with start_browser() as browser:
        tried = [_try(browser, page) for _ in range(rounds)]
    opened, moved = zip(*tried, strict=True)
    return Measured(
        shape, page.stat().st_size / 1e6, built, list(opened), [taken for moves in moved for taken in moves]
    )


def _build(results: MadeUp, page: Path) -> None:
    write_text(page, render(build_page(results.files, results.settings, package_versions())))


def _try(browser, page: Path) -> tuple[float, list[float]]:
    """Return the seconds until the page is open and drawn, and the milliseconds that moved sliders waited."""
    tab = open_tab(browser, viewport=WINDOW)
    seconds = timed(lambda: (tab.goto(page.resolve().as_uri()), tab.wait_for_function(DRAWN)))
    moved = tab.evaluate(MOVE, MOVES)
    tab.close()
    return seconds, moved


def _table(found: list[Measured]) -> str:
    head = [
        "size of",
        "pictures × attributes × classes",
        "MB",
        "built, s",
        "of it processor, s",
        "opened, s",
        "slider, ms",
    ]
    return table([*head, "90 %, worst"], [_row(page) for page in found])


def _row(page: Measured) -> list[str]:
    shape = page.shape
    return [
        shape.name,
        f"{min(shape.test_images, MOST):,} × {shape.attributes} × {shape.classes}",
        f"{page.megabytes:.1f}",
        Spread.of([taken.seconds for taken in page.built]).show(1),
        Spread.of([taken.processor for taken in page.built]).show(1),
        Spread.of(page.opened).show(),
        f"{np.median(page.moved):.0f}",
        f"{np.quantile(page.moved, 0.9):.0f}, {max(page.moved):.0f}",
    ]


if __name__ == "__main__":
    main()
