"""Epochs and settings chosen on the validation split of a reduced aviary, and that no test label takes part in it."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from scegg_core.artifacts.files import Provenance, read_description, read_table, write_table
from scegg_core.data.tables import NO_LABEL
from scegg_core.evaluate.scores import read_metrics
from scegg_core.evaluate.selection import best_epoch, read_epochs
from scegg_core.using.api import add_classes
from tests.reliability import kill
from tests.workflow.conftest import TINY, Workflow, copy_run, describe_moon, rules_in

pytestmark = pytest.mark.slow

SELECTING = """
variants:
  sc-egg: {title: SC-EGG, selection: validation, calibration: validation}
  len: {title: LEN, predict_by: embedding, calibration: validation}
  best: {title: tuned, tuned: sc-egg}
tuning:
  sc-egg: {grid: {classifier.learning_rate: [1.0e-3, 0.1]}, seeds: [0]}
datasets:
  aviary: {seeds: [0], variants: [best, len, prototype, eszsl], eggn: {epochs: 3, snapshots: 2}}
tsne: {variants: [best]}
"""
#: What may depend on test labels: they themselves, predictions (which carry them), and what is made of those.
AFTER_TRAINING = ("test_labels", "predictions_", "metrics", "outcomes", "table", "ablation", "paired", "seeds")


@pytest.fixture(scope="module")
def overlay(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("overlay") / "selecting.yaml"
    path.write_text(SELECTING)
    return path


@pytest.fixture(scope="module")
def selected(finished, tmp_path_factory, overlay) -> Workflow:
    """A reduced aviary: a row for the best of two points, trained up to its best epoch, and rows without generator.

    Everything but the generators and what is made of them is that of the finished run."""
    workflow = copy_run(finished, tmp_path_factory.mktemp("selected"))
    for variant in ("sc-egg", "baseline"):
        shutil.rmtree(workflow.folder / "results/aviary/variants" / variant)
    run(workflow, overlay, "results/aviary/table.csv")
    return workflow


def run(workflow: Workflow, overlay: Path, target: str) -> None:
    done = workflow.run(target, overlays=(TINY, overlay))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture
def results(selected) -> Path:
    return selected.folder / "results/aviary"


@pytest.fixture
def winner(results) -> pd.Series:
    table = pd.read_csv(results / "tuning.csv")
    assert list(table["point"]) == ["sc-egg@1", "sc-egg@2"]
    (place,) = np.flatnonzero(table["selected"])
    return table.iloc[place]


def test_the_winner_is_the_point_whose_best_epoch_has_the_highest_h_on_validation(results, winner):
    folder = results / "validation/variants"
    best = [best_epoch(read_epochs(folder / f"sc-egg@{point}/seed0/epochs.parquet")).h for point in (1, 2)]
    assert winner["point"] == f"sc-egg@{1 + int(np.argmax(best))}"
    assert winner["H"] == round(100 * max(best), 2)


def test_the_run_ends_at_the_best_epoch_on_validation_and_the_table_says_so(results, winner):
    run_folder = f"variants/{winner['point']}/seed0"
    chosen = best_epoch(read_epochs(results / f"validation/{run_folder}/epochs.parquet"))
    trained = read_description(results / f"{run_folder}/eggn.safetensors")
    assert trained["extra"]["settings"]["epochs"] == trained["provenance"]["settings"]["epochs"] == chosen.epoch
    assert pd.read_parquet(results / f"{run_folder}/curve.parquet")["epoch"].max() == chosen.epoch
    metrics = json.loads((results / f"{run_folder}/metrics.json").read_text())["metrics"]
    assert metrics["selected"] == vars(chosen)
    table = pd.read_csv(results / "table.csv")
    assert table["variant"].tolist() == ["best", "len", "prototype", "eszsl"]
    row = table.iloc[0]
    rate = winner["classifier.learning_rate"]
    assert row["selection"] == f"validation (epoch {chosen.epoch}); tuned: classifier.learning_rate {rate}"
    assert row["H"] == round(100 * metrics["h"], 2)


def test_the_constant_is_that_of_the_validation_run_and_stands_in_the_row(results, winner):
    """Of a generator's row the selected epoch's, of LEN's that of its scores on validation."""
    chosen = best_epoch(read_epochs(results / f"validation/variants/{winner['point']}/seed0/epochs.parquet"))
    of_len = read_metrics(results / "validation/variants/len/seed0/metrics.json")
    rows = pd.read_csv(results / "table.csv").set_index("variant")
    for row, folder, constant in (("best", winner["point"], chosen.constant), ("len", "len", of_len.constant)):
        assert read_metrics(results / f"variants/{folder}/seed0/metrics.json").calibration == constant
        assert rows["calibration"][row] == f"validation (constant {constant:.4g})"
    classifier = read_description(results / f"variants/{winner['point']}/seed0/classifier_gzsl.safetensors")
    assert classifier["extra"]["calibration"] == chosen.constant
    assert of_len.calibration is None
    assert {"h_low", "h_high", "acc_low", "ausuc_high", "weights_digest"} <= set(rows)
    assert (rows["h_low"] <= rows["H"]).all() and (rows["H"] <= rows["h_high"]).all()


