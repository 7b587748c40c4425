"""What the page of a data set holds: chosen pictures, packed numbers, curves that are thinned, sections that are left out."""

import base64
import io
import json
import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from page_case import made_page
from PIL import Image

from scegg_core.artifacts.files import Provenance, write_table
from scegg_core.classify.predictions import Predictions
from scegg_core.data.tables import DatasetIndex
from scegg_core.report.figures.tradeoff import trade_offs
from scegg_core.report.page import build, gather
from scegg_core.report.page.pictures import choose_pictures, read_pictures
from scegg_core.report.page.render import packed, render, to_json
from scegg_core.report.runs import VariantRuns
from scegg_core.training.curve import Curve


@pytest.fixture
def index() -> DatasetIndex:
    """Three classes, the last unseen; 20 test images of the first, 4 of the second and 6 of the last."""
    labels = np.repeat([0, 1, 2, 0], [20, 4, 6, 3])
    split = ["test_seen"] * 24 + ["test_unseen"] * 6 + ["trainval"] * 3
    return DatasetIndex(
        classes=("001.Sage_Thrasher", "Gull", "Wren"),
        seen=np.array([True, True, False]),
        percent=np.array([[100, 0, 10], [0, 50, -1], [30, 40, 0]], np.float32),
        attributes=("has_bill_shape::hooked_seabird", "has_wing_color::red", "furry"),
        words=("a", "b", "c"),
        parts=("beak", "wing", "skin"),
        paths=tuple(f"images/{place:02d}.jpg" for place in range(33)),
        labels=labels,
        split=tuple(split),
        rows=np.arange(33, dtype=np.int32),
    )


def runs(index: DatasetIndex, taken: int) -> VariantRuns:
    """Two seeds that take every test image for the class `taken`."""
    test, scores = index.test_images, np.zeros((len(index.test_images), 3))
    scores[:, taken] = 1
    one = Predictions(test, index.labels[test], scores, np.arange(3))
    return VariantRuns("sc-egg", "SC-EGG", (one, one))


def test_every_class_keeps_as_many_pictures_as_the_others(index):
    chosen = choose_pictures(index, (), most=12)
    assert np.bincount(index.labels[chosen]).tolist() == [4, 4, 4]
    assert (np.diff(chosen) > 0).all()
    assert set(chosen) <= set(index.test_images)


def test_wanted_pictures_are_kept_before_all_others(index):
    chosen = choose_pictures(index, [0, 1, 2, 3, 4, 5, 6], most=8)
    assert {0, 1, 2, 3, 4, 5, 6} < set(chosen.tolist())
    assert len(choose_pictures(index, (), most=100)) == 30


def test_thumbnails_are_small_and_missing_pictures_are_none(index, tmp_path):
    (tmp_path / "images").mkdir()
    Image.new("RGB", (400, 200), "red").save(tmp_path / "images/01.jpg")
    pictures = read_pictures(index, np.array([0, 1]), tmp_path)
    assert pictures.thumbnails[0] is None
    shown = Image.open(io.BytesIO(base64.b64decode(pictures.thumbnails[1])))
    assert (shown.format, shown.size) == ("WEBP", (112, 56))
    assert pictures.left_out == 28


def test_numbers_are_short_and_half_precision_is_packed():
    assert packed({"a": np.array([1.0, 1 / 3, np.nan]), "b": (np.int64(2), np.bool_(True))}) == {
        "a": [1, 0.33333, None],
        "b": [2, True],
    }
    held = packed(np.array([[0.5, -2.0]], np.float16))
    assert held["shape"] == [1, 2]
    assert np.frombuffer(base64.b64decode(held["half"]), "<f2").tolist() == [0.5, -2.0]


def test_integers_that_scripts_would_round_are_text():
    exact, large = 2**53 - 1, 2**53 + 1
    assert packed((exact, -large, np.int64(large), np.array([1, large]), True)) == [
        *(exact, str(-large), str(large)),
        *([1, str(large)], True),
    ]


