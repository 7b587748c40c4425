"""The options of the commands predict, add-classes, explain, export and draw-species, and what their values may be."""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from scegg_core.data.names import printable

MOST_BATCH = 65_536
MOST_SHOWN = 200  # bars of a chart
MOST = 10**9

Run = Callable[[argparse.Namespace], int]


class Parser(argparse.ArgumentParser):
    """An argument parser that says in one sentence what is wrong, and refuses an option given twice."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.register("action", None, _Once)

    def error(self, message: str) -> NoReturn:
        """End the process with the sentence and exit code 2."""
        self.exit(2, f"{self.prog.split()[-1]}: {printable(message.rstrip('.'))}; --help shows what there is.\n")


class _Once(argparse.Action):
    """Stores a value, once."""

    def __call__(self, parser, namespace, values, option_string=None):
        given = namespace.__dict__.setdefault("given", set())
        if self.dest in given:
            parser.error(f"{option_string} is given twice")
        given.add(self.dest)
        setattr(namespace, self.dest, values)


def add_predict(commands, run: Run) -> None:
    """Add the command predict."""
    parser = _command(commands, "predict", "classes of new pictures", run)
    parser.add_argument(
        "--images", type=path, nargs="+", required=True, metavar="PATH", help="folders with pictures, and pictures"
    )
    parser.add_argument("--out", type=path, help="predictions, .csv or .parquet")
    parser.add_argument("--page", type=path, help="predictions as a page to look at, .html")
    parser.add_argument("--attention", type=count(), help="pictures of the page whose attention is in it too (none)")
    _add_task(parser)
    parser.add_argument("--top", type=count(), default=5, help="classes named for each picture (5)")
    parser.add_argument("--attributes", type=count(), default=5, help="attributes named for the first class (5)")
    parser.add_argument(
        "--batch-size", type=count(MOST_BATCH), help="pictures at a time; as many as the run took where left out"
    )
    parser.add_argument("--sheets", type=path, help="folder for attention sheets, a new one or one of earlier sheets")
    parser.add_argument("--sheet-count", type=count(), help="most sheets drawn (20)")


def add_add_classes(commands, run: Run) -> None:
    """Add the command add-classes."""
    parser = _command(commands, "add-classes", "recognize classes known by description alone", run, False)
    parser.add_argument("--classes", type=path, help="CSV: a row per new class, a column per attribute")
    parser.add_argument("--name", help="name of the extension; it is put into RUN/extended/NAME")
    parser.add_argument("--template", type=path, help="write a CSV with the right header to this new file and stop")


def add_explain(commands, run: Run) -> None:
    """Add the command explain."""
    parser = _command(commands, "explain", "which attributes tell two classes apart", run)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--classes", nargs=2, metavar="CLASS", help="two classes")
    what.add_argument("--image", type=path, help="a picture: its first class against its second")
    parser.add_argument("--against", metavar="CLASS", help="with --image: this class instead of the second")
    parser.add_argument("--out", type=path, required=True, help="the chart, .png, .pdf or .svg")
    parser.add_argument("--top", type=count(MOST_SHOWN), default=12, help="attributes shown (12)")
    _add_task(parser)


def add_export(commands, run: Run) -> None:
    """Add the command export."""
    parser = _command(commands, "export", "a trained run as one self-contained folder", run, device=False)
    parser.add_argument("--out", type=path, required=True, help="the folder to write, a new one or an earlier export")


def add_draw_species(commands, run: Run) -> None:
    """Add the command draw-species."""
    about = "pictures and descriptions of new species, to try add-classes on the aviary"
    parser = commands.add_parser("draw-species", help=about, description=f"draw-species: {about}.")
    parser.set_defaults(run=run)
    parser.add_argument("--out", type=path, required=True, help="a new folder for images/ and classes.csv")
    parser.add_argument("--count", type=count(), default=3, help="species (3)")
    parser.add_argument("--pictures", type=count(), default=40, help="pictures of each (40)")
    parser.add_argument(
        "--size", type=count(), default=128, help="width and height of a picture (128, as the aviary's)"
    )
    parser.add_argument("--seed", type=count(least=0), default=1000, help="seed of species and pictures (1000)")


def path(text: str) -> str:
    """Return an argument that names a file or folder; refused where it cannot be a name."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; name a file or folder")
    if text == "-":
        raise argparse.ArgumentTypeError("'-' is not understood as standard input or output; name a file or folder")
    try:
        encoded = os.fsencode(text)
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("holds a surrogate that stands for no byte; name a file or folder") from None
    if b"\0" in encoded:
        raise argparse.ArgumentTypeError("holds a NUL character, which no name can; name a file or folder")
    return _at_home(text)


def _at_home(text: str) -> str:
    """Return a path that begins with ~ as shells fill it in, which they do not behind `--out=` or in quotes."""
    if not text.startswith("~") or os.path.lexists(text):
        return text
    try:
        return str(Path(text).expanduser())
    except RuntimeError:
        raise argparse.ArgumentTypeError(
            f"{text!r} begins with a home folder that is not known; write it out"
        ) from None


def count(most: int = MOST, least: int = 1) -> Callable[[str], int]:
    """Return the reader of an argument that is a whole number from `least` to `most`, in plain digits."""

    def read(text: str) -> int:
        """Return the number that the option's text says; raises ArgumentTypeError for others."""
        plain = text.isascii() and text.isdigit() and len(text) <= 20
        if not plain or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"has to be a whole number from {least} to {most}, got {text!r}")
        return int(text)

    return read


def _command(
    commands, name: str, about: str, run: Run, weights: bool = True, device: bool = True
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, description=f"{name}: {about}.")
    parser.set_defaults(run=run)
    parser.add_argument(
        "--run", type=path, dest="run_folder", required=True, metavar="RUN", help="folder of a run or an export"
    )
    if device:
        parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    if weights:
        parser.add_argument("--weights", type=path, help="the backbone's weight file where it is not at its usual path")
    return parser


def _add_task(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", choices=("gzsl", "czsl"), default="gzsl", help="all classes, or the unseen alone")
