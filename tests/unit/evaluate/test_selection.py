"""Snapshots of a training, the epoch that validation selects, and the grids that are tuned on it."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from small_run import CPU, make_run
from table_case import run
from trainers import KINDS, Stopped, eggn_trainer, run_steps

from scegg_core.artifacts.files import Provenance, read_table
from scegg_core.classify.predictions import read_predictions
from scegg_core.data.tasks import TASKS
from scegg_core.eggn.files import read_eggn
from scegg_core.eggn.model import EGGN
from scegg_core.eggn.snapshots import Snapshot, keeping, read_snapshots, snapshot_epochs
from scegg_core.errors import InputError
from scegg_core.evaluate.epochs import score_snapshots
from scegg_core.evaluate.final import FinalSettings, run_final_steps
from scegg_core.evaluate.scores import read_metrics, score, write_metrics
from scegg_core.evaluate.selection import EpochScore, best_epoch, read_epochs, selected_epoch, up_to, write_epochs
from scegg_core.evaluate.tuning import GridPoint, tuning_table
from scegg_core.report.figures.curves import draw_curves, read_curves, write_curves
from scegg_core.report.rows import with_oracle
from scegg_core.report.tables import result_table
from scegg_core.report.typeset import to_markdown
from scegg_core.scen.space import Space, read_features, read_scaler
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.resolve import read_configuration
from scegg_core.settings.synthesis import SynthesisSettings
from scegg_core.settings.tuning import TuningSettings, winners
from scegg_core.training.checkpoint import Checkpoint, resumable
from tests.conftest import ROOT

NAMES = ("Acc, conventional", "U, unseen classes", "S, seen classes", "H, harmonic mean", "AUSUC")
MADE = Provenance("train_eggn", seed=1)
SMALL = EggnSettings(hidden_width=2, epochs=1, snapshots=1)


def scored(epoch: int, h: float) -> EpochScore:
    return EpochScore(epoch, acc=0.5, u=0.25, s=0.75, h=h, ausuc=0.125, constant=0.5)


# --- snapshots ---


@pytest.mark.parametrize(
    ("epochs", "count", "expected"),
    [(10, 5, [2, 4, 6, 8, 10]), (10, 3, [4, 7, 10]), (3, 20, [1, 2, 3]), (7, 1, [7]), (7, 0, []), (1, 2, [1])],
)
def test_snapshots_are_evenly_spaced_and_end_with_the_last_epoch(epochs, count, expected):
    assert snapshot_epochs(epochs, count) == expected


def train_with_snapshots(
    folder: Path, count: int = 3, checkpoint: Checkpoint | None = None, stop_after: int | None = None
):
    """Three epochs of six steps with snapshots in `folder`; stopped in the middle of a step if `stop_after` says so."""
    trainer = eggn_trainer(checkpoint)
    with keeping(folder, replace(trainer.settings, snapshots=count), MADE) as snapshots:
        run = trainer.run
        trainer.run = lambda: run(on_epoch=snapshots.take)
        if stop_after is not None:
            run_steps(KINDS["eggn"], trainer, stop_after)
            raise Stopped
        trainer.run()
        snapshots.publish()
    return trainer.model


def test_a_snapshot_is_the_generator_as_it_was_when_its_epoch_ended(tmp_path):
    train_with_snapshots(tmp_path / "snapshots")
    found = list(read_snapshots(tmp_path / "snapshots"))
    assert [snapshot.epoch for snapshot in found] == [1, 2, 3]
    for snapshot in found:
        plain = eggn_trainer()
        plain.run(snapshot.epoch)
        for part in ("generator", "decoder", "feedback"):
            for name, value in getattr(plain.model, part).state_dict().items():
                assert torch.equal(getattr(snapshot.eggn, part).state_dict()[name], value)


def files_of(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("steps", [5, 6, 7, 13, 17])
def test_snapshots_of_a_stopped_training_are_those_of_one_at_once(tmp_path, steps):
    make = lambda: Checkpoint(tmp_path / "state", "key", interval=0)  # noqa: E731
    with pytest.raises(Stopped):
        train_with_snapshots(tmp_path / "stopped", checkpoint=make(), stop_after=steps)
    assert not (tmp_path / "stopped").exists()
    train_with_snapshots(tmp_path / "stopped", checkpoint=make())
    train_with_snapshots(tmp_path / "at_once")
    assert files_of(tmp_path / "stopped") == files_of(tmp_path / "at_once")
    assert {path.name for path in tmp_path.iterdir()} == {"stopped", "at_once", "state", "state.older"}


def filled(value: float) -> EGGN:
    model = EGGN(3, 2, SMALL)
    with torch.no_grad():
        for weight in model.parameters():
            weight.fill_(value)
    return model


def test_snapshots_of_another_training_are_never_taken_over(tmp_path):
    for seed in (1, 2):
        with pytest.raises(Stopped), keeping(tmp_path / "s", SMALL, replace(MADE, seed=seed)) as snapshots:
            snapshots.take(1, filled(seed))
            raise Stopped
    with keeping(tmp_path / "s", SMALL, replace(MADE, seed=1)) as snapshots:
        snapshots.publish()  # continued after its only epoch
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    (found,) = read_snapshots(tmp_path / "s")
    assert float(found.eggn.generator.out.bias[0]) == 1


def test_snapshots_replace_those_of_a_run_before(tmp_path):
    for value in (1, 2):
        with keeping(tmp_path / "s", SMALL, MADE) as snapshots:
            snapshots.take(1, filled(value))
            snapshots.publish()
    (found,) = read_snapshots(tmp_path / "s")
    assert float(found.eggn.generator.out.bias[0]) == 2


def refuse(*_):
    raise PermissionError(1, "Operation not permitted")


@pytest.mark.parametrize("link", [os.link, refuse], ids=["links", "no links"])
def test_snapshots_are_published_where_a_file_system_has_no_hard_links(tmp_path, monkeypatch, link):
    monkeypatch.setattr(os, "link", link)
    train_with_snapshots(tmp_path / "s")
    assert [snapshot.epoch for snapshot in read_snapshots(tmp_path / "s")] == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize("broken", [True, False], ids=["not published", "published"])
def test_a_training_that_ends_around_publishing_is_neither_lost_nor_without_its_snapshots(
    tmp_path, monkeypatch, broken
):
    """As rule train_eggn does it: whatever fails last, the state and the snapshots before it are still there."""
    place = tmp_path / "s"
    with (
        pytest.raises((PermissionError, Stopped)),
        keeping(place, SMALL, MADE) as snapshots,
        resumable(tmp_path / "eggn", MADE, 0) as checkpoint,
        monkeypatch.context() as patched,
    ):
        snapshots.take(1, filled(1))
        checkpoint.save({"epoch": 1})
        if broken:
            patched.setattr(os, "link", refuse)
            patched.setattr(shutil, "copyfile", refuse)
        snapshots.publish()
        raise Stopped
    assert place.exists() != broken
    shutil.rmtree(place, ignore_errors=True)  # as Snakemake removes what a failed job made
    with keeping(place, SMALL, MADE) as snapshots, resumable(tmp_path / "eggn", MADE, 0) as checkpoint:
        assert checkpoint.load() == {"epoch": 1}
        snapshots.publish()
    (found,) = read_snapshots(place)
    assert float(found.eggn.generator.out.bias[0]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_the_rules_state_goes_before_its_snapshots():
    """Managers end in reverse order; a state without its snapshots could be continued but never published."""
    script = (ROOT / "workflow_scripts/train_eggn.py").read_text()
    order = [script.index(f" {word}(") for word in ("keeping", "resumable", "snapshots.publish", "write_eggn")]
    assert order == sorted(order)


def test_a_run_that_keeps_none_has_an_empty_folder_and_is_refused_with_a_sentence(tmp_path):
    train_with_snapshots(tmp_path / "none", count=0)
    assert list((tmp_path / "none").iterdir()) == []
    with pytest.raises(InputError, match="holds no snapshots: they are taken where epochs are compared"):
        list(read_snapshots(tmp_path / "none"))


# --- scores of epochs, and the best one ---


def test_scores_of_a_snapshot_are_those_of_the_run_that_stops_there(tmp_path):
    """The stages one by one, through their files, and all in one for a snapshot: the same numbers to the last bit."""
    small = make_run(tmp_path)
    folder = small.root / "results/small/spaces/sc-egg/seed3"
    features, scaler = folder / "features.parquet", folder / "scaler.safetensors"
    space = Space(small.index, read_features(features, small.index), read_scaler(scaler), None)
    eggn, settings = read_eggn(small.run / "eggn.safetensors")
    given = FinalSettings(SynthesisSettings(per_class=6), ClassifierSettings(epochs=2), seed=3)
    expected = score(*(read_predictions(small.run / f"predictions_{task}.parquet") for task in TASKS), small.index)
    assert run_final_steps(space, eggn, given, CPU).metrics == expected
    (found,) = score_snapshots(space, [Snapshot(7, eggn, settings)], given, CPU)
    assert found == EpochScore(7, expected.acc, expected.u, expected.s, expected.h, expected.ausuc, expected.constant)


def test_the_best_epoch_has_the_highest_h_and_is_the_earliest_of_equal_ones():
    assert best_epoch([scored(2, 0.5), scored(4, 0.7), scored(6, 0.7), scored(8, 0.6)]).epoch == 4
    assert best_epoch([scored(6, 0.0), scored(2, 0.0)]).epoch == 2


def test_a_selected_run_ends_at_the_best_epoch_of_its_table(tmp_path):
    write_epochs(tmp_path / "epochs.parquet", [scored(2, 0.5), scored(4, 0.7), scored(6, 0.6)], MADE)
    assert read_epochs(tmp_path / "epochs.parquet")[0] == scored(2, 0.5)
    chosen = selected_epoch(tmp_path / "epochs.parquet")
    assert chosen == scored(4, 0.7)
    assert up_to(EggnSettings(epochs=6), chosen) == EggnSettings(epochs=4)
    assert selected_epoch(None) is None
    assert up_to(EggnSettings(epochs=6), None) == EggnSettings(epochs=6)


def test_metrics_keep_what_was_selected(tmp_path):
    small = make_run(tmp_path)
    predictions = [read_predictions(small.run / f"predictions_{task}.parquet") for task in TASKS]
    for selected in (None, scored(4, 0.7)):
        write_metrics(tmp_path / "metrics.json", score(*predictions, small.index, selected), MADE)
        assert read_metrics(tmp_path / "metrics.json").selected == selected


# --- grids ---


@pytest.fixture
def values() -> dict:
    """What config.yaml says, and a grid over stages of both kinds."""
    given = yaml.safe_load((ROOT / "config.yaml").read_text())
    given["tuning"] = {"sc-egg": {"grid": {"scen.learning_rate": [0.1, 0.2], "eggn.epochs": [3, 4]}, "seeds": [5]}}
    given["variants"]["tuned"] = {"tuned": "sc-egg", "title": "tuned"}
    given["datasets"]["cub"]["variants"] = ["tuned"]
    return given


def test_points_are_all_combinations_the_last_setting_changing_fastest():
    points = TuningSettings(grid={"eggn.epochs": [1, 2], "classifier.epochs": [7, 8]}).points()
    assert [(point.number, *point.values.values()) for point in points] == [(1, 1, 7), (2, 1, 8), (3, 2, 7), (4, 2, 8)]
    assert points[1].part("eggn") == {"epochs": 1}
    assert points[1].text() == "eggn.epochs 1, classifier.epochs 8"


def test_a_point_is_the_variant_with_its_values_and_shares_spaces_where_it_can(values):
    config = read_configuration(values)
    names = config.points_of("sc-egg")
    assert names == ["sc-egg@1", "sc-egg@2", "sc-egg@3", "sc-egg@4"]
    assert [config.variant(name).space for name in names] == ["sc-egg@1", "sc-egg@1", "sc-egg@3", "sc-egg@3"]
    assert [config.scen_of("cub", config.variant(name).space).learning_rate for name in names] == [0.1, 0.1, 0.2, 0.2]
    assert [config.eggn_of("cub", name).epochs for name in names] == [3, 4, 3, 4]
    del values["tuning"]["sc-egg"]["grid"]["scen.learning_rate"]
    assert read_configuration(values).variant("sc-egg@2").space == "sc-egg"


def test_points_that_differ_after_stage_3_alone_share_a_generator_on_the_validation_split(values):
    values["tuning"]["sc-egg"]["grid"] = {"classifier.epochs": [7, 8], "eggn.epochs": [1, 2]}
    config = read_configuration(values)
    found = [config.generator_of("cub/validation", name) for name in config.points_of("sc-egg")]
    assert found == ["sc-egg@1", "sc-egg@2", "sc-egg@1", "sc-egg@2"]
    assert config.generator_of("cub", "sc-egg@4") == "sc-egg@4"
    assert config.generator_of("cub/validation", "sc-egg") == "sc-egg"


def test_a_point_without_its_values_is_the_variant(values):
    config = read_configuration(values)
    alone = replace(config.eggn_of("cub", "sc-egg@1"), epochs=config.eggn_of("cub", "sc-egg").epochs)
    assert alone == config.eggn_of("cub", "sc-egg")
    assert config.variant("tuned") == replace(config.variant("sc-egg"), title="tuned")


def test_snapshots_are_kept_where_an_epoch_is_selected_and_nowhere_else(values):
    values["variants"]["sc-egg"]["selection"] = "validation"
    config = read_configuration(values)
    runs = [(data, name) for data in ("cub", "cub/validation") for name in ("sc-egg", "sc-egg@1", "baseline")]
    assert [config.eggn_of(*run).snapshots for run in runs] == [0, 0, 0, 20, 20, 0]


@pytest.mark.parametrize(
    ("section", "name", "change", "sentence"),
    [
        ("tuning", "sc-egg", {"grid": {"epochs": [1]}}, "epochs has to be a stage and a setting"),
        ("tuning", "sc-egg", {"grid": {"eggn.epochs": []}}, "has no values of eggn.epochs"),
        (
            "tuning",
            "sc-egg",
            {"grid": {"eggn.epoch": [1]}},
            r"tuning\.sc-egg\.grid\.eggn\.epoch is not a known setting",
        ),
        ("tuning", "sc-egg", {"grid": {"eggn.epochs": [1, 0]}}, r"tuning\.sc-egg\.grid\.eggn\.epochs is 0: should be"),
        ("tuning", "sc-egg", {"grid": {"scen.rate": [1]}}, r"tuning\.sc-egg\.grid\.scen\.rate is not a"),
        ("tuning", "prototype", {"grid": {"eggn.epochs": [1]}}, "tuning.prototype tunes no variant that generates"),
        ("tuning", "nothing", {"grid": {"eggn.epochs": [1]}}, "tuning.nothing tunes no variant that generates"),
        ("tuning", "baseline", {"grid": {"scen.stage1_epochs": [1]}}, "space 'backbone' has no SCEN"),
        ("variants", "tuned", {"tuned": "len"}, "variants.tuned.tuned is 'len', which section tuning does not have"),
        ("variants", "tuned", {"eggn": {"epochs": 1}}, "takes its settings from section tuning"),
        ("variants", "a@1", {}, "variants.a@1 cannot be used as a name"),
        ("variants", "len", {"selection": "validation"}, "has no generator whose epoch could be selected"),
        ("variants", "sc-egg", {"selection": "test"}, "selection is 'test'"),
    ],
)
def test_bad_grids_and_selections_get_a_sentence(values, section, name, change, sentence):
    values[section][name] = {**values[section].get(name, {}), **change}
    with pytest.raises(InputError, match="^config: .*" + sentence):
        read_configuration(values)


def test_without_a_grid_there_is_nothing_to_compare(values):
    values["tuning"] = {}
    del values["variants"]["tuned"]
    values["datasets"]["cub"]["variants"] = ["sc-egg"]
    with pytest.raises(InputError, match=r"^config: section tuning has no grid, so nothing can be compared on cub"):
        read_configuration(values).grid_points("cub")


def grid_point(number: int, seeds: tuple = (0, 1), variant: str = "a") -> GridPoint:
    return GridPoint(variant=variant, point=f"{variant}@{number}", values={"eggn.epochs": number}, seeds=seeds)


def test_the_winner_has_the_highest_mean_h_on_validation(tmp_path):
    def runs(*values: float) -> list[str]:
        paths = [tmp_path / f"{value}.parquet" for value in values]
        for path, value in zip(paths, values, strict=True):
            write_epochs(path, [scored(1, value), scored(2, 0.1)], MADE)
        return paths

    points = [grid_point(1), grid_point(2), grid_point(3), grid_point(1, (0,), "b")]
    table = tuning_table(runs(0.2, 0.9, 0.6, 0.61, 0.61, 0.6, 0.3), points)
    assert list(table["H"]) == [55.0, 60.5, 60.5, 30.0]
    assert table["H_std"][0] == pytest.approx(49.5, abs=0.01)  # of 20 and 90
    assert list(table["seeds"]) == [2, 2, 2, 1]
    assert list(table["eggn.epochs"]) == ["1", "2", "3", "1"]
    assert list(table["selected"]) == [False, True, False, True]
    table.to_csv(tmp_path / "tuning.csv", index=False)
    assert winners(tmp_path / "tuning.csv") == {"a": "a@2", "b": "b@1"}


@pytest.mark.slow
def test_points_of_last_epochs_are_compared_by_their_metrics(tmp_path):
    small = make_run(tmp_path)
    predictions = [read_predictions(small.run / f"predictions_{task}.parquet") for task in TASKS]
    expected = score(*predictions, small.index)
    write_metrics(tmp_path / "metrics.json", expected, MADE)
    table = tuning_table([tmp_path / "metrics.json"], [grid_point(1, (0,))])
    assert table["AUSUC"][0] == round(100 * expected.ausuc, 2)


def test_settings_of_a_grid_are_printed_as_written_and_variants_ranked_apart(tmp_path):
    write_epochs(tmp_path / "a.parquet", [scored(1, 0.5)], MADE)
    write_epochs(tmp_path / "b.parquet", [scored(1, 0.25)], MADE)
    grids = [("a", 1e-3), ("a", 2e-4), ("b", None), ("b", True)]
    points = [
        replace(
            grid_point(number, (0,), variant), values={"classifier.learning_rate": value, "classifier.batch_size": 64}
        )
        for number, (variant, value) in enumerate(grids)
    ]
    table = tuning_table([tmp_path / f"{name}.parquet" for name in "abab"], points)
    heads, _, *cells = [line.strip("| ").split(" | ") for line in to_markdown(table).splitlines()[:6]]
    assert [row[2:4] for row in cells] == [["0.001", "64"], ["0.0002", "64"], ["null", "64"], ["true", "64"]]
    assert [row[heads.index("H")] for row in cells] == ["**50.00**", "*25.00*"] * 2


def test_a_tuning_table_that_selects_nothing_is_refused(tmp_path):
    pd.DataFrame({"variant": ["a"], "point": ["a@1"]}).to_csv(tmp_path / "tuning.csv")
    with pytest.raises(InputError, match=r"tuning.csv selects no point"):
        winners(tmp_path / "tuning.csv")


# --- what tables and pictures say of it ---


def test_the_best_epochs_on_test_are_shown_in_columns_of_their_own(tmp_path):
    scores = [EpochScore(1, 0.9, 0.1, 0.9, 0.18, 0.3, 0), EpochScore(2, 0.5, 0.4, 0.6, 0.48, 0.2, 0)]
    write_epochs(tmp_path / "epochs.parquet", scores, MADE)
    runs = [run(seed=0), run(seed=1), run("len")]
    found = with_oracle(runs, [tmp_path / "epochs.parquet"] * 2, [("sc-egg", 0), ("sc-egg", 1)])
    table = result_table(found)
    assert [table[f"oracle_{name}"][0] for name in ("Acc", "U", "S", "H")] == [90, 40, 60, 48]
    assert table["oracle_H_std"][0] == 0
    assert table["oracle_H"].isna()[1]
    assert table["H"].equals(result_table(runs)["H"])
    assert not any(name.startswith("oracle") for name in result_table(runs))
    assert not any(name.startswith("oracle") for name in result_table(with_oracle(runs, [], [])))


def test_the_test_sets_epochs_are_kept_for_the_oracle_columns_alone(values):
    values["tables"] = {"oracle": True}
    config = read_configuration(values)
    assert [config.eggn_of(data, "sc-egg").snapshots for data in ("cub", "cub/validation")] == [20, 0]


@pytest.mark.slow
def test_accuracies_on_validation_join_the_curves(tmp_path):
    trainer = eggn_trainer()
    trainer.run().write(tmp_path / "curve.parquet", MADE)
    write_epochs(tmp_path / "epochs.parquet", [scored(2, 0.5), scored(4, 0.7)], MADE)
    curves = read_curves([tmp_path / "curve.parquet"], [7], [tmp_path / "epochs.parquet"], [7])
    own = curves[curves["stage"] == "validation"]
    assert own[own["term"] == "h"][["seed", "epoch", "value"]].values.tolist() == [[7, 2, 0.5], [7, 4, 0.7]]
    assert set(own["term"]) == {"acc", "u", "s", "h", "ausuc"}
    write_curves(tmp_path / "curves.parquet", curves, MADE)
    assert len(read_table(tmp_path / "curves.parquet", "curves")) == len(trainer.state.curve.points) + 10
    titles = [axes.get_title() for axes in draw_curves(curves).axes if axes.get_title()]
    assert titles[-5:] == [f"validation split\n{name} (share)" for name in NAMES]
    assert read_curves([tmp_path / "curve.parquet"], [7])["stage"].eq("3").all()
