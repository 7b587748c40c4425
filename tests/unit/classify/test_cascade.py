"""LisGAN's cascade: which test images a second classifier learns from, and what it learns."""

from dataclasses import replace

import pytest
import torch
from small_run import CPU, make_run

from scegg_core.classify.cascade import surest, train_second
from scegg_core.classify.classifier import FinalClassifier
from scegg_core.classify.train import train_final
from scegg_core.data.tables import NO_LABEL, IndexFiles
from scegg_core.eggn.files import read_eggn, read_synthetic
from scegg_core.scen.space import SpaceFiles, read_space
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.training.linear import ZeroShotClassifier, linear_of, train_classifier


@pytest.mark.parametrize(
    ("share", "rows"), [(0.24, []), (0.25, [2]), (0.5, [0, 2]), (0.8, [0, 2, 3]), (0.99, [0, 2, 3])]
)
def test_the_surest_rows_have_the_lowest_entropy_of_the_softmax(share, rows):
    # log 2 of entropy is the second row's: the highest; a constant changes nothing
    scores = torch.tensor([[0.0, 3.0], [5.0, 5.0], [-9.0, 0.0], [102.0, 100.0]])
    assert surest(scores, share).tolist() == rows


def test_scores_that_leave_no_doubt_have_no_entropy_and_no_nan():
    assert surest(torch.tensor([[0.0, 1.0], [0.0, 1e30], [float("-1e30"), 0.0]]), 0.67).tolist() == [1, 2]


def test_the_second_learns_the_firsts_answers_on_the_surest_test_images():
    """Made features of both classes lie at 0; test images of class 7 at -1, those of class 4 at 2: the boundary moves there."""
    classes = torch.tensor([7, 4])
    made, labels = torch.tensor([[-0.1], [0.1]]), torch.tensor([7, 4])
    first_layer = linear_of(torch.tensor([[-1.0], [1.0]]), torch.zeros(2))
    test = torch.tensor([[-1.0], [0.01], [2.0], [2.2]])
    settings = ClassifierSettings(epochs=3, batch_size=9, learning_rate=0.1, cascade_share=0.75)
    first = FinalClassifier(ZeroShotClassifier(first_layer, classes), settings)
    second = train_second(first, made, labels, test, 5, "cascade")
    expected, _ = train_classifier(
        torch.tensor([[-0.1], [0.1], [-1.0], [2.0], [2.2]]), torch.tensor([7, 4, 7, 4, 4]), classes, settings, 5
    )
    assert torch.equal(second.classifier.layer.weight, expected.layer.weight)
    assert torch.equal(second.classifier.layer.bias, expected.layer.bias)
    assert second.classifier.classes.tolist() == [7, 4] and second.settings is settings
    assert torch.equal(first.classifier.layer.weight, torch.tensor([[-1.0], [1.0]]))  # the first stays


@pytest.mark.slow
def test_only_with_a_share_do_test_images_count_and_never_their_labels(tmp_path):
    small = make_run(tmp_path)
    results = small.run.parents[2]
    folder = results / "spaces/sc-egg/seed3"
    files = SpaceFiles(IndexFiles.in_folder(results), folder / "features.parquet", folder / "scaler.safetensors")
    space = read_space(files)
    eggn, _ = read_eggn(small.run / "eggn.safetensors")
    made = read_synthetic(small.run / "synthetic_unseen.parquet")
    labels = space.index.labels.copy()
    labels[space.index.test_images] = NO_LABEL
    features = space.features.clone()
    features[torch.from_numpy(space.index.test_images)] *= 0.5
    unlabelled = replace(space, index=replace(space.index, labels=labels))
    others = replace(space, features=features)

    def weight(given, share) -> torch.Tensor:
        settings = ClassifierSettings(epochs=2, input="transformed", cascade_share=share)
        return train_final(given, made, eggn, "gzsl", settings, 3, CPU).classifier.layer.weight

    assert torch.equal(weight(space, None), weight(others, None))
    assert torch.equal(weight(space, 0.5), weight(unlabelled, 0.5))
    assert not torch.equal(weight(space, 0.5), weight(others, 0.5))
    assert not torch.equal(weight(space, 0.5), weight(space, None))
