"""Full disks, read-only folders, flipped bits: one sentence, nothing half-written, never a silently wrong table."""

import json
import os
import random
import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from scegg_core.artifacts.files import read_table
from scegg_core.artifacts.paths import IndexFiles
from scegg_core.artifacts.weights import read_weights
from scegg_core.classify.classifier import read_classifier
from scegg_core.classify.predictions import read_predictions
from scegg_core.data.tables import read_index, read_vectors
from scegg_core.eggn.files import read_eggn, read_synthetic
from scegg_core.errors import InputError
from scegg_core.evaluate.scores import read_metrics
from scegg_core.regions.store import RegionStore
from scegg_core.scen.files import read_scen
from scegg_core.scen.space import read_scaler
from tests.workflow.conftest import copy_run, rules_in

pytestmark = pytest.mark.slow

SPACE = "results/aviary/spaces/sc-egg/seed0"
RUN = "results/aviary/variants/sc-egg/seed0"
#: A file of every stage that writes, the last stages first. One run tries those in a row: they are made from nothing of
#: each other, and are larger than all that the jobs of the row remove before they write.
STAGES = (
    {"tabulate": "results/aviary/table.csv"},
    {"plot_tsne": "results/aviary/tsne.png", "plot_curves": "results/aviary/variants/sc-egg/curves.png"},
    {"score": f"{RUN}/metrics.json"},
    {"predict": f"{RUN}/predictions_gzsl.parquet"},
    {"train_classifier": f"{RUN}/classifier_gzsl.safetensors"},
    {"synthesize": f"{RUN}/synthetic_unseen.parquet"},
    {
        "train_eggn": "results/aviary/variants/baseline/seed0/eggn.safetensors",
        "embed_images": "results/aviary/spaces/sc-egg/seed1/features.parquet",
        "train_scen": f"{SPACE}/scen.safetensors",
    },
    {
        "extract_regions": "results/aviary/regions/part-0000.parquet",
        "embed_attributes": "results/aviary/attribute_vectors.parquet",
    },
    {"index_dataset": "results/aviary/classes.parquet"},
)


@contextmanager
def mounted(folder: Path, megabytes: int):
    """Within the block `folder` is a small disk of its own; skipped where mounting is not allowed."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or shutil.which("mount") is None or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("a small disk cannot be mounted here (needs root)")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(scope="module")
def small_disk(finished, tmp_path_factory):
    """The finished run with its results on a disk of their own."""
    folder = tmp_path_factory.mktemp("small_disk")
    flow = copy_run(finished, folder, "data", ".snakemake")
    size = sum(path.stat().st_size for path in (finished.folder / "results").rglob("*") if path.is_file()) >> 20
    with mounted(folder / "results", 2 * size + 16):
        copy_run(finished, folder, "results")
        yield flow


def fill(folder: Path) -> Path:
    """Fill the disk to the last page; return the file that does it."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return filler


@contextmanager
def missing(paths: list[Path]):
    """Within the block the files are not there."""
    kept = [(path.read_bytes(), path.stat()) for path in paths]
    for path in paths:
        path.unlink()
    try:
        yield
    finally:
        for path, (content, state) in zip(paths, kept, strict=True):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@pytest.mark.parametrize("outputs", STAGES, ids=", ".join)
def test_a_full_disk_is_said_and_nothing_half_written_stays(small_disk, outputs):
    paths = [small_disk.folder / output for output in outputs.values()]
    with missing(paths):
        filler = fill(small_disk.folder / "results")
        try:
            done = small_disk.run(*outputs.values(), "--keep-going", "--no-hooks")
            names = {path: [file.name for file in path.parent.iterdir()] for path in paths}
        finally:
            filler.unlink()
    assert done.returncode == 1
    for stage in outputs:
        assert f"{stage}: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
    for path, found in names.items():
        assert not [name for name in found if name.startswith((f".{path.name}", path.name))]


def test_a_folder_that_cannot_be_written_is_said_before_any_job(finished, tmp_path):
    flow = copy_run(finished, tmp_path, "data", ".snakemake")
    with mounted(tmp_path / "results", 200):
        copy_run(finished, tmp_path, "results")
        for name in (
            "metrics.json",
            "outcomes.parquet",
        ):  # of outputs that are there Snakemake says that they are protected
            (tmp_path / RUN / name).unlink()
        subprocess.run(["mount", "-o", "remount,ro", str(tmp_path / "results")], check=True)
        done = flow.run(f"{RUN}/metrics.json")
        again = flow.run("results/aviary/classes.parquet")
    assert done.returncode == 1
    assert f"SC-EGG: {tmp_path.resolve()}/results cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
    assert again.returncode == 0
    assert "Nothing to be done" in again.stdout + again.stderr


