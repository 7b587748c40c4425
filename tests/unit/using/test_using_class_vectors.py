"""Runs whose class vectors are given: new classes by vectors, what is kept in tables, what is refused."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import yaml

from scegg_core.artifacts.files import Provenance
from scegg_core.data.class_vectors import dimension_names
from scegg_core.data.tables import DatasetIndex, write_classes
from scegg_core.errors import InputError
from scegg_core.settings.plan import plan_of
from scegg_core.settings.resolve import read_configuration
from scegg_core.using.contrast import contrast_classes
from scegg_core.using.model import read_classes
from scegg_core.using.new_classes import extend_index, write_template
from tests.conftest import ROOT
from tests.unit.settings.test_settings import merged

VECTORS = np.array([[3, -4, 0], [0, 1, -1], [-2, 0, 0]], dtype=np.float32)


@pytest.fixture
def index() -> DatasetIndex:
    names = dimension_names(3)
    return DatasetIndex(
        classes=("001.Crow", "002.Tit", "003.Owl"),
        seen=np.array([True, True, False]),
        percent=VECTORS,
        attributes=names,
        words=("", "", ""),
        parts=("", "", ""),
        paths=("a", "b", "c"),
        labels=np.array([0, 1, 2], np.int32),
        split=("trainval", "test_seen", "test_unseen"),
        rows=np.arange(3, dtype=np.int32),
        given_vectors=True,
    )


def written(tmp_path, *rows: str):
    path = tmp_path / "new.csv"
    path.write_text("\n".join(["class,1,2,3", *rows]) + "\n")
    return path


def test_new_classes_come_by_their_vectors(index, tmp_path):
    extended = extend_index(index, written(tmp_path, "Moon Bird,-1,-1,0.5", "Sun Bird,0,0,7"))
    assert extended.classes[-2:] == ("Moon Bird", "Sun Bird")
    assert extended.seen.tolist() == [True, True, False, False, False]
    assert extended.percent[-2:].tolist() == [[-1, -1, 0.5], [0, 0, 7]]
    np.testing.assert_allclose(extended.vectors[-1], [0, 0, 1])
    np.testing.assert_array_equal(extended.vectors[:3], index.vectors)
    np.savez(tmp_path / "new.npz", v=extended.percent[-2:], classes=np.array(extended.classes[-2:]))
    np.testing.assert_array_equal(extend_index(index, tmp_path / "new.npz").percent, extended.percent)


def test_the_template_has_a_column_for_each_dimension(index, tmp_path):
    write_template(index.attributes, tmp_path / "new.csv")
    path = tmp_path / "new.csv"
    path.write_text(path.read_text() + "Moon Bird,1,-2,3\n")
    assert extend_index(index, path).percent[-1].tolist() == [1, -2, 3]


BAD = {
    "too few numbers": (
        "class,1,2\nMoon Bird,1,2\n",
        "{p} gives vectors of 2 numbers, but those of the data set have 3; make them by the same model.",
    ),
    "a known class": (
        "class,1,2,3\ncrow,1,2,3\n",
        "{p} has the class 'crow', which the data set has already (001.Crow); leave it out, or give it another name.",
    ),
    "the vector of another class": (
        "class,1,2,3\nMoon Bird,6,-8,0\n",
        "classes 001.Crow and Moon Bird have equal or proportional class vectors, so nothing can tell them apart; give "
        "them other vectors.",
    ),
    "zeros": (
        "class,1,2,3\nMoon Bird,0,0,0\n",
        "{p} gives class Moon Bird zeros alone, so nothing describes it; give it a vector.",
    ),
    "an empty cell": (
        "class,1,2,3\nMoon Bird,0,,1\n",
        "{p} gives class Moon Bird '' for '2'; a class vector has a number in every cell.",
    ),
    "no header": (
        "Moon Bird,0.5,2,1\nSun Bird,1,1,1\n",
        "{p} begins with a row of numbers (0.5 …), so its first class would be taken for the header; put a header above "
        "(class,1,2,…).",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_vectors_of_new_classes_are_one_sentence(index, tmp_path, case):
    content, sentence = BAD[case]
    path = tmp_path / "new.csv"
    path.write_text(content)
    with pytest.raises(InputError) as error:
        extend_index(index, path)
    assert str(error.value) == sentence.replace("{p}", str(path))


def test_an_array_without_names_describes_no_new_class(index, tmp_path):
    np.save(tmp_path / "new.npy", VECTORS)
    with pytest.raises(InputError) as error:
        extend_index(index, tmp_path / "new.npy")
    assert str(error.value) == (
        f"{tmp_path}/new.npy does not say whose vectors it holds; give a CSV with the class names in its first column."
    )


def test_vectors_on_another_scale_are_refused_where_length_counts(index, tmp_path):
    path = written(tmp_path, "Moon Bird,300,400,0")
    assert extend_index(index, path).classes[-1] == "Moon Bird"
    with pytest.raises(InputError) as error:
        extend_index(replace(index, class_norm="none"), path)
    assert str(error.value) == (
        f"{path} gives class Moon Bird a vector of length 500, but those of the data set are 1.41 to 5 long, and with "
        "class_norm none that counts; give vectors on the same scale."
    )


@pytest.mark.parametrize("norm", ["l2", "none"])
def test_a_run_reads_the_vectors_from_its_class_table(index, tmp_path, norm):
    given = replace(index, class_norm=norm)
    write_classes(given, tmp_path / "classes.parquet", Provenance("index_dataset"))
    classes = read_classes(SimpleNamespace(index=SimpleNamespace(classes=tmp_path / "classes.parquet")))
    np.testing.assert_array_equal(classes.vectors, given.vectors)
    assert (classes.vectors < 0).any()


def test_dimensions_without_names_tell_no_classes_apart(index, tmp_path):
    write_classes(index, tmp_path / "classes.parquet", Provenance("index_dataset"))
    classes = read_classes(SimpleNamespace(index=SimpleNamespace(classes=tmp_path / "classes.parquet")))
    with pytest.raises(InputError) as error:
        contrast_classes(SimpleNamespace(classes=classes, name="baseline seed0"), "Crow", "Tit")
    assert str(error.value) == (
        "baseline seed0 knows its classes by vectors without named attributes, so nothing tells them apart in words."
    )


VALUES = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
ROWS = ["baseline", "f-clswgan", "f-vaegan", "prototype", "eszsl"]


def configured(**section):
    vectors = {"class_vectors": {"path": "data/sent_splits.mat"}}
    return read_configuration(merged(VALUES, {"datasets": {"cub": vectors | section}}))


def test_rows_on_backbone_features_need_no_word_vectors():
    config = configured(variants=ROWS)
    assert "glove" not in config.dataset("cub").all_downloads
    assert plan_of(config, "cub")["scen"] == []
    assert plan_of(config, "cub")["sheets"] is None


@pytest.mark.parametrize("row", ["sc-egg", "len", "f-clswgan+sc-egg"])
def test_rows_that_need_named_attributes_are_refused_before_any_job(row):
    with pytest.raises(InputError) as error:
        configured(variants=[*ROWS, row])
    assert str(error.value) == (
        f"config: datasets.cub.variants has {row}, which SCEN makes from the strengths of named attributes, and "
        "datasets.cub.class_vectors has numbers without names in their place; name rows on backbone features (baseline, "
        "f-clswgan, f-vaegan, prototype, eszsl …), or leave class_vectors out."
    )


def test_files_of_scen_are_refused_before_any_job():
    config = configured(variants=ROWS)
    for ask in (lambda: config.scen_of("cub/validation", "sc-egg"), lambda: config.attribute_vectors_of("cub")):
        with pytest.raises(
            InputError, match=r"^config: datasets\.cub\.class_vectors has numbers without names in place"
        ):
            ask()


def test_grids_of_scen_are_left_out_where_no_row_stands_for_one():
    grid = {"tuning": {"sc-egg": {"grid": {"eggn.epochs": [1]}}, "baseline": {"grid": {"eggn.epochs": [1, 2]}}}}
    section = {"class_vectors": {"path": "v.csv"}, "variants": ROWS}
    config = read_configuration(merged(VALUES, grid | {"datasets": {"cub": section}}))
    assert [point["variant"] for point in config.grid_points("cub")] == ["baseline", "baseline"]
    assert config.tunings_of("sun") == ["sc-egg", "baseline"]


def test_what_decides_that_the_index_is_made_again():
    own = configured(variants=ROWS, split_table="mine.csv").dataset("cub")
    assert own.own_files() == {"split_table": "mine.csv", "class_vectors": "data/sent_splits.mat"}
    assert own.index_part()["class_vectors"] == {"found_kind": "mat", "variable": None}
    assert "class_vectors" not in read_configuration(VALUES).dataset("cub").index_part()