def test_an_extension_has_the_constant_of_its_run_by_the_workflow_and_by_the_command(
    selected, overlay, results, winner
):
    own = results / "variants" / winner["point"] / "seed0"
    describe_moon(selected.folder)
    target, extensions = own.relative_to(selected.folder) / "extended/moon/metrics.json", "extensions={moon: moon.csv}"
    done = selected.run(str(target), overlays=(TINY, overlay, "--config", extensions))
    assert done.returncode == 0, done.stdout + done.stderr
    folder = add_classes(own, selected.folder / "moon.csv", "command", "cpu")
    by_workflow, by_command = (read_metrics(place / "metrics.json") for place in (folder.parent / "moon", folder))
    assert by_workflow == by_command
    assert by_workflow.calibration == read_metrics(own / "metrics.json").calibration is not None


def test_only_the_winner_is_trained_on_all_training_images(results, winner):
    variants = {path.name for path in (results / "variants").iterdir()}
    assert variants == {winner["point"], "len", "prototype", "eszsl"}
    assert [path.parts[-3] for path in results.glob("variants/*/seed0/eggn.safetensors")] == [winner["point"]]


def test_points_that_differ_in_the_classifier_alone_share_scen_its_features_and_the_generator(results):
    assert {path.name for path in (results / "validation/spaces").iterdir()} == {"sc-egg", "backbone"}
    assert [path.parts[-3] for path in results.glob("validation/spaces/*/*/scen.safetensors")] == ["sc-egg"]
    assert [path.parts[-3] for path in results.glob("validation/variants/*/seed0/eggn.safetensors")] == ["sc-egg@1"]
    first, second = (results / f"validation/variants/sc-egg@{point}/seed0/epochs.parquet" for point in (1, 2))
    assert read_epochs(first) != read_epochs(second)  # by other classifiers


def test_the_last_epochs_scores_are_those_of_the_run_itself(selected, overlay, results):
    folder = "validation/variants/sc-egg@1/seed0"
    run(selected, overlay, f"results/aviary/{folder}/metrics.json")
    last = read_epochs(results / folder / "epochs.parquet")[-1]
    metrics = json.loads((results / folder / "metrics.json").read_text())["metrics"]
    assert vars(last) == {"epoch": 3, **{name: metrics[name] for name in ("acc", "u", "s", "h", "ausuc", "constant")}}


def test_a_second_run_has_nothing_to_do_and_classifier_settings_train_no_generator_again(selected, overlay, tmp_path):
    done = selected.run("results/aviary/table.csv", overlays=(TINY, overlay))
    assert "Nothing to be done" in done.stdout + done.stderr
    (tmp_path / "change.yaml").write_text("datasets: {aviary: {classifier: {epochs: 3}}}\n")
    changed = selected.run("--dry-run", "results/aviary/tuning.csv", overlays=(TINY, overlay, tmp_path / "change.yaml"))
    assert rules_in(changed.stdout + changed.stderr) == {"score_epochs", "tune"}


def test_permuted_test_labels_leave_every_file_before_scoring_and_what_is_predicted_as_they_are(
    selected, overlay, winner, tmp_path
):
    other = Workflow(selected.project, tmp_path)
    shutil.copytree(selected.folder / "data", tmp_path / "data")
    run(other, overlay, "results/aviary/test_labels.parquet")
    permute(tmp_path / "results/aviary")
    other.run("--touch", "results/aviary/test_labels.parquet", overlays=(TINY, overlay))  # accepts them
    run(other, overlay, "results/aviary/table.csv")
    names = {Path(name) for name in kill.contents(tmp_path) if name.startswith("results")}
    before, after = (
        {
            name
            for name in names
            if ("validation" in name.parts or not name.name.startswith(AFTER_TRAINING)) == untouched
        }
        for untouched in (True, False)
    )
    assert {"scen.safetensors", "eggn.safetensors", "classifier_gzsl.safetensors", "epochs.parquet", "tuning.csv"} <= {
        name.name for name in before
    }
    differing = [name for name in before if (tmp_path / name).read_bytes() != (selected.folder / name).read_bytes()]
    assert differing == []
    scores = "results/aviary/seeds.csv"
    assert Path(scores) in after
    assert (tmp_path / scores).read_bytes() != (selected.folder / scores).read_bytes()  # labels were really others
    predictions = {name for name in after if name.name.startswith("predictions_")}  # none of validation's
    assert {(name.parts[-3], name.stem) for name in predictions} == {
        (variant, f"predictions_{task}")
        for variant in (winner["point"], "len", "prototype", "eszsl")
        for task in ("czsl", "gzsl")
    }
    for name in predictions:
        first, second = (read_table(folder / name, "predictions") for folder in (selected.folder, tmp_path))
        for column in ("image", "predicted", "scores"):
            assert first[column].equals(second[column]), (name, column)
        assert not first["label"].equals(second["label"]), name


def permute(results: Path) -> None:
    """Permute the labels of the test images of seen classes among these, and of unseen classes among those."""
    file = results / "test_labels.parquet"
    split = pd.read_parquet(results / "images.parquet")["split"].to_numpy()
    assert (pd.read_parquet(results / "images.parquet")["label"][split != "trainval"] == NO_LABEL).all()
    table = read_table(file, "test_labels").to_pandas()
    labels, draw = table["label"].to_numpy().copy(), np.random.default_rng(3)
    for kind in ("test_seen", "test_unseen"):
        rows = np.flatnonzero(split[table["image"]] == kind)
        labels[rows] = draw.permutation(labels[rows])
    assert (labels != table["label"]).mean() > 0.3
    made = {**read_description(file)["provenance"]}
    write_table(file, "test_labels", {"image": table["image"].to_numpy(), "label": labels}, Provenance(**made))
