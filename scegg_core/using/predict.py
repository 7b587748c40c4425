"""Predictions on pictures that the workflow has never seen, with what speaks for them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from scegg_core.artifacts.files import whole_file, write_text
from scegg_core.data.blocks import blocks
from scegg_core.data.names import as_unicode, printable
from scegg_core.data.tasks import TASKS
from scegg_core.errors import InputError
from scegg_core.regions.decoding import load_image
from scegg_core.report.figures.attention import attribute_title
from scegg_core.training.progress import bar
from scegg_core.using.model import Embedding, Model, contributions
from scegg_core.using.pictures import Pictures, find_pictures
from scegg_core.using.places import other_than, require_output

if TYPE_CHECKING:
    from pandas import DataFrame

BATCHES_AT_ONCE = 8  # a picture that cannot be read costs a second pass over so many batches

#: The columns of a frame of answers, and the most bytes of them.
_HEAD = re.compile(r"image(,class_\d+,probability_\d+,seen_\d+)+,attributes,problem")
LONGEST_HEAD = 2**20


@dataclass(frozen=True)
class Answers:
    """What a model says of images: `paths` (n) as the caller named them, sorted, and `scores` (n, k) over `classes`, rows
    of the model's classes.

    `semantics` is e_l (n, A), None where the space has no SCEN; `problems` are the images left out, with a sentence.
    """

    model: Model
    paths: tuple[str, ...]
    scores: np.ndarray
    classes: np.ndarray
    semantics: np.ndarray | None
    problems: dict[str, str]

    @property
    def probabilities(self) -> np.ndarray:
        """Return the softmax of the scores, (n, k)."""
        return torch.from_numpy(self.scores).softmax(dim=1).numpy()

    def first(self, top: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the `top` first classes of each image, rows of the model's classes, and their probabilities, (n, top)."""
        orders, chances = [], []
        for some in blocks(*self.scores.shape):
            orders.append(np.argsort(-self.scores[some], axis=1, kind="stable")[:, :top].copy())
            softmax = torch.from_numpy(self.scores[some]).softmax(dim=1).numpy()
            chances.append(np.take_along_axis(softmax, orders[-1], axis=1))
        return self.classes[np.concatenate(orders)], np.concatenate(chances)

    @property
    def predicted(self) -> np.ndarray:
        """Return the first class of each image (n,), a row of the model's classes."""
        return self.classes[self.scores.argmax(axis=1)]

    def frame(self, top: int = 5, attributes: int = 5) -> "DataFrame":
        """Return a row per image: the `top` classes, the `attributes` that speak most for the first, and the problem.

        Images are sorted by name, as `paths` and `scores` are; those left out, which have a problem alone, stand at
        their place among them: `frame[frame.problem == ""]` has the rows of `paths`.
        """
        from pandas import DataFrame, concat

        classes, chances = self.first(top)
        columns = {"image": [as_unicode(name) for name in self.paths]}
        for rank, rows in enumerate(classes.T, start=1):
            columns[f"class_{rank}"] = [self.model.classes.names[row] for row in rows]
            columns[f"probability_{rank}"] = chances[:, rank - 1]
            columns[f"seen_{rank}"] = self.model.classes.seen[rows]
        columns["attributes"] = [
            "; ".join(f"{name} ({part:.0%})" for name, part in parts) for parts in self.reasons(attributes)
        ]
        columns["problem"] = [""] * len(self.paths)
        answered = DataFrame(columns)
        left_out = [(as_unicode(name), printable(problem)) for name, problem in self.problems.items()]
        bad = DataFrame(left_out, columns=["image", "problem"])
        frame = concat([answered, bad], ignore_index=True) if len(bad) else answered
        return frame.sort_values("image", kind="stable", ignore_index=True)

    def reasons(self, count: int = 5) -> list[tuple[tuple[str, float], ...]]:
        """Return the attributes that speak most for each image's first class against the mean of all, each with its part
        of all that speaks for it; none where the space has no SCEN."""
        if self.semantics is None:
            return [()] * len(self.paths)
        vectors = self.model.classes.vectors
        others = vectors[self.classes].mean(axis=0)
        found = []
        for semantic, row in zip(self.semantics, self.predicted, strict=True):
            values = contributions(semantic, vectors[row], others)
            best = [a for a in np.argsort(-values, kind="stable")[:count] if values[a] > 0]
            parts = values / max(values.clip(0).sum(), 1e-30)
            found.append(tuple((attribute_title(self.model.attributes[a]), float(parts[a])) for a in best))
        return found


