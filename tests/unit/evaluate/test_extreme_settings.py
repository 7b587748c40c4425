"""Settings at both ends of their ranges: tiny trainings end in finite scores, or in one sentence; never otherwise."""

import random
import warnings
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from settings_cases import MANY, drawn, ends, fields_of
from small_run import CPU
from trainers import SMALL

from scegg_core.artifacts.files import Provenance, write_tensors
from scegg_core.classify.predictions import predict_embedding
from scegg_core.data.tables import DatasetIndex
from scegg_core.dazle.embed import embed_by_dazle
from scegg_core.dazle.train import train_dazle
from scegg_core.eggn.train import train_eggn
from scegg_core.errors import InputError
from scegg_core.evaluate.final import FinalSettings, run_final_steps
from scegg_core.evaluate.scores import Metrics, score
from scegg_core.regions.backbone import FeatureMap
from scegg_core.regions.store import RegionStore, write_shard
from scegg_core.scen.embed import embed_images
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.space import Space
from scegg_core.scen.train import train_scen
from scegg_core.settings.checks import IN_OWN_SPACE, TRANSFORMING, WITH_DECODER
from scegg_core.settings.dazle import DazleSettings
from scegg_core.settings.eggn import GENERATORS
from scegg_core.settings.overrides import STAGES
from scegg_core.settings.readers import reads
from scegg_core.settings.scen import ScenSettings

CLASSES, ATTRIBUTES, CHANNELS = 5, 4, 6
USUAL = {
    "scen": {"stage1_epochs": 1, "stage2_epochs": 1, "batch_size": 4},
    "dazle": {"epochs": 1, "batch_size": 4},
    "eggn": {"hidden_width": 5, "epochs": 1, "batch_size": 4, "soul_made": 3, **SMALL},
    "synthesis": {"per_class": 4},
    "classifier": {"epochs": 1, "batch_size": 6},
}
CASES = [
    (stage, name, value)
    for stage in STAGES
    for name, part in fields_of(STAGES[stage]).items()
    for value in ends(name, part)
]


@pytest.fixture(scope="module")
def index() -> DatasetIndex:
    """Five classes, two of them unseen, with a few images each."""
    draw = np.random.default_rng(0)
    images = [
        (0, "trainval"),
        (1, "trainval"),
        (2, "trainval"),
        (0, "test_seen"),
        (3, "test_unseen"),
        (4, "test_unseen"),
    ]
    images = [pair for pair in images for _ in range(3)]
    return DatasetIndex(
        classes=tuple("abcde"),
        seen=np.arange(CLASSES) < 3,
        percent=draw.integers(1, 100, (CLASSES, ATTRIBUTES)).astype(np.float32),
        attributes=tuple("vwxy"),
        words=tuple("vwxy"),
        parts=("a", "a", "b", ""),
        paths=tuple(f"{number}.jpg" for number in range(len(images))),
        labels=np.array([label for label, _ in images], np.int32),
        split=tuple(split for _, split in images),
        rows=np.arange(len(images), dtype=np.int32),
    )


@pytest.fixture(scope="module")
def store(index, tmp_path_factory) -> RegionStore:
    path, draw = tmp_path_factory.mktemp("regions") / "part.parquet", np.random.default_rng(1)
    with write_shard(path, FeatureMap(CHANNELS, 2, 2), Provenance("test")) as writer:
        writer.add(index.rows, draw.random((len(index.paths), 4, CHANNELS)))
    return RegionStore([path])


@pytest.fixture(scope="module")
def usual(index, store, tmp_path_factory) -> Space:
    return space_by(index, store, fitting({})["scen"], tmp_path_factory.mktemp("usual"))[0]


def fitting(given: dict[str, dict]) -> dict[str, object]:
    """The stages' settings of `given` over USUAL; what the configuration refuses together is put right."""
    made = {stage: STAGES[stage](**{**USUAL[stage], **given.get(stage, {})}) for stage in STAGES}
    eggn = made["eggn"]
    if eggn.classification_weight > 0:
        made["eggn"] = eggn = replace(eggn, generator="f-clswgan", seen_guidance=0.0, unseen_guidance=0.0)
    if not reads(eggn.generator, "seen_guidance"):
        made["eggn"] = eggn = replace(eggn, seen_guidance=0.0, unseen_guidance=0.0)
    if eggn.generator not in TRANSFORMING or (eggn.generator in WITH_DECODER and eggn.decoder_weight == 0):
        made["classifier"] = replace(made["classifier"], input="dense")
    if eggn.generator in IN_OWN_SPACE:
        made["classifier"] = replace(made["classifier"], input="transformed")
    return made


