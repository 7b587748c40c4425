"""Every variant of config.yaml, small: all numbers stay finite on constant channels, empty classes, extreme features."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from small_run import CPU
from trainers import SMALL

from scegg_core.artifacts.files import Provenance
from scegg_core.classify.predictions import predict_embedding
from scegg_core.data.tables import DatasetIndex
from scegg_core.dazle.embed import embed_by_dazle
from scegg_core.dazle.train import train_dazle
from scegg_core.eggn.train import train_eggn
from scegg_core.errors import InputError
from scegg_core.evaluate.closed_form import YARDSTICKS, calibrate, predict_closed_form
from scegg_core.evaluate.final import FinalSettings, run_final_steps
from scegg_core.evaluate.scores import score
from scegg_core.regions.backbone import FeatureMap
from scegg_core.regions.store import RegionStore, write_shard
from scegg_core.scen.embed import embed_images
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.space import Space
from scegg_core.scen.train import train_scen
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.resolve import Configuration, read_configuration
from scegg_core.training.linear import train_classifier
from tests.conftest import ROOT

FILES = (ROOT / "resources/methods.yaml", ROOT / "config.yaml")
METHODS, VALUES = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in FILES)
CONFIG: Configuration = read_configuration({**VALUES, "variants": METHODS["variants"] | VALUES["variants"]})
CLASSES, CHANNELS, REGIONS, ATTRIBUTES = 6, 8, 4, 5
LARGEST = 65504.0  # of half precision


@pytest.fixture(scope="module")
def index() -> DatasetIndex:
    """Six classes, two of them unseen; class 3 has no training image, 2 and 5 have no test image."""
    draw = np.random.default_rng(0)
    images = [(0, "trainval"), (1, "trainval"), (2, "trainval"), (0, "test_seen"), (1, "test_seen"), (3, "test_seen")]
    images = [(label, split) for label, split in [*images, (4, "test_unseen")] for _ in range(5)]
    percent = draw.integers(0, 100, (CLASSES, ATTRIBUTES)).astype(np.float32)
    percent[:, 0] = 50  # an attribute that tells no classes apart
    percent[1, 1] = -1  # and a missing value
    return DatasetIndex(
        classes=tuple("abcdef"),
        seen=np.arange(CLASSES) < 4,
        percent=percent,
        attributes=tuple("vwxyz"),
        words=tuple("vwxyz"),
        parts=("",) * ATTRIBUTES,
        paths=tuple(f"{number}.jpg" for number in range(len(images))),
        labels=np.array([label for label, _ in images], np.int32),
        split=tuple(split for _, split in images),
        rows=np.arange(len(images), dtype=np.int32),
    )


def regions_of(index: DatasetIndex, kind: str) -> np.ndarray:
    """Region features (images, R, channels) with a channel that is always 0 and one that is always 3."""
    draw = np.random.default_rng(1)
    found = draw.random((len(index.paths), REGIONS, CHANNELS)) + np.eye(CLASSES, CHANNELS)[index.labels][:, None]
    if kind == "extreme":
        found[::2] *= LARGEST / found.max()
        found[1::4] = 0  # images of nothing at all
        found[3] = 6e-8  # the smallest number above 0
    found[..., 0], found[..., 1] = 0, 3
    return found if kind != "constant" else np.full_like(found, 2.0)


@pytest.fixture(scope="module", params=["usual", "extreme", "constant"])
def store(request, index, tmp_path_factory) -> RegionStore:
    path = tmp_path_factory.mktemp(request.param) / "part.parquet"
    with write_shard(path, FeatureMap(CHANNELS, 2, 2), Provenance("test")) as writer:
        writer.add(index.rows, regions_of(index, request.param))
    return RegionStore([path])


def space_of(index: DatasetIndex, store: RegionStore, name: str) -> tuple[Space, torch.Tensor | None]:
    """The space that a variant's name stands for, of few steps at its own rates, and LEN's semantics."""
    scen = None
    if CONFIG.space(name).kind == "scen":
        given = CONFIG.scen_of("cub", name)
        few = {
            "stage1_epochs": min(given.stage1_epochs, 2),
            "stage2_epochs": min(given.stage2_epochs, 2),
            "batch_size": 4,
        }
        few |= {"stage1_steps": given.stage1_steps and 5, "stage2_steps": given.stage2_steps and 5}
        words = np.random.default_rng(2).normal(size=(ATTRIBUTES, 3)).astype(np.float32)
        trained = train_scen(index, store, words, replace(given, **few), 1, CPU)
        assert all(np.isfinite(value) for *_, value in trained.curve.points)
        scen = trained.model
    embedded = embed_images(store, index.rows, scen, CPU)
    scaler = MinMaxScaler.fit(embedded.features[torch.from_numpy(index.in_split("trainval"))])
    return Space(index, scaler.transform(embedded.features), scaler, scen), embedded.semantics


def assert_finite(*tensors: torch.Tensor) -> None:
    for tensor in tensors:
        assert torch.isfinite(tensor).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, own in CONFIG.variants.items() if own.predict_by == "generation"])
def test_every_generating_variant_stays_finite_to_its_scores(index, store, name):
    space, _ = space_of(index, store, CONFIG.variant(name).space)
    assert_finite(space.features, *(space.scen.state_dict().values() if space.scen else ()))
    given = replace(CONFIG.eggn_of("cub", name), hidden_width=6, epochs=2, batch_size=4, soul_made=3, **SMALL)
    eggn, curve = train_eggn(space, given, 1, CPU)
    assert_finite(*eggn.state_dict().values())
    assert all(np.isfinite(value) for *_, value in curve.points)
    synthesis, classifier = CONFIG.synthesis_of("cub", name), replace(CONFIG.classifier_of("cub", name), epochs=2)
    final = FinalSettings(replace(synthesis, per_class=5), classifier, seed=1)
    found = run_final_steps(space, eggn, final, CPU).metrics
    assert np.isfinite([found.acc, found.u, found.s, found.h, found.ausuc]).all()
    assert found.classes_without_images == ("c", "f")


def dazle_of(index: DatasetIndex, store: RegionStore, name: str, dataset: str) -> tuple[torch.Tensor, float]:
    """The embedding by DAZLE with the settings of a data set, of few steps, and its margin."""
    given = CONFIG.dazle_of(dataset, name)
    words = np.random.default_rng(2).normal(size=(ATTRIBUTES, 3)).astype(np.float32)
    trained = train_dazle(index, store, words, replace(given, epochs=2, batch_size=4), 1, CPU)
    assert all(np.isfinite(value) for *_, value in trained.curve.points)
    return embed_by_dazle(store, index.rows, trained.model, CPU), given.margin


@pytest.mark.slow
@pytest.mark.parametrize(("name", "dataset"), [("len", "cub"), *(("dazle", name) for name in ("cub", "sun", "awa2"))])
def test_every_embedding_variant_stays_finite_to_its_scores(index, store, name, dataset):
    space, margin = CONFIG.variant(name).space, 0.0
    if CONFIG.space(space).kind == "dazle":
        semantics, margin = dazle_of(index, store, space, dataset)
    else:
        _, semantics = space_of(index, store, space)
    vectors, tasks = torch.from_numpy(index.vectors), ("czsl", "gzsl")
    found = score(*(predict_embedding(semantics, vectors, index, task, margin=margin) for task in tasks), index)
    assert np.isfinite([found.acc, found.u, found.s, found.h, found.ausuc]).all()


@pytest.mark.parametrize("name", YARDSTICKS)
def test_every_yardstick_stays_finite_to_its_scores(index, store, name):
    space, _ = space_of(index, store, "backbone")
    features = space.features.numpy()
    chosen = calibrate(YARDSTICKS[name], features, index)
    predicted = [predict_closed_form(YARDSTICKS[name], features, index, task, chosen) for task in ("czsl", "gzsl")]
    assert all(np.isfinite(one.scores).all() for one in predicted)
    found = score(*predicted, index)
    assert np.isfinite([found.acc, found.u, found.s, found.h, found.ausuc]).all()


def test_a_final_classifier_that_meets_a_value_that_is_not_finite_stops_with_stage_step_and_term():
    inputs = torch.rand(6, 3)
    inputs[4] = float("nan")
    given = ClassifierSettings(epochs=2, batch_size=6)
    with pytest.raises(InputError, match="in stage classifier gzsl, step 1, the term cross_entropy is nan"):
        train_classifier(inputs, torch.arange(6) % 2, torch.arange(2), given, 0, "classifier gzsl")
