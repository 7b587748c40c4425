"""spaces.csv: the runs that it is made of, its numbers, and what it says."""

from dataclasses import replace

import numpy as np
import pytest
import yaml
from table_case import run

from scegg_core.errors import InputError
from scegg_core.evaluate.summary import METRICS
from scegg_core.report.spaces import Method, answers, in_print, spaces_table
from scegg_core.report.typeset import to_markdown
from scegg_core.settings.methods import methods_of, said_of_budget
from scegg_core.settings.resolve import read_configuration
from tests.conftest import ROOT

VALUES = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
PAIR = {"backbone": "a", "sc-egg": "a+sc-egg"}


def configured(methods=None, rows=None, variants=None, tuning=None, **tables):
    values = {**VALUES, "variants": VALUES["variants"] | (variants or {}), "tuning": tuning or {}}
    values["tables"] = {**({"methods": methods} if methods else {}), **tables}
    if rows:
        values["datasets"] = {**VALUES["datasets"], "cub": VALUES["datasets"]["cub"] | {"variants": rows}}
    return read_configuration(values)


def resampled(h: list[float]) -> np.ndarray:
    return np.tile(np.array(h), (len(METRICS), 1))


# --- which runs ---


def test_a_variant_that_has_the_method_on_a_space_is_taken_and_a_row_of_the_table_first():
    found = {method["title"]: method["variants"] for method in methods_of(configured(), "cub")}
    # baseline is a row of cub and the same as tf-vaegan; without L_EGS, SC-EGG is TF-VAEGAN on SCEN
    assert found["TF-VAEGAN (baseline)"] == {"backbone": "baseline", "sc-egg": "wo-egs"}
    assert found["f-CLSWGAN"] == {"backbone": "f-clswgan", "sc-egg": "f-clswgan+sc-egg"}
    assert found["f-VAEGAN"] == {"backbone": "f-vaegan", "sc-egg": "f-vaegan+sc-egg"}
    assert "TF-VAEGAN" not in found
    rows = ["sc-egg", "tf-vaegan+sc-egg", "tf-vaegan"]
    own = methods_of(configured(["baseline"], rows), "cub")
    assert own == [
        {"title": "TF-VAEGAN (baseline)", "variants": {"backbone": "tf-vaegan", "sc-egg": "tf-vaegan+sc-egg"}}
    ]


def test_a_method_on_one_space_alone_is_made_on_the_other():
    wide = {"title": "Wide", "space": "backbone", "eggn": {"hidden_width": 99}, "seeds": [3], "selection": "validation"}
    config = configured(["wide"], variants={"wide": wide})
    assert methods_of(config, "sun") == [{"title": "Wide", "variants": {"backbone": "wide", "sc-egg": "wide+sc-egg"}}]
    made, on_sun = config.variant("wide+sc-egg"), config.eggn_of("sun", "wide+sc-egg")
    assert (made.title, made.space, made.selection) == ("Wide on sc-egg", "sc-egg", "validation")
    assert config.seeds_of("sun", "wide+sc-egg") == (3,)
    assert on_sun == replace(config.eggn_of("sun", "wide"), seen_guidance=0.0, unseen_guidance=0.0)
    assert config.tuned("wide+sc-egg") is None
    assert {"wide+sc-egg", "wide+backbone"} <= set(config.with_points())
    assert config.table_part("sun", {}, ["wide", "wide+sc-egg"])["runs"] == [("wide", 3), ("wide+sc-egg", 3)]


def test_the_selection_says_which_rows_learn_from_test_images():
    cascade = {"selection": "validation", "classifier": {"cascade_share": 0.6}}
    shown = configured(variants={"f-clswgan": cascade}).table_part(
        "cub", {}, ["f-clswgan", "f-clswgan+sc-egg", "f-vaegan"]
    )
    assert shown["selection"] == {
        "f-clswgan": "validation; transductive",
        "f-clswgan+sc-egg": "validation; transductive",
        "f-vaegan": "last",
    }


@pytest.mark.parametrize("name", ["f-vaegan~budget~budget", "f-vaegan+", "f-vaegan~budget+"])
def test_a_method_has_one_name(name):
    with pytest.raises(InputError) as error:
        configured().variant(name)
    assert str(error.value) == (f"config: {name!r} is no row: write <variant>, <variant>~budget or <variant>+<space>.")


def test_a_method_is_called_as_its_variant_on_whatever_space_it_is_named():
    assert [method["title"] for method in methods_of(configured(["f-vaegan+sc-egg"]), "cub")] == ["f-VAEGAN"]


