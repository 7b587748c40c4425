"""The work of every stage that has classes in it, on made-up data of any number of classes; `growth.py` measures it.

1,024 attributes; 20,000 training images, 5,000 test images of unseen classes and 1,000 of seen ones; three classes of four
are seen. Features have 256 channels, so that what images and channels take does not hide what classes take. Where a stage repeats the same work, it is done few
times, as said below. A function per stage makes its inputs and returns the work on them.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from benchmarks.stream import Size, made_up_index, repeated_store, write_regions
from scegg_core.artifacts.files import Provenance
from scegg_core.artifacts.paths import IndexFiles
from scegg_core.classify.classifier import FinalClassifier
from scegg_core.classify.predictions import (
    Predictions,
    predict_embedding,
    predict_final,
    read_predictions,
    write_predictions,
)
from scegg_core.classify.train import train_final
from scegg_core.data.class_table import read_class_attributes
from scegg_core.data.index import check_index
from scegg_core.data.tables import DatasetIndex, read_index, write_index
from scegg_core.data.tasks import task_classes, task_images
from scegg_core.data.validation import class_split
from scegg_core.eggn.data import SyntheticFeatures
from scegg_core.eggn.synthesis import synthesize_unseen
from scegg_core.eggn.train import start_eggn, train_eggn
from scegg_core.evaluate.closed_form import YARDSTICKS, Calibration, predict_closed_form
from scegg_core.evaluate.intervals import resampled_metrics
from scegg_core.evaluate.outcomes import outcomes
from scegg_core.evaluate.scores import score
from scegg_core.evaluate.separation import Labelled, nearest_mean_accuracy
from scegg_core.regions.backbone import FeatureMap
from scegg_core.regions.store import RegionStore
from scegg_core.report.classes import class_rows
from scegg_core.report.figures.confusion import confusion_picture
from scegg_core.report.figures.tradeoff import trade_offs
from scegg_core.report.page.gather import class_names, confusion_of, description_of
from scegg_core.report.page.pictures import choose_pictures
from scegg_core.report.page.render import to_json
from scegg_core.report.runs import VariantRuns
from scegg_core.report.style import save
from scegg_core.scen.embed import embed_images
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.space import Space, write_semantics
from scegg_core.scen.train import start_scen, train_scen
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.settings.synthesis import SynthesisSettings
from scegg_core.training.linear import ZeroShotClassifier, linear_of
from scegg_core.using.model import ClassList
from scegg_core.using.new_classes import extend_index
from scegg_core.using.predict import Answers

ATTRIBUTES, CHANNELS = 1024, 256
TRAINING, UNSEEN, SEEN = 20_000, 5_000, 1_000  # images for training, and for the test of unseen and of seen classes
MAP, MAPS = FeatureMap(2048, 7, 7), 128
CPU = torch.device("cpu")
MADE = Provenance("growth")

Work = Callable[[], object]
Prepare = Callable[[int, Path], Work]


def made_up_classes(classes: int) -> DatasetIndex:
    """Return an index of so many classes, whose images are of all of them in turn."""
    plain, seen = made_up_index(Size(TRAINING + UNSEEN + SEEN, classes, ATTRIBUTES)), np.arange(classes) % 4 > 0
    split = np.repeat(("trainval", "test_unseen", "test_seen"), (TRAINING, UNSEEN, SEEN))
    of_seen, of_unseen = np.flatnonzero(seen), np.flatnonzero(~seen)
    parts = (of_seen[np.arange(TRAINING) % len(of_seen)], of_unseen[np.arange(UNSEEN) % len(of_unseen)])
    labels = np.concatenate([*parts, of_seen[np.arange(SEEN) % len(of_seen)]]).astype(np.int32)
    paths = tuple(f"images/{label}/{number}.jpg" for number, label in enumerate(labels.tolist()))
    return replace(plain, seen=seen, labels=labels, paths=paths, split=tuple(split.tolist()))


def on_regions(classes: int, folder: Path) -> tuple[DatasetIndex, RegionStore, np.ndarray]:
    """Return an index whose first images are for training, their regions in `folder`, and the attributes' vectors."""
    write_regions(folder / "shard.parquet", MAPS, MAP)
    words = np.random.default_rng(1).standard_normal((ATTRIBUTES, 300), dtype=np.float32)
    return _trained_on(made_up_classes(classes), MAPS), repeated_store(folder / "shard.parquet", MAPS), words


def _trained_on(index: DatasetIndex, images: int) -> DatasetIndex:
    """The same with the first `images` for training, the others for the test of seen classes."""
    return replace(index, split=("trainval",) * images + ("test_seen",) * (len(index.paths) - images))


