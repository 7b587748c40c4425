"""Result tables: means and spreads counted by hand, published figures, and text that LaTeX and Markdown accept."""

from dataclasses import replace

import numpy as np
import pytest
from table_case import run

from scegg_core.errors import InputError
from scegg_core.evaluate.metrics import harmonic_mean
from scegg_core.report import tables, typeset
from scegg_core.report.paired import paired_differences, paired_remarks
from scegg_core.report.published import find_published, read_published
from tests.conftest import ROOT

RESOURCES = ROOT / "resources"


@pytest.fixture(scope="module")
def published():
    return read_published(*(RESOURCES / f"published_{name}.csv" for name in ("table1", "finetuned", "ablation")))


def test_mean_and_sample_deviation_over_seeds():
    row = tables.result_table([run(seed=0, h=0.4), run(seed=1, h=0.5), run(seed=2, h=0.6)]).iloc[0]
    assert (row["seeds"], row["H"], row["H_std"]) == (3, 50.0, 10.0)
    assert (row["Acc"], row["Acc_std"]) == (70.0, 0.0)


def test_one_seed_has_no_deviation():
    row = tables.result_table([run()]).iloc[0]
    assert row["H"] == 50.0
    assert np.isnan(row["H_std"])


def test_a_task_that_was_not_run_stays_empty():
    table = tables.result_table([run(acc=float("nan")), run(seed=1, acc=float("nan"))])
    assert table[["Acc", "Acc_std"]].isna().all(axis=None)
    assert "| Acc |" not in typeset.to_markdown(table)


def test_unlike_runs_are_not_averaged():
    table = tables.result_table([run(seed=0), run(seed=1, image_size=224)])
    assert list(table["image_size"]) == [448, 224]
    assert list(table["seeds"]) == [1, 1]


def test_a_run_that_is_there_twice_is_refused():
    with pytest.raises(ValueError, match="CUB/sc-egg has two results of seed 0"):
        tables.result_table([run(), run()])


def test_published_figures_stand_beside_ours(published):
    table = tables.result_table([run(), run("baseline"), run("len")], published)
    assert list(table["published_H"])[:2] == [68.5, 60.3]
    assert np.isnan(table["published_H"][2])
    assert "published_H" not in tables.result_table([run(published="")], published)
    assert tables.result_table([run(published="AWA2")], published)["published_S"][0] == 89.3


def test_printed_harmonic_means_follow_from_u_and_s_unless_flagged(published):
    wrong = [row for row in published if abs(100 * harmonic_mean(row.s / 100, row.u / 100) - row.h) > 0.1]
    assert [(row.dataset, row.method, row.h) for row in wrong] == [("AWA2", "GCM-CF", 60.3)]
    assert [row.method for row in published if row.flag] == ["GCM-CF"]
    assert "67.0" in wrong[0].flag


def test_every_ablation_of_the_paper_is_there(published):
    for dataset in ("CUB", "SUN"):
        assert all(find_published(published, dataset, variant) for variant in tables.ABLATION)
    assert find_published(published, "AWA2", "baseline") is None
    assert find_published(published, "", "sc-egg") is None


def test_a_published_table_with_other_columns_is_refused(tmp_path):
    (tmp_path / "t.csv").write_text("dataset,acc\nCUB,1\n")
    with pytest.raises(InputError, match=r"t.csv has columns \['dataset', 'acc'\]"):
        read_published(tmp_path / "t.csv")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("CUB,LFGAA, the first,embedding,,67.6,36.2,80.9,50.0,", "'CUB' has not 9 fields; quote what has a comma"),
        ("CUB,X", "'CUB' has not 9 fields"),
        ("CUB,X,generativ,,67.6,36.2,80.9,50.0,", "CUB X: family is 'generativ', expected one of embedding, "),
    ],
)
def test_a_published_row_that_is_cut_or_of_no_family_is_refused(tmp_path, row, says):
    (tmp_path / "t.csv").write_text(f"dataset,method,family,variant,acc,u,s,h,flag\n{row}\n")
    with pytest.raises(InputError, match=f"t.csv: .*{says}"):
        read_published(tmp_path / "t.csv")


