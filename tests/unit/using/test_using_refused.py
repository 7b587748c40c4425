"""What using a run refuses, each in one sentence and before any work; and that sets of files are never mixtures."""

import io
import json
import os
import re
import shutil
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from scegg_core.__main__ import main
from scegg_core.artifacts.files import Provenance, file_digest, read_description, write_tensors
from scegg_core.artifacts.paths import IndexFiles
from scegg_core.classify.classifier import read_classifier, write_classifier
from scegg_core.data.tables import read_index, write_classes
from scegg_core.errors import InputError
from scegg_core.training.device import pick_device
from scegg_core.using import extend
from scegg_core.using.api import add_classes, export_run, load_model, predict
from scegg_core.using.pictures import find_pictures
from scegg_core.using.places import require_output
from scegg_core.using.run_files import classifiers_in
from scegg_core.using.run_folder import find_run
from scegg_core.using.sheets import _sheet_name
from tests.unit.small_run import ATTRIBUTES, make_run


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("made"))


@pytest.fixture
def small(made, tmp_path):
    """A run of the test's own, to be damaged; `made` is left as it is."""
    shutil.copytree(made.root / "results", tmp_path / "results")
    return tmp_path / made.run.relative_to(made.root)


@pytest.fixture(scope="module")
def exported(made, tmp_path_factory):
    return export_run(made.run, tmp_path_factory.mktemp("exports") / "model")


def table(folder, name="Moon Bird", values="10,20,30,40,50"):
    path = folder / f"{name}.csv"
    path.write_text(",".join(["class", *ATTRIBUTES]) + f"\n{name},{values}\n")
    return path


def digests(folder):
    return {path.relative_to(folder): file_digest(path) for path in folder.rglob("*") if path.is_file()}


def refused(arguments, capsys, code=1):
    """Run a command that is refused and return its one sentence."""
    capsys.readouterr()
    try:
        assert main([str(argument) for argument in arguments]) == code
    except SystemExit as error:
        assert error.code == code
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1
    return said[0]


# --- sets of files


def test_new_classes_beside_old_classifiers_are_refused(small, tmp_path):
    first = add_classes(small, table(tmp_path), "mine", "cpu")
    other = add_classes(small, table(tmp_path, "Sun Bird"), "other", "cpu")
    shutil.copy(other / "classes.parquet", first / "classes.parquet")
    with pytest.raises(InputError, match=r"was made from other classes than .*/mine/classes.parquet; add the classes"):
        load_model(first)


def test_an_extension_of_a_run_that_was_made_again_is_refused(small, tmp_path):
    folder = add_classes(small, table(tmp_path), "mine", "cpu")
    again_with_other_classes(small)
    with pytest.raises(InputError, match="was made from other classes than"):
        load_model(folder)


def again_with_other_classes(run):
    """What an interrupted workflow leaves: another class table, and all that was made from the earlier one."""
    files = IndexFiles.in_folder(run.parents[2])
    index = read_index(files)
    write_classes(
        type(index)(**{**vars(index), "classes": index.classes[::-1]}), files.classes, Provenance("index_dataset")
    )


def test_a_run_beside_another_index_is_refused(small):
    again_with_other_classes(small)
    with pytest.raises(InputError, match=r"was made from other classes than .*; let the workflow bring the run up to"):
        find_run(small)


def test_the_run_of_another_seed_is_not_answered_for(small):
    copy = shutil.copytree(small, small.with_name("seed4"))
    with pytest.raises(InputError, match=r"seed4 holds the run of seed 3, copied; name that one, or let the workflow"):
        find_run(copy)


def test_one_classifier_of_another_variant_is_not_answered_for(small):
    """Variants that differ in their classifiers alone have generators of the same bytes."""
    other = shutil.copytree(small, small.parent.with_name("other") / small.name)
    for path in classifiers_in(other).values():
        final, made_from = read_classifier(path), Provenance(**read_description(path)["provenance"])
        write_classifier(path, final, made_from, "other")
    assert find_run(other).name.endswith("other/seed3")
    shutil.copy(classifiers_in(small)["czsl"], classifiers_in(other)["czsl"])
    with pytest.raises(InputError, match=rf"other/seed3 holds the run of variant {small.parent.name}, copied"):
        find_run(other)


