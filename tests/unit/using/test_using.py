"""Using a run: predictions are the workflow's own, bad pictures, export, explanations, finding the files."""

import html
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from scegg_core.__main__ import main
from scegg_core.classify.predictions import read_predictions
from scegg_core.data.tasks import TASKS
from scegg_core.errors import InputError
from scegg_core.settings.checks import TRANSFORMING
from scegg_core.using.api import contrast_classes, contrast_image, draw_contrast, export_run, load_model, predict
from scegg_core.using.model import find_class
from scegg_core.using.run_folder import find_run
from tests.unit.small_run import ATTRIBUTES, make_run


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def model(small):
    return load_model(small.run, "cpu")


def assert_same_answers(model, small, task):
    """The workflow's own predictions on its test images."""
    answers = predict(model, small.images, task)
    wanted = read_predictions(small.run / f"predictions_{task}.parquet")
    rows = [answers.paths.index(small.index.paths[image]) for image in wanted.images]
    np.testing.assert_array_equal(answers.classes, wanted.classes)
    np.testing.assert_array_equal(answers.predicted[rows], wanted.predicted)
    np.testing.assert_allclose(answers.scores[rows], wanted.scores, atol=1e-5)


@pytest.mark.parametrize("task", TASKS)
def test_predictions_are_the_workflows_own(model, small, task):
    assert_same_answers(model, small, task)


@pytest.mark.slow
@pytest.mark.parametrize("generator", TRANSFORMING)
def test_predictions_through_what_the_generator_makes_of_features(tmp_path, generator):
    small = make_run(tmp_path, classifier_input="transformed", generator=generator)
    assert_same_answers(load_model(small.run, "cpu"), small, "gzsl")
    exported = load_model(export_run(small.run, tmp_path / "export"), "cpu")
    assert_same_answers(exported, small, "gzsl")


def test_frame_has_classes_probabilities_and_attributes(model, small):
    answers = predict(model, small.images)
    frame = answers.frame(top=2, attributes=3)
    assert list(frame["image"]) == sorted(small.index.paths)
    np.testing.assert_allclose(answers.probabilities.sum(axis=1), 1, rtol=1e-5)
    assert (frame["probability_1"] >= frame["probability_2"]).all()
    seen = dict(zip(small.index.classes, small.index.seen, strict=True))
    assert list(frame["seen_1"]) == [seen[name] for name in frame["class_1"]]
    assert "class_3" not in frame
    assert frame["attributes"].str.count("%").between(1, 3).all()


