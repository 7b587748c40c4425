"""Predictions as one file of HTML, which looks as the page of a data set and asks for nothing else either."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from scegg_core.artifacts.files import write_text
from scegg_core.data.images import open_rgb
from scegg_core.data.names import printable
from scegg_core.errors import InputError
from scegg_core.report.page.gather import LONGEST_NAME, shown_sheets
from scegg_core.report.page.model import ClassNames, ShownSheet
from scegg_core.report.page.pictures import MOST, encode
from scegg_core.report.page.render import STYLE, fill, script
from scegg_core.report.style import short_names
from scegg_core.training.progress import bar
from scegg_core.using.page.model import AnswersPage, ShownAnswer
from scegg_core.using.places import require_own_output
from scegg_core.using.predict import Answers
from scegg_core.using.sheets import attention_sheet

HERE = Path(__file__).parent

#: How a page of predictions begins, and no other file.
MARK = "<!doctype html>\n<!-- predictions of scegg_core -->"

SIDE = 160  # most pixels of a thumbnail's width and height


def write_page(
    answers: Answers,
    images: Mapping[str, Path],
    path: str | Path,
    top: int = 5,
    attributes: int = 5,
    attention: int = 0,
) -> None:
    """Write a page of the answers as `path` (.html), whole or not at all; `images` are the files by their names, as in
    `find_pictures(…).files`.

    It shows the first MOST pictures with `top` classes and `attributes`, and the attention of the first `attention` ones.
    Raises InputError for a path that is not an earlier page's and not free, for a picture that is gone, and with
    `attention` for a model without SCEN.
    """
    path = require_page_file(path, images.values())
    write_text(path, render(answers_page(answers, images, top, attributes, attention)))


def require_page_file(path: str | Path, inputs: Iterable[Path] = ()) -> Path:
    """Return `path`, refused unless it ends in .html and may be written (`require_output`): what is there may be an
    earlier page of predictions, but no other file."""
    if Path(path).suffix != ".html":
        raise InputError(f"{printable(path)} is no name for a page; it has to end in .html.")
    return require_own_output(path, MARK.encode(), "an earlier page of predictions", inputs)


def render(page: AnswersPage) -> str:
    """Return the page as HTML; equal pages give equal text."""
    shown = {"title": page.title, "classes": page.classes, "answers": page.answers, "left_out": page.left_out}
    scripts = [script("basics"), script("attention"), HERE / "answers.js"]
    return fill(HERE / "answers.html", page, shown, [STYLE, HERE / "answers.css"], scripts)


def answers_page(
    answers: Answers, images: Mapping[str, Path], top: int = 5, attributes: int = 5, attention: int = 0
) -> AnswersPage:
    """Return what the page shows of the first MOST answers."""
    classes, names = answers.model.classes, answers.paths[:MOST]
    first, chances = answers.first(top)
    reasons = answers.reasons(attributes)
    sheets = _sheets(answers, images, min(attention, len(names)))
    sheets += [None] * (len(names) - len(sheets))
    shown = []
    with bar(len(names), "page", unit="image", delay=2) as progress:
        for row, (name, sheet) in enumerate(zip(names, sheets, strict=True)):
            thumbnail = encode(open_rgb(images[name]), SIDE)
            shown.append(ShownAnswer(printable(name), thumbnail, first[row], chances[row], reasons[row], sheet))
            progress.update()
    return AnswersPage(
        title=answers.model.name,
        facts=_facts(answers),
        classes=ClassNames(classes.names, short_names(classes.names, LONGEST_NAME), classes.seen),
        answers=tuple(shown),
        left_out=tuple((printable(name), printable(problem)) for name, problem in answers.problems.items()),
        not_shown=len(answers.paths) - len(names),
    )


def _sheets(answers: Answers, images: Mapping[str, Path], count: int) -> list[ShownSheet | None]:
    if not count:
        return []
    with bar(count, "attention", unit="image", delay=2) as progress:
        sheets = []
        for row, name in enumerate(answers.paths[:count]):
            sheets += shown_sheets([attention_sheet(answers, row, images[name])])
            progress.update()
    return sheets


def _facts(answers: Answers) -> tuple[tuple[str, str], ...]:
    model, seen = answers.model, int(answers.model.classes.seen[answers.classes].sum())
    return (
        ("run", model.name),
        ("classes", f"{seen} seen and {len(answers.classes) - seen} unseen compete"),
        ("backbone", f"{model.images.network}, images of {model.images.image_size} pixels"),
        ("pictures", f"{len(answers.paths)} answered, {len(answers.problems)} left out"),
    )