def test_a_row_that_sc_eggs_guidance_is_part_of_is_its_method_without_it():
    assert methods_of(configured(["sc-egg"]), "cub") == [
        {"title": "SC-EGG", "variants": {"backbone": "baseline", "sc-egg": "wo-egs"}}
    ]


def test_three_spaces_are_compared_where_three_are_named():
    config = configured(["f-vaegan"], spaces=["backbone", "sc-egg", "sc-egg-plus"])
    assert methods_of(config, "cub")[0]["variants"]["sc-egg-plus"] == "f-vaegan+sc-egg-plus"


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({"methods": ["nothing"]}, "variants has no 'nothing'"),
        ({"methods": ["len"]}, "tables.methods names 'len', which generates no features"),
        ({"spaces": ["backbone", "dazle"]}, "tables.spaces names 'dazle', which has no features"),
        ({"spaces": ["backbone", "nothing"]}, "spaces has no 'nothing'"),
        ({"methods": ["f-vaegan+nothing"]}, "spaces has no 'nothing'"),
        ({"spaces": ["wo-lce", "backbone"]}, "no variant generates features on the space 'wo-lce' alone"),
    ],
)
def test_what_cannot_be_compared_gets_a_sentence(tables, sentence):
    with pytest.raises(InputError, match="^config: " + sentence):
        methods_of(configured(**tables), "cub")


def test_without_named_attributes_there_is_no_space_of_scen_to_compare():
    values = {**VALUES, "tables": {"summary": ["cub"]}, "datasets": {"cub": VALUES["datasets"]["cub"]}}
    values["datasets"]["cub"] = values["datasets"]["cub"] | {
        "class_vectors": {"path": "v.csv"},
        "variants": ["baseline"],
    }
    with pytest.raises(InputError, match="there can be no space 'sc-egg', which SCEN makes or needs"):
        methods_of(read_configuration(values), "cub")


def test_a_variant_that_does_not_fit_the_data_set_is_in_nobodys_way():
    odd = {"space": "backbone", "eggn": {"generator": "f-vaegan"}, "classifier": {"input": "transformed"}}
    found = [method["title"] for method in methods_of(configured(variants={"odd": odd}), "cub")]
    assert "odd" not in found and "f-VAEGAN" in found


# --- for how long they are trained ---

LONG = {
    "title": "Long",
    "space": "backbone",
    "eggn": {
        "generator": "cada-vae",
        "epochs": 50,
        "batch_size": 7,
        "latent_size": 9,
        "vector_encoder_width": 1450,
        "warm_up": 2.0,
    },
    "classifier": {"input": "transformed"},
}
CUBS_OWN = "Each method is trained for 200 epochs with batches of 64 images."


def test_a_method_is_trained_for_the_data_sets_own_epochs_and_batches_whatever_its_variant_says():
    config = configured(["long", "f-clswgan"], variants={"long": LONG})
    found = {method["title"]: method["variants"] for method in methods_of(config, "aviary")}
    assert found == {
        "Long": {"backbone": "long~budget", "sc-egg": "long~budget+sc-egg"},
        "f-CLSWGAN": {"backbone": "f-clswgan", "sc-egg": "f-clswgan+sc-egg"},  # it says nothing of its own
    }
    assert set(found["Long"].values()) <= set(config.with_points())
    own = config.eggn_of("aviary", "long")
    for name in found["Long"].values():
        given = config.eggn_of("aviary", name)
        assert (given.epochs, given.batch_size, given.latent_size, given.warm_up) == (32, 64, 9, 2.0 * 32 / 50)
        assert (given.vector_encoder_width, given.image_encoder_width) == (
            384,
            1560,
        )  # the second is the default, unsaid
        unguided = {"seen_guidance": given.seen_guidance, "unseen_guidance": given.unseen_guidance}
        assert replace(given, epochs=50, batch_size=7, warm_up=2.0, vector_encoder_width=1450) == replace(
            own, **unguided
        )
    on_cub = config.eggn_of("cub", "long~budget")  # 200 epochs, and a generator of width 4096
    assert (on_cub.warm_up, on_cub.vector_encoder_width) == (2.0, 1450)
    assert said_of_budget(config, "aviary") == "Each method is trained for 32 epochs with batches of 64 images."
    assert said_of_budget(config, "cub") == CUBS_OWN


