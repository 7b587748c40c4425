"""A researcher's own pictures: the example of docs/own_data.md word for word, and archives put in place by hand."""

import hashlib
import re
import shlex
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from scegg_core.artifacts.files import read_description
from tests.workflow.conftest import ROOT, Workflow, copy_project
from tests.workflow.starts import start_snakemake

pytestmark = pytest.mark.slow


@pytest.fixture
def fresh(tmp_path) -> Workflow:
    """A project in which nothing has run; it works in its own folder, as a user does."""
    project = copy_project(tmp_path / "project")
    return Workflow(project, project)


def write_pictures(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for number in range(count):
        pixels = np.random.default_rng(number).integers(0, 255, (40, 50, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.jpg")


def call(command: list[str], folder: Path) -> subprocess.CompletedProcess:
    """Run a `snakemake …` command in `folder`."""
    assert command[0] == "snakemake"
    return start_snakemake(command[1:], folder, {"PWD": str(folder)}, folder)


def test_the_documented_example_word_for_word(fresh):
    text = (ROOT / "docs/own_data.md").read_text(encoding="utf-8")
    table, section, quick, captions = re.findall(r"```(?:csv|yaml|text)\n(.*?)```", text, re.DOTALL)
    commands = [shlex.split(line) for line in text.splitlines() if line.startswith("snakemake ")]
    assert len((table + section).splitlines()) == 10
    assert "`--configfile my_animals.yaml quick.yaml`" in text
    for name in ("giraffe", "horse", "zebra"):
        write_pictures(fresh.folder / "my_animals/images" / name, 5)
    for name, content in {
        "my_animals/attributes.csv": table,
        "my_animals/captions.txt": captions,
        "my_animals.yaml": section,
        "quick.yaml": quick,
    }.items():
        (fresh.folder / name).write_text(content, encoding="utf-8")

    check, train = commands
    done = call(check, fresh.folder)
    assert "to fetch    data/archives/glove.6B.zip" in done.stderr
    assert "to fetch    the weights IMAGENET1K_V1 of resnet101" in done.stderr
    assert done.returncode == 0 and "\nready\n" in done.stderr, done.stderr
    planned = call([train[0], "--dry-run", *train[1:]], fresh.folder)
    assert planned.returncode == 0 and "fetch_weights" in planned.stdout + planned.stderr

    for command in commands:
        command.insert(command.index("my_animals.yaml") + 1, "quick.yaml")
        done = call(command, fresh.folder)
        assert done.returncode == 0, done.stdout + done.stderr
    assert list(pd.read_csv(fresh.folder / "results/my_animals/table.csv")["variant"]) == [
        "sc-egg",
        "baseline",
        "len",
        "prototype",
        "eszsl",
    ]


def write_horses_and_zebras(folder: Path, attributes: str) -> None:
    """Write three pictures of each class, and a table of two attributes."""
    for name in ("horse", "zebra"):
        write_pictures(folder / "images" / name, 3)
    (folder / "attributes.csv").write_text(f"class,{attributes}\nhorse,1,0\nzebra,0,1\n")


def test_what_an_archive_brought_is_known_by_its_sha256_and_looked_at_again(fresh):
    write_horses_and_zebras(fresh.folder / "raw", "a,b")
    archive = fresh.folder / "data/archives/animals.zip"
    archive.parent.mkdir(parents=True)
    with zipfile.ZipFile(archive, "w") as file:
        for path in (fresh.folder / "raw").rglob("*"):
            file.write(path, path.relative_to(fresh.folder / "raw"))
    (fresh.folder / "own.yaml").write_text(
        "downloads: {animals: {url: http://127.0.0.1:9/a.zip, file: data/archives/animals.zip, unpack_to: data/own}}\n"
        "datasets: {own: {format: folder, folder: data/own, unseen_classes: [zebra], downloads: [animals]}}\n"
    )
    index, own = "results/own/classes.parquet", (fresh.folder / "own.yaml",)
    done = fresh.run(index, overlays=own)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("classes", "images", "attributes"):
        inputs = read_description(fresh.folder / f"results/own/{name}.parquet")["provenance"]["inputs"]
        assert inputs == {"fetched_animals": hashlib.sha256(archive.read_bytes()).hexdigest()}
    assert fresh.dry(index, overlays=own) == set()
    (fresh.folder / "data/own").rename(fresh.folder / "away")  # to save space: what was made of it stays
    assert fresh.dry(index, overlays=own) == set()
    (fresh.folder / "away").rename(fresh.folder / "data/own")
    (fresh.folder / "data/own/attributes.csv").write_text("class,a,b\nhorse,1,0\nzebra,0,2\n")
    assert fresh.dry(index, overlays=own) == {"index_dataset"}


def test_a_fetched_file_of_word_vectors_is_looked_at_again(fresh):
    write_horses_and_zebras(fresh.folder / "raw", "red,blue")
    words = fresh.folder / "data/archives/words.txt"
    words.parent.mkdir(parents=True)
    words.write_text("red 1 0\nblue 0 1\n")
    (fresh.folder / "own.yaml").write_text(
        "downloads: {words: {url: http://127.0.0.1:9/words.txt, file: data/archives/words.txt}}\n"
        "datasets: {own: {format: folder, folder: raw, unseen_classes: [zebra],\n"
        "  attribute_vectors: {path: data/archives/words.txt, download: words, dimensions: 2}}}\n"
    )
    vectors, own = "results/own/attribute_vectors.parquet", (fresh.folder / "own.yaml",)
    done = fresh.run(vectors, overlays=own)
    assert done.returncode == 0, done.stdout + done.stderr
    assert fresh.dry(vectors, overlays=own) == set()
    words.write_text("red 0 1\nblue 0 1\n")
    assert fresh.dry(vectors, overlays=own) == {"embed_attributes"}
