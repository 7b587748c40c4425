"""Neither pixels nor labels of test images take part in any training: all that is made before prediction stays."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_run import CPU, SmallRun, make_run
from torch import Tensor

from scegg_core.artifacts.files import Provenance
from scegg_core.classify.predictions import predict_by
from scegg_core.classify.train import train_final
from scegg_core.data.images import open_rgb
from scegg_core.data.tables import NO_LABEL, DatasetIndex
from scegg_core.data.tasks import TASKS
from scegg_core.data.validation import class_split
from scegg_core.eggn.synthesis import synthesize_unseen
from scegg_core.eggn.train import train_eggn
from scegg_core.evaluate.metrics import mean_class_accuracy
from scegg_core.regions.backbone import build_backbone
from scegg_core.regions.extraction import extract_shard
from scegg_core.regions.store import RegionStore
from scegg_core.regions.train import Computing, train_on_seen
from scegg_core.scen.embed import embed_images
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.space import Space
from scegg_core.scen.train import train_scen
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.settings.synthesis import SynthesisSettings

BACKBONE = {"network": "resnet18", "features_up_to": "layer1", "image_size": 32, "batch_size": 4}
EGGN = EggnSettings(hidden_width=8, epochs=2, batch_size=4)
FINAL = SynthesisSettings(per_class=6), ClassifierSettings(epochs=2, input="transformed")


@pytest.fixture
def small(tmp_path) -> SmallRun:
    return make_run(tmp_path)


def regions_of(small: SmallRun, folder: Path) -> RegionStore:
    settings = BackboneSettings(**BACKBONE, weights="random")
    paths = [small.images / path for path in small.index.paths]
    shard = folder / "part.parquet"
    extract_shard(build_backbone(settings, None), paths, range(len(paths)), settings, CPU, shard, Provenance("test"))
    return RegionStore([shard])


def trained(index: DatasetIndex, store: RegionStore) -> tuple[dict[str, Tensor], dict[str, Tensor], Space]:
    """Train all stages; return the weights, what is made of them for training images and unseen classes, the space."""
    words = np.random.default_rng(1).normal(size=(len(index.attributes), 6)).astype(np.float32)
    scen = train_scen(index, store, words, ScenSettings(stage1_epochs=2, stage2_epochs=2, batch_size=4), 3, CPU).model
    embedded = embed_images(store, index.rows, scen, CPU)
    training = torch.from_numpy(index.in_split("trainval"))
    scaler = MinMaxScaler.fit(embedded.features[training])
    space = Space(index, scaler.transform(embedded.features), scaler, scen)
    eggn, _ = train_eggn(space, EGGN, 3, CPU)
    made = synthesize_unseen(index, eggn, FINAL[0], 3, CPU)
    final = {task: train_final(space, made, eggn, task, FINAL[1], 3, CPU).classifier.layer for task in TASKS}
    weights = {f"scen.{name}": value for name, value in scen.state_dict().items()}
    weights |= {f"eggn.{name}": value for name, value in eggn.state_dict().items()}
    weights |= {f"{task}.{name}": value for task, layer in final.items() for name, value in layer.state_dict().items()}
    outputs = {"features": space.features[training], "synthetic": made.features, "low": scaler.low, "span": scaler.span}
    return weights, outputs, space


def assert_bit_identical(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


def splits(index: DatasetIndex) -> tuple[DatasetIndex, DatasetIndex]:
    """The data set, and the validation split made from it."""
    return index, class_split(index, DatasetSettings(format="folder", folder="unused"))


@pytest.mark.slow
@pytest.mark.parametrize("validation", [False, True], ids=["data set", "validation split"])
def test_permuted_or_unknown_test_labels_change_nothing_before_scoring(small, tmp_path, validation):
    store = regions_of(small, tmp_path)
    known, permuted, unknown = small.index, permute(small.index), small.index.labels.copy()
    unknown[known.test_images] = NO_LABEL
    runs = [splits(one)[validation] for one in (known, permuted, replace(known, labels=unknown))]
    first, *others = [trained(index, store) for index in runs]
    for other in others:
        assert_bit_identical(first[0], other[0])
        assert_bit_identical(first[1], other[1])


def permute(index: DatasetIndex) -> DatasetIndex:
    """Another label for every test image: of seen classes among these; the one unseen class has nothing to permute."""
    labels, test = index.labels.copy(), index.in_split("test_seen")
    labels[test] = np.roll(labels[test], 1)
    assert (labels[test] != index.labels[test]).all()
    return replace(index, labels=labels)


@pytest.mark.slow
def test_the_scores_do_depend_on_test_labels(small):
    """Answers that are right for every image are wrong for every test image of seen classes after the permutation."""
    classes = np.arange(len(small.index.classes))
    answers = torch.nn.functional.one_hot(torch.from_numpy(small.index.labels).long(), len(classes)).float()
    for index, seen in ((small.index, 1.0), (permute(small.index), 0.0)):
        found = predict_by(lambda rows: rows, answers, index, "gzsl", classes)
        assert mean_class_accuracy(found.labels, found.predicted, np.flatnonzero(index.seen)) == seen
        assert mean_class_accuracy(found.labels, found.predicted, np.flatnonzero(~index.seen)) == 1


@pytest.mark.slow
def test_other_pixels_in_test_images_change_no_training(small, tmp_path):
    (tmp_path / "before").mkdir(), (tmp_path / "after").mkdir()
    first = trained(small.index, regions_of(small, tmp_path / "before"))
    repaint(small, small.index.test_images)
    second = trained(small.index, regions_of(small, tmp_path / "after"))
    assert_bit_identical(first[0], second[0])
    assert_bit_identical(first[1], second[1])
    test = small.index.test_images
    assert not torch.equal(first[2].features[test], second[2].features[test])  # they were really others
    repaint(small, small.index.in_split("trainval")[:1])
    third = trained(small.index, regions_of(small, tmp_path / "after"))
    assert not torch.equal(first[0]["scen.local.attend"], third[0]["scen.local.attend"])  # training images do count


@pytest.mark.slow
def test_other_pixels_in_test_images_change_no_backbone_that_is_trained_here(small):
    settings = BackboneSettings(**BACKBONE, weights="train", finetune={"epochs": 1, "batch_size": 3})
    before = train_on_seen(small.index, str(small.images), settings, Computing(CPU))
    repaint(small, small.index.test_images)
    after = train_on_seen(small.index, str(small.images), settings, Computing(CPU))
    assert_bit_identical(before.state_dict, after.state_dict)


def test_the_backbone_of_the_validation_split_reads_no_image_that_is_held_out(small, monkeypatch):
    index, folder = small.index, small.images
    split = class_split(index, DatasetSettings(format="folder", folder="unused", validation_share=0.4))
    played = {split.classes[label] for label in np.flatnonzero(~split.seen)}
    read: set[str] = set()
    monkeypatch.setattr("scegg_core.regions.decoding.open_rgb", recording(read, folder))
    settings = BackboneSettings(**BACKBONE, weights="train", finetune={"epochs": 2, "batch_size": 3})
    for memory in (np.inf, 0):  # kept in memory, or decoded for every batch
        train_on_seen(split, str(folder), settings, Computing(CPU, memory))
    assert read == {split.paths[row] for row in split.in_split("trainval")}
    assert played and not {path for path in read if path.split("/")[0] in played}
    assert not read & {split.paths[row] for row in split.test_images}
    assert not read & {index.paths[row] for row in index.test_images}


@pytest.mark.slow
def test_permuted_labels_of_held_out_images_change_no_backbone(small):
    split = class_split(small.index, DatasetSettings(format="folder", folder="unused", validation_share=0.4))
    labels = split.labels.copy()
    labels[split.test_images] = np.roll(labels[split.test_images], 1)
    assert not np.array_equal(labels, split.labels)
    for head in ("attribute", "class"):
        settings = BackboneSettings(**BACKBONE, weights="train", finetune={"epochs": 1, "batch_size": 3, "head": head})
        first, second = (
            train_on_seen(one, str(small.images), settings, Computing(CPU))
            for one in (split, replace(split, labels=labels))
        )
        assert_bit_identical(first.state_dict, second.state_dict)


def recording(read: set[str], folder: Path):
    """An `open_rgb` that adds the path of each image it opens, relative to `folder`, to `read`."""

    def opened(path: Path) -> Image.Image:
        read.add(Path(path).relative_to(folder).as_posix())
        return open_rgb(path)

    return opened


def repaint(small: SmallRun, rows: np.ndarray) -> None:
    draw = np.random.default_rng(9)
    for row in rows:
        noise = draw.integers(0, 256, (36, 40, 3), dtype=np.uint8)
        Image.fromarray(noise).save(small.images / small.index.paths[row])