def test_data_in_the_page_end_no_script_and_are_what_was_given():
    page = made_page()
    text = to_json(page)
    assert "<" not in text
    assert json.loads(text)["classes"]["names"] == list(page.classes.names)
    assert render(page) == render(page)


def test_the_page_loads_nothing():
    page = render(made_page())
    assert "default-src 'none'" in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//|@import|url\(""", page)


def sections(page) -> list[str]:
    return re.findall(r'<section id="(\w+)">', render(page))


def test_sections_without_data_are_left_out():
    whole = made_page()
    bare = replace(whole, trade_offs=(), spaces=(), sheets=(), confusions=(), training=(), description=None)
    assert sections(bare) == ["run", "results", "classes"]
    assert sections(whole) == [
        *("run", "results", "tradeoff", "spaces", "attention", "confusion", "classes", "training", "describe")
    ]


def test_a_variant_that_trained_nothing_has_no_training_curves(tmp_path):
    paths = [str(tmp_path / "none.parquet"), str(tmp_path / "some.parquet")]
    for path, points in zip(paths, ([], [("1", 1, "L_LCE", 2.0)]), strict=True):
        Curve(points).write(path, Provenance("train_scen"))
    files = SimpleNamespace(curves=paths, epochs=[])
    titles = SimpleNamespace(titles={"a": "A", "b": "B"})
    given = SimpleNamespace(trained=[("a", 0), ("b", 0)], scored=[], table=titles)
    assert [(one.title, len(one.panels)) for one in build._training(files, given)] == [("B", 1)]


def test_descriptions_are_shares_and_what_is_not_known_is_zero(index, tmp_path):
    semantics = np.arange(99, dtype=np.float32).reshape(33, 3) - 50
    columns = {"image": np.arange(33, dtype=np.int32), "semantic": semantics}
    write_table(tmp_path / "semantics.parquet", "semantics", columns, Provenance("embed_images"))
    own = gather.description_of(tmp_path / "semantics.parquet", index, np.array([0, 24]))
    assert own.attributes == ("hooked seabird", "red", "furry")
    assert own.groups == ("bill shape", "wing color", "skin")
    assert own.strengths.astype(float).tolist() == pytest.approx(
        np.array([[1, 0, 0.1], [0, 0.5, 0], [0.3, 0.4, 0]]), abs=1e-3
    )
    assert (own.largest, own.scale, own.unit) == (100, 50, True)
    assert own.semantics.astype(float) * own.scale == pytest.approx(semantics[[0, 24]], abs=0.03)


def test_confusion_pools_seeds_and_says_what_each_picture_is_taken_for(index):
    own = gather.confusion_of(runs(index, taken=1), index, np.array([0, 29, 31]), "gzsl")
    assert own.title == "SC-EGG, GZSL"
    assert own.classes.tolist() == [2]
    assert own.percent.tolist() == [[0, 100]]  # all are taken for a seen class
    assert own.predicted.tolist() == [1, 1, -1]  # a training image has no prediction


def test_curves_are_thinned_and_in_percent(index):
    variant = runs(index, taken=2)
    draw = np.random.default_rng(0)
    scored = replace(variant.runs[0], scores=draw.random((30, 3)))
    (own,) = gather.trade_off_lines(trade_offs(iter([replace(variant, runs=(scored,))]), index), [[7]])
    (line,) = own.lines
    assert line.seed == 7
    assert line.unseen[0] == 0 and line.seen[-1] == pytest.approx(0, abs=1e-9)
    assert max(line.unseen) <= 100
    assert len(line.constant) == len(line.seen) <= gather.MOST_POINTS + 1


def test_points_know_their_pictures(index, tmp_path):
    file = tmp_path / "points.csv"
    rows = [("a", 1, 2, "Wren", "real unseen", "images/25.jpg"), ("a", 3, 4, "Wren", "synthetic unseen", "")]
    pd.DataFrame(rows, columns=["space", "x", "y", "class", "group", "image"]).to_csv(file, index=False)
    (space,) = gather.space_points(gather.read_points(file), index, ["images/24.jpg", "images/25.jpg"])
    assert (space.labels.tolist(), space.groups.tolist(), space.pictures.tolist()) == ([2, 2], [1, 2], [1, -1])
    assert gather.space_points(gather.read_points(None), index, []) == ()


