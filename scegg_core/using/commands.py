"""The commands predict, add-classes, explain, export and draw-species."""

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from scegg_core.errors import InputError


def add_commands(commands) -> None:
    """Add the commands to an argument parser's `commands`; each sets `run`, the function that carries it out."""
    for add in (_add_predict, _add_add_classes, _add_explain, _add_export, _add_draw_species):
        add(commands)


def run_command(options: argparse.Namespace) -> int:
    """Carry out a command; bad input ends with its sentence. Return the exit code."""
    try:
        return options.run(options)
    except InputError as error:
        print(f"{options.command}: {error}", file=sys.stderr)
    except OSError as error:
        print(f"{options.command}: {error.strerror or error}: {error.filename or ''}".rstrip(": "), file=sys.stderr)
    return 1


def _predict(options: argparse.Namespace) -> int:
    from scegg_core.using.load import load_model
    from scegg_core.using.predict import checked_output, find_images, predict, write_answers
    from scegg_core.using.sheets import require_attention, write_sheets

    checked_output(options.out)
    images = find_images(options.images)
    model = load_model(options.run_folder, options.device, options.weights)
    if options.batch_size:
        model = replace(model, images=replace(model.images, batch_size=options.batch_size))
    if options.sheets:
        require_attention(model)
    answers = predict(model, options.images, options.task)
    write_answers(answers.frame(options.top, options.attributes), options.out)
    if options.sheets:
        count = write_sheets(answers, images, options.sheets, options.sheet_count)
        _say(f"{count} attention sheets in {options.sheets}")
    for sentence in answers.problems.values():
        _say(f"left out: {sentence}")
    _say(f"{len(answers.paths)} pictures answered, {len(answers.problems)} left out: {options.out}")
    return 0


def _add_classes(options: argparse.Namespace) -> int:
    if options.template:
        from scegg_core.using.model import read_attributes
        from scegg_core.using.new_classes import write_template
        from scegg_core.using.run_folder import find_run

        write_template(read_attributes(find_run(options.run_folder)), Path(options.template))
        _say(f"{options.template} has the header; add a row per class")
        return 0
    if not options.classes or not options.name:
        raise InputError("--classes (the CSV) and --name (of the extension) are needed, or --template to begin with.")
    from scegg_core.using.extend import add_classes

    folder = add_classes(options.run_folder, options.classes, options.name, options.device)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))["metrics"]
    _say("the data set's own test images among all classes: " + ", ".join(f"{m} {100 * metrics[m]:.1f}" for m in "ush"))
    print(folder)
    return 0


def _explain(options: argparse.Namespace) -> int:
    from scegg_core.report.style import METADATA, save
    from scegg_core.using.contrast import contrast_classes, contrast_image, draw_contrast
    from scegg_core.using.load import load_model

    if Path(options.out).suffix.lstrip(".") not in METADATA:
        raise InputError(f"{options.out} is no name for a chart; it has to end in .png, .pdf or .svg.")
    model = load_model(options.run_folder, options.device, options.weights)
    if options.image:
        contrast = contrast_image(model, options.image, options.task, options.against)
    else:
        contrast = contrast_classes(model, *options.classes)
    save(draw_contrast(contrast, options.top), options.out)
    print(contrast.frame().head(options.top).to_string(index=False, float_format="%.3g"))
    return 0


def _export(options: argparse.Namespace) -> int:
    from scegg_core.using.export import export_run

    folder = export_run(options.run_folder, options.out, options.weights)
    size = sum(path.stat().st_size for path in folder.iterdir())
    _say(f"{folder}: {size / 1e6:.1f} MB")
    return 0


def _draw_species(options: argparse.Namespace) -> int:
    from scegg_core.aviary.new_species import draw_new_species

    names = draw_new_species(Path(options.out), options.count, options.pictures, options.size, options.seed)
    _say(f"{options.out}: classes.csv and {options.pictures} pictures each of {', '.join(names)}")
    return 0


def _add_predict(commands) -> None:
    parser = _command(commands, "predict", "classes of new pictures", _predict)
    parser.add_argument("--images", required=True, help="a folder with pictures, or one picture")
    parser.add_argument("--out", required=True, help="predictions, .csv or .parquet")
    _add_task(parser)
    parser.add_argument("--top", type=_count, default=5, help="classes named for each picture (5)")
    parser.add_argument("--attributes", type=_count, default=5, help="attributes named for the first class (5)")
    parser.add_argument("--batch-size", type=_count, help="pictures at a time; as many as the run took where left out")
    parser.add_argument("--sheets", help="folder for attention sheets")
    parser.add_argument("--sheet-count", type=_count, default=20, help="most sheets drawn (20)")


def _add_add_classes(commands) -> None:
    parser = _command(commands, "add-classes", "recognize classes known by description alone", _add_classes, False)
    parser.add_argument("--classes", help="CSV: a row per new class, a column per attribute")
    parser.add_argument("--name", help="name of the extension; it is put into RUN/extended/NAME")
    parser.add_argument("--template", help="write a CSV with the right header to this file and stop")


def _add_explain(commands) -> None:
    parser = _command(commands, "explain", "which attributes tell two classes apart", _explain)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--classes", nargs=2, metavar="CLASS", help="two classes")
    what.add_argument("--image", help="a picture: its first class against its second")
    parser.add_argument("--against", metavar="CLASS", help="with --image: this class instead of the second")
    parser.add_argument("--out", required=True, help="the chart, .png, .pdf or .svg")
    parser.add_argument("--top", type=_count, default=12, help="attributes shown (12)")
    _add_task(parser)


def _add_export(commands) -> None:
    parser = _command(commands, "export", "a trained run as one self-contained folder", _export)
    parser.add_argument("--out", required=True, help="the folder to write")


def _add_draw_species(commands) -> None:
    about = "pictures and descriptions of new species, to try add-classes on the aviary"
    parser = commands.add_parser("draw-species", help=about, description=f"draw-species: {about}.")
    parser.set_defaults(run=_draw_species)
    parser.add_argument("--out", required=True, help="folder for images/ and classes.csv")
    parser.add_argument("--count", type=_count, default=3, help="species (3)")
    parser.add_argument("--pictures", type=_count, default=40, help="pictures of each (40)")
    parser.add_argument("--size", type=_count, default=128, help="width and height of a picture (128, as the aviary's)")
    parser.add_argument("--seed", type=int, default=1000, help="seed of the species and the pictures (1000)")


def _command(commands, name: str, about: str, run, takes_weights: bool = True) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=about, description=f"{name}: {about}.")
    parser.set_defaults(run=run)
    parser.add_argument("--run", dest="run_folder", required=True, metavar="RUN", help="folder of a run or an export")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    if takes_weights:
        parser.add_argument("--weights", help="the backbone's weight file where it is not at its usual path")
    return parser


def _add_task(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--task", choices=("gzsl", "czsl"), default="gzsl", help="all classes, or the unseen alone")


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value


def _say(text: str) -> None:
    print(text, file=sys.stderr)