def test_another_budget_and_none():
    config = configured(["long", "f-clswgan"], variants={"long": LONG}, budget={"epochs": 50, "batch_size": None})
    assert [list(method["variants"].values()) for method in methods_of(config, "cub")] == [
        ["long~budget", "long~budget+sc-egg"],
        ["f-clswgan~budget", "f-clswgan~budget+sc-egg"],
    ]
    assert {config.eggn_of("cub", name).epochs for name in ("long~budget", "f-clswgan~budget+sc-egg")} == {50}
    assert said_of_budget(config, "cub") == "Each method is trained for 50 epochs with batches of 64 images."
    config = configured(["long"], variants={"long": LONG}, budget=None)
    assert methods_of(config, "cub")[0]["variants"] == {"backbone": "long", "sc-egg": "long+sc-egg"}
    assert said_of_budget(config, "cub") == "Each method is trained as its variant says."
    with pytest.raises(
        InputError, match="^config: 'long~budget' is no row, since tables.budget is null; name 'long', or"
    ):
        config.variant("long~budget")


def test_a_row_may_have_the_budget_beside_the_one_that_has_not():
    config = configured(rows=["long", "long~budget", "long~budget+sc-egg"], variants={"long": LONG})
    titles = [config.variant(name).title for name in config.dataset("cub").variants]
    assert titles == ["Long", "Long (budget)", "Long (budget) on sc-egg"]
    (method,) = (one for one in methods_of(config, "cub") if one["title"] == "Long")
    assert list(method["variants"].values()) == ["long~budget", "long~budget+sc-egg"]


@pytest.mark.parametrize("name", ["len~budget", "sc-egg-tuned~budget", "sc-egg-tuned+backbone"])
def test_a_method_with_the_budget_or_on_a_space_generates_and_is_not_tuned(name):
    config = configured(
        variants={"sc-egg-tuned": {"tuned": "sc-egg"}}, tuning={"sc-egg": {"grid": {"eggn.epochs": [1]}}}
    )
    with pytest.raises(InputError, match="is no row: .* generates no features or is tuned; name one that does"):
        config.variant(name)


# --- what it says ---


def runs_of(first: list[float], second: list[float]) -> list:
    """Two seeds on each space, every metric H, with resamples one point below and above."""
    around = lambda h: resampled([h - 0.01, h, h + 0.01])  # noqa: E731
    return [
        run(name, seed=seed, h=h, u=h, s=h, acc=h, resampled=around(h))
        for name, values in (("a", first), ("a+sc-egg", second))
        for seed, h in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("second", "helps", "counted"),
    [
        ([0.6, 0.7], "yes", "H is higher for 1 and lower for 0"),
        ([0.3, 0.4], "no", "H is higher for 0 and lower for 1"),
        ([0.3, 0.8], "not shown", "for 1 neither is shown"),
    ],
)
def test_a_method_has_a_row_per_space_and_one_of_the_paired_difference(second, helps, counted):
    table = spaces_table(runs_of([0.5, 0.6], second), [Method(title="A", variants=PAIR)])
    assert list(table["method"]) == ["A", "A", "A"]
    assert list(table["space"]) == ["backbone", "sc-egg", "sc-egg"]
    assert list(table["reference"]) == ["", "", "backbone"]
    assert list(table["H"]) == pytest.approx([55, 100 * np.mean(second), 100 * np.mean(second) - 55])
    assert list(table["seeds"]) == [2, 2, 2]
    assert table["helps"][2] == helps
    assert counted in answers(table)[0]
    assert table["h_sign"].isna().tolist() == [True, True, False]


def test_in_print_a_metric_has_its_interval_in_its_cell():
    runs = [
        run("a", resampled=resampled([0.4, 0.5, 0.6])),
        run("a+sc-egg", h=0.6, resampled=resampled([0.5, 0.6, 0.7])),
    ]
    table = spaces_table(runs, [Method(title="A", variants=PAIR)])
    assert list(in_print(table)["H"]) == ["50.0 (40.5 to 59.5)", "60.0 (50.5 to 69.5)", "+10.0 (+10.0 to +10.0)"]
    text = to_markdown(in_print(table), answers(table))
    assert "| method | space | reference | Acc | U | S | H | helps |" in text
    assert "| A | sc-egg | backbone | +0.0 (" in text and "| +10.0 (+10.0 to +10.0) | yes |" in text


def test_runs_that_are_missing_or_have_no_outcomes_are_left_out():
    method = Method(title="A", variants=PAIR)
    assert spaces_table([], [method]).empty
    assert answers(spaces_table([], [method])) == []
    assert list(spaces_table([run("a")], [method])["space"]) == ["backbone"]
    apart = spaces_table([run("a", seed=0), run("a+sc-egg", seed=1)], [method])
    assert list(apart["reference"]) == ["", ""]
    plain = spaces_table([run("a"), run("a+sc-egg", h=0.6)], [method])
    assert (plain["H"][2], plain["helps"][2]) == (pytest.approx(10), "")
    assert list(in_print(plain)["H"]) == ["50.0", "60.0", "+10.0"]