def test_panels_have_a_line_per_seed_and_name_what_went_wrong():
    rows = [(seed, "1", epoch, "L_LCE", 1.0 if seed == 1 else 1 / epoch) for seed in (0, 1) for epoch in (1, 2, 3)]
    curves = pd.DataFrame(rows, columns=["seed", "stage", "epoch", "term", "value"])
    (panel,) = gather.training_panels(curves, "SC-EGG").panels
    assert (panel.stage, panel.term) == ("stage 1", "L_LCE (Eq. 6)")
    assert [line.seed for line in panel.lines] == [0, 1]
    assert len(panel.alarms) == 1 and panel.alarms[0].startswith("seed 1: stood still")


def test_the_table_leaves_out_what_the_facts_say(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text(
        "dataset,variant,title,backbone,weights,image_size,H,H_std\nA,x,X,r18,w,96,1.0,\nA,y,Y,r18,w,,2.0,0.5\n"
    )
    html = gather.tables_of(file, (), None).results
    assert "<th>variant</th>" in html and "r18" not in html and "2.00<br><small>± 0.50</small>" in html
    assert ">backbone<" in gather.tables_of(_other_backbone(file), (), None).results


def test_rows_without_a_mark_have_none_on_the_page(tmp_path):
    file = tmp_path / "table.csv"
    file.write_text("dataset,variant,title,H,H_std,differs\nA,x,X,1.0,,\nA,y,Y,2.0,0.5,\nA,z,Z,3.0,,calibration\n")
    html = gather.tables_of(file, (), None).results
    assert html.count("‡") == 2 and "Z ‡" in html and "<b>2.00" in html
    assert "<li>‡ Z is not ranked beside the others: calibration.</li>" in html


def test_what_all_rows_have_in_common_is_said_on_the_page_too(tmp_path):
    file = tmp_path / "table.csv"
    rows = "".join(f"A,{name},{name},last; transductive,validation (constant 0.1),1.0\n" for name in "xy")
    file.write_text(f"dataset,variant,title,selection,calibration,H\n{rows}")
    html = gather.tables_of(file, (), None).results
    assert "Every row has selection: last; transductive; calibration: validation (constant 0.1)." in html


def test_a_digest_or_name_that_looks_like_a_number_or_like_nothing_stays_as_it_is(tmp_path):
    """12e45678 is no number that is too large, 00123456 has its zeros, and a row called NA has a name."""
    head, rest = "variant,title,weights_digest,threads,seeds,H,differs", "1,3,50.0,"
    for digest in ("12e45678", "00123456"):
        (tmp_path / "table.csv").write_text(f"{head}\nx,NA,{digest},{rest}\ny,0012,{digest},{rest}\n")
        html = gather.tables_of(tmp_path / "table.csv", (), None).results
        assert "<td>NA</td>" in html and "<td>0012</td>" in html
        (tmp_path / "table.csv").write_text(f"{head}\nx,X,{digest},{rest}\ny,Y,87654321,{rest}\n")
        assert f"<td>{digest}</td>" in gather.tables_of(tmp_path / "table.csv", (), None).results


def test_classes_called_like_numbers_or_like_nothing_keep_their_names(tmp_path):
    path = tmp_path / "per_class.csv"
    path.write_text(
        "variant,seeds,class,accuracy,most_often_taken_for,taken_for\nx,2,007,50.0,NA,50.0\nx,2,NA,100.0,,0.0\n"
    )
    assert gather.class_table(path).rows == (("x", 2, "007", 50.0, "NA", 50.0), ("x", 2, "NA", 100.0, "", 0.0))


def test_tables_of_no_run_are_empty(tmp_path):
    pd.DataFrame().to_csv(tmp_path / "empty.csv", index=False)
    assert "No results." in gather.tables_of(tmp_path / "empty.csv", (), None).results
    assert gather.class_table(tmp_path / "empty.csv").rows == ()


def _other_backbone(file):
    file.write_text(file.read_text().replace("Y,r18", "Y,r50"))
    return file
