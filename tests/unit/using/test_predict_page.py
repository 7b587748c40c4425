"""The page of predictions: what is in it, and in a real browser what is shown, chosen and opened."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from browser_case import assert_fits, assert_quiet, open_page
from PIL import Image

from scegg_core.data import blocks
from scegg_core.errors import InputError
from scegg_core.report.page.model import ShownMap, ShownSheet
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.using.model import ClassList, Model
from scegg_core.using.page.build import MARK, answers_page, render, require_page_file, write_page
from scegg_core.using.page.model import AnswersPage
from scegg_core.using.predict import Answers
from scegg_core.using.sheets import attention_sheet, write_sheets

NAMES = ("001.Blue_Bird", "Red <b>bird</b>", "Moon Bird")
PROBLEM = "in/x.heic is a HEIC picture, which cannot be read here; save it as JPEG or PNG."


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """60 pictures by name."""
    folder = tmp_path_factory.mktemp("pictures")
    files = {f"{number:02d}.png": folder / f"{number:02d}.png" for number in range(60)}
    for number, file in enumerate(files.values()):
        Image.new("RGB", (40, 30), (4 * number, 90, 120)).save(file)
    return files


def made_answers(images) -> Answers:
    """The first picture is taken for the unseen class, the others for the first; attributes speak as Eq. 3 has it."""
    classes = ClassList(
        NAMES, np.array([True, True, False]), np.array([[100, 0, 0], [0, 100, 0], [60, 0, 80]], np.float32)
    )
    model = Model(
        *("birds/sc-egg/seed0", None, BackboneSettings(), None, None, None, {}, classes),
        attributes=("has_wing_color::blue", "furry", "size"),
        device=torch.device("cpu"),
    )
    scores = np.tile(np.log([0.5, 0.3, 0.2]).astype(np.float32), (len(images), 1))
    scores[0] = np.log([0.2, 0.1, 0.7])
    semantics = np.tile(np.array([2, 1, 1], np.float32), (len(images), 1))
    return Answers(model, tuple(images), scores, np.arange(3), semantics, {"in/x.heic": PROBLEM})


def with_attention(page: AnswersPage) -> AnswersPage:
    sheet = ShownSheet("Moon Bird", None, 1.5, (ShownMap("wing color: blue", 0.5, np.eye(4)),))
    return replace(page, answers=(replace(page.answers[0], sheet=sheet), *page.answers[1:]))


def test_the_first_classes_of_blocks_of_images_are_those_of_all(images, monkeypatch):
    scores = (
        np.random.default_rng(0).integers(0, 3, (60, 3)).astype(np.float32)
    )  # of equal ones the earlier comes first
    answers = replace(made_answers(images), scores=scores)
    order, chances = answers.first(2)
    assert order.tolist() == [sorted(range(3), key=lambda one: (-row[one], one))[:2] for row in scores.tolist()]
    np.testing.assert_allclose(chances, np.take_along_axis(answers.probabilities, order, axis=1), rtol=1e-6)
    monkeypatch.setattr(blocks, "NUMBERS", 21)
    for part, whole in zip(answers.first(2), (order, chances), strict=True):
        np.testing.assert_array_equal(part, whole)


@pytest.fixture(scope="module")
def page(images, tmp_path_factory, browser):
    file = tmp_path_factory.mktemp("page") / "out.html"
    file.write_text(render(with_attention(answers_page(made_answers(images), images, top=2))), encoding="utf-8")
    return open_page(browser, file)


def test_the_page_holds_classes_chances_reasons_and_what_was_left_out(images):
    page = answers_page(made_answers(images), images, top=2, attributes=1)
    first = page.answers[0]
    assert first.classes.tolist() == [2, 0]
    assert first.chances == pytest.approx([0.7, 0.2], abs=1e-6)
    # a of the class less the mean: 0.6 - 1.6/3, 0 - 1/3, 0.8 - 0.8/3, times e_l = 2, 1, 1
    assert first.reasons == (("size", pytest.approx((1.6 / 3) / (1.6 / 3 + 0.4 / 3), abs=1e-5)),)
    assert page.left_out == (("in/x.heic", PROBLEM),)
    assert dict(page.facts)["pictures"] == "60 answered, 1 left out"
    assert (page.classes.names[0], page.classes.shown[0]) == ("001.Blue_Bird", "Blue Bird")


def test_attention_of_a_model_without_scen_is_refused_wherever_it_is_asked_for(images, tmp_path):
    answers, first = made_answers(images), next(iter(images.values()))
    for ask in (
        lambda: attention_sheet(answers, 0, first),
        lambda: write_page(answers, images, tmp_path / "a.html", attention=1),
        lambda: write_sheets(answers, images, tmp_path / "sheets"),
    ):
        with pytest.raises(
            InputError, match=r"birds/sc-egg/seed0 has no SCEN, so there is no attention to show; leave"
        ):
            ask()
    assert not list(tmp_path.iterdir())


def test_pictures_that_are_too_many_are_counted(images, monkeypatch):
    monkeypatch.setattr("scegg_core.using.page.build.MOST", 5)
    page = answers_page(made_answers(images), images)
    assert (len(page.answers), page.not_shown) == (5, 55)
    assert "shows the first 5 pictures; 55 more" in render(page)


def test_equal_pages_are_equal_files_and_replace_each_other_alone(images, tmp_path):
    answers, path = made_answers(images), tmp_path / "out.html"
    write_page(answers, images, path)
    first = path.read_bytes()
    write_page(answers, images, path)
    assert path.read_bytes() == first
    assert first.startswith(MARK.encode())
    (tmp_path / "mine.html").write_text("<!doctype html>\n<html lang='en'>a page of my own")
    with pytest.raises(InputError, match=r"mine\.html holds something else than an earlier page of predictions"):
        write_page(answers, images, tmp_path / "mine.html")
    with pytest.raises(InputError, match=r"out\.htm is no name for a page; it has to end in \.html\."):
        require_page_file("out.htm")


def test_it_opens_without_a_request_or_a_complaint(page):
    assert_quiet(page)
    assert page.locator("#answers-list img").first.get_attribute("alt") == "picture 00.png, taken for Moon Bird"
    assert page.locator("#left-out li").all_text_contents() == [PROBLEM]


def test_cards_say_classes_and_attributes(page):
    said = page.locator("#answers-list > li").first.inner_text()
    assert "Moon Bird (unseen)" in said and "70.0 %" in said and "size" in said
    assert page.locator("#answers-list > li").nth(1).locator("b").count() == 0  # a name that looks like a tag is text


def test_more_pictures_come_on_request(page):
    assert page.locator("#answers-list > li").count() == 48
    page.locator("#answers-more").click()
    assert page.locator("#answers-list > li").count() == 60
    assert page.locator("#answers-more").is_hidden()


def test_pictures_are_chosen_by_class_and_by_name(page):
    page.get_by_label("first class").select_option("Moon Bird (unseen): 1")
    assert page.locator("#answers-count").inner_text() == "1 of 1 pictures"
    page.get_by_label("first class").select_option(index=0)
    page.get_by_label("search names").fill("07")
    assert page.locator("#answers-list h3").all_inner_texts() == ["07.png"]
    page.get_by_label("search names").fill("")
    page.get_by_label("order").select_option("surest first")
    assert page.locator("#answers-list h3").first.inner_text() == "00.png"
    page.get_by_label("order").select_option("by name")


def test_attention_opens_and_closes(page):
    button = page.get_by_role("button", name="attention")
    button.focus()
    page.keyboard.press("Enter")
    assert page.get_by_label("wing color: blue on Moon Bird: score 0.50, peak 4.0× even").is_visible()
    assert button.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Enter")
    assert page.locator("#answers-list .maps").count() == 0


def test_the_table_is_saved_with_what_was_left_out(page):
    with page.expect_download() as saved:
        page.locator("#answers-tools button.save").click()
    rows = saved.value.path().read_text(encoding="utf-8").splitlines()
    assert len(rows) == 62
    assert rows[0] == "image,class_1,probability_1,seen_1,class_2,probability_2,seen_2,attributes,problem"
    assert rows[1].startswith("00.png,Moon Bird,0.7,false,001.Blue_Bird,0.2,true,size (")
    assert rows[-1] == f'in/x.heic,,,,,,,,"{PROBLEM}"'


def test_nothing_is_wider_than_the_window(page):
    assert_fits(page)
