"""DAZLE in the configuration: its values per data set, its grid, what the check knows of it, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
import yaml

from scegg_core.data.tables import DatasetIndex
from scegg_core.errors import InputError
from scegg_core.regions.backbone import FeatureMap
from scegg_core.settings.dazle import DazleSettings
from scegg_core.settings.features import FeatureSettings
from scegg_core.settings.plan import Plan, plan_of
from scegg_core.settings.resolve import read_configuration
from scegg_core.settings.scen import ScenSettings
from scegg_core.using.truths import held, truths
from tests.conftest import ROOT

VALUES = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))
OF_ITS_NOTEBOOKS = {
    "cub": {},
    "sun": {"epochs": 100, "sampling": "class_balanced", "attribute_attention": False, "memory_budget": 32.0},
    "awa2": {"sampling": "class_balanced", "normalize_words": True, "momentum": 0.0, "memory_budget": 32.0},
}


def configured(rows=("dazle",), dataset=None, **sections):
    cub = {**VALUES["datasets"]["cub"], "variants": list(rows), **(dataset or {})}
    merged = {name: {**VALUES.get(name, {}), **own} for name, own in sections.items()}
    return read_configuration({**VALUES, "datasets": {**VALUES["datasets"], "cub": cub}, **merged})


@pytest.mark.parametrize("dataset", OF_ITS_NOTEBOOKS)
def test_each_data_set_has_the_values_of_its_notebook(dataset):
    assert configured().dazle_of(dataset, "dazle") == replace(DazleSettings(), **OF_ITS_NOTEBOOKS[dataset])


def test_a_space_may_have_values_of_its_own():
    config = configured(spaces={"short": {"kind": "dazle", "dazle": {"epochs": 3}}})
    assert config.dazle_of("sun", "short").epochs == 3
    assert config.dazle_of("sun", "short").sampling == "class_balanced"


def test_a_grid_of_its_settings_is_compared_on_validation():
    grid = {"dazle": {"grid": {"dazle.epochs": [5, 9], "dazle.margin": [0.0, 1.0]}, "seeds": [7]}}
    config = configured(["best"], tuning=grid, variants={"best": {"tuned": "dazle"}})
    points = config.points_of("dazle")
    spaces = [config.variant(name).space for name in points]
    assert spaces == points
    assert [config.dazle_of("cub/validation", name).epochs for name in spaces] == [5, 5, 9, 9]
    assert [config.dazle_of("cub/validation", name).margin for name in spaces] == [0.0, 1.0, 0.0, 1.0]
    trained = plan_of(config, "cub")["dazle"]
    assert [given["epochs"] for given in trained] == [5, 5, 9, 9]


def test_the_plan_counts_its_trainings_and_needs_the_validation_split_where_it_is_calibrated():
    plan = plan_of(configured(["dazle", "prototype"]), "cub")
    assert (len(plan["dazle"]), len(plan["scen"]), len(plan["eggn"])) == (5, 0, 0)
    row = {"space": "dazle", "predict_by": "embedding", "calibration": "validation"}
    plan = plan_of(configured(["own"], variants={"own": row}), "cub")
    assert (len(plan["dazle"]), plan["validation"]) == (10, True)


@pytest.fixture(scope="module")
def index() -> DatasetIndex:
    split = ("trainval",) * 10 + ("test_seen",) * 2 + ("test_unseen",) * 2
    return DatasetIndex(
        classes=("a", "b", "c"),
        seen=np.array([True, True, False]),
        percent=np.eye(3, 2, dtype=np.float32),
        attributes=("v", "w"),
        words=("v", "w"),
        parts=("", ""),
        paths=tuple(f"{number}.jpg" for number in range(14)),
        labels=np.array([0, 1] * 6 + [2, 2], np.int32),
        split=split,
        rows=np.arange(14, dtype=np.int32),
    )


def problems(index: DatasetIndex, plan: Plan, settings) -> list[str]:
    found = []
    for step in truths(index, settings, FeatureMap(1024, 32, 32), plan):
        try:
            step()
        except InputError as error:
            found.append(str(error))
    return found


def test_the_check_says_before_that_balanced_batches_do_not_fit(index):
    given, settings = DazleSettings(sampling="class_balanced", memory_budget=0.01), configured().dataset("cub")
    assert problems(index, Plan(dazle=(given,)), settings) == [
        "dazle.sampling class_balanced needs all 0.0195 GiB of region features in memory, but dazle.memory_budget is "
        "0.01 GiB; raise it, or set sampling: shuffled."
    ]
    assert held(index, FeatureMap(1024, 32, 32), Plan(dazle=(replace(given, memory_budget=1.0),))) == 10 * 2 * 1024**2


@pytest.mark.parametrize(("budget", "more"), [(1.0, 10 * 1024 * 2 * 4), (0.0196, 0)])  # of two attributes; no room
def test_the_check_counts_the_attention_that_stage_2_keeps(index, budget, more):
    plan = Plan(scen=(ScenSettings(memory_budget=budget),))
    assert held(index, FeatureMap(1024, 32, 32), plan) == 10 * 2 * 1024**2 + more


def test_the_check_says_before_that_features_are_no_maps(index, tmp_path):
    np.save(tmp_path / "features.npy", np.zeros((14, 8), np.float32))
    features = FeatureSettings(path=str(tmp_path / "features.npy"), kind="arrays")
    settings = replace(configured().dataset("cub"), format=None, folder=None, splits=None, features=features)
    assert "region maps" in problems(index, Plan(dazle=(DazleSettings(),)), settings)[0]
    assert problems(index, Plan(), settings) == []


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"variants": {"own": {"space": "dazle"}}}, "variants.own works on features, but space 'dazle' has none"),
        (
            {"variants": {"own": {"space": "dazle", "predict_by": "eszsl"}}},
            "variants.own works on features, but space 'dazle' has none",
        ),
        (
            {"variants": {"own": {"space": "backbone", "predict_by": "embedding"}}},
            "variants.own predicts by embedding, but space 'backbone' has no SCEN and no DAZLE",
        ),
        (
            {"variants": {"own": {"space": "dazle", "predict_by": "embedding", "selection": "validation"}}},
            ".*has no generator whose epoch could be selected",
        ),
        (
            {"spaces": {"own": {"kind": "dazle", "scen": {"batch_size": 2}}}},
            ".*a space of kind dazle has no SCEN, so it takes no scen settings",
        ),
        ({"spaces": {"own": {"dazle": {"epochs": 2}}}}, ".*a space of kind scen has no DAZLE, so it takes no dazle"),
        (
            {"tuning": {"dazle": {"grid": {"scen.batch_size": [2]}}}},
            "tuning.dazle.grid has settings of scen, but space 'dazle' has no SCEN",
        ),
        (
            {"tuning": {"dazle": {"grid": {"eggn.epochs": [2]}}}},
            "tuning.dazle.grid has settings of eggn, but dazle predicts by embedding and has no such stage",
        ),
        ({"dazle": {"momentum": 1.0}}, "dazle.momentum is 1.0"),
        ({"attention": {"space": "dazle"}}, "attention.space is 'dazle', which has no SCEN"),
    ],
)
def test_what_does_not_fit_gets_a_sentence(given, sentence):
    with pytest.raises(InputError, match="^config: " + sentence):
        configured(**given)


def test_without_named_attributes_there_is_no_dazle():
    vectors = {"class_vectors": {"path": "vectors.csv"}}
    with pytest.raises(
        InputError, match="variants has dazle, which DAZLE makes from the strengths of named attributes"
    ):
        configured(dataset=vectors)
    with pytest.raises(InputError, match="there can be no space 'dazle', which DAZLE makes or needs"):
        configured(["baseline"], dataset=vectors).dazle_of("cub", "dazle")
    tuning = {"dazle": {"grid": {"dazle.epochs": [1]}}, "baseline": {"grid": {"eggn.epochs": [1]}}}
    assert configured(["baseline"], dataset=vectors, tuning=tuning).tunings_of("cub") == ["baseline"]


def test_pooled_features_of_a_known_kind_are_refused_when_the_configuration_is_read():
    pooled = {"features": {"path": "own/res101.mat", "kind": "xlsa17"}, "variants": ["dazle"]}
    with pytest.raises(InputError, match="datasets.own has the row 'dazle', which needs region maps"):
        read_configuration({**VALUES, "datasets": {**VALUES["datasets"], "own": pooled}})
