"""Using a finished run of the workflow: its own predictions again, and classes added with the cache left valid."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file

from scegg_core.__main__ import main
from scegg_core.artifacts.files import read_description
from scegg_core.classify.predictions import read_predictions
from scegg_core.data.tasks import TASKS
from scegg_core.using.api import add_classes, load_model, predict
from tests.workflow.conftest import TINY, describe_moon, rules_in

pytestmark = pytest.mark.slow

RUN = "results/aviary/variants/sc-egg/seed0"
EXTENSION = {"extend_classes", "synthesize_extended", "train_extended_classifier", "predict_extended", "score_extended"}


@pytest.fixture(scope="module")
def extended(finished):
    """The finished workflow with two new classes added to one run, and what adding them ran."""
    describe_moon(finished.folder)
    done = extend(finished)
    assert done.returncode == 0, done.stdout + done.stderr
    return rules_in(done.stdout + done.stderr)


def extend(finished, *flags):
    """Ask the workflow for the extension called moon, the table given with --config."""
    overlays = (TINY, "--config", "extensions={moon: moon.csv}")
    return finished.run(*flags, f"{RUN}/extended/moon/metrics.json", overlays=overlays)


@pytest.mark.parametrize("variant", ["sc-egg", "baseline"])
@pytest.mark.parametrize("task", TASKS)
def test_predictions_are_the_workflows_own(finished, variant, task):
    run = finished.folder / "results/aviary/variants" / variant / "seed0"
    wanted = read_predictions(run / f"predictions_{task}.parquet")
    paths = pd.read_parquet(finished.folder / "results/aviary/images.parquet")["path"].to_numpy()
    answers = predict(load_model(run, "cpu"), finished.folder / "data/aviary", task)
    rows = [answers.paths.index(path) for path in paths[wanted.images]]
    np.testing.assert_array_equal(answers.predicted[rows], wanted.predicted)
    np.testing.assert_allclose(answers.scores[rows], wanted.scores, atol=1e-4)


def test_adding_classes_runs_no_training_of_networks(extended):
    assert extended == EXTENSION


def test_adding_classes_leaves_the_cache_valid(finished, extended):
    assert finished.dry() - {"all"} == set()
    done = extend(finished, "--dry-run")
    assert "Nothing to be done" in done.stdout + done.stderr


def test_command_and_workflow_add_the_same(finished, extended):
    before = torch.get_num_threads()  # the run's own may be others, and they decide the last digits
    folder = add_classes(finished.folder / RUN, finished.folder / "moon.csv", "command", "cpu")
    for task in TASKS:
        left, right = (
            load_file(place / f"classifier_{task}.safetensors") for place in (folder, folder.parent / "moon")
        )
        for name, values in left.items():
            np.testing.assert_array_equal(values, right[name])
    assert torch.get_num_threads() == before
    made = read_description(folder / "classifier_gzsl.safetensors")["provenance"]
    assert made["computed"] == ["cpu, 1 thread, deterministic"]


def test_an_extension_predicts_its_new_classes(finished, extended):
    model = load_model(finished.folder / RUN / "extended/moon", "cpu")
    assert model.classes.names[-2:] == ("Moon Finch", "Moon Thrush")
    scores = predict(model, finished.folder / "data/aviary").scores
    assert scores.shape == (72, 11)


def test_an_unknown_extension_is_one_sentence(finished):
    done = finished.run("--dry-run", f"{RUN}/extended/sun/metrics.json")
    assert "config: extensions has no 'sun'" in done.stdout + done.stderr


def test_commands_on_a_finished_run(finished, tmp_path):
    exported, data = tmp_path / "export", finished.folder / "data/aviary"
    for command in (
        ["export", "--run", finished.folder / RUN, "--out", exported],
        ["predict", "--run", exported, "--images", data, "--out", tmp_path / "a.csv"],
        ["explain", "--run", exported, "--image", next(data.rglob("*.jpg")), "--out", tmp_path / "a.png"],
    ):
        assert main([str(word) for word in command]) == 0
    assert (tmp_path / "a.png").stat().st_size > 1000
    answers = pd.read_csv(tmp_path / "a.csv", keep_default_na=False)
    assert (answers["problem"] == "").sum() == 72
    assert answers["problem"].str.contains("is not an image of a known type").sum() == len(answers) - 72