@pytest.mark.parametrize("part", ["", "extended/moon"])
def test_the_run_of_another_variant_is_not_answered_for_exported_or_extended(small, tmp_path, part):
    add_classes(small, table(tmp_path), "moon")
    copy = shutil.copytree(small, small.parent.with_name("other") / small.name) / part
    said = rf"other/seed3 holds the run of variant {small.parent.name}, copied; name that one, or let the workflow"
    for use in (load_model, lambda run: export_run(run, tmp_path / "model")):
        with pytest.raises(InputError, match=said):
            use(copy)
    with pytest.raises(InputError, match=said):
        add_classes(copy, table(tmp_path, "Sun Bird"), "sun")
    shutil.copytree(small, small.parent.with_name("other") / "seed5")
    with pytest.raises(InputError, match=f"seed5 holds the run of variant {small.parent.name}, seed 3, copied"):
        find_run(small.parent.with_name("other") / "seed5" / part)


@pytest.mark.parametrize(("task", "other", "count"), [("gzsl", "czsl", 4), ("czsl", "gzsl", 1)])
def test_the_classifier_of_the_other_task_is_refused(small, tmp_path, task, other, count):
    files = classifiers_in(small)
    shutil.copy(files[other], files[task])
    said = rf"classifier_{task}\.safetensors does not tell the {count} classes of {task} apart; let the workflow bring"
    for use in (load_model, lambda run: export_run(run, tmp_path / "model")):
        with pytest.raises(InputError, match=said):
            use(small)


def test_a_run_beside_other_regions_is_refused(small):
    shutil.copy(small.parents[2] / "classes.parquet", small.parents[2] / "regions/part-0000.parquet")
    with pytest.raises(InputError, match=r"was made from other regions than .*/regions; let the workflow"):
        find_run(small)


def test_shards_of_an_earlier_division_are_passed_over(small):
    shutil.copy(small.parents[2] / "classes.parquet", small.parents[2] / "regions/part-0001.parquet")
    assert [path.name for path in find_run(small).regions] == ["part-0000.parquet"]


@pytest.mark.parametrize("place", ["backbones/seed3", "backbones/seed7"])
def test_regions_of_the_run_are_found_by_their_digests(small, place):
    """A run of a seed with its own backbone, beside regions of other settings; and the other way round."""
    dataset = small.parents[2]
    shutil.copytree(dataset / "regions", dataset / place / "regions")
    other = dataset / ("regions" if place == "backbones/seed3" else f"{place}/regions") / "part-0000.parquet"
    write_tensors(other, "backbone", {"x": torch.zeros(1)}, Provenance("another"))
    right = dataset / (f"{place}/regions" if place == "backbones/seed3" else "regions")
    assert find_run(small).regions == (right / "part-0000.parquet",)