def owner(stage: str, name: str) -> dict[str, dict]:
    """The generator that a setting is for, where its description begins with one."""
    method = fields_of(STAGES[stage])[name].get("description", "").partition(":")[0].lower()
    return {"eggn": {"generator": method}} if method in GENERATORS else {}


def space_by(index: DatasetIndex, store: RegionStore, settings: ScenSettings, folder: Path) -> tuple[Space, Metrics]:
    """Train SCEN and write it as its job does; return its space, and the scores of LEN alone."""
    words = np.random.default_rng(2).normal(size=(ATTRIBUTES, 3)).astype(np.float32)
    scen = train_scen(index, store, words, settings, 1, CPU).model
    write_tensors(folder / "scen", "scen", scen.state_dict(), Provenance("test"))
    embedded = embed_images(store, index.rows, scen, CPU)
    vectors = torch.from_numpy(index.vectors)
    by_embedding = [predict_embedding(embedded.semantics, vectors, index, task) for task in ("czsl", "gzsl")]
    scaler = MinMaxScaler.fit(embedded.features[torch.from_numpy(index.in_split("trainval"))])
    return Space(index, scaler.transform(embedded.features), scaler, scen), score(*by_embedding, index)


def scores_by_dazle(index: DatasetIndex, store: RegionStore, settings: DazleSettings, folder: Path) -> Metrics:
    """Train DAZLE and write it as its job does; return its scores."""
    words = np.random.default_rng(2).normal(size=(ATTRIBUTES, 3)).astype(np.float32)
    dazle = train_dazle(index, store, words, settings, 1, CPU).model
    write_tensors(folder / "dazle", "dazle", dazle.state_dict(), Provenance("test"))
    semantics, vectors = embed_by_dazle(store, index.rows, dazle, CPU), torch.from_numpy(index.vectors)
    tasks = ("czsl", "gzsl")
    return score(*(predict_embedding(semantics, vectors, index, task, margin=settings.margin) for task in tasks), index)


def scores_on(space: Space, made: dict[str, object], folder: Path) -> Metrics:
    """Train a generator and the final classifiers on a space, and write what their jobs do; return the scores."""
    eggn, _ = train_eggn(space, made["eggn"], 1, CPU)
    write_tensors(folder / "eggn", "eggn", eggn.state_dict(), Provenance("test"))
    final = run_final_steps(space, eggn, FinalSettings(made["synthesis"], made["classifier"], 1), CPU)
    return final.metrics


def judge(scores: Callable[[], Iterable[Metrics]]) -> None:
    """Scores are finite, or one sentence says what went wrong; no library warns in its stead."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        try:
            for found in scores():
                assert np.isfinite([found.acc, found.u, found.s, found.h, found.ausuc]).all()
        except InputError as error:
            assert str(error).endswith(".") and "\n" not in str(error), error


@pytest.mark.parametrize(("stage", "name", "value"), CASES, ids=lambda value: str(value)[:12])
@pytest.mark.slow
def test_each_setting_at_both_ends_of_its_range(index, store, usual, tmp_path, stage, name, value):
    made = fitting({stage: {name: value, **owner(stage, name).get(stage, {})}})
    if stage == "scen":
        judge(lambda: [space_by(index, store, made["scen"], tmp_path)[1]])
    elif stage == "dazle":
        judge(lambda: [scores_by_dazle(index, store, made["dazle"], tmp_path)])
    else:
        judge(lambda: [scores_on(usual, made, tmp_path)])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(MANY // 10))
def test_all_settings_drawn_from_their_ranges_at_once(index, store, tmp_path, seed):
    source = random.Random(seed)

    def both():
        space, scores = space_by(index, store, made["scen"], tmp_path)
        return [scores, scores_on(space, made, tmp_path)]

    given = {
        stage: {name: drawn(name, part, source) for name, part in fields_of(STAGES[stage]).items()} for stage in STAGES
    }
    made = fitting(given)
    judge(both)
    judge(lambda: [scores_by_dazle(index, store, made["dazle"], tmp_path)])
