"""Figures: their numbers have known answers, the same input gives the same picture, and no text overlaps."""

import re
from hashlib import sha256
from itertools import pairwise
from types import SimpleNamespace

import matplotlib
import numpy as np
import pandas as pd
import pytest
from jinja2 import Template

from scegg_core.artifacts.files import Provenance, read_table
from scegg_core.evaluate import pointing, separation
from scegg_core.evaluate.metrics import trade_off
from scegg_core.report import style
from scegg_core.report.figures import attention, confusion, curves, tradeoff, tsne
from scegg_core.training.curve import Curve
from tests.conftest import ROOT

SCENES = 717  # classes of SUN


def clusters(classes=4, per_class=10, size=6, spread=0.01, shift=0) -> separation.Labelled:
    """Tight clusters at unit vectors; with `shift`, under the next class's label."""
    labels = np.repeat(np.arange(classes), per_class)
    noise = np.random.default_rng(1).normal(scale=spread, size=(len(labels), size))
    return separation.Labelled(np.eye(size)[labels] + noise, (labels + shift) % classes)


def chosen(count=2, per_class=3, seed=0, classes=8) -> tsne.Points:
    real, seen = clusters(classes, size=classes), np.arange(classes) < classes // 2
    drawn = tsne.choose_classes(real.labels, seen, count, seed)
    return tsne.choose_points("space", real, real, drawn, per_class=per_class, seed=seed)


def test_nearest_mean_is_right_on_separable_clusters_and_wrong_on_swapped_ones():
    assert separation.nearest_mean_accuracy(clusters(), clusters()) == 1.0
    assert separation.nearest_mean_accuracy(clusters(shift=1), clusters()) == 0.0


def test_nearest_mean_counts_classes_evenly():
    known = separation.Labelled(np.array([[0.0], [1.0]]), np.array([0, 1]))
    tested = separation.Labelled(np.array([[0.1], [0.2], [0.3], [0.0]]), np.array([0, 0, 0, 1]))
    assert separation.nearest_mean_accuracy(known, tested) == 0.5  # all of class 0, none of class 1


def test_separation_rows():
    row = separation.separation("dense", clusters(), clusters(per_class=5))
    assert (row.classes, row.real, row.synthetic, row.ncm_accuracy, row.chance) == (4, 40, 20, 100.0, 25.0)
    assert row.silhouette_real > 0.9
    table = separation.separation_table([row, row])
    assert list(table["space"]) == ["dense", "dense"]
    assert np.isnan(separation.silhouette(separation.Labelled(np.zeros((3, 2)), np.zeros(3))))


def test_choice_is_the_same_for_a_seed_and_bounded():
    first, again, other = chosen(), chosen(), chosen(seed=1)
    assert np.array_equal(first.features, again.features)
    assert not np.array_equal(first.features, other.features)
    assert [int((first.groups == group).sum()) for group in tsne.MARKERS] == [6, 6, 6]
    assert set(first.labels[first.groups == tsne.SEEN]) == set(first.classes.seen)
    assert len(chosen(count=100).classes.seen) == 4


def test_caption_counts():
    assert tsne.caption([chosen(), chosen()]) == (
        "2 seen and 2 unseen classes; 6 real seen, 6 real unseen, 6 synthetic unseen features in each space"
    )


def test_the_reports_caption_counts_nothing_that_the_picture_may_not_reach():
    """Of five unseen classes five are drawn, whatever the settings ask for: the picture's own caption counts."""
    told = SimpleNamespace(
        wildcards=SimpleNamespace(dataset="birds"),
        params=SimpleNamespace(settings={"classes": 17, "per_class": 41, "seed": 23}),
    )
    text = Template((ROOT / "report/tsne.rst").read_text(encoding="utf-8")).render(snakemake=told)
    assert re.findall(r"\d+", text.split("\n\n")[0]) == ["4", "23"]  # the paper's figure, and the seed