@pytest.mark.slow
def test_adding_that_fails_midway_leaves_the_earlier_extension(small, tmp_path, monkeypatch):
    folder = add_classes(small, table(tmp_path), "mine", "cpu")
    before = digests(small)
    monkeypatch.setattr(extend, "write_metrics", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        add_classes(small, table(tmp_path, "Sun Bird"), "mine", "cpu")
    assert digests(small) == before
    monkeypatch.undo()
    add_classes(small, table(tmp_path, "Sun Bird"), "mine", "cpu")
    assert load_model(folder, "cpu").classes.names[-1] == "Sun Bird"
    assert [path.name for path in folder.parent.iterdir()] == ["mine"]


def test_an_extension_with_other_files_is_spared(small, tmp_path):
    folder = add_classes(small, table(tmp_path), "mine", "cpu")
    (folder / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"holds other files \('notes.txt'\).*; give the extension another name"):
        add_classes(small, table(tmp_path), "mine", "cpu")


def test_export_that_fails_midway_keeps_the_good_one(made, exported, monkeypatch):
    before = digests(exported)
    monkeypatch.setattr("scegg_core.using.export.write_record", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_run(made.run, exported)
    assert digests(exported) == before
    assert [path.name for path in exported.parent.iterdir()] == ["model"]


def _reversed(content, name):
    content["exported_model"][name] = content["exported_model"][name][::-1]


EDITS = {
    "classes reversed": lambda content: _reversed(content, "classes"),
    "attributes reversed": lambda content: _reversed(content, "attributes"),
    "a class dropped": lambda content: content["exported_model"]["classes"].pop(),
    "another size": lambda content: content["exported_model"]["backbone"].update(image_size=64),
    "another norm": lambda content: content["exported_model"].update(class_norm="none"),
    "a seen class unseen": lambda content: content["exported_model"]["seen"].pop(),
    "a file not named": lambda content: content["exported_model"]["files"].pop("scen.safetensors"),
    **{
        f"no {name}": lambda content, name=name: content["exported_model"].pop(name)
        for name in ("backbone", "classes", "files", "name")
    },
    "no content": lambda content: content.pop("exported_model"),
    "no digest": lambda content: content.pop("digest"),
    "of another kind": lambda content: content.update(kind="metrics"),
    "of another schema": lambda content: content.update(schema=1),
    "wrong types": lambda content: content.update(exported_model=[], provenance=3),
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_description_of_an_export_is_refused(exported, tmp_path, edit):
    folder = tmp_path / "model"
    shutil.copytree(exported, folder)
    content = json.loads((folder / "model.json").read_text())
    EDITS[edit](content)
    (folder / "model.json").write_text(json.dumps(content))
    refuses_description(folder)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '{"kind": [], "schema": {}}', "[" * 100_000, "\ufeff{}"])
def test_what_is_no_description_of_an_export_is_refused(exported, tmp_path, text):
    shutil.copytree(exported, tmp_path / "model")
    (tmp_path / "model/model.json").write_text(text)
    refuses_description(tmp_path / "model")


def refuses_description(folder):
    with pytest.raises(InputError) as caught:
        load_model(folder)
    sentence = f"{folder}/model.json is not the description that the export wrote; export the run again."
    assert str(caught.value) == sentence


def test_an_export_takes_the_place_of_exports_alone(made, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "model.json").write_text('{"format": "layers-model"}')
    with pytest.raises(InputError, match=r"holds other files \('model.json'\), which would be lost; export into a new"):
        export_run(made.run, folder)
    (folder / "model.json").write_text('{"kind": "exported model", "schema": 1}')
    export_run(made.run, folder)
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match=r"holds other files \('notes.txt'\)"):
        export_run(made.run, folder)


def test_an_exported_model_is_no_run(exported, tmp_path, capsys):
    for command in (["add-classes", "--classes", table(tmp_path), "--name", "x"], ["add-classes", "--template", "x"]):
        said = refused([*command, "--run", exported], capsys)
        assert "is an exported model, which has no features of seen classes to train on; name the folder of the" in said
    said = refused(["export", "--run", exported, "--out", tmp_path / "new"], capsys)
    assert "is an exported model, which has no run to be exported" in said
    with pytest.raises(InputError, match="is an exported model, which holds its backbone; leave the weights out"):
        load_model(exported, weights="x.pth")


# --- runs that are none


