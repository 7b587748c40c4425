"""Command lines at random, on a small run: an answer or one sentence, never a traceback, never a changed file of before.

SCEGG_CASES sets the number of command lines.
"""

import os
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from scegg_core.__main__ import main
from scegg_core.artifacts.files import file_digest
from scegg_core.using.api import add_classes, export_run
from tests.unit.small_run import ATTRIBUTES, make_run

CASES = int(os.environ.get("SCEGG_CASES", "60"))
#: Values that fit nowhere, or only by chance.
ODD = (
    "",
    "-",
    " ",
    "--",
    "-1",
    "0",
    "1e3",
    "٣",
    "9" * 30,
    "a\0b",
    "a\nb",
    "\udce9",
    "\ud800",
    "x" * 300,
    "~",
    "$x$",
    "*",
)


@dataclass(frozen=True)
class Scene:
    """A folder with what commands may be pointed at, and `out`, emptied for every command line, to be written to."""

    root: Path
    out: Path
    runs: tuple[str, ...]
    inputs: tuple[str, ...]


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    root = tmp_path_factory.mktemp("scene")
    small = make_run(root)
    good = write_table(root / "new.csv", "Moon Bird,1,2,3,4,5")
    extension = add_classes(small.run, good, "kept", "cpu")
    exported = export_run(small.run, root / "exported")
    edited = shutil.copytree(exported, root / "edited")
    (edited / "model.json").write_text((edited / "model.json").read_text().replace("001", "002"))
    half = shutil.copytree(small.run, small.run.with_name("seed4"))
    (half / "classifier_czsl.safetensors").write_bytes((half / "classifier_czsl.safetensors").read_bytes()[:-9])
    return Scene(
        root,
        root / "out",
        tuple(map(str, (small.run, extension, exported, edited, half, small.run.parents[2], good, root / "nowhere"))),
        tuple(map(str, odd_inputs(root, small))),
    )


def write_table(path, *rows):
    path.write_text("\n".join([",".join(["class", *ATTRIBUTES]), *rows]) + "\n")
    return path


def odd_inputs(root, small):
    """Folders, pictures, tables, and what is none of these."""
    picture, mixed = small.images / "001.Blue_Bird/0.png", root / "mixed"
    mixed.mkdir()
    for name in (b"caf\xe9.png", b"a\nb.png", b"photo.heic", b"noending", b"$x_{$.png", b".hidden.png"):
        shutil.copy(picture, os.fsencode(mixed) + b"/" + name)
    (mixed / "cut.png").write_bytes(picture.read_bytes()[:90])
    (mixed / "circle.png").symlink_to("circle.png")
    os.mkfifo(mixed / "pipe.png")
    (root / "empty").mkdir()
    known = write_table(root / "known.csv", "Blue Bird,1,2,3,4,5")
    (root / "bytes.csv").write_bytes(bytes(range(256)))
    cut, weights = mixed / "cut.png", small.run / "eggn.safetensors"
    others = (mixed / "pipe.png", mixed / "circle.png", root / "empty", known, root / "bytes.csv", weights, "/dev/null")
    return small.images, small.images, picture, picture, mixed, mixed, cut, root / "new.csv", *others


def output(rng, scene):
    """A place to write: mostly a fresh one, else one that holds something."""
    name = rng.choice(["a.csv", "a.parquet", "a.png", "a.pdf", "a.svg", "folder", "deep/er/a.csv", "a.CSV", "a"])
    taken = [*scene.runs, *scene.inputs, f"{scene.runs[0]}/metrics.json", f"{scene.runs[2]}/{name}", *ODD]
    return str(scene.out / name) if rng.random() < 0.7 else rng.choice(taken)