@pytest.mark.slow
def test_tsne_is_deterministic_and_keeps_clusters_together():
    points = clusters(per_class=12, size=60)
    place = tsne.embed(points.features, perplexity=30, seed=3)
    assert place.shape == (48, 2)
    assert np.array_equal(place, tsne.embed(points.features, perplexity=30, seed=3))
    assert (
        separation.nearest_mean_accuracy(
            separation.Labelled(place, points.labels), separation.Labelled(place, points.labels)
        )
        == 1.0
    )
    with pytest.raises(ValueError, match="at least 5 points, got 4"):
        tsne.embed(np.zeros((4, 2)), 30, 0)


@pytest.mark.slow
def test_saved_pictures_are_equal_byte_by_byte(tmp_path):
    digests = []
    for turn in range(2):
        paths = [tmp_path / f"{turn}.png", tmp_path / f"{turn}.pdf"]
        points = chosen()
        style.save(tsne.draw([points], [points.features[:, :2]], [f"c{i}" for i in range(8)]), *paths)
        digests.append([sha256(path.read_bytes()).hexdigest() for path in paths])
    assert digests[0] == digests[1]
    assert len(list(tmp_path.iterdir())) == 4
    with pytest.raises(ValueError, match="png, pdf, svg, got x.gif"):
        style.save(style.new_figure(1, 1), tmp_path / "x.gif")


def test_drawing_leaves_matplotlibs_settings_alone():
    before = dict(matplotlib.rcParams)
    points = chosen()
    tsne.draw([points], [points.features[:, :2]], [f"c{i}" for i in range(8)])
    assert dict(matplotlib.rcParams) == before


def test_colours_differ_for_many_classes():
    colours = style.class_colours(50)
    assert len({tuple(colour) for colour in colours.round(3)}) >= 48  # black has no darker shade
    assert colours.min() >= 0 and colours.max() <= 1
    assert style.class_colours(SCENES).shape == (SCENES, 3)
    assert style.class_colours(0).shape == (0, 3)


def test_names_for_print():
    assert style.shorten("001.Black_footed_Albatross") == "Black footed Albatross"
    assert style.shorten("killer+whale") == "killer whale"
    assert [style.shorten(name) for name in ("1.5", "2.5")] == ["1.5", "2.5"]  # no number and name
    assert len(style.shorten("x" * 80)) == 24
    long = [f"Long_name_of_a_bird_species_{letter}" for letter in "AB"]
    assert style.short_names(("001.Wren", *long, "1. Liga", "2. Liga")) == ("Wren", *long, "1. Liga", "2. Liga")
    assert attention.attribute_title("has_wing_color::dark_blue") == "wing color: dark blue"


