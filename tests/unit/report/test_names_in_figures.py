"""Names of any script and with any sign in figures: as they are written, in a font that has them, never as formulas."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.t2CharStringPen import T2CharStringPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager, get_data_path
from matplotlib.text import Text
from test_figures import chosen

from scegg_core.evaluate.metrics import trade_off
from scegg_core.report import fonts, style
from scegg_core.report.figures import attention, confusion, curves, tradeoff, tsne

HOSTILE = (
    "a $x$ b",
    "$\\frac{",
    "costs $5$ or $6",
    "\\$",
    "斑马",
    "حمار",
    "a_b^c",
    "_hidden",
    "%d {x}",
    "012.",
    "é" * 60,
    "斑" * 60,
)


def make_font(path, letters: str, outlines: str = "ttf") -> None:
    """Write a font whose `letters` are full squares."""
    codes = {ord(letter): f"g{place}" for place, letter in enumerate(letters)}
    names = [".notdef", *codes.values()]
    builder = FontBuilder(1000, isTTF=outlines == "ttf")
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap(codes)
    pen = TTGlyphPen(None) if outlines == "ttf" else T2CharStringPen(1000, None)
    pen.moveTo((0, 0))
    for corner in ((0, 900), (900, 900), (900, 0)):
        pen.lineTo(corner)
    pen.closePath()
    if outlines == "ttf":
        builder.setupGlyf({name: pen.glyph() for name in names})
    else:
        square = pen.getCharString()
        builder.setupCFF(path.stem, {}, dict.fromkeys(names, square), {})
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": path.stem, "styleName": "Regular", "psName": path.stem})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Make fonts known to matplotlib for one test, beside those that it brings and none of this machine."""
    brought = [font for font in font_manager.fontManager.ttflist if Path(font.fname).is_relative_to(get_data_path())]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", brought)

    def add(name: str, letters: str, outlines: str = "ttf") -> None:
        make_font(tmp_path / f"{name}.{outlines}", letters, outlines)
        font_manager.fontManager.addfont(tmp_path / f"{name}.{outlines}")
        forget()

    def forget() -> None:
        for cached in (fonts.fonts_for, fonts._warn):
            cached.cache_clear()
        font_manager.fontManager._findfont_cached.cache_clear()

    forget()
    yield add
    forget()


def test_an_installed_font_is_found_for_the_letters_that_the_usual_one_lacks(install):
    install("Zebra", "斑马z")
    install("Horse", "\ue000")
    assert fonts.fonts_for(frozenset("zebra")) == (("DejaVu Sans",), "")
    assert fonts.fonts_for(frozenset("z斑")) == (("DejaVu Sans", "Zebra"), "")
    assert fonts.fonts_for(frozenset("斑\ue000鸟")) == (("DejaVu Sans", "Horse", "Zebra"), "鸟")


@pytest.mark.slow
@pytest.mark.parametrize("outlines", ["ttf", "otf"])
def test_names_of_ticks_titles_and_legends_are_drawn_in_that_font(install, tmp_path, capsys, outlines):
    install("Zebra", "斑马", outlines)
    figure = confusion.draw_confusion(np.eye(2, 3) * 100, ["斑马", "zebra"], "斑马")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        style.save(figure, tmp_path / "a.png", tmp_path / "a.pdf", tmp_path / "a.svg")
    labels = [text for text in figure.findobj(Text) if "斑" in text.get_text()]
    assert len(labels) >= 3 and all(text.get_fontfamily() == ["DejaVu Sans", "Zebra"] for text in labels)
    assert capsys.readouterr().err == ""


def test_letters_without_a_font_are_warned_of_once(install, tmp_path, capsys):
    for turn in range(2):
        figure = confusion.draw_confusion(np.eye(2, 3) * 100, ["斑马", "zebra"])
        style.save(figure, tmp_path / f"{turn}.png")
    assert capsys.readouterr().err == (
        "warning: no installed font has 斑马, so figures show boxes in their place; "
        "install one that does, such as Noto Sans of their script.\n"
    )


@pytest.mark.slow
def test_no_name_is_a_formula_or_stops_a_figure(install, tmp_path):
    count = len(HOSTILE)
    points = chosen(classes=8)
    curve = trade_off(np.array([0, 1]), np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([True, False]))
    rows = pd.DataFrame(
        [(0, "1", "L_LCE", epoch, 1.0) for epoch in (1, 2)], columns=["seed", "stage", "term", "epoch", "value"]
    )
    figures = {"curves": curves.draw_curves(rows, HOSTILE[0])}
    figures["confusion"] = confusion.draw_confusion(np.eye(count, count + 1) * 100, HOSTILE, HOSTILE[1])
    figures["trade-off"] = tradeoff.draw_trade_off(
        [tradeoff.VariantCurves(name, (curve,), ((1, 1),)) for name in HOSTILE]
    )
    figures["t-SNE"] = tsne.draw([points], [points.features[:, :2]], HOSTILE)
    maps = attention.top_maps(np.ones((count, 2, 2)), np.arange(count), HOSTILE, count)
    figures["sheet"] = attention.draw_sheet(
        attention.AttentionSheet(HOSTILE[2], np.zeros((9, 9, 3), np.uint8), np.ones((2, 2)), maps)
    )
    for name, figure in figures.items():
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            style.save(figure, tmp_path / f"{name}.svg")
        formulas = {
            text.get_text() for text in figure.findobj(Text) if text.get_parse_math() and "$" in text.get_text()
        }
        assert formulas <= {"stage 1\n$L_{LCE}$ (Eq. 6)", *tsne.HEADINGS.values()}
    legend = [text.get_text() for text in figures["trade-off"].legends[0].get_texts()]
    assert legend == [f"{name}: AUSUC 100.0 %" for name in HOSTILE]
    assert [label.get_text() for label in figures["confusion"].axes[0].get_yticklabels()] == [
        *map(style.shorten, HOSTILE)
    ]


def test_long_names_without_a_blank_are_cut_not_dropped():
    assert style.shorten("012.") == "012."
    assert attention._lines("斑" * 60) == "斑" * 24 + "\n" + "斑" * 23 + "…"
    assert attention._lines("a b") == "a b"