def predict(model: Model, images: str | Path | Iterable[str | Path] | Pictures, task: str = "gzsl") -> Answers:
    """Return what `model` says of `images`: a folder (all pictures below it), one file, or several of both, or what
    `find_pictures` found.

    `task` is gzsl (all classes, k of them) or czsl (the unseen ones). Pictures that cannot be used are among the answers'
    problems. Raises InputError for another task, for a model without a backbone, where nothing is found (as
    `find_pictures`), and where no picture can be used.
    """
    if task not in TASKS:
        raise InputError(f"task is {task!r}; known: {', '.join(TASKS)}.")
    model.require_backbone()
    pictures = images if isinstance(images, Pictures) else find_pictures(images)
    named, problems = pictures.files, dict(pictures.problems)
    names, features, semantics = [], [], []
    with torch.inference_mode(), bar(len(named), "predicting", unit="image") as progress:
        for chunk in _chunks(list(named.items()), BATCHES_AT_ONCE * model.images.usual_batch):
            for part in _embedded(model, dict(chunk), problems):
                features.append(part.features)
                semantics.append(part.semantics)
            names += [name for name, _ in chunk if name not in problems]
            progress.update(len(chunk))
    if not names:
        raise InputError(f"none of {len(problems)} pictures can be used: " + " ".join(list(problems.values())[:5]))
    scores = model.scores(torch.cat(features), task).numpy()
    semantic = None if model.scen is None else torch.cat(semantics).numpy()
    return Answers(model, tuple(names), scores, model.classifiers[task].classifier.classes.numpy(), semantic, problems)


def write_answers(frame: "DataFrame", path: str | Path) -> None:
    """Write a frame of `Answers.frame` as `path`, .csv (six digits) or .parquet, whole or not at all.

    Earlier answers there are replaced. Raises InputError for another ending, for a path that cannot be written, and for
    any other file there.
    """
    path = require_answers_file(path)
    if path.suffix == ".csv":
        write_text(path, frame.to_csv(index=False, float_format="%.6g"))
    else:
        with whole_file(path) as temporary:
            frame.to_parquet(temporary, index=False)


def require_answers_file(path: str | Path, inputs: Iterable[Path] = ()) -> Path:
    """Return `path`, refused unless it ends in .csv or .parquet and may be written (`require_output`): what is there may
    be earlier answers, but no other file."""
    if Path(path).suffix not in (".csv", ".parquet"):
        raise InputError(f"{path} is no name for predictions; it has to end in .csv or .parquet.")
    path = require_output(path, inputs)
    if path.is_file() and path.stat().st_size and not _HEAD.fullmatch(_columns(path)):
        raise other_than(path, "earlier answers")
    return path


def _columns(path: Path) -> str:
    """The columns of a table, parted by commas; '' where it cannot be read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix == ".csv":
        with path.open("rb") as file:
            return file.readline(LONGEST_HEAD).decode(errors="replace").rstrip("\r\n")
    try:
        return ",".join(pq.read_schema(path).names)
    except (OSError, pa.ArrowException):
        return ""


def _embedded(model: Model, images: dict[str, Path], problems: dict[str, str]) -> list[Embedding]:
    """The images' embeddings batch by batch; those that cannot be used go into `problems`, the others are redone."""
    try:
        return [model.embed(regions) for regions in model.regions(list(images.values()))]
    except InputError:
        loaded = {name: load_image(path, model.images) for name, path in images.items()}
        bad = {name: image for name, image in loaded.items() if isinstance(image, str)}
        if not bad:  # something else than a picture is wrong
            raise
        problems |= bad
        good = [images[name] for name in images if name not in problems]
        return [model.embed(regions) for regions in model.regions(good)]


def _chunks(items: list, size: int) -> Iterator[list]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