def test_upsampling_keeps_range_and_peak():
    weights = np.zeros((4, 7))
    weights[1, 5] = 1
    large = attention.upsample(weights, 40, 140)
    assert large.shape == (40, 140)
    assert large.min() == 0 and large.max() <= 1
    row, column = np.unravel_index(large.argmax(), large.shape)
    assert (row // 10, column // 20) == (1, 5)


def test_top_maps_are_the_highest_scores():
    maps = np.arange(12.0).reshape(3, 2, 2)
    found = attention.top_maps(maps, np.array([0.1, 0.9, 0.5]), ["a", "b", "c"], 2)
    assert [shown.name for shown in found] == ["b", "c"]
    assert np.array_equal(found[0].weights, maps[1])


def test_attention_sheets_are_drawn_also_where_a_map_is_flat_or_negative():
    image = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    maps = attention.top_maps(np.ones((5, 7, 7)) / 49, np.arange(5.0), ["has_a::b"] * 5)
    sheet = attention.AttentionSheet("bird", image, -np.ones((7, 7)), maps)
    assert len(attention.draw_sheet(sheet).axes) == 8 + 1  # 7 panels in 2 rows of 4, and the scale
    assert len(attention.draw_overview([sheet, sheet], top=2).axes) == 8 + 1


def test_image_choice_by_seed():
    first = attention.choose_images(np.arange(100), 5, 0)
    assert np.array_equal(first, attention.choose_images(np.arange(100), 5, 0))
    assert len(attention.choose_images(np.arange(3), 5, 0)) == 3


def test_part_locations_scale_x_and_y_by_themselves():
    locations = np.array([[[199.0, 0.0], [0.0, 99.0], [200.0, 100.0], [np.nan, np.nan], [201.0, 5.0]]])
    regions = pointing.part_regions(locations, np.array([[200, 100]]), (2, 4))
    assert regions.tolist() == [[3, 4, 7, -1, -1]]


def test_part_locations_in_a_cropped_image():
    locations = np.array([[[50.0, 0.0], [149.0, 99.0], [49.0, 50.0]]])
    assert pointing.part_regions(locations, np.array([[200, 100]]), (2, 2), "crop").tolist() == [[0, 3, -1]]


def test_parts_on_both_sides_count_for_one_attribute():
    bound = pointing.bind_parts(["wing", "", "left eye"], ["left wing", "right wing", "left eye", "wing"])
    assert bound.tolist() == [[True, True, False, True], [False] * 4, [False, False, True, False]]


def test_pointing_is_perfect_on_maps_that_peak_on_their_parts():
    regions = np.array([[0, 5], [3, -1]])
    maps = np.full((2, 2, 8), 0.01)
    maps[0, 0, 0] = maps[0, 1, 5] = maps[1, 0, 3] = maps[1, 1, 7] = 1
    found = pointing.point(maps, regions, np.eye(2, dtype=bool))
    table = pointing.pointing_table(found, ["a", "b"], ["beak", "tail"])
    assert list(table["attribute"]) == [pointing.ALL, "a", "b"]
    assert list(table["pointing"]) == [100.0, 100.0, 100.0]
    assert list(table["chance"]) == [12.5, 12.5, 12.5]  # one region of eight
    assert list(table["times_chance"]) == [8.0, 8.0, 8.0]
    assert list(table["images"]) == [2, 2, 1]


def test_chance_counts_the_regions_of_all_bound_parts_by_hand():
    regions = np.array([[0, 1], [2, 2], [-1, 3], [-1, -1]])  # two regions, one, one, not visible
    maps = np.zeros((4, 1, 4))
    maps[:, 0, 1] = 1  # always points at region 1
    found = pointing.point(maps, regions, np.array([[True, True]]))
    row = pointing.pointing_table(found, ["a"], ["wing"]).iloc[1]
    assert row["images"] == 3
    assert row["pointing"] == pytest.approx(100 / 3, abs=0.01)
    assert row["chance"] == pytest.approx(100 * (2 + 1 + 1) / (4 * 3), abs=0.01)


def test_maps_that_all_find_the_same_place_correlate_and_score_as_their_mean():
    one = np.random.default_rng(0).random((3, 1, 4, 4))
    found = pointing.point(np.repeat(one, 5, axis=1), np.array([[0], [1], [2]]), np.ones((5, 1), dtype=bool))
    assert found.correlation == pytest.approx(np.ones((3, 5)))
    assert np.array_equal(found.hit, found.mean_hit)
    opposite = np.stack([one[:, 0], -one[:, 0]], axis=1).reshape(3, 2, 16)
    assert pointing.map_correlation(opposite) == pytest.approx(-np.ones((3, 2)))
    assert pointing.map_correlation(np.ones((1, 3, 4))).tolist() == [[0, 0, 0]]


def test_batches_join_to_the_whole():
    generator = np.random.default_rng(0)
    maps, regions, bound = generator.random((6, 3, 9)), generator.integers(-1, 9, (6, 2)), np.ones((3, 2), dtype=bool)
    whole = pointing.point(maps, regions, bound)
    parts = pointing.join([pointing.point(maps[rows], regions[rows], bound) for rows in (slice(0, 2), slice(2, 6))])
    assert np.array_equal(whole.hit, parts.hit, equal_nan=True)
    assert np.allclose(whole.correlation, parts.correlation)


def test_confusion_matrix_by_hand():
    labels, predicted = np.array([3, 3, 1, 1, 1, 0]), np.array([3, 0, 3, 1, 1, 0])
    matrix = confusion.confusion_matrix(labels, predicted, np.array([3, 1, 2]))
    assert matrix[0].tolist() == [50, 0, 0, 50]  # the rest: class 0
    assert matrix[1] == pytest.approx([100 / 3, 200 / 3, 0, 0])
    assert np.isnan(matrix[2]).all()


def test_similar_classes_stand_side_by_side():
    vectors = np.array([[1, 0, 0], [0, 1, 0.1], [1, 0.1, 0], [0, 1, 0], [0, 0, 1.0]])
    order = list(confusion.order_classes(vectors))
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert abs(order.index(0) - order.index(2)) == 1
    assert abs(order.index(1) - order.index(3)) == 1


@pytest.mark.slow
def test_no_names_overlap_at_717_classes():
    matrix = np.hstack([np.eye(SCENES) * 90, np.full((SCENES, 1), 10)])
    figure = confusion.draw_confusion(matrix, [f"some_kind_of_outdoor_place_{i}" for i in range(SCENES)])
    figure.draw_without_rendering()
    axes = figure.axes[0]
    rows = sorted(label.get_window_extent().y0 for label in axes.get_yticklabels())
    columns = sorted(label.get_window_extent().x0 for label in axes.get_xticklabels())
    height = axes.get_yticklabels()[0].get_window_extent().height
    assert min(b - a for places in (rows, columns) for a, b in pairwise(places)) >= height
    assert axes.get_xticklabels()[-1].get_text() == confusion.OTHER
    assert axes.get_ylabel() == "true class (one of 6 named)"


@pytest.mark.slow
def test_tsne_legend_stays_inside_at_717_classes():
    labels, seen = np.repeat(np.arange(SCENES), 2), np.arange(SCENES) % 10 != 0
    real = separation.Labelled(np.random.default_rng(0).random((len(labels), 2)), labels)
    drawn = tsne.choose_classes(labels, seen, SCENES, 0)
    points = tsne.choose_points("space", real, real, drawn, per_class=1, seed=0)
    figure = tsne.draw([points], [points.features], [f"some_outdoor_place_{i}" for i in range(SCENES)])
    figure.draw_without_rendering()
    legend, page = figure.legends[0].get_window_extent(), figure.bbox
    assert legend.x0 > figure.axes[0].get_window_extent().x1
    assert legend.x1 <= page.x1 and legend.y0 >= page.y0


def test_curves_have_a_panel_per_term_and_a_line_per_seed():
    terms = (("1", "L_LCE"), ("3", "wasserstein"), ("3", "penalty"))
    rows = [(stage, epoch, term, 1.0 / epoch) for stage, term in terms for epoch in (1, 2, 3)]
    table = pd.DataFrame(rows, columns=["stage", "epoch", "term", "value"])
    gathered = curves.gather([0, 1], [table, table])
    assert len(gathered) == 18
    figure = curves.draw_curves(gathered)
    assert [len(axes.lines) for axes in figure.axes] == [2, 2, 2, 0]
    assert figure.axes[1].get_title() == "stage 3\nWasserstein estimate (Eq. 11)"
    assert not figure.axes[3].axison


def test_curves_of_a_run_that_trains_nothing_are_one_panel_that_says_so(tmp_path):
    Curve().write(tmp_path / "curve.parquet", Provenance("train_scen"))
    found = curves.read_curves([tmp_path / "curve.parquet"] * 2, [0, 1])
    curves.write_curves(tmp_path / "curves.parquet", found, Provenance("plot_curves"))
    figure = curves.draw_curves(found, "SC-EGG")
    style.save(figure, tmp_path / "curves.png")
    assert [text.get_text() for axes in figure.axes for text in axes.texts] == ["nothing was trained: 0 epochs"]
    assert read_table(tmp_path / "curves.parquet", "curves").num_rows == 0


def test_trade_off_names_area_and_marks_the_operating_points():
    labels, seen = np.array([0, 1]), np.array([True, False])
    curve = trade_off(labels, np.array([[1.0, 0.0], [0.0, 1.0]]), seen)  # one cut gets both right
    variant = tradeoff.VariantCurves("SC-EGG", (curve, curve), ((1.0, 0.5), (1.0, 1.0)))
    assert variant.label == "SC-EGG: AUSUC 100.0 ± 0.0 %"
    axes = tradeoff.draw_trade_off([variant]).axes[0]
    assert axes.collections[0].get_offsets().tolist() == [[50, 100], [100, 100]]
    assert "(%)" in axes.get_xlabel()