def test_selection_says_the_epochs_and_settings_and_seeds_that_chose_differently_share_a_row():
    runs = [run(seed=s, selection="validation", epoch=e, h=h) for s, e, h in ((0, 12, 0.4), (1, 8, 0.6), (2, 9, 0.5))]
    row = tables.result_table(runs)
    assert list(row["selection"]) == ["validation (epochs 8-12)"]
    assert (row["seeds"][0], row["H"][0]) == (3, 50.0)
    assert list(tables.seed_rows(runs)["selection"]) == [f"validation (epoch {e})" for e in (12, 8, 9)]
    assert list(tables.result_table([run(epoch=None)])["selection"]) == ["last"]
    tuned = [replace(one, tuned="eggn.epochs 3") for one in runs[:1]]
    assert list(tables.result_table(tuned)["selection"]) == ["validation (epoch 12); tuned: eggn.epochs 3"]
    assert len(tables.result_table([*runs[1:], *tuned])) == 2


def test_a_row_that_learned_from_test_images_is_not_ranked_beside_the_others():
    runs = [run("baseline"), run("len"), run("lisgan", selection="last; transductive", h=0.9)]
    assert list(tables.result_table(runs)["differs"]) == ["", "", "selection last; transductive"]


def test_summary_puts_data_sets_with_different_epochs_into_one_row(published):
    runs = [run(dataset=d, selection="validation", epoch=e, tuned=f"x {e}") for d, e in (("A", 3), ("B", 5))]
    table = tables.summary_table([replace(one, published="AWA2") for one in runs], published)
    table = table[table["family"] == "ours"]
    assert list(table["selection"]) == ["validation; tuned"]
    assert table[["A H", "B H"]].notna().all(axis=None)


def test_ablation_is_in_the_papers_order_without_other_variants():
    found = tables.ablation_table([run("sc-egg"), run("len"), run("wo-scr"), run("baseline"), run("wo-lce")])
    assert list(found["variant"]) == ["baseline", "wo-lce", "wo-scr", "sc-egg"]
    assert tables.ablation_table([]).empty


def test_paired_differences_use_common_seeds_only():
    runs = [run(seed=s, h=h) for s, h in ((0, 0.6), (1, 0.7), (2, 0.1))]
    runs += [run("baseline", seed=s, h=h) for s, h in ((0, 0.5), (1, 0.4), (7, 0.9))]
    row = paired_differences(runs).iloc[0]
    assert (row["variant"], row["reference"], row["seeds"]) == ("baseline", "sc-egg", 2)
    assert row["H"] == -20.0  # mean of -10 and -30
    assert row["H_std"] == 14.14  # sqrt(200)
    assert paired_differences([run("len")]).empty
    assert paired_differences([run(), run("len", image_size=224)]).empty


def test_what_no_difference_is_shown_of_is_named():
    runs = [run(seed=1), run("baseline", seed=0), run("baseline", seed=1), run("len", seed=0), run("len", seed=2)]
    assert list(paired_differences(runs)["variant"]) == ["baseline"]
    assert paired_remarks(runs, "sc-egg") == [
        "Not compared: len has no seed on the same backbone and image size in common with sc-egg."
    ]
    assert paired_remarks(runs[:3], "sc-egg") == []
    assert paired_remarks(runs, "eszsl") == [
        "Not compared: eszsl, to which differences are taken, has no results here."
    ]


def test_seed_rows_are_percent():
    rows = tables.seed_rows([run(seed=3, h=0.12341)])
    assert (rows["seed"][0], rows["H"][0]) == (3, 12.34)


