"""A run of a few pictures and untrained networks, with every file that the workflow would have written."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from scegg_core.artifacts.files import Provenance, input_digest, write_tensors
from scegg_core.artifacts.paths import IndexFiles
from scegg_core.classify.classifier import write_classifier
from scegg_core.classify.predictions import predict_final, write_predictions
from scegg_core.classify.train import train_final
from scegg_core.data.tables import DatasetIndex, write_index
from scegg_core.data.tasks import TASKS
from scegg_core.eggn.files import write_eggn, write_synthetic
from scegg_core.eggn.generators import NETWORKS
from scegg_core.eggn.synthesis import synthesize
from scegg_core.regions.backbone import build_backbone, random_features
from scegg_core.regions.extraction import extract_shard
from scegg_core.regions.store import RegionStore
from scegg_core.scen.embed import embed_images
from scegg_core.scen.files import write_scen
from scegg_core.scen.model import SCEN
from scegg_core.scen.space import Space, read_features, read_scaler, write_space
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.base import as_mapping
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.settings.synthesis import SynthesisSettings

CPU = torch.device("cpu")
ATTRIBUTES = (
    "has_wing_color::blue",
    "has_wing_color::red",
    "has_size::small",
    "has_size::large",
    "has_bill_shape::cone",
)
WORDS = ("wing color blue", "wing color red", "size small", "size large", "bill shape cone")


@dataclass(frozen=True)
class SmallRun:
    """Where the run and its pictures lie."""

    root: Path
    run: Path
    images: Path
    index: DatasetIndex


def make_run(
    root: Path,
    weights: str = "random",
    classifier_input: str = "dense",
    class_norm: str = "l2",
    feature_scaling: str = "channel",
    generator: str = "tf-vaegan",
) -> SmallRun:
    """Write a run of 4 classes, one unseen, 4 pictures each; `weights` names the backbone's weight file, if any."""
    index, images = _pictures(root / "pictures")
    index = replace(index, class_norm=class_norm)
    results = root / "results" / "small"
    run, space = results / "variants/sc-egg/seed3", results / "spaces/sc-egg/seed3"
    write_index(index, IndexFiles.in_folder(results), Provenance("index_dataset"))
    store = _write_regions(results, index, images, weights)
    inputs = {name: input_digest(results / f"{name}.parquet") for name in ("classes", "images", "attributes")}
    inputs["regions"] = input_digest(results / "regions/part-0000.parquet")
    inputs |= _write_space(space, store, index, feature_scaling, inputs)
    final = ClassifierSettings(epochs=2, input=classifier_input)
    _write_final(run, space, index, inputs, final, EggnSettings(generator=generator, hidden_width=8))
    return SmallRun(root, run, images, index)


def _pictures(folder: Path) -> tuple[DatasetIndex, Path]:
    rng = np.random.default_rng(0)
    names = ("001.Blue_Bird", "002.Red_Bird", "003.Small_Bird", "004.Large_Bird")
    paths, labels = [], []
    for label, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for number in range(4):
            path = f"{name}/{number}.png"
            Image.fromarray(rng.integers(0, 256, (40, 36, 3), dtype=np.uint8)).save(folder / path)
            paths.append(path)
            labels.append(label)
    split = [*(["trainval", "trainval", "trainval", "test_seen"] * 3), *(["test_unseen"] * 4)]
    percent = rng.integers(1, 100, (4, len(ATTRIBUTES))).astype(np.float32)
    index = DatasetIndex(
        classes=names,
        seen=np.array([True, True, True, False]),
        percent=percent,
        attributes=ATTRIBUTES,
        words=WORDS,
        parts=("",) * len(ATTRIBUTES),
        paths=tuple(paths),
        labels=np.array(labels, np.int32),
        split=tuple(split),
        rows=np.arange(len(paths), dtype=np.int32),
    )
    return index, folder


def _write_regions(results: Path, index: DatasetIndex, images: Path, weights: str) -> RegionStore:
    settings = BackboneSettings(
        network="shufflenet_v2_x0_5", weights=weights, features_up_to="maxpool", image_size=32, batch_size=4
    )
    inputs, path = {}, None
    if weights != "random":
        path = results / "backbone.safetensors" if weights == "train" else Path(weights)
        made = Provenance("train_backbone", seed=0)
        write_tensors(path, "backbone", random_features(settings).state_dict(), made)
        inputs = {"weights": input_digest(path)}
    shown = {**as_mapping(settings), "weights": Path(weights).name}
    shard, made_from = results / "regions/part-0000.parquet", Provenance("extract_regions", shown, inputs=inputs)
    paths = [images / name for name in index.paths]
    extract_shard(build_backbone(settings, path), paths, range(len(paths)), settings, CPU, shard, made_from)
    return RegionStore([shard])


def _write_space(
    space: Path, store: RegionStore, index: DatasetIndex, scaling: str, inputs: dict[str, str]
) -> dict[str, str]:
    torch.manual_seed(0)
    settings = ScenSettings()
    scen = SCEN(torch.randn(len(ATTRIBUTES), 6), torch.from_numpy(index.vectors), store.size.channels, settings)
    write_scen(space / "scen.safetensors", scen, settings, Provenance("train_scen", inputs=inputs))
    files = [space / name for name in ("features.parquet", "scaler.safetensors", "semantics.parquet")]
    embedded = embed_images(store, index.rows, scen.eval(), CPU)
    write_space(embedded, index.in_split("trainval"), *files, Provenance("embed_images", inputs=inputs), scaling)
    named = {"features": files[0], "scaler": files[1], "scen": space / "scen.safetensors"}
    return {name: input_digest(path) for name, path in named.items()}


def _write_final(
    run: Path,
    folder: Path,
    index: DatasetIndex,
    inputs: dict[str, str],
    settings: ClassifierSettings,
    given: EggnSettings,
) -> None:
    torch.manual_seed(1)
    space = Space(
        index, read_features(folder / "features.parquet", index), read_scaler(folder / "scaler.safetensors"), None
    )
    making = SynthesisSettings(per_class=6)
    eggn = NETWORKS[given.generator](space.features.shape[1], len(ATTRIBUTES), given).eval().requires_grad_(False)
    write_eggn(run / "eggn.safetensors", eggn, given, Provenance("train_eggn", inputs=inputs, seed=3))
    inputs = inputs | {"eggn": input_digest(run / "eggn.safetensors")}
    unseen = torch.nonzero(~torch.from_numpy(index.seen)).squeeze(1)
    made = synthesize(eggn, torch.from_numpy(index.vectors), unseen, making, 3)
    made_from = Provenance("synthesize", as_mapping(making), inputs=inputs, seed=3)
    write_synthetic(run / "synthetic_unseen.parquet", made, made_from)
    inputs = inputs | {"synthetic": input_digest(run / "synthetic_unseen.parquet")}
    for task in TASKS:
        final = train_final(space, made, eggn, task, settings, 3, CPU)
        made_from = Provenance("train_classifier", as_mapping(settings), inputs=inputs, seed=3)
        write_classifier(run / f"classifier_{task}.safetensors", final, made_from, run.parent.name)
        predictions = predict_final(final, eggn, space, task)
        write_predictions(run / f"predictions_{task}.parquet", predictions, Provenance("predict"))