def test_folders_that_are_no_run(made, tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty").mkdir()
    shutil.copytree(made.run, tmp_path / "copied")
    (tmp_path / "circle").symlink_to("circle")
    places = {
        "nowhere": "nowhere is missing; name the folder of a finished run, results/<data set>/variants/",
        "file": "file is a file; name the folder of a finished run",
        "circle": "circle is missing; name the folder of a finished run",
        "empty": "empty holds no classifier_czsl.safetensors; name the folder of a finished run that generates",
        "copied": "copied does not lie in the results of its data set, whose index and space it needs; name it in",
    }
    for name, sentence in places.items():
        out = ["--images", made.images, "--out", tmp_path / "out.csv"]
        assert sentence in refused(["predict", "--run", tmp_path / name, *out], capsys)


@pytest.mark.parametrize("name", ["classifier_czsl.safetensors", "../../../images.parquet", "../../../classes.parquet"])
def test_a_run_that_lacks_a_file(small, name):
    (small / name).unlink()
    with pytest.raises(InputError, match=r"holds no|is missing, so the run is not whole|does not lie in the results"):
        find_run(small)


def test_classes_need_what_the_run_was_made_with(small, tmp_path):
    (small / "eggn.safetensors").unlink()
    load_model(small)
    with pytest.raises(InputError, match=r"eggn.safetensors is missing, without which no classes can be added"):
        add_classes(small, table(tmp_path), "mine")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("", "the extension's name '' cannot be used as a name; use 1 to 64 of letters, digits"),
        ("a" * 65, "cannot be used as a name; use 1 to 64 of"),
        ("ä", "cannot be used as a name"),
        ("..", "cannot be used as a name"),
        ("validation", "cannot be used as a name, since it means something else"),
    ],
)
def test_names_of_extensions_are_those_of_the_workflow(made, tmp_path, name, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        add_classes(made.run, table(tmp_path), name)


# --- places to write


@pytest.fixture
def no_model(monkeypatch):
    """Loading is an error: what is refused is refused before."""
    monkeypatch.setattr("scegg_core.using.load.load_model", lambda *_: 1 / 0)


@pytest.mark.usefixtures("no_model")
def test_outputs_are_judged_before_the_work(made, exported, tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    (tmp_path / "table.csv").write_text("class,long bill\nBlue Bird,1\n")
    (tmp_path / "images.csv").write_text("image,label,split\n0.png,a,trainval\n")
    (tmp_path / "noted.csv").write_text(
        "image,class_1,probability_1,seen_1,attributes,problem,note\n0.png,a,1,True,,,x\n"
    )
    pd.DataFrame({"image": ["0.png"], "vector": [[1.0]]}).to_parquet(tmp_path / "clip.parquet")
    (tmp_path / "pictures.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    shutil.copy(made.images / "001.Blue_Bird/0.png", tmp_path / "picture.csv")
    places = {
        made.run / "predictions_gzsl.parquet": "the results of a data set; name a file outside of them",
        made.run / "extended/mine/new.csv": "the results of a data set; name a file outside of them",
        made.root / "results/small/new.csv": "the results of a data set; name a file outside of them",
        exported / "new.csv": "an exported model; name a file outside of it",
        tmp_path / "file/out.csv": "file/out.csv cannot be written (not a directory); name another place.",
        tmp_path / ("x" * 300 + ".csv"): "cannot be written (file name too long); name another place.",
        tmp_path / "pictures.csv": "pictures.csv is a folder; name a file to write.",
        tmp_path / "pipe.csv": "pipe.csv is a pipe; name a file to write.",
        tmp_path / "picture.csv": "picture.csv is one of the files to be read; name another file to write.",
        tmp_path / "table.csv": "table.csv holds something else than earlier answers; name another file to write.",
        tmp_path / "noted.csv": "noted.csv holds something else than earlier answers; name another file to write.",
        tmp_path / "images.csv": "images.csv holds something else than earlier answers; name another file to write.",
        tmp_path
        / "clip.parquet": "clip.parquet holds something else than earlier answers; name another file to write.",
    }
    for place, sentence in places.items():
        images = tmp_path / "picture.csv" if place.name == "picture.csv" else made.images
        said = refused(["predict", "--run", made.run, "--images", images, "--out", place], capsys)
        assert sentence in said


@pytest.mark.usefixtures("no_model")
def test_a_page_is_judged_before_the_work(made, exported, tmp_path, capsys):
    (tmp_path / "mine.html").write_text("<!doctype html><title>mine</title>")
    shutil.copy(made.images / "001.Blue_Bird/0.png", tmp_path / "picture.html")
    places = {
        made.root / "results/small/page.html": "the results of a data set; name a file outside of them",
        exported / "page.html": "an exported model; name a file outside of it",
        tmp_path / "mine.html": "mine.html holds something else than an earlier page of predictions; name another file",
        tmp_path / "picture.html": "picture.html is one of the files to be read; name another file to write.",
        tmp_path / "page.pdf": "page.pdf is no name for a page; it has to end in .html.",
        tmp_path / "mine.html/page.html": "cannot be written (not a directory); name another place.",
    }
    images = [made.images, tmp_path / "picture.html"]
    for place, sentence in places.items():
        assert sentence in refused(["predict", "--run", made.run, "--images", *images, "--page", place], capsys)


@pytest.mark.usefixtures("no_model")
def test_a_file_in_the_folder_of_sheets_is_refused_before_the_work(made, tmp_path, capsys):
    command = ["predict", "--run", made.run, "--images", made.images, "--sheets", tmp_path / "sheets"]
    for option, name in (("--out", "out.csv"), ("--page", "deep/out.html")):
        said = refused([*command, option, tmp_path / "sheets" / name], capsys)
        assert said.endswith(f"{name} lies in {tmp_path}/sheets, which is written as a whole; name another place.")


def test_the_folder_that_a_command_runs_in_is_not_replaced(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for place in (".", ".."):
        with pytest.raises(InputError, match="is the folder that this runs in, or one around it; name a folder of its"):
            export_run(made.run, place)


@pytest.mark.usefixtures("no_model")
def test_a_chart_is_never_written_onto_its_picture(made, tmp_path, capsys):
    picture = made.images / "001.Blue_Bird/0.png"
    (tmp_path / "link.png").symlink_to(picture)
    for place in (picture, tmp_path / "link.png"):
        said = refused(["explain", "--run", made.run, "--image", picture, "--out", place], capsys)
        assert said.endswith("is one of the files to be read; name another file to write.")


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_a_chart_takes_the_place_of_earlier_charts_alone(made, tmp_path, capsys, kind):
    command = ["explain", "--run", str(made.run), "--classes", "Blue Bird", "Red Bird", "--out"]
    chart, other = tmp_path / f"chart.{kind}", tmp_path / f"other.{kind}"
    assert main([*command, str(chart)]) == 0
    drawn = chart.read_bytes()
    assert main([*command, str(chart)]) == 0
    assert chart.read_bytes() == drawn
    other.write_bytes(b"my own picture")
    said = refused([*command, other], capsys)
    assert (
        said == f"explain: {other} holds something else than an earlier chart of explain; name another file to write."
    )
    assert other.read_bytes() == b"my own picture"


def test_a_home_folder_is_filled_in_where_shells_do_not(made, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    command = ["explain", "--run", str(made.run), "--classes", "Blue Bird", "Red Bird"]
    assert main([*command, "--out=~/chart.png"]) == 0
    assert (tmp_path / "chart.png").is_file() and not (tmp_path / "~").exists()
    said = refused([*command, "--out=~nobodyx/chart.png"], capsys, code=2)
    assert "'~nobodyx/chart.png' begins with a home folder that is not known; write it out" in said


def test_an_artifact_is_never_an_output(made, tmp_path):
    shutil.copy(made.run / "predictions_gzsl.parquet", tmp_path / "copy.parquet")
    with pytest.raises(InputError, match="is an artifact of a run, which would be overwritten"):
        require_output(tmp_path / "copy.parquet")


def test_a_full_disk_is_a_sentence_and_leaves_nothing(made, tmp_path, monkeypatch, capsys):
    def full(_):
        raise OSError(28, "whatever a library says")

    monkeypatch.setattr("scegg_core.artifacts.files.sync", full)
    for name in ("out.csv", "out.parquet"):
        said = refused_after_work(
            ["predict", "--run", made.run, "--images", made.images, "--out", tmp_path / name], capsys
        )
        assert said == f"predict: No space left on device: {tmp_path / name}"
    assert list(tmp_path.iterdir()) == []


def refused_after_work(arguments, capsys):
    """Run a command that ends with a sentence after its progress, and return the sentence."""
    assert main([str(argument) for argument in arguments]) == 1
    return capsys.readouterr().err.splitlines()[-1]


def test_a_template_spares_a_table_that_is_there(made, tmp_path, capsys):
    path = table(tmp_path)
    before = path.read_text()
    assert "is there already, maybe filled in" in refused(
        ["add-classes", "--run", made.run, "--template", path], capsys
    )
    assert path.read_text() == before


# --- pictures


def test_every_file_of_a_folder_is_answered_or_listed(made, tmp_path):
    shutil.copy(made.images / "001.Blue_Bird/0.png", tmp_path / "a.png")
    for name in ("photo.heic", "photo", ".hidden.png"):
        shutil.copy(tmp_path / "a.png", tmp_path / name)
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "gone.png").symlink_to("nowhere")
    (tmp_path / "linked").symlink_to(made.images)
    found = find_pictures(tmp_path)
    assert list(found.files) == ["a.png", "photo", "photo.heic"]  # what is no picture is told when it is opened
    assert {name: text.removeprefix(f"{tmp_path / name} ") for name, text in found.problems.items()} == {
        "gone.png": "is a link to nothing.",
        "linked": "is a link to a folder, not a file.",
        "pipe.png": "is a pipe, not a file.",
    }


def test_a_folder_that_cannot_be_read_is_listed(made, monkeypatch):
    def denied(_, onerror):
        onerror(PermissionError(13, "Permission denied", str(made.images / "inner")))
        return iter([(str(made.images / "001.Blue_Bird"), [], ["0.png"])])

    monkeypatch.setattr(os, "walk", denied)
    assert find_pictures(made.images).problems == {"inner": f"{made.images}/inner cannot be read (permission denied)."}


def test_nothing_to_answer_and_one_path_twice(made, tmp_path):
    picture = made.images / "001.Blue_Bird/0.png"
    with pytest.raises(InputError, match=r"no pictures are named\."):
        find_pictures([])
    with pytest.raises(InputError, match=r"0.png is named twice; name each picture once\."):
        find_pictures([picture, str(picture)])
    with pytest.raises(InputError, match=r"holds no pictures\."):
        find_pictures(tmp_path)
    (tmp_path / "a.heic").write_text("x")
    (tmp_path / "a.jpg").symlink_to("nowhere")
    (tmp_path / "a.heic").unlink()
    with pytest.raises(
        InputError, match=r"holds no pictures; of 1 other files the first: .*/a.jpg is a link to nothing"
    ):
        find_pictures(tmp_path)


def test_several_files_and_folders_are_answered_or_listed(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    shutil.copytree(made.images / "001.Blue_Bird", tmp_path / "more/blue")
    (tmp_path / "more/gone.png").symlink_to("nowhere")
    shutil.copy(made.images / "001.Blue_Bird/0.png", tmp_path / "a.png")
    found = find_pictures(["more/", "a.png", "empty", "no*.png"])
    assert list(found.files) == ["a.png", *(f"more/blue/{number}.png" for number in range(4))]
    assert found.problems == {
        "empty": "empty holds no pictures.",
        "more/gone.png": "more/gone.png is a link to nothing.",
        "no*.png": "no*.png is missing.",
    }
    with pytest.raises(InputError, match=r"more/blue/0\.png is named twice; name each picture once\."):
        find_pictures(["more", "more/blue/0.png"])
    assert find_pictures(["more/blue"]) == find_pictures("more/blue")


def test_names_that_are_not_unicode_or_hold_line_breaks(made, tmp_path):
    for name in (b"caf\xe9.png", b"a\nb.png"):
        shutil.copy(made.images / "001.Blue_Bird/0.png", os.fsencode(tmp_path) + b"/" + name)
    (tmp_path / os.fsdecode(b"b\xe9.png")).write_text("no picture")
    frame = predict(load_model(made.run, "cpu"), tmp_path).frame()
    assert list(frame["image"]) == ["a\nb.png", "b\\xe9.png", "caf\\xe9.png"]
    assert frame["problem"][1].startswith(f"{tmp_path}/b\\xe9.png is not an image")
    frame.to_csv(tmp_path / "answers.csv")


@pytest.mark.slow
def test_sheets_of_all_pictures_have_names_of_their_own(made, tmp_path):
    pictures = ("a/b.jpg", "a__b.jpg", "x.jpg", "x.png", "X.png", "y" * 250 + ".png", "../x.png")
    names = [_sheet_name(number, name) for number, name in enumerate(pictures, start=1)]
    assert len({name.casefold() for name in names}) == len(pictures)
    assert names == sorted(names)
    assert names[0] == "0001_a__b.png"
    assert max(map(len, names)) < 100
    (tmp_path / "in").mkdir()
    for ending in ("png", "bmp"):
        Image.fromarray(np.zeros((40, 40, 3), np.uint8)).save(tmp_path / f"in/x.{ending}")
    command = ["predict", "--run", made.run, "--images", tmp_path / "in", "--out", tmp_path / "out.csv"]
    assert main([*map(str, command), "--sheets", str(tmp_path / "sheets")]) == 0
    assert sorted(path.name for path in (tmp_path / "sheets").iterdir()) == ["0001_x.png", "0002_x.png", "sheets.csv"]


@pytest.mark.usefixtures("no_model")
def test_sheets_never_take_the_place_of_pictures(made, tmp_path, capsys):
    command = ["predict", "--run", made.run, "--images", made.images, "--out", tmp_path / "out.csv", "--sheets"]
    assert refused([*command, made.images], capsys).endswith("would be lost; name a new folder for the sheets.")
    assert "the results of a data set; name a folder outside" in refused([*command, made.run / "sheets"], capsys)


# --- options


@pytest.mark.parametrize("name", ["foo", "mps", "cuda:7", "cuda:-1", "cuda:x", "CPU", ""])
def test_devices_that_are_not_there(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(InputError) as caught:
        pick_device(name)
    there = f"device is {name!r}, but torch sees here: cpu, cuda, cuda:0, cuda:1; use one of these, or 'auto'."
    assert str(caught.value) == there
    assert pick_device("cuda:1") == torch.device("cuda:1")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (["--top", "-1"], "predict: argument --top: has to be a whole number from 1 to 1000000000, got '-1'; --help"),
        (["--top", "1_0"], "got '1_0'"),
        (["--top", "9" * 5000], "has to be a whole number from 1"),
        (["--batch-size", "100000"], "argument --batch-size: has to be a whole number from 1 to 65536, got '100000'"),
        (["--sheets", ""], "argument --sheets: is empty; name a file or folder"),
        (["--sheets", "-"], "argument --sheets: '-' is not understood as standard input or output"),
        (["--sheets", "a\0b"], "argument --sheets: holds a NUL character, which no name can"),
        (["--images", "x"], "--images is given twice"),
        (["--task", "all\nof"], "invalid choice: 'all\\nof'"),
    ],
)
def test_a_wrong_value_is_one_line_and_exit_code_2(made, tmp_path, capsys, change, sentence):
    command = ["predict", "--run", made.run, "--images", made.images, "--out", tmp_path / "out.csv", *change]
    assert sentence in refused(command, capsys, 2)


def test_options_that_do_not_go_together(made, tmp_path, capsys):
    out, run = ["--out", tmp_path / "out.png"], ["--run", made.run]
    both = ["explain", *run, "--classes", "Blue Bird", "Red Bird", "--against", "Small Bird", *out]
    assert "--against goes with --image" in refused(both, capsys)
    sheets = ["predict", *run, "--images", made.images, "--out", tmp_path / "out.csv", "--sheet-count", "2"]
    assert "--sheet-count goes with --sheets" in refused(sheets, capsys)
    attention = [*sheets[:-2], "--attention", "2"]
    assert "--attention goes with --page" in refused(attention, capsys)
    assert "--out (predictions, .csv or .parquet) or --page (.html) is needed." in refused(sheets[:5], capsys)
    assert "--template stands alone" in refused(
        ["add-classes", *run, "--template", tmp_path / "t.csv", "--name", "x"], capsys
    )
    weights = [*sheets[:-2], "--weights", table(tmp_path)]
    assert "the backbone of small has random weights; leave the weights out." in refused(weights, capsys)


def test_pipes_are_refused_where_files_are_read(made, tmp_path, capsys):
    os.mkfifo(tmp_path / "pipe")
    said = refused(["add-classes", "--run", made.run, "--classes", tmp_path / "pipe", "--name", "x"], capsys)
    assert "pipe is a pipe, not a file; name the file that holds the descriptions" in said


# --- streams and signals


def test_ctrl_c_is_one_line_and_130(made, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("scegg_core.using.export.export_run", interrupted)
    assert main(["export", "--run", str(made.run), "--out", "x"]) == 130
    assert capsys.readouterr().err == "export: stopped by Ctrl-C\n"


def test_an_error_of_ours_keeps_its_traceback(made, monkeypatch):
    monkeypatch.setattr("scegg_core.using.export.export_run", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        main(["export", "--run", str(made.run), "--out", "x"])


class Unread(io.StringIO):
    """A pipe whose reader has gone."""

    def write(self, text):
        raise BrokenPipeError(32, "Broken pipe")


def test_a_reader_that_has_read_enough_is_no_error(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", Unread())
    assert main(["schema"]) == 0
    assert capsys.readouterr().err == ""


def test_messages_that_nobody_reads_stop_no_work(made, tmp_path, monkeypatch):
    for number, stream in enumerate((Unread(), None)):
        monkeypatch.setattr(sys, "stderr", stream)
        monkeypatch.setattr(sys, "stdout", stream)
        out = tmp_path / f"{number}.csv"
        assert main(["predict", "--run", str(made.run), "--images", str(made.images), "--out", str(out)]) == 0
        assert len(out.read_text().splitlines()) == 17


def test_letters_that_the_terminal_lacks_are_written_as_numbers(made, tmp_path, monkeypatch):
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stderr", io.TextIOWrapper(written, encoding="ascii", write_through=True))
    assert main(["predict", "--run", str(made.run), "--images", str(tmp_path / "né"), "--out", "x.csv"]) == 1
    assert b"n\\xe9 is missing; name a folder with pictures" in written.getvalue()