def test_summary_puts_ours_below_the_published_rows_of_our_data_sets(published):
    ours = [run(), run(seed=1), run(dataset="AWA2", published="AWA2"), run(dataset="aviary", published="")]
    table = tables.summary_table(ours, published)
    assert list(dict.fromkeys(table["family"])) == ["embedding", "generative", "ours"]
    assert not any("SUN" in name for name in table)
    mine = table[table["family"] == "ours"]
    assert list(mine["seeds"]) == [2, 1]  # unlike numbers of seeds stay apart
    assert list(mine["backbone"]) == ["resnet101", "resnet101"]
    assert mine["CUB H"].iloc[0] == 50 and np.isnan(mine["AWA2 H"].iloc[0])
    paper = table[table["method"] == "SC-EGG"].iloc[0]
    assert (paper["CUB H"], paper["AWA2 H"]) == (68.5, 72.4)


@pytest.mark.slow
def test_summary_keeps_and_flags_the_printed_value(published):
    table = tables.summary_table([run(dataset="AWA2", published="AWA2")], published)
    row = table[table["method"] == "GCM-CF"].iloc[0]
    assert row["AWA2 H"] == 60.3
    assert "67.0" in row["remark"]
    text = typeset.to_markdown(table)
    assert "| GCM-CF † |" in text
    assert "- † GCM-CF, AWA2: printed H 60.3" in text


def test_per_class_counts_by_hand():
    labels, predicted = np.array([0, 0, 2, 2, 2, 2]), np.array([0, 2, 2, 0, 1, 1])
    table = tables.per_class_table(labels, predicted, ["crow", "gull", "wren"], np.array([True, True, False]))
    assert list(table["class"]) == ["crow", "wren"]
    assert list(table["seen"]) == [True, False]
    assert list(table["images"]) == [2, 4]
    assert list(table["accuracy"]) == [50.0, 25.0]
    assert list(table["most_often_taken_for"]) == ["wren", "gull"]
    assert list(table["taken_for"]) == [50.0, 50.0]


def test_a_class_without_mistakes_is_taken_for_nothing():
    table = tables.per_class_table(np.array([0]), np.array([0]), ["crow"], np.array([True]))
    assert table["most_often_taken_for"][0] == ""


def test_missing_variants_and_seeds_are_named():
    remarks = tables.missing_remarks([run(), run("len"), run("len", seed=1)], ["sc-egg", "wo-lce", "len"], [0, 1])
    assert remarks == ["Missing: sc-egg lacks seed 1.", "Missing: wo-lce has no results yet."]
    text = typeset.to_markdown(tables.result_table([run()]), remarks)
    assert "- Missing: sc-egg lacks seed 1.\n- Missing: wo-lce has no results yet.\n" in text


def test_markdown_marks_best_and_second():
    table = tables.result_table([run("a", h=0.4), run("b", h=0.6), run("c", h=0.5), run("d", h=0.6)])
    cells = [line.split(" | ")[5] for line in typeset.to_markdown(table).splitlines()[2:6]]
    assert cells == ["40.00", "**60.00**", "*50.00*", "**60.00**"]


def test_latex_escapes_and_marks():
    runs = [run("a", h=0.4, title="w/o L_LCE & 50%"), run("a", h=0.4, seed=1, title="w/o L_LCE & 50%")]
    table = tables.result_table([*runs, run("b", seed=1, h=0.6), run("b", h=0.5)])
    text = typeset.to_latex(table, ["a_b & 10%"])
    assert r"w/o L\_LCE \& 50\%" in text
    assert r"\textbf{55.00 $\pm$ 7.07}" in text
    assert r"\underline{40.00 $\pm$ 0.00}" in text
    assert r"a\_b \& 10\%\par" in text
    assert [text.count(rule) for rule in (r"\toprule", r"\midrule", r"\bottomrule")] == [1, 1, 1]
    assert typeset.escape_latex(r"\x{y}~^#$") == r"\textbackslash{}x\{y\}\textasciitilde{}\textasciicircum{}\#\$"


def test_latex_has_as_many_columns_as_cells():
    lines = typeset.to_latex(tables.result_table([run(), run("len")])).splitlines()
    columns = lines[1].split("{")[-1].rstrip("}")
    assert {line.count("&") + 1 for line in lines if line.endswith(r"\\")} == {len(columns)}


