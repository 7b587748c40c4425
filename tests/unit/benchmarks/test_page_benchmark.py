"""The benchmark of the page: it measures at a tiny size, and says in one sentence where there is no browser."""

import re
import sys
from importlib.util import find_spec

import pytest

from benchmarks import browser, page
from benchmarks.page_files import make_files
from benchmarks.shapes import QUICK
from scegg_core.report.page.build import build_page


@pytest.mark.slow
def test_a_page_is_measured(tmp_path, monkeypatch, capsys):
    if reason := browser.lacking():
        pytest.skip(reason)
    monkeypatch.setattr(page, "MOVES", 3)
    put = tmp_path / "docs.md"
    put.write_text("before\n{}\nold\n{}\nafter\n".format(*page.MARKS), encoding="utf-8")
    page.main(["--quick", "--rounds", "2", "--keep", str(tmp_path), "--page", str(put)])
    *_, row = capsys.readouterr().out.strip().splitlines()
    assert row in put.read_text(encoding="utf-8")
    name, size, megabytes, *figures = (cell.strip() for cell in row.strip("|").split("|"))
    assert (name, size) == ("tiny", "40 × 12 × 6")
    text = (tmp_path / "tiny.html").read_text(encoding="utf-8")
    assert float(megabytes) == pytest.approx(len(text.encode()) / 1e6, abs=0.06)
    assert len(figures) == 5
    assert all(float(re.match(r"[\d.]+", figure)[0]) >= 0 for figure in figures)


def test_the_made_up_page_has_all_sections_and_its_size(tmp_path):
    shape = QUICK[0]
    made = make_files(shape, tmp_path)
    built = build_page(made.files, made.settings, {})
    assert all((built.trade_offs, built.spaces, built.sheets, built.confusions, built.per_class.rows, built.training))
    assert built.facts.remarks == ("made up, tiny's size is a generated data set: a demonstration, no benchmark.",)
    assert built.description.semantics.shape == (shape.test_images, shape.attributes)
    assert built.description.strengths.shape == (shape.classes, shape.attributes)
    assert all(built.pictures.thumbnails)


@pytest.mark.slow
@pytest.mark.skipif(find_spec("playwright") is None, reason="playwright is not installed")
def test_a_browser_that_does_not_start_is_lacking(monkeypatch):
    monkeypatch.setattr(browser, "CHROMIUM", sys.executable)
    assert browser.lacking.__wrapped__().startswith(f"{sys.executable} does not start here: ")


def test_without_a_browser_one_sentence_says_so(monkeypatch):
    monkeypatch.setattr(page, "lacking", lambda: "no Chromium is installed")
    with pytest.raises(SystemExit, match="^the page is measured in a browser, but no Chromium is installed$"):
        page.main(["--quick"])
