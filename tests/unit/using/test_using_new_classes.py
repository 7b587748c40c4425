"""New classes by description: what the table may hold, what becomes of it, and that nothing else changes."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from scegg_core.__main__ import main
from scegg_core.artifacts.files import file_digest, read_table
from scegg_core.classify.predictions import read_predictions
from scegg_core.data.tables import MISSING, class_vectors
from scegg_core.eggn.files import read_synthetic
from scegg_core.errors import InputError
from scegg_core.using.api import add_classes, export_run, load_model, predict
from scegg_core.using.new_classes import extend_index, plain_name
from tests.unit.small_run import ATTRIBUTES, WORDS, make_run


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return make_run(tmp_path_factory.mktemp("small"))


def table(tmp_path, rows, header=ATTRIBUTES):
    path = tmp_path / "new.csv"
    path.write_text("\n".join([",".join(["class", *header]), *rows]) + "\n")
    return path


def test_new_classes_come_last_unseen_and_on_the_data_sets_scale(small, tmp_path):
    index = extend_index(small.index, table(tmp_path, ["Moon Bird,10,20,30,40,50", "Sun Bird,1,2,,4,0.5"]))
    assert index.classes[-2:] == ("Moon Bird", "Sun Bird")
    assert index.seen.tolist() == [True, True, True, False, False, False]
    np.testing.assert_array_equal(index.percent[-2], [10, 20, 30, 40, 50])
    assert index.percent[-1, 2] == MISSING
    assert index.vectors[-1, 2] == 0
    np.testing.assert_array_equal(index.vectors[:4], small.index.vectors)
    assert index.paths == small.index.paths


def test_shares_and_percent_say_the_same(small, tmp_path):
    shares = extend_index(small.index, table(tmp_path, ["Moon Bird,0.1,0.2,0.3,,1"]))
    percent = extend_index(small.index, table(tmp_path, ["Moon Bird,10,20,30,,100"]))
    np.testing.assert_allclose(shares.percent, percent.percent, rtol=1e-6)
    np.testing.assert_allclose(shares.vectors, percent.vectors, rtol=1e-6)


def test_percent_for_a_data_set_of_shares(small, tmp_path):
    index = replace(small.index, percent=small.index.percent / 100)
    extended = extend_index(index, table(tmp_path, ["Moon Bird,10,20,30,,100"]))
    np.testing.assert_allclose(extended.percent[-1], [0.1, 0.2, 0.3, MISSING, 1], rtol=1e-6)


def test_header_may_use_words_in_any_order(small, tmp_path):
    extended = extend_index(small.index, table(tmp_path, ["Moon Bird,50,40,30,20,10"], WORDS[::-1]))
    np.testing.assert_array_equal(extended.percent[-1], [10, 20, 30, 40, 50])


@pytest.mark.parametrize(
    ("header", "rows", "sentence"),
    [
        (("has_wing_colour::blue", *ATTRIBUTES[1:]), ["A,1,2,3,4,5"], "did you mean 'has_wing_color::blue'"),
        (ATTRIBUTES[:3], ["A,1,2,3"], r"no column for 2 of the data set's 5 attributes, 'has_size::large' first"),
        ((*ATTRIBUTES, WORDS[0]), ["A,1,2,3,4,5,6"], "a column for .* twice"),
        (ATTRIBUTES, ["A,1,2,3,4,5", "a ,1,2,3,4,5"], "the classes 'A' and 'a', which differ in case"),
        (ATTRIBUTES, ["A_b,1,2,3,4,5", "A b,1,2,3,4,9"], "'A_b' and 'A b', which are read as one name"),
        (ATTRIBUTES, ["A,1,2,3,4,5", "B,2,4,6,8,10"], "classes A and B have equal or proportional attributes"),
        (ATTRIBUTES, ["A,{}"], "classes 001.Blue_Bird and A have equal or proportional attributes"),
        (ATTRIBUTES, ["blue bird,1,2,3,4,5"], r"has already \(001.Blue_Bird\)"),
        (ATTRIBUTES, [",1,2,3,4,5"], "a row without a class name"),
        (
            ATTRIBUTES,
            ["A,1,2,3,4,500"],
            r"gives class A 500 for .*bill_shape::cone'; values go from 0 to 1, or from 0 to 100",
        ),
        (ATTRIBUTES, ["A,1,-3,3,4,5"], "gives class A -3"),
        (ATTRIBUTES, ["A,1,2,3,4,many"], "gives class A 'many'"),
        (ATTRIBUTES, ["A,1,2"], "has 3 cells, the header names 6"),
        (ATTRIBUTES, ["A,,,,,"], "class A has no attribute above zero"),
        (ATTRIBUTES, [], "0 class rows"),
    ],
)
def test_a_wrong_table_is_one_sentence(small, tmp_path, header, rows, sentence):
    first = ",".join(str(value / 100) for value in small.index.percent[0].tolist())
    rows = [row.format(first) for row in rows]
    with pytest.raises(InputError, match=sentence) as caught:
        extend_index(small.index, table(tmp_path, rows, header))
    assert "\n" not in str(caught.value)


def rated(index, highest, norm="none"):
    """The index with strengths on a scale up to `highest`, not rounded to the last digit."""
    return replace(index, percent=index.percent / index.percent.max() * highest, class_norm=norm)


@pytest.mark.parametrize("row", [[5, 4, 3, 2, 1], [1, 0, 1, 0.5, 0], [0.1, 0.2, 0, 0, 0]])
@pytest.mark.parametrize("highest", [4.8, 5, 9.5])
def test_values_on_the_data_sets_own_scale_stay_as_they_are(small, tmp_path, row, highest):
    given = table(tmp_path, [",".join(map(str, ["A", *row]))])
    extended = extend_index(rated(small.index, highest), given)
    np.testing.assert_allclose(extended.vectors[-1], row, rtol=1e-6)


@pytest.mark.parametrize(
    ("highest", "row", "sentence"),
    [
        (5, "A,50,40,30,20,10", "gives class A 50 for 'has_wing_color::blue'; values go from 0 to 5."),
        (5, "A,6,4,3,2,1", "gives class A 6 for 'has_wing_color::blue'; values go from 0 to 5."),
        (20, "A,60,40,30,20,10", "gives class A 60 for 'has_wing_color::blue'; values go from 0 to 20."),
        (20, "A,0.6,0.4,0.3,0.2,0", "gives class A no value above 1, but those of the data set go from 0 to 20,{}"),
        (1, "A,60,4,3,2,1", "gives class A 60 for 'has_wing_color::blue'; values go from 0 to 1."),
        (
            87,
            "A,1,0,1,0,0",
            "gives class A no value above 1, but those of the data set go from 0 to 100,{}",
        ),
    ],
)
def test_another_scale_is_refused_where_size_counts(small, tmp_path, highest, row, sentence):
    given = table(tmp_path, [row])
    with pytest.raises(InputError) as caught:
        extend_index(rated(small.index, highest), given)
    size_counts = " and with class_norm none their size counts; give values on the same scale."
    assert str(caught.value) == f"{given} {sentence.format(size_counts)}"


@pytest.mark.parametrize(("highest", "row"), [(20, [20, 4, 0, 2, 1]), (87, [95, 60, 2, 0, 0]), (60, [100, 3, 2, 0, 0])])
def test_good_strengths_of_larger_scales_stay_as_they_are(small, tmp_path, highest, row):
    given = table(tmp_path, [",".join(map(str, ["A", *row]))])
    np.testing.assert_array_equal(extend_index(rated(small.index, highest), given).vectors[-1], row)


def test_a_scale_up_to_five_with_vectors_of_length_one(small, tmp_path):
    index = rated(small.index, 5, "l2")
    for row in ("A,5,4,3,2,1", "A,1,.8,.6,.4,.2", "A,100,80,60,40,20"):
        extended = extend_index(index, table(tmp_path, [row]))
        np.testing.assert_allclose(extended.vectors[-1], np.array([5, 4, 3, 2, 1]) / np.sqrt(55), rtol=1e-6)


def test_plain_names():
    assert plain_name("012.Red_winged  Blackbird") == plain_name("red winged blackbird")
    assert plain_name("St. Bernard") == "st. bernard"
    assert [plain_name(name) for name in ("2.5", "3. April")] == ["2.5", "3. april"]


def test_adding_changes_nothing_of_the_run_and_keeps_others_synthetic_features(small, tmp_path):
    before = {path: file_digest(path) for path in small.run.parents[2].rglob("*") if path.is_file()}
    folder = add_classes(small.run, table(tmp_path, ["Moon Bird,10,20,30,40,50"]), "moon", "cpu")
    assert folder == small.run / "extended/moon"
    assert {path: file_digest(path) for path in before} == before
    old, new = (read_synthetic(place / "synthetic_unseen.parquet") for place in (small.run, folder))
    assert new.labels.unique().tolist() == [3, 4]
    np.testing.assert_array_equal(new.features[new.labels == 3], old.features)
    assert json.loads((folder / "metrics.json").read_text())["metrics"]["classes_without_images"] == ["Moon Bird"]


@pytest.mark.slow
def test_an_extension_is_used_as_a_run(small, tmp_path):
    folder = add_classes(small.run, table(tmp_path, ["Moon Bird,10,20,30,40,50"]), "use", "cpu")
    answers = predict(load_model(folder, "cpu"), small.images, "czsl")
    assert answers.scores.shape == (len(small.index.paths), 2)
    assert set(answers.frame()["class_2"]) <= {"Moon Bird", "004.Large_Bird"}
    exported = load_model(export_run(folder, tmp_path / "export"), "cpu")
    np.testing.assert_array_equal(predict(exported, small.images, "czsl").scores, answers.scores)
    assert exported.name == "small/sc-egg/seed3/extended/use"


@pytest.mark.slow
@pytest.mark.parametrize("generator", ["tf-vaegan", "cada-vae"])  # the latter's synthetic features are latent
def test_unnormalized_classes_and_one_scale_stay_so_through_use_export_and_extension(tmp_path, generator):
    given = {"classifier_input": "transformed", "generator": generator}
    small = make_run(tmp_path, class_norm="none", feature_scaling="all", **given)
    folder = add_classes(small.run, table(tmp_path, ["Moon Bird,10,20,30,40,50"]), "moon", "cpu")
    exported = export_run(folder, tmp_path / "export")
    for place in (folder, exported):
        model = load_model(place, "cpu")
        np.testing.assert_array_equal(model.classes.vectors[:4], small.index.percent)  # as they are, not of length 1
        np.testing.assert_array_equal(model.classes.vectors[4], [10, 20, 30, 40, 50])
        assert len(model.scaler.span.unique()) == len(model.scaler.low.unique()) == 1
    wanted = read_predictions(folder / "predictions_gzsl.parquet")
    answers = predict(load_model(exported, "cpu"), small.images, "gzsl")
    rows = [answers.paths.index(small.index.paths[image]) for image in wanted.images]
    np.testing.assert_allclose(answers.scores[rows], wanted.scores, rtol=1e-5, atol=1e-5)


def test_adding_to_an_extension_is_refused(small, tmp_path):
    given = table(tmp_path, ["Moon Bird,10,20,30,40,50"])
    folder = add_classes(small.run, given, "first", "cpu")
    with pytest.raises(InputError, match="is an extension itself"):
        add_classes(folder, given, "second", "cpu")
    with pytest.raises(InputError, match="the extension's name '../elsewhere' cannot be used as a name"):
        add_classes(small.run, given, "../elsewhere", "cpu")


def test_nothing_is_left_behind_by_a_refused_table(small, tmp_path):
    with pytest.raises(InputError):
        add_classes(small.run, table(tmp_path, ["Blue Bird,10,20,30,40,50"]), "refused", "cpu")
    assert not (small.run / "extended/refused").exists()


def test_template_has_the_header(small, tmp_path):
    path = tmp_path / "new.csv"
    assert main(["add-classes", "--run", str(small.run), "--template", str(path)]) == 0
    assert tuple(pd.read_csv(path).columns) == ("class", *ATTRIBUTES)


def test_command_adds_classes(small, tmp_path, capsys):
    given = table(tmp_path, ["Moon Bird,10,20,30,40,50"])
    command = ["add-classes", "--run", str(small.run), "--classes", str(given), "--name", "command", "--device", "cpu"]
    assert main(command) == 0
    assert capsys.readouterr().out.strip() == str(small.run / "extended/command")
    vector = read_table(small.run / "extended/command/classes.parquet", "classes")["vector"].to_pylist()[-1]
    np.testing.assert_allclose(vector, class_vectors(np.array([[10, 20, 30, 40, 50]]))[0], rtol=1e-6)


def test_command_without_a_table(small, capsys):
    assert main(["add-classes", "--run", str(small.run)]) == 1
    assert "--classes (the CSV) and --name" in capsys.readouterr().err