def test_rows_of_the_frame_are_in_the_order_of_the_answers(model, small, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = [f"{folder}/a.png" for folder in ("crow", "crow (2)", "crow-billed")] + ["crow.png", "crow/none.png"]
    for name, path in zip(names, small.index.paths, strict=False):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(small.images / path, tmp_path / "in" / name)
    (tmp_path / "in/crow/none.png").write_text("no picture")
    whole = sorted(["crow (2)/a.png", "crow-billed/a.png", "crow.png", "crow/a.png"])
    for images, paths in (
        ("in", whole),
        (["in/crow", "in/crow-billed", "in/crow.png"], ["in/crow-billed/a.png", "in/crow.png", "in/crow/a.png"]),
    ):
        answers = predict(model, images)
        frame = answers.frame(top=1)
        assert list(frame["image"]) == sorted(frame["image"])
        good = frame[frame.problem == ""]
        assert list(answers.paths) == list(good["image"]) == paths
        assert [model.classes.names[row] for row in answers.predicted] == list(good["class_1"])


def test_czsl_names_unseen_classes_alone(model, small):
    frame = predict(model, small.images, "czsl").frame()
    assert set(frame["class_1"]) == {"004.Large_Bird"}
    assert "class_2" not in frame


def test_one_picture_and_a_list(model, small):
    path = small.images / small.index.paths[0]
    whole = predict(model, small.images)
    for images in (path, [path]):
        answers = predict(model, images)
        np.testing.assert_allclose(answers.scores[0], whole.scores[0], atol=1e-5)


def test_bad_pictures_are_named_and_the_rest_is_answered(small, tmp_path, capsys):
    images = tmp_path / "images"
    shutil.copytree(small.images, images)
    whole = (images / small.index.paths[3]).read_bytes()
    (images / small.index.paths[3]).write_bytes(whole[:300])
    (images / "none.jpg").write_text("no picture")
    (images / "notes.txt").write_text("no picture's ending")
    (images / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    (images / "Thumbs.db").write_text("passed over")
    (images / ".hidden").write_text("passed over")
    (images / ".thumbnails").mkdir()
    shutil.copy(images / small.index.paths[4], images / ".thumbnails/passed over.png")
    shutil.move(images / small.index.paths[5], images / "no ending")
    out, page = tmp_path / "out.csv", tmp_path / "out.html"
    command = ["predict", "--run", small.run, "--images", images, "--out", out, "--page", page]
    assert main(list(map(str, command))) == 0
    frame = pd.read_csv(out, keep_default_na=False)
    assert len(frame) == len(small.index.paths) + 3
    assert frame[frame["image"] == "no ending"]["problem"].item() == ""
    bad = frame[frame["problem"] != ""]
    assert list(bad["image"]) == [small.index.paths[3], "none.jpg", "notes.txt", "phone.heic"]
    assert (bad["class_1"] == "").all()
    said = capsys.readouterr().err
    assert "is not an image of a known type" in said
    assert f"{len(small.index.paths) - 1} pictures answered, 4 left out: {out}, {page}" in said
    shown = page.read_text()
    assert all(f"<li>{html.escape(problem)}</li>" in shown for problem in bad["problem"])
    assert frame["class_1"][0].replace("_", " ")[4:] in shown


def test_nothing_but_bad_pictures(model, tmp_path):
    (tmp_path / "a.jpg").write_bytes(b"")
    with pytest.raises(InputError, match=r"none of 1 pictures can be used: .*is empty"):
        predict(model, tmp_path)


@pytest.mark.slow
def test_csv_and_parquet_hold_the_same(small, tmp_path):
    for name in ("out.csv", "out.parquet"):
        assert (
            main(["predict", "--run", str(small.run), "--images", str(small.images), "--out", str(tmp_path / name)])
            == 0
        )
    left, right = pd.read_csv(tmp_path / "out.csv", keep_default_na=False), pd.read_parquet(tmp_path / "out.parquet")
    pd.testing.assert_frame_equal(left, right, check_dtype=False, rtol=1e-5)


@pytest.mark.slow
def test_attention_sheets(small, tmp_path):
    folders = sorted(path for path in small.images.iterdir() if path.is_dir())
    command = ["predict", "--run", small.run, "--images", *folders, "--page", tmp_path / "out.html", "--attention", "1"]
    assert main([*map(str, command), "--sheets", str(tmp_path / "sheets"), "--sheet-count", "2"]) == 0
    shown = (tmp_path / "out.html").read_text()
    assert shown.count('"sheet":{') == 1
    assert shown.count('"sheet":null') == len(small.index.paths) - 1
    *sheets, listed = sorted((tmp_path / "sheets").iterdir())
    assert [sheet.name[:5] + sheet.name[-20:] for sheet in sheets] == [
        "0001_001.Blue_Bird__0.png",
        "0002_001.Blue_Bird__1.png",
    ]
    images = [small.images / "001.Blue_Bird" / name for name in ("0.png", "1.png")]
    rows = [f"{sheet.name},{image}" for sheet, image in zip(sheets, images, strict=True)]
    assert listed.read_text().splitlines() == ["sheet,image", *rows]
    assert all(sheet.stat().st_size > 5000 for sheet in sheets)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"--run": "nowhere"}, "nowhere is missing; name the folder of a finished run"),
        ({"--images": "nowhere"}, "is missing; name a folder with pictures"),
        ({"--out": "out.txt"}, "has to end in .csv or .parquet"),
        ({"--device": "cuda:7"}, "device is 'cuda:7', but torch sees here: cpu; use"),
    ],
)
def test_a_wrong_option_is_one_sentence(small, tmp_path, change, sentence, capsys, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    options = {"--run": small.run, "--images": small.images, "--out": tmp_path / "out.csv"} | change
    assert main(["predict", *(str(part) for pair in options.items() for part in pair)]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1
    assert sentence in said[0]


@pytest.mark.slow
def test_export_gives_the_same_answers_anywhere(model, small, tmp_path):
    folder = export_run(small.run, tmp_path / "export")
    moved = tmp_path / "else where"
    shutil.move(folder, moved)
    left, right = predict(model, small.images), predict(load_model(moved, "cpu"), small.images)
    np.testing.assert_array_equal(left.scores, right.scores)
    pd.testing.assert_frame_equal(left.frame(), right.frame())
    for file in moved.iterdir():
        assert str(small.root).encode() not in file.read_bytes()


@pytest.mark.slow
def test_export_is_reproducible_and_replaces_an_earlier_one(small, tmp_path):
    first, second = export_run(small.run, tmp_path / "a"), export_run(small.run, tmp_path / "b")
    export_run(small.run, first)
    for file in first.iterdir():
        assert file.read_bytes() == (second / file.name).read_bytes()


def test_export_spares_a_folder_with_other_files(small, tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="holds other files"):
        export_run(small.run, tmp_path)


@pytest.mark.slow
def test_a_changed_export_is_refused(small, tmp_path):
    folder = export_run(small.run, tmp_path / "export")
    with (folder / "scaler.safetensors").open("ab") as file:
        file.write(b"x")
    with pytest.raises(
        InputError,
        match=r"scaler\.safetensors is missing or not the file that belongs to this set; export the run again",
    ):
        load_model(folder)


@pytest.mark.slow
def test_trained_backbone_is_found_beside_the_index(tmp_path):
    small = make_run(tmp_path, weights="train")
    assert_same_answers(load_model(small.run, "cpu"), small, "gzsl")


@pytest.mark.slow
def test_weights_given_by_path_are_checked(tmp_path):
    weights = tmp_path / "mine.safetensors"
    small = make_run(tmp_path, weights=str(weights))
    with pytest.raises(InputError, match=r"mine\.safetensors .* is not at its usual path; name it with --weights"):
        load_model(small.run)
    assert_same_answers(load_model(small.run, "cpu", weights), small, "gzsl")
    with pytest.raises(InputError, match="is not the weight file that the regions of small were made with"):
        load_model(small.run, "cpu", small.run / "classifier_gzsl.safetensors")
    export = export_run(small.run, tmp_path / "export", weights)
    weights.unlink()
    assert_same_answers(load_model(export, "cpu"), small, "gzsl")


@pytest.mark.slow
def test_a_run_whose_space_is_gone(tmp_path):
    small = make_run(tmp_path)
    (small.root / "results/small/spaces/sc-egg/seed3/scen.safetensors").unlink()
    with pytest.raises(InputError, match="is the one that this run's classifier was trained on"):
        find_run(small.run)


def test_run_is_named_without_its_place(small):
    assert find_run(small.run).name == "small/sc-egg/seed3"


def test_shares_in_an_image_add_up_to_the_lead(model, small):
    image = small.images / small.index.paths[0]
    answers = predict(model, image)
    first = int(answers.predicted[0])
    other = (first + 2) % len(small.index.classes)
    contrast = contrast_image(model, image, against=small.index.classes[other])
    scores = model.scen.local.class_vectors.numpy() @ answers.semantics[0]
    assert contrast.first == small.index.classes[first]
    np.testing.assert_allclose(contrast.contribution.sum(), scores[first] - scores[other], rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match="name another class"):
        contrast_image(model, image, against=contrast.first)


def test_one_class_alone_has_nothing_to_be_told_apart_from(model, small):
    with pytest.raises(InputError, match=r"is taken for 004\.Large_Bird; name another class"):
        contrast_image(model, small.images / small.index.paths[0], "czsl")


def test_two_classes_differ_by_their_vectors(model, small):
    contrast = contrast_classes(model, "Blue Bird", "002.Red_Bird")
    np.testing.assert_allclose(contrast.contribution, small.index.vectors[0] - small.index.vectors[1])
    frame = contrast.frame()
    assert len(frame) == len(ATTRIBUTES)
    assert frame["speaks_for_first"].abs().is_monotonic_decreasing
    assert len(draw_contrast(contrast, top=3).axes[0].patches) == 3


@pytest.mark.slow
def test_explain_writes_a_chart(small, tmp_path, capsys):
    chart = tmp_path / "chart.png"
    image = small.images / small.index.paths[0]
    assert main(["explain", "--run", str(small.run), "--image", str(image), "--out", str(chart)]) == 0
    assert chart.stat().st_size > 5000
    assert "wing color: blue" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("classes", "sentence"),
    [(("Blue Brid", "Red Bird"), "did you mean 001.Blue_Bird"), (("Red Bird", "red bird"), "are the same class")],
)
def test_unknown_and_equal_classes(model, classes, sentence):
    with pytest.raises(InputError, match=sentence):
        contrast_classes(model, *classes)


def test_a_class_is_the_one_that_is_written_so_and_else_the_only_one_that_may_be_meant(model):
    dates = replace(model, classes=replace(model.classes, names=("1.5", "10. April", "11. April")))
    assert [find_class(dates, name) for name in ("1.5", "10. april", "11._April")] == [0, 1, 2]
    for name in ("2.5", "5", "12. April"):
        with pytest.raises(InputError, match="has no class"):
            find_class(dates, name)
    numbered = replace(model, classes=replace(model.classes, names=("027.Crow", "Wren")))
    assert [find_class(numbered, name) for name in ("crow", "027.crow", "Wren")] == [0, 0, 1]
    for name in ("099.Crow", "001.Wren"):
        with pytest.raises(InputError, match=rf"has no class '{name}'; did you mean "):
            find_class(numbered, name)
    names = ("Blue Bird", "Blue_Bird", "Blue-Bird", "004.Large_Bird")
    known = replace(model, classes=replace(model.classes, names=names))
    assert [find_class(known, name) for name in (*names, "blue-bird", "large bird")] == [0, 1, 2, 3, 2, 3]
    with pytest.raises(InputError) as error:
        find_class(known, "blue bird")
    said = "has 2 classes that 'blue bird' may mean; write 'Blue Bird' or 'Blue_Bird'."
    assert str(error.value) == f"{model.name} {said}"
