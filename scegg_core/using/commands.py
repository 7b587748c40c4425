"""The commands predict, add-classes, explain, export and draw-species, and the boundary where errors become sentences."""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from scegg_core.data.names import printable
from scegg_core.errors import InputError
from scegg_core.using.options import add_add_classes, add_draw_species, add_explain, add_export, add_predict
from scegg_core.using.streams import give_up_broken

if TYPE_CHECKING:
    from scegg_core.using.predict import Answers

SHEETS = 20  # most attention sheets drawn, unless --sheet-count says otherwise
INTERRUPTED = 130  # the exit code after Ctrl-C, as shells have it


def add_commands(commands) -> None:
    """Add the commands to an argument parser's `commands`; each sets `run`, the function that carries it out."""
    add_predict(commands, _predict)
    add_add_classes(commands, _add_classes)
    add_explain(commands, _explain)
    add_export(commands, _export)
    add_draw_species(commands, _draw_species)


def run_command(options: argparse.Namespace) -> int:
    """Carry out a command and return the exit code: 0, or after one sentence 1, or 130 after Ctrl-C.

    Bad input and what the system refuses end with a sentence here, and nowhere else; any other error is a fault of this
    project and keeps its traceback.
    """
    try:
        code = options.run(options)
        sys.stdout.flush()
        return code
    except InputError as error:
        print(f"{options.command}: {printable(error)}", file=sys.stderr)
    except BrokenPipeError:  # whoever read the output has read enough, as `head` does
        give_up_broken(sys.stdout)
        return 0
    except OSError as error:
        print(f"{options.command}: {printable(_sentence(error))}", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"{options.command}: stopped by Ctrl-C", file=sys.stderr)
        return INTERRUPTED
    return 1


def _sentence(error: OSError) -> str:
    """What the system said, and of which file."""
    reason = (
        os.strerror(error.errno) if error.errno else str(error).partition("\n")[0]
    )  # libraries word it as they like
    return f"{reason}: {error.filename}" if error.filename else f"{reason}."


def _predict(options: argparse.Namespace) -> int:
    from scegg_core.training.device import pick_device
    from scegg_core.using.load import load_model
    from scegg_core.using.pictures import find_pictures
    from scegg_core.using.predict import predict
    from scegg_core.using.sheets import require_attention

    _refuse_alone(options)
    pick_device(options.device)
    pictures = find_pictures(options.images)
    _judge_outputs(options, [*pictures.files.values(), *([Path(options.weights)] if options.weights else [])])
    model = load_model(options.run_folder, options.device, options.weights)
    if options.batch_size:
        model = replace(model, images=replace(model.images, batch_size=options.batch_size))
    if options.sheets or options.attention:
        require_attention(model)
    answers = predict(model, pictures, options.task)
    _write_predictions(options, answers, pictures.files)
    for sentence in answers.problems.values():
        _say(f"left out: {sentence}")
    written = ", ".join(filter(None, (options.out, options.page)))
    _say(f"{len(answers.paths)} pictures answered, {len(answers.problems)} left out: {written}")
    return 0


def _refuse_alone(options: argparse.Namespace) -> None:
    """Raise InputError for options of predict that miss what they go with."""
    if not options.out and not options.page:
        raise InputError("--out (predictions, .csv or .parquet) or --page (.html) is needed.")
    if options.sheet_count and not options.sheets:
        raise InputError("--sheet-count goes with --sheets, the folder for the sheets.")
    if options.attention and not options.page:
        raise InputError("--attention goes with --page, the page to look at.")


def _judge_outputs(options: argparse.Namespace, inputs: list[Path]) -> None:
    """Raise InputError for an output of predict that cannot be written, before any work."""
    from scegg_core.using.page.build import require_page_file
    from scegg_core.using.places import require_outside
    from scegg_core.using.predict import require_answers_file
    from scegg_core.using.sheets import require_sheet_folder

    if options.out:
        require_answers_file(options.out, inputs)
    if options.page:
        require_page_file(options.page, inputs)
    if options.sheets:
        require_sheet_folder(options.sheets)
        require_outside(options.sheets, filter(None, (options.out, options.page)))


def _write_predictions(options: argparse.Namespace, answers: "Answers", images: dict[str, Path]) -> None:
    from scegg_core.using.page.build import write_page
    from scegg_core.using.predict import write_answers
    from scegg_core.using.sheets import write_sheets

    if options.out:
        write_answers(answers.frame(options.top, options.attributes), options.out)
    if options.page:
        write_page(answers, images, options.page, options.top, options.attributes, options.attention or 0)
    if options.sheets:
        count = write_sheets(answers, images, options.sheets, options.sheet_count or SHEETS)
        _say(f"{count} attention sheets in {options.sheets}")


def _add_classes(options: argparse.Namespace) -> int:
    if options.template:
        return _write_template(options)
    if not options.classes or not options.name:
        raise InputError("--classes (the CSV) and --name (of the extension) are needed, or --template to begin with.")
    from scegg_core.artifacts.files import read_record
    from scegg_core.using.extend import add_classes

    folder = add_classes(options.run_folder, options.classes, options.name, options.device)
    metrics = read_record(folder / "metrics.json", "metrics")
    _say("the data set's own test images among all classes: " + ", ".join(f"{m} {100 * metrics[m]:.1f}" for m in "ush"))
    print(folder)
    return 0


def _write_template(options: argparse.Namespace) -> int:
    from scegg_core.using.model import read_attributes
    from scegg_core.using.new_classes import write_template
    from scegg_core.using.places import require_output
    from scegg_core.using.run_folder import find_run, refuse_exported

    if options.classes or options.name:
        raise InputError(
            "--template stands alone: first write the header, then add the classes with --classes, --name."
        )
    if os.path.lexists(options.template):
        raise InputError(f"{options.template} is there already, maybe filled in; name a new file for the header.")
    require_output(options.template)
    refuse_exported(options.run_folder, "features of seen classes to train on")
    write_template(read_attributes(find_run(options.run_folder)), Path(options.template))
    _say(f"{options.template} has the header; add a row per class")
    return 0


def _explain(options: argparse.Namespace) -> int:
    from scegg_core.report.style import METADATA, save
    from scegg_core.training.device import pick_device
    from scegg_core.using.contrast import TITLE, contrast_classes, contrast_image, draw_contrast
    from scegg_core.using.load import load_model
    from scegg_core.using.places import require_input, require_marked_output

    if Path(options.out).suffix.lstrip(".") not in METADATA:
        raise InputError(f"{options.out} is no name for a chart; it has to end in .png, .pdf or .svg.")
    if options.classes and options.against is not None:
        raise InputError("--against goes with --image; with --classes name the two classes there.")
    if options.image:
        require_input(options.image, "the picture")
    pick_device(options.device)
    inputs = [Path(path) for path in (options.image, options.weights) if path]
    require_marked_output(options.out, TITLE.encode(), "an earlier chart of explain", inputs)
    model = load_model(options.run_folder, options.device, options.weights)
    if options.image:
        contrast = contrast_image(model, options.image, options.task, options.against)
    else:
        contrast = contrast_classes(model, *options.classes)
    save(draw_contrast(contrast, options.top), options.out, title=TITLE)
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
    from scegg_core.using.places import require_output_folder

    folder = require_output_folder(options.out)
    names = draw_new_species(folder, options.count, options.pictures, options.size, options.seed)
    _say(f"{folder}: classes.csv and {options.pictures} pictures each of {', '.join(names)}")
    return 0


def _say(text: str) -> None:
    print(printable(text), file=sys.stderr)