# --- flipped bits ---


def content_of_index(path: Path) -> object:
    return asdict(read_index(replace(IndexFiles.in_folder(path.parent), test_labels=None)))


def content_of_regions(path: Path) -> object:
    store = RegionStore([path])
    return [store.size, *((images.tobytes(), regions.tobytes()) for images, regions in store.scan())]


def weights_of(module) -> dict:
    return {name: value.numpy().tobytes() for name, value in module.state_dict().items()}


def content_of_classifier(path: Path) -> object:
    final = read_classifier(path)
    return final.classifier.classes.tolist(), final.classifier.layer.weight.numpy().tobytes(), final.settings


def content_of_eggn(path: Path) -> object:
    eggn, settings = read_eggn(path)
    return weights_of(eggn), settings


def content_of_predictions(path: Path) -> object:
    found = read_predictions(path)
    return [getattr(found, name).tobytes() for name in ("images", "labels", "scores", "classes", "predicted")]


#: A file of every kind, and what a stage that reads it sees of it.
KINDS = {
    "results/aviary/classes.parquet": content_of_index,
    "results/aviary/images.parquet": content_of_index,
    "results/aviary/attributes.parquet": content_of_index,
    "results/aviary/attribute_vectors.parquet": lambda path: asdict(read_vectors(path)),
    "results/aviary/regions/part-0000.parquet": content_of_regions,
    f"{SPACE}/scen.safetensors": lambda path: weights_of(read_scen(path)),
    f"{SPACE}/curve.parquet": lambda path: read_table(path, "curve").to_pydict(),
    f"{SPACE}/features.parquet": lambda path: read_table(path, "features").to_pydict(),
    f"{SPACE}/semantics.parquet": lambda path: read_table(path, "semantics").to_pydict(),
    f"{SPACE}/scaler.safetensors": lambda path: [t.numpy().tobytes() for t in vars(read_scaler(path)).values()],
    f"{RUN}/eggn.safetensors": content_of_eggn,
    f"{RUN}/synthetic_unseen.parquet": lambda path: [t.numpy().tobytes() for t in vars(read_synthetic(path)).values()],
    f"{RUN}/classifier_gzsl.safetensors": content_of_classifier,
    f"{RUN}/predictions_gzsl.parquet": content_of_predictions,
    f"{RUN}/metrics.json": read_metrics,
}


@pytest.mark.parametrize("place", ["anywhere", "at the end"])
@pytest.mark.parametrize("name", KINDS)
def test_flipped_bits_are_found_or_harmless(finished, tmp_path, name, place):
    shutil.copytree((finished.folder / name).parent, tmp_path / "a", ignore=shutil.ignore_patterns("*.png", "*.pdf"))
    path, read = tmp_path / "a" / Path(name).name, KINDS[name]
    whole, draw, found = path.read_bytes(), random.Random(name), 0
    # the metadata lie at the end of a parquet file, and a large file's are hardly hit otherwise
    first = 0 if place == "anywhere" else max(0, len(whole) - 3000)
    expected = str(read(path))
    for _ in range(50):
        damaged = bytearray(whole)
        damaged[draw.randrange(first, len(whole))] ^= 1 << draw.randrange(8)
        path.write_bytes(bytes(damaged))
        try:
            assert str(read(path)) == expected
        except InputError as error:
            assert str(tmp_path) in str(error)
            found += 1
    assert found > 10


def test_a_trained_backbone_is_checked_when_it_is_read(tmp_path):
    import torch

    from scegg_core.artifacts.files import Provenance, write_tensors

    path = tmp_path / "backbone.safetensors"
    write_tensors(path, "backbone", {"0.weight": torch.arange(100.0)}, Provenance("train_backbone"))
    damaged = bytearray(path.read_bytes())
    damaged[-10] ^= 1
    path.write_bytes(bytes(damaged))
    with pytest.raises(InputError, match="is damaged"):
        read_weights(path)


def test_a_table_is_not_made_of_changed_metrics(finished, tmp_path):
    flow = copy_run(finished, tmp_path)
    path = tmp_path / RUN / "metrics.json"
    whole, said = path.read_bytes(), json.loads(path.read_text())
    said["metrics"]["acc"] = 0.99
    path.write_text(json.dumps(said))
    done = flow.run("results/aviary/table.csv")
    assert done.returncode == 0, done.stdout + done.stderr
    assert rules_in(done.stdout + done.stderr) == {"score", "tabulate"}
    assert path.read_bytes() == whole
    table = "results/aviary/table.csv"
    assert (tmp_path / table).read_bytes() == (finished.folder / table).read_bytes()