def test_published_rows_keep_their_one_decimal(published):
    text = typeset.to_markdown(tables.result_table([replace(run(), h=0.6)], published))
    assert "| 68.5 |" in text and "60.00" in text


def test_no_results_at_all_is_a_table_that_says_so():
    assert typeset.to_markdown(tables.result_table([]), ["Missing: x."]) == "(no results)\n\n- Missing: x.\n"
    assert r"\begin{tabular}" in typeset.to_latex(tables.result_table([]))


def test_a_name_with_marks_is_printed_as_it_stands():
    named = replace(run(), title="a $x$ | *b* _c_ d_e <f> `g` \\")
    assert r"| a \$x\$ \| \*b\* \_c\_ d_e \<f\> \`g\` \\ |" in typeset.to_markdown(tables.result_table([named]))
    assert typeset.escape_markdown("[a](b) ~~c~~ &lt; d & e") == r"\[a](b) \~\~c\~\~ \&lt; d & e"
    lines = typeset.to_latex(tables.result_table([run(dataset="[a]"), run("b", dataset="[a]")])).splitlines()
    assert [line for line in lines if line.startswith("[")] == []  # it would be an option of the \\\\ before it
    text = typeset.to_latex(tables.result_table([named]))
    assert r"a \$x\$ \textbar{} *b* \_c\_ d\_e \textless{}f\textgreater{} `g` \textbackslash{} &" in text
    assert "a $x$ | *b* _c_ d_e &lt;f&gt; `g`" in typeset.to_page("t", tables.result_table([named]))
    assert not text.startswith("% needs xelatex")
    foreign = typeset.to_latex(tables.result_table([replace(run(), title="斑马")]))
    assert foreign.startswith(
        "% needs xelatex or lualatex, and a font with all letters\n% needs \\usepackage{booktabs}\n"
    )


def test_a_row_that_was_reached_otherwise_is_marked_and_not_ranked():
    """Of three rows two are alike: the third, best of all, is neither bold nor second, and a remark says why."""
    runs = [run("a", h=0.4), run("b", h=0.5), run("c", h=0.9, calibration=0.25, backbone_state="trained here")]
    table = tables.result_table(runs)
    assert list(table["calibration"]) == ["none", "none", "validation (constant 0.25)"]
    assert list(table["differs"]) == ["", "", "backbone state trained here, calibration validation"]
    text = typeset.to_markdown(table)
    assert [cell in text for cell in ("**50.00**", "*40.00*", "| 90.00 |")] == [True] * 3
    assert "| C ‡ |" in text
    assert "- ‡ C is not ranked beside the others: backbone state trained here, calibration validation." in text
    assert r"$\ddagger$" in typeset.to_latex(table)


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"selection": "validation", "epoch": 4}, "selection validation"),
        ({"tuned": "eggn.epochs 3"}, "selection last; tuned"),
        ({"backbones": ("1234abcd",)}, "weights digest 1234abcd"),
        ({"devices": ("cuda",), "threads": ()}, "device cuda, threads not known"),
        ({"threads": (4,)}, "threads 4"),
        ({"image_size": None}, "image size not known"),
    ],
)
def test_everything_that_decides_a_comparison_is_compared(values, says):
    alike = {"devices": ("cpu",), "threads": (2,), "backbones": ("00000000",)}
    runs = [run("a", **alike), run("b", **alike), run("c", **{**alike, **values})]
    assert list(tables.result_table(runs)["differs"]) == ["", "", says]
    assert list(tables.summary_table(runs)["differs"]) == ["", "", f"CUB: {says}"]


def test_rows_of_more_seeds_and_of_a_backbone_per_seed_are_no_equals():
    runs = [run(name, seed=seed) for name in ("a", "b") for seed in (0, 1)] + [run("c")]
    runs += [run("d", seed=seed, backbones=(f"{seed}",)) for seed in (0, 1)]
    table = tables.result_table(runs)
    assert list(table["differs"]) == ["", "", "seeds 1", "backbones 2"]
    assert list(table["backbones"]) == [1, 1, 1, 2]
    assert list(table["weights_digest"]) == ["", "", "", "0 1"]


