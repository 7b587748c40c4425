"""How attribute names become words, and which part they are bound to."""

import os
from pathlib import Path

import numpy as np
import pytest

from scegg_core.data.attribute_names import read_names, to_words
from scegg_core.data.formats.cub import part_of
from scegg_core.errors import InputError


@pytest.mark.parametrize(
    ("rule", "name", "words"),
    [
        ("cub", "has_bill_shape::curved_(up_or_down)", "bill shape curved"),
        ("cub", "has_bill_shape::all-purpose", "bill shape all purpose"),
        ("cub", "has_bill_shape::spatulate", "bill shape broad"),
        ("cub", "has_upperparts_color::grey", "upper parts color gray"),
        ("cub", "has_size::large_(16_-_32_in)", "size large"),
        ("awa2", "meatteeth", "meat teeth"),
        ("awa2", "newworld", "new world"),
        ("awa2", "quadrapedal", "quadrupedal"),
        ("awa2", "buckteeth", "buckteeth"),
        ("sun", "sailing/ boating", "sailing boating"),
        ("sun", "rock/stone", "rock stone"),
        ("sun", "wood (not part of a tree)", "wood"),
        ("sun", "far-away horizon", "faraway horizon"),
        ("sun", "man-made", "man made"),
        ("sun", "semi-enclosed area", "semi enclosed area"),
        ("plain", "Long_tail (in mm)", "long tail"),
        ("plain", "Größe/klein", "größe klein"),
    ],
)
def test_words_of_a_name(rule, name, words):
    assert to_words((name,), rule) == (words,)


def test_a_name_that_leaves_no_word_is_refused():
    with pytest.raises(InputError, match=r"^attribute name '\(\?\)' leaves no word by the rule names: plain; rename"):
        to_words(("(?)",), "plain")


def test_names_are_read_with_and_without_numbers(tmp_path):
    file = tmp_path / "names.txt"
    for text in (
        "1 sailing/ boating\n\n2\tdriving\n",
        "sailing/ boating\ndriving\n",
        "0 sailing/ boating\n01, driving\n",
    ):
        file.write_text(text)
        assert read_names(file) == ("sailing/ boating", "driving")


@pytest.mark.parametrize("sign", [" ", ". ", ": ", ") ", ".", ":", ";", "|", "_", "-", " - ", "\t", ", ", "\xa0"])
def test_whatever_parts_numbers_that_count_from_names_goes_with_them(tmp_path, sign):
    file, names = tmp_path / "names.txt", ("red", "(long) tail", "big wing")
    for first in (0, 1):
        for width in (1, 3):
            lines = (f"{number:0{width}}{sign}{name}" for number, name in enumerate(names, start=first))
            file.write_text("\n".join(lines), encoding="utf-8")
            assert read_names(file) == names


@pytest.mark.parametrize(
    "names",
    [("2-tone", "red"), ("red", "2_tone"), ("3.5 mm", "red"), ("50% white", "red"), ("0.5 mm", "1.5 mm"), ("1", "2"), ("1st", "2nd")],
)  # fmt: skip
def test_numbers_of_names_stay(tmp_path, names):
    file = tmp_path / "names.txt"
    file.write_text("\n".join(names))
    assert read_names(file) == names
    file.write_text("\n".join(f"{number}. {name}" for number, name in enumerate(names)))
    assert read_names(file) == names


@pytest.mark.parametrize(
    ("text", "name", "number", "wanted"),
    [
        ("1. red\n3. black\n", "3. black", "3", "2"),
        ("001_red\n003_black\n", "003_black", "003", "2"),
        ("1: red\nblack\n", "black", "none", "2"),
        ("00 red\n2 black\n", "2 black", "2", "1"),
        ("4 legs\n2 wings\n", "4 legs", "4", "1"),
        ("1 a\nold world\n", "old world", "none", "2"),
        ("a\n2 wings\n", "a", "none", "1"),
        ("2 b\n1 a\n", "2 b", "2", "1"),
    ],
)
def test_numbers_that_do_not_count_the_lines_are_refused(tmp_path, text, name, number, wanted):
    file = tmp_path / "names.txt"
    file.write_text(text)
    with pytest.raises(InputError) as error:
        read_names(file)
    assert str(error.value) == (
        f"{file} numbers attribute {name!r} {number}, where {wanted} is due; "
        "number all lines in their order, or none (a name may begin with a number in words)."
    )


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("has_bill_color::red", "beak"),
        ("has_under_tail_color::red", "tail"),
        ("has_head_pattern::capped", "crown"),
        ("has_primary_color::red", ""),
        ("has_shape::owl-like", ""),
        ("has_size::small_(5_-_9_in)", ""),
    ],
)
def test_part_of_a_cub_attribute(name, part):
    assert part_of(name) == part


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("\ufefffour legs", "four legs"),
        ("four\u200b legs", "four legs"),
        ("four\u200blegs", "four legs"),
        ("spot\u00adted", "spotted"),
        ("\u200flong neck\u2069", "long neck"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
    ],
    ids=["byte order", "before a blank", "between words", "soft hyphen", "direction", "a joiner of Persian"],
)
def test_words_have_no_signs_that_nobody_sees(name, words):
    assert to_words((name,), "plain") == (words,)


REAL = os.environ.get("SCEGG_REAL_DATA")


@pytest.mark.skipif(not REAL, reason="SCEGG_REAL_DATA is not set")
@pytest.mark.parametrize(
    ("rule", "names"), [("cub", "CUB_attributes.txt"), ("awa2", "AWA2_predicates.txt"), ("sun", "SUN_attributes.txt")]
)
def test_rules_agree_with_published_vectors(rule, names):
    """The published vectors are sums over words: with the right words, one vector per word explains all of them."""
    folder = Path(REAL) / "word_vectors"
    words = to_words(read_names(folder / names), rule)
    published = np.load(folder / f"{rule.upper()}_attribute_word2vec.npy").astype(np.float64)
    vocabulary = sorted({word for name in words for word in name.split()})
    counts = np.array([[name.split().count(word) for word in vocabulary] for name in words], dtype=float)
    solution = np.linalg.lstsq(counts, published)[0]
    assert np.abs(counts @ solution - published).max() < 1e-5
