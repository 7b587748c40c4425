"""Attention sheets of new pictures: where the attributes that speak most for the first class were looked for."""

from pathlib import Path

import numpy as np
import torch

from scegg_core.data.images import open_rgb
from scegg_core.errors import InputError
from scegg_core.regions.backbone import map_size
from scegg_core.regions.decoding import load_image
from scegg_core.report.figures.attention import AttentionSheet, draw_sheet, top_maps
from scegg_core.report.style import save, shorten
from scegg_core.using.model import Model, contributions
from scegg_core.using.predict import Answers


def write_sheets(answers: Answers, images: dict[str, Path], folder: str | Path, most: int = 20) -> int:
    """Write a sheet (.png) of each of the first `most` answered images into `folder`; return their number."""
    require_attention(answers.model)
    for row, name in enumerate(answers.paths[:most]):
        target = Path(folder) / Path(name).with_suffix(".png").as_posix().lstrip("/").replace("/", "__")
        save(draw_sheet(attention_sheet(answers, row, images[name])), target)
    return min(most, len(answers.paths))


def require_attention(model: Model) -> None:
    """Raise InputError if the model has no attention to show."""
    if model.scen is None:
        raise InputError(f"{model.name} has no SCEN, so there is no attention to show; leave the sheets out.")


@torch.inference_mode()
def attention_sheet(answers: Answers, row: int, path: Path) -> AttentionSheet:
    """Return the sheet of the answered image number `row`, which lies at `path`."""
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
    title = f"{shorten(model.classes.names[first], 40)} ({kind}, {answers.probabilities[row].max():.0%})"
    return AttentionSheet(title, _photograph(model, path), weights, top_maps(maps, contribution, model.attributes))


def _photograph(model: Model, path: Path) -> np.ndarray:
    """What the regions cover: the whole picture, or the part that was cropped."""
    return load_image(path, model.images) if model.images.resize == "crop" else np.asarray(open_rgb(path))