def command_line(rng, scene):
    """A command with most of the options that it needs, and some others."""

    def option(name, usual, chance):
        if rng.random() < chance:
            return [name, rng.choice(usual) if rng.random() < 0.8 else rng.choice(ODD)]
        return []

    def words(*parts):
        return [word for part in parts for word in part]

    run = ["--run", scene.runs[0] if rng.random() < 0.4 else rng.choice([*scene.runs, *ODD])]
    out = ["--out", output(rng, scene)] if rng.random() < 0.95 else []
    device = option("--device", ["cpu", "auto", "mps", "foo", "cuda:9"], 0.3)
    weights, task = option("--weights", scene.inputs, 0.1), option("--task", ["gzsl", "czsl"], 0.3)
    top = option("--top", ["1", "3", "200", "100000"], 0.3)
    names = ["Blue Bird", "red bird", "004.Large_Bird", "Moon Bird", "Blue"]
    images = option("--images", scene.inputs, 0.95)
    images += [rng.choice(scene.inputs)] if images and rng.random() < 0.3 else []
    page = option("--page", [str(scene.out / "a.html"), output(rng, scene)], 0.3)
    attention = option("--attention", ["1", "2"], 0.1)
    sheets = words(
        option("--sheets", [str(scene.out / "sheets"), *scene.inputs], 0.1), option("--sheet-count", ["1"], 0.1)
    )
    pair = ["--classes", rng.choice(names), rng.choice([*names, *ODD])] if rng.random() < 0.5 else []
    what = pair or words(option("--image", scene.inputs, 0.9), option("--against", names, 0.3))
    given = words(option("--classes", scene.inputs, 0.8), option("--name", ["new", "newer", "../x", "ä"], 0.8))
    template = option("--template", [output(rng, scene)], 0.2)
    batch, size = option("--batch-size", ["1", "5", "70000"], 0.2), option("--size", ["48", "64", "9999"], 0.9)
    few = words(option("--count", ["1", "2"], 1), option("--pictures", ["1", "2"], 1), option("--seed", ["1"], 0.3))
    return rng.choice(
        [
            words(["predict"], run, images, out, page, attention, device, weights, task, top, batch, sheets),
            words(["explain"], run, what, out, device, weights, task, top),
            words(["add-classes"], run, given, template, device),
            words(["export"], run, out, weights),
            words(["draw-species"], out, few, size),
        ]
    )


def digests(scene, *but):
    """The bytes of every file in the scene, without what a command was asked to write."""
    files = (path for path in scene.root.rglob("*") if path.is_file() and not path.is_relative_to(scene.out))
    return {path: file_digest(path) for path in files if not any(path.is_relative_to(place) for place in but)}


def outcome(arguments, capsys):
    """The exit code of a command, and what it said besides its progress."""
    capsys.readouterr()
    try:
        code = main(list(arguments))
    except SystemExit as error:
        code = error.code
    said = capsys.readouterr().err.split("\n")[:-1]
    return code, [line for line in said if "\r" not in line]


@pytest.mark.slow
def test_command_lines(scene, capsys, monkeypatch):
    rng = random.Random(0)
    added = [Path(scene.runs[0]) / "extended" / name for name in ("new", "newer")]
    exported, edited = map(Path, scene.runs[2:4])
    before, codes = digests(scene, *added), []
    for _ in range(CASES):
        shutil.rmtree(scene.out, ignore_errors=True)
        scene.out.mkdir()
        monkeypatch.chdir(scene.out)
        arguments = command_line(rng, scene)
        code, said = outcome(arguments, capsys)
        codes.append(code)
        assert code in (0, 1, 2), arguments
        if code == 0 and arguments[0] == "export":  # an export may take the place of another
            before = {path: before[path] for path in before if path.parent not in (exported, edited)}
        now = digests(scene, *added)
        assert {path: now.get(path) for path in before} == before, arguments
        if code:
            assert said[-1].startswith(f"{arguments[0]}: "), (arguments, said)
            assert len([line for line in said if line.startswith(f"{arguments[0]}: ")]) == 1
    assert {0, 1, 2} <= set(codes)  # the lines are neither all good nor all bad