def check(classes: int, folder: Path) -> Work:
    """What the index is checked for, its tables, and the validation split."""
    index = made_up_classes(classes)
    files = IndexFiles(*(folder / f"{name}.parquet" for name in ("classes", "images", "attributes", "test_labels")))

    def work() -> None:
        check_index(index)
        write_index(index, files, MADE)
        class_split(read_index(files), DatasetSettings(format="folder", folder="unused"))

    return work


def class_table(classes: int, folder: Path) -> Work:
    """attributes.csv of a tenth of the classes, read."""
    percent = made_up_index(Size(1, classes // 10, ATTRIBUTES)).percent
    header = ",".join(["class", *(f"attribute {number}" for number in range(ATTRIBUTES))])
    lines = [f"class {number}," + ",".join(f"{value:.1f}" for value in row) for number, row in enumerate(percent)]
    (folder / "attributes.csv").write_text("\n".join([header, *lines]), encoding="utf-8")
    return lambda: read_class_attributes(folder / "attributes.csv")


def scen(classes: int, folder: Path) -> Work:
    """Two steps of each stage of SCEN on batches of 64 images of 7 × 7 × 2,048, and 128 images embedded."""
    settings, (index, store, words) = ScenSettings(stage1_steps=2, stage2_steps=2), on_regions(classes, folder)

    def work() -> None:
        trained = train_scen(index, store, words, settings, 0, CPU)
        embed_images(store, np.arange(MAPS), trained.model, CPU)

    return work


def _space(classes: int, guide: bool = False) -> Space:
    index, draw = made_up_classes(classes), torch.Generator().manual_seed(0)
    features = torch.rand(len(index.paths), CHANNELS, generator=draw)
    words, vectors = torch.randn(ATTRIBUTES, 16, generator=draw), torch.from_numpy(index.vectors)
    model = start_scen(words, vectors, CHANNELS, ScenSettings(), 0).requires_grad_(False) if guide else None
    return Space(index, features, MinMaxScaler(torch.zeros(CHANNELS), torch.ones(CHANNELS)), model)


def eggn(classes: int, folder: Path) -> Work:
    """Ten steps of the generator of width 256 in batches of 64, guided by CLS_g."""
    space = _space(classes, guide=True)
    space = replace(space, index=_trained_on(space.index, 5 * 64))
    return lambda: train_eggn(space, EggnSettings(epochs=1, hidden_width=256), 0, CPU)


def synthesis(classes: int, folder: Path) -> Work:
    """Eight features of each unseen class, of networks of width 256."""
    index, settings = made_up_classes(classes), EggnSettings(hidden_width=256)
    model = start_eggn(CHANNELS, ATTRIBUTES, settings, 0)
    return lambda: synthesize_unseen(index, model, SynthesisSettings(per_class=8), 0, CPU)


def classifier(classes: int, folder: Path) -> Work:
    """An epoch of the classifier of all classes, of 20,000 real features and one made one of each unseen class."""
    space = _space(classes)
    unseen = torch.from_numpy(np.flatnonzero(~space.index.seen))
    made = SyntheticFeatures(torch.rand(len(unseen), CHANNELS), unseen)
    networks = start_eggn(CHANNELS, ATTRIBUTES, EggnSettings(hidden_width=8), 0)
    return lambda: train_final(space, made, networks, "gzsl", ClassifierSettings(epochs=1, batch_size=1024), 0, CPU)


def predict(classes: int, folder: Path) -> Work:
    """Scores of all test images and classes, written and read."""
    space = _space(classes)
    layer = linear_of(torch.randn(classes, CHANNELS), torch.zeros(classes))
    final = FinalClassifier(ZeroShotClassifier(layer, torch.arange(classes)), ClassifierSettings())

    def work() -> None:
        write_predictions(folder / "predictions.parquet", predict_final(final, None, space, "gzsl"), MADE)
        read_predictions(folder / "predictions.parquet")

    return work


def by_embedding(classes: int, folder: Path) -> Work:
    """Scores by LEN's embedding, lowered by a constant."""
    index = made_up_classes(classes)
    semantics, vectors = torch.rand(len(index.paths), ATTRIBUTES), torch.from_numpy(index.vectors)
    return lambda: predict_embedding(semantics, vectors, index, "gzsl", 0.5)


def closed_form(name: str) -> Prepare:
    """The scores of a closed-form row for one strength of regularization."""

    def prepare(classes: int, folder: Path) -> Work:
        space = _space(classes)
        features, chosen = space.features.numpy(), Calibration((1.0,) * YARDSTICKS[name].strengths, 0.5, 0.5)
        return lambda: predict_closed_form(YARDSTICKS[name], features, space.index, "gzsl", chosen)

    return prepare


def made_up_predictions(index: DatasetIndex, task: str) -> Predictions:
    """Return random scores of the test images of a task."""
    images, known = task_images(index, task), task_classes(index, task)
    scores = np.random.default_rng(0).random((len(images), len(known)), dtype=np.float32)
    return Predictions(images, index.labels[images], scores, known)


def scores(classes: int, folder: Path) -> Work:
    """All metrics, what became of each image, and its 95 % intervals."""
    index = made_up_classes(classes)
    czsl, gzsl = made_up_predictions(index, "czsl"), made_up_predictions(index, "gzsl")

    def work() -> None:
        score(czsl, gzsl, index)
        resampled_metrics([outcomes(czsl, gzsl, index.seen)])

    return work


def nearest_mean(classes: int, folder: Path) -> Work:
    """How many test images of unseen classes are nearest to their class's mean of two synthetic features."""
    index = made_up_classes(classes)
    draw, unseen, images = np.random.default_rng(0), np.flatnonzero(~index.seen), index.in_split("test_unseen")
    made, labels = draw.random((2 * len(unseen), CHANNELS), dtype=np.float32), np.repeat(unseen, 2)
    real = Labelled(draw.random((len(images), CHANNELS), dtype=np.float32), index.labels[images])
    return lambda: nearest_mean_accuracy(Labelled(made, labels), real)


def _one_run(classes: int) -> tuple[DatasetIndex, VariantRuns]:
    """An index, and a variant with one run, which is in memory."""
    index = made_up_classes(classes)
    return index, VariantRuns("one", "One", (made_up_predictions(index, "gzsl"),))


def figures(classes: int, folder: Path) -> Work:
    """The table of classes, confusion matrix and trade-off of a variant."""
    index, runs = _one_run(classes)

    def work() -> None:
        class_rows(iter([runs]), index, "gzsl").to_csv(folder / "per_class.csv")
        save(confusion_picture(runs, index, "gzsl"), folder / "confusion.png")
        trade_offs(iter([runs]), index)

    return work


def page(classes: int, folder: Path) -> Work:
    """What the page says of classes: names, descriptions, and a variant's confusion."""
    index, runs = _one_run(classes)
    write_semantics(folder / "semantics.parquet", torch.rand(len(index.paths), ATTRIBUTES), MADE)

    def work() -> str:
        chosen = choose_pictures(index, ())
        described = description_of(folder / "semantics.parquet", index, chosen)
        return to_json([class_names(index), described, confusion_of(runs, index, chosen, "gzsl")])

    return work


def using(classes: int, folder: Path) -> Work:
    """A new class, and the first five classes of 6,000 new pictures with what speaks for them."""
    index = made_up_classes(classes)
    found = made_up_predictions(index, "gzsl")
    model = _Known(ClassList(index.classes, index.seen, index.percent), index.attributes)
    semantics = np.random.default_rng(0).random((len(found.images), ATTRIBUTES), dtype=np.float32)
    paths = tuple(index.paths[image] for image in found.images)
    table = folder / "new.csv"
    table.write_text(",".join(["class", *index.attributes]) + "\nnew" + ",7" * ATTRIBUTES, encoding="utf-8")

    def work() -> None:
        extend_index(index, table)
        Answers(model, paths, found.scores, found.classes, semantics, {}).frame()

    return work


class _Known:
    """What answers ask of a model."""

    def __init__(self, classes: ClassList, attributes: tuple[str, ...]):
        self.classes, self.attributes = classes, attributes


#: Title and preparation of each stage.
STAGES: dict[str, tuple[str, Prepare]] = {
    "check": ("index checked, written, read; validation split", check),
    "table": ("attributes.csv of a tenth of the classes, read", class_table),
    "scen": ("four steps of SCEN, 128 images embedded", scen),
    "eggn": ("ten steps of the generator", eggn),
    "synthesis": ("eight features of each unseen class", synthesis),
    "classifier": ("an epoch of the final classifier", classifier),
    "predict": ("scores of 6,000 images, written and read", predict),
    "embedding": ("scores by embedding", by_embedding),
    "prototype": ("ridge prototypes", closed_form("prototype")),
    "eszsl": ("ESZSL", closed_form("eszsl")),
    "scores": ("metrics and intervals", scores),
    "means": ("nearest class mean", nearest_mean),
    "figures": ("table of classes, confusion, trade-off", figures),
    "page": ("names, descriptions, confusion in the page", page),
    "using": ("a class added, answers for 6,000 pictures", using),
}