def test_constants_and_epochs_that_validation_chose_do_not_set_rows_apart():
    runs = [
        run("a", calibration=0.25, selection="validation", epoch=3),
        run("b", calibration=0.5, selection="validation"),
    ]
    assert list(tables.result_table(runs)["differs"]) == ["", ""]
    both = [run("a", seed=seed, calibration=constant) for seed, constant in ((0, 0.123456), (1, -2.0))]
    assert list(tables.result_table(both)["calibration"]) == ["validation (constants -2 to 0.1235)"]


def test_what_all_rows_have_in_common_is_said_once():
    text = typeset.to_markdown(tables.result_table([run("a", seed=3, devices=("cpu",)), run("b", devices=("cpu",))]))
    assert text.splitlines()[0] == "| data set | variant | Acc | U | S | H | AUSUC |"
    assert "- Every row has backbone: resnet101; weights: IMAGENET1K" in text and "device: cpu" in text


def test_a_row_is_left_out_of_the_ranking_of_those_data_sets_alone_where_it_is_no_equal():
    """On A, z has one seed, the others three; on B all have one, so there z is the best."""
    runs = [run(name, seed=seed, dataset="A", h=0.5) for name in "xy" for seed in range(3)] + [run("z", dataset="A")]
    runs += [run(name, dataset="B", h=h) for name, h in (("z", 0.9), ("w", 0.8), ("v", 0.7))]
    table = tables.summary_table(runs)
    rows = table[table["method"] == "Z"]
    assert sorted(rows["A differs"] + rows["B differs"]) in (["seeds 1"], ["", "seeds 1"])
    text = typeset.to_markdown(table)
    assert "**90.00**" in text and "*80.00*" in text and "| 70.00 |" in text
    assert "differs" not in text.splitlines()[0]


def test_published_rows_and_ours_are_ranked_apart(published):
    table = tables.summary_table([run("a", h=0.9), run("b", h=0.8)], published)
    cells = [line.strip(" |").split(" | ") for line in typeset.to_markdown(table).splitlines()]
    ours = [cell for row in cells if row[0] == "ours" for cell in row]
    assert "**90.00**" in ours and "*80.00*" in ours
    assert sum("**" in "".join(row) for row in cells if row[0] != "ours") >= 1


def resampled(h: list[float]) -> np.ndarray:
    return np.stack([np.full(len(h), 0.5)] * 3 + [np.array(h), np.full(len(h), 0.5)])


def test_intervals_are_in_columns_and_h_is_printed():
    table = tables.result_table([run("a", h=0.5, resampled=resampled([0.4, 0.5, 0.6])), run("b")])
    assert (table["h_low"][0], table["h_high"][0], table["u_low"][0]) == (40.5, 59.5, 50.0)
    assert table["h_low"].isna()[1]
    text = typeset.to_markdown(table)
    assert "| H | H 95 % | AUSUC |" in text and "| 40.5 to 59.5 |" in text and "h low" not in text
    wide = tables.result_table(
        [run("a", seed=s, h=h, resampled=resampled([h - 0.1, h, h + 0.1])) for s, h in ((0, 0.2), (1, 0.8))]
    )
    assert (wide["h_low"][0], wide["h_high"][0]) == (0, 100)  # two seeds tell next to nothing


def test_paired_intervals_are_those_of_the_difference_on_the_same_resamples():
    runs = [run(h=0.5, resampled=resampled([0.4, 0.5, 0.6])), run("b", h=0.6, resampled=resampled([0.5, 0.6, 0.7]))]
    row = paired_differences(runs).iloc[0]
    assert (row["h_low"], row["h_high"], row["h_sign"]) == (10.0, 10.0, 100.0)
    assert row["acc_sign"] == 0
    text = typeset.to_markdown(paired_differences(runs))
    assert "| H | H 95 % | sign of H holds (%) | AUSUC |" in text and "| 10.0 to 10.0 | 100.00 |" in text
