"""Attention sheets of new pictures: where the attributes that speak most for the first class were looked for."""

import csv
from pathlib import Path

import numpy as np
import torch

from scegg_core.artifacts.sets import refuse_others, whole_folder
from scegg_core.data.images import open_rgb
from scegg_core.data.names import as_unicode, printable
from scegg_core.errors import InputError
from scegg_core.regions.backbone import map_size
from scegg_core.regions.decoding import load_image
from scegg_core.report.figures.attention import AttentionSheet, draw_sheet, top_maps
from scegg_core.report.style import save, short_names
from scegg_core.using.model import Model, contributions
from scegg_core.using.places import require_output_folder
from scegg_core.using.predict import Answers

LIST = "sheets.csv"


def write_sheets(answers: Answers, images: dict[str, Path], folder: str | Path, most: int = 20) -> int:
    """Write a sheet (.png) of each of the first `most` answered images as `folder`; return their number.

    The sheets are numbered in the order of the answers, and LIST says which image each is of. Raises InputError for a
    folder that holds anything but sheets written before, which are replaced.
    """
    require_sheet_folder(folder)
    names = answers.paths[:most]
    sheets = [_sheet_name(row, name) for row, name in enumerate(names, start=1)]
    with whole_folder(folder) as temporary:
        for row, (name, sheet) in enumerate(zip(names, sheets, strict=True)):
            save(draw_sheet(attention_sheet(answers, row, images[name])), temporary / sheet)
        with (temporary / LIST).open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerows([("sheet", "image"), *zip(sheets, map(as_unicode, names), strict=True)])
    return len(sheets)


def require_sheet_folder(folder: str | Path) -> None:
    """Raise InputError if sheets cannot be written as `folder`, or if it holds anything but sheets written before."""
    folder = require_output_folder(folder)
    refuse_others(folder, (LIST, *_listed_in(folder / LIST)), "name a new folder for the sheets")


def _listed_in(path: Path) -> set[str]:
    """The sheets that the list at `path` names."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {row[0] for row in csv.reader(file) if row}
    except (OSError, ValueError, csv.Error):
        return set()


def _sheet_name(number: int, name: str) -> str:
    """A name for the sheet of image `name`: no two are alike, and none is too long for a file system."""
    plain = printable(name.removesuffix(Path(name).suffix)).lstrip("/").replace("/", "__").replace("\\", "_")
    return f"{number:04d}_{plain[-50:]}.png"


def require_attention(model: Model) -> None:
    """Raise InputError if the model has no attention to show."""
    if model.scen is None:
        raise InputError(
            f"{model.name} has no SCEN, so there is no attention to show; leave --sheets and --attention out."
        )


@torch.inference_mode()
def attention_sheet(answers: Answers, row: int, path: Path) -> AttentionSheet:
    """Return the sheet of the answered image number `row` of `answers.paths`, whose file is `path`.

    In it are the photograph, the weight of each region in g, and the maps of the attributes that speak most for the
    image's first class. Raises InputError for a model without SCEN, and for a file that cannot be used.
    """
    require_attention(answers.model)
    model = answers.model
    block = np.concatenate(list(model.regions([path])))
    regions = model.scen.prepare(torch.from_numpy(block).to(model.device))
    attention = model.scen.local(regions).attention  # (1, R, A)
    size = map_size(model.backbone, model.images.image_size)
    grid = size.height, size.width
    weights = model.scen.glob.region_weights(attention, regions)[0].reshape(grid).cpu().numpy()
    maps = attention[0].T.reshape(-1, *grid).cpu().numpy()
    vectors, first = model.classes.vectors, answers.predicted[row]
    contribution = contributions(answers.semantics[row], vectors[first], vectors[answers.classes].mean(axis=0))
    kind = "seen" if model.classes.seen[first] else "unseen"
    title = f"{short_names(model.classes.names, 40)[first]} ({kind}, {answers.probabilities[row].max():.0%})"
    return AttentionSheet(title, _photograph(model, path), weights, top_maps(maps, contribution, model.attributes))


def _photograph(model: Model, path: Path) -> np.ndarray:
    """What the regions cover: the whole picture, or the part that was cropped."""
    return load_image(path, model.images) if model.images.resize == "crop" else np.asarray(open_rgb(path))
