"""Training of backbones: it learns, repeats itself, trains the layers that are named alone, and sees equal bytes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from trainers import StochasticDepth, backbone_trainer

from scegg_core.errors import InputError
from scegg_core.regions.backbone import Backbone
from scegg_core.regions.head import Head
from scegg_core.regions.layers import freeze_others
from scegg_core.regions.train import _shake, _Trainer, start, train_backbone
from scegg_core.regions.training_images import KeptImages, StreamedImages, augment, random_crops, training_images
from scegg_core.settings.backbone import BackboneSettings, FinetuneSettings

CPU = torch.device("cpu")


def given(**finetune) -> BackboneSettings:
    return BackboneSettings(weights="train", image_size=16, finetune=finetune)


def tiny_network(seed: int = 0) -> Backbone:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layers = [nn.Conv2d(3, 8, 3, stride=4), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8)]
        return Backbone(nn.Sequential(*layers))


def dark_and_light(count: int = 32):
    labels = torch.arange(count) % 2 + 5
    images = (torch.ones(count, 3, 16, 16) * (40 + 150 * (labels - 5))[:, None, None, None]).to(torch.uint8)
    return KeptImages(images), labels


@pytest.mark.parametrize("vectors", [False, True])
def test_backbone_learns_dark_from_light(vectors):
    images, labels = dark_and_light()
    targets = torch.eye(2)[labels - 5] if vectors else labels
    settings = given(epochs=12, batch_size=8, learning_rate=0.02, shift=1)
    trained = train_backbone(tiny_network(), images, targets, settings, 0, CPU)
    assert trained.train_accuracy == 1.0
    assert len(trained.curve) == 12 and trained.curve[-1] < trained.curve[0]


def test_backbone_training_repeats_itself_and_leaves_its_input_alone():
    images, labels = dark_and_light()
    network, settings = tiny_network(), given(epochs=2, batch_size=8, shift=1, smallest_crop=0.3)
    before = {name: value.clone() for name, value in network.features.state_dict().items()}
    first, second = (train_backbone(network, images, labels, settings, 7, CPU).state_dict for _ in range(2))
    assert first.keys() == before.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert all(torch.equal(value, before[name]) for name, value in network.features.state_dict().items())
    assert not torch.equal(first["0.weight"], before["0.weight"])


def test_what_layers_draw_follows_the_seed_alone():
    """Without augmentation, in batches of all images, layers that draw are all that a seed can change."""
    images, labels = dark_and_light(8)
    network = Backbone(nn.Sequential(*tiny_network().features, StochasticDepth()))
    settings = given(epochs=6, batch_size=8, shift=0, mirror=False, learning_rate=0.02)

    def weights(network: Backbone, seed: int) -> torch.Tensor:
        torch.rand(1)  # the process goes on to draw: nothing of that may be seen in the weights
        return train_backbone(network, images, labels, settings, seed, CPU).state_dict["0.weight"]

    first, again, other = (weights(network, seed) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 0.01
    still, other = (weights(tiny_network(), seed) for seed in (1, 2))
    assert (still - other).abs().max() < 0.001  # the order of sums


def test_no_step_waits_for_what_the_device_computes(monkeypatch):
    """To read a number of a GPU's waits for all of its work: an epoch's loss and hits are read at its end."""
    read, trainer = [], backbone_trainer()  # six epochs of three steps
    for name in ("__int__", "__float__"):  # AdamW itself calls item for its steps, which lie on the host
        usual = getattr(torch.Tensor, name)
        known = lambda own, name=name, usual=usual: (read.append((name, trainer.state.step)), usual(own))[1]  # noqa: E731
        monkeypatch.setattr(torch.Tensor, name, known)
    trainer.run()
    monkeypatch.undo()
    assert sorted(read) == [(name, step) for name in ("__float__", "__int__") for step in range(3, 19, 3)]
    assert trainer.accuracy == int(trainer.correct) / 12 > 0


def test_a_head_over_labels_has_no_table_of_pairs_of_classes():
    assert sum(tensor.numel() for tensor in Head(8, torch.arange(500)).state_dict().values()) == 500 * 9


def test_a_head_over_class_vectors_scores_by_what_tells_classes_apart():
    head = Head(1, torch.tensor([[3.0, 0.0], [3.0, 2.0]]))  # centred: -1 and 1 of the second attribute
    with torch.no_grad():
        head.linear.weight.copy_(torch.tensor([[5.0], [1.0]]))
        assert torch.allclose(head(torch.tensor([[2.0]])), torch.tensor([[-2.0, 2.0]]) * 10**0.5)


def test_the_head_has_a_rate_of_its_own():
    images, labels = dark_and_light()
    network, given_rates = tiny_network(), {"epochs": 12, "batch_size": 8, "learning_rate": 1e-9, "weight_decay": 0}
    slow, quick, named = (
        train_backbone(network, images, labels, given(**given_rates, head_learning_rate=rate), 0, CPU)
        for rate in (None, 0.1, 1e-9)
    )
    before, after = network.features.state_dict()["0.weight"], quick.state_dict["0.weight"]
    assert 0 < float((after - before).abs().max()) < 1e-6  # 48 steps of at most 1e-9
    assert quick.train_accuracy == 1
    assert abs(slow.curve[-1] - np.log(2)) < 1e-3  # a head of zeros that stands still
    assert named.curve == slow.curve


def test_given_weights_have_small_steps_beside_a_quick_head():
    random, tuned = given(), BackboneSettings(weights="w.pt", finetune={"epochs": 4})
    assert random.rates == (2e-3, 2e-3)
    assert tuned.rates == (3e-5, pytest.approx(3e-3))
    assert BackboneSettings(weights="w.pt", finetune={"learning_rate": 1e-4, "head_learning_rate": 0.5}).rates == (
        1e-4,
        0.5,
    )
    assert given(learning_rate=0.01).rates == (0.01, 0.01)


def test_what_is_not_named_keeps_weights_and_statistics():
    images, labels = dark_and_light()
    network = tiny_network()
    freeze_others(network.features, ("3", "features.4"))
    before = network.features.state_dict()
    after = train_backbone(network, images, labels, given(epochs=2, batch_size=8), 0, CPU).state_dict
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed == {name for name in after if name[0] in "34"}


def test_given_weights_keep_their_statistics_and_random_ones_learn_theirs():
    images, labels = dark_and_light()
    statistics = {f"{place}.running_{name}" for place in (1, 4) for name in ("mean", "var")}
    for weights, kept in (("file.pth", statistics), ("train", set())):
        settings = BackboneSettings(weights=weights, image_size=16, finetune={"epochs": 2, "batch_size": 8})
        network = tiny_network()
        before = network.features.state_dict()
        after = train_backbone(network, images, labels, settings, 0, CPU).state_dict
        assert {name for name in statistics if torch.equal(after[name], before[name])} == kept
        assert not torch.equal(after["1.weight"], before["1.weight"])


def weights_of_steps(monkeypatch) -> list[dict]:
    """The weights after each step of the trainings from now on, which the steps are watched for."""
    found, whole = [], _Trainer._take_step

    def watched(trainer, *given):
        terms = whole(trainer, *given)
        found.append({name: value.clone() for name, value in trainer.model.backbone.features.state_dict().items()})
        return terms

    monkeypatch.setattr(_Trainer, "_take_step", watched)
    return found


def test_averaged_weights_are_the_mean_over_the_steps_of_the_last_epochs(monkeypatch):
    images, labels = dark_and_light()
    steps = weights_of_steps(monkeypatch)
    settings = given(epochs=3, batch_size=8, averaged_epochs=2)
    after = train_backbone(tiny_network(), images, labels, settings, 0, CPU).state_dict
    assert len(steps) == 12
    for name in ("0.weight", "1.weight", "4.bias"):
        torch.testing.assert_close(after[name], torch.stack([step[name] for step in steps[4:]]).mean(dim=0))


def test_averaged_weights_have_the_statistics_of_their_own_features(monkeypatch):
    """One batch of all images, unmoved: the statistics are those of the averaged convolution on all images."""
    pictures = torch.randint(0, 256, (8, 3, 16, 16), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    images, labels = KeptImages(pictures), torch.arange(8) % 2
    settings = given(epochs=4, batch_size=8, averaged_epochs=4, shift=0, mirror=False, learning_rate=0.05)
    network = tiny_network()
    after = train_backbone(network, images, labels, settings, 0, CPU).state_dict
    network.features.load_state_dict(after)
    with torch.no_grad():
        seen = network.features[0]((images.images.float() - network.mean) / network.std)
    torch.testing.assert_close(after["1.running_mean"], seen.mean(dim=(0, 2, 3)))
    torch.testing.assert_close(after["1.running_var"], seen.var(dim=(0, 2, 3)))


def test_given_weights_keep_their_statistics_where_weights_are_averaged():
    images, labels = dark_and_light()
    settings = BackboneSettings(
        weights="file.pth", image_size=16, finetune={"epochs": 2, "batch_size": 8, "averaged_epochs": 1}
    )
    network = tiny_network()
    before = network.features.state_dict()
    after = train_backbone(network, images, labels, settings, 0, CPU).state_dict
    assert all(torch.equal(after[name], before[name]) for name in before if "running" in name)
    assert not torch.equal(after["1.weight"], before["1.weight"])


def test_noise_on_the_start_changes_last_digits():
    network = {"network": "resnet18", "features_up_to": "layer1", "image_size": 32}

    def begun(**finetune) -> dict:
        return start(BackboneSettings(**network, weights="train", finetune=finetune), None).features.state_dict()

    still, shaken = begun(), begun(start_noise=1e-7)
    moved = (shaken["conv1.weight"] / still["conv1.weight"] - 1).abs()
    assert 0 < moved.mean() < 2e-7 and moved.max() < 1e-6


def test_noise_leaves_what_is_not_trained():
    network = tiny_network()
    freeze_others(network.features, ("3",))
    before = {name: value.clone() for name, value in network.features.state_dict().items()}
    _shake(network.features, 0.01, 0)
    after = network.features.state_dict()
    assert {name for name in after if not torch.equal(after[name], before[name])} == {"3.weight", "3.bias"}


def test_a_layer_that_is_not_there_is_refused_with_the_nearest():
    settings = BackboneSettings(network="resnet18", weights="x.pth", finetune={"layers": ["layer5"]})
    with pytest.raises(
        InputError, match=r"finetune.layers names 'layer5', which the network does not have; it has layer4"
    ):
        start(settings, None)
    settings = BackboneSettings(
        network="mobilenet_v2", weights="x.pth", finetune={"layers": ["features.17", "features.19"]}
    )
    with pytest.raises(InputError, match=r"names 'features.19', which the network does not have; it has features.9"):
        start(settings, None)
    with pytest.raises(InputError, match="names 'relu', which has no weights"):
        start(BackboneSettings(network="resnet18", weights="x.pth", finetune={"layers": ["relu"]}), None)


def test_backbone_training_that_diverges_stops_with_stage_step_and_term(monkeypatch):
    monkeypatch.setattr("scegg_core.regions.train._channels", lambda *_: 8)  # which would refuse the weights
    network = tiny_network()
    with torch.no_grad():
        next(network.parameters()).fill_(float("nan"))
    images, labels = KeptImages(torch.zeros(32, 3, 16, 16, dtype=torch.uint8)), torch.arange(32) % 4
    with pytest.raises(InputError, match="in stage backbone, step 1, the term cross_entropy is nan"):
        train_backbone(network, images, labels, given(epochs=1, batch_size=16), 0, CPU)


def test_backbone_training_refuses_what_does_not_fit():
    images, labels = dark_and_light()
    with pytest.raises(ValueError, match="equally many, got 32 and 31"):
        train_backbone(tiny_network(), images, labels[1:], given(), 0, CPU)
    with pytest.raises(ValueError, match="batch_size is 64"):
        train_backbone(tiny_network(), images, labels, given(batch_size=64), 0, CPU)


def test_augmentation_without_crops_only_moves_and_mirrors():
    images = torch.arange(2 * 3 * 4 * 4, dtype=torch.uint8).view(2, 3, 4, 4)
    moved = augment(images, FinetuneSettings(shift=2), 4, torch.Generator().manual_seed(0))
    for image, other in zip(images, moved, strict=True):
        assert torch.equal(image.flatten(1).sort().values, other.flatten(1).sort().values)


def test_nothing_is_mirrored_where_that_is_not_wanted():
    images = torch.arange(8 * 3 * 4 * 4, dtype=torch.uint8).view(8, 3, 4, 4)
    assert torch.equal(augment(images, FinetuneSettings(shift=0, mirror=False), 4, torch.Generator()), images)


def test_random_crops_are_parts_of_the_wanted_share():
    """On a ramp from left to right, the range of a crop's values tells its width, and their middle its place."""
    ramp = torch.arange(200, dtype=torch.uint8).repeat(300, 3, 200, 1)
    crops = random_crops(ramp, 0.25, 50, torch.Generator().manual_seed(1)).float()
    assert crops.shape == (300, 3, 50, 50)
    widths = crops.amax(dim=(1, 2, 3)) - crops.amin(dim=(1, 2, 3))
    assert 80 < widths.min() < 100 and widths.max() > 190  # half of the side at least, if not for the shape
    middles = crops.mean(dim=(1, 2, 3))
    assert 90 < middles.mean() < 110 and middles.std() > 10


def test_whole_images_are_kept_or_decoded_again_with_the_same_bytes(tmp_path):
    draw = np.random.default_rng(0)
    for number in range(7):
        Image.fromarray(draw.integers(0, 256, (30 + number, 40, 3), dtype=np.uint8)).save(tmp_path / f"{number}.png")
    paths, order = [f"{number}.png" for number in range(7)], torch.tensor([3, 1, 6, 0, 5])
    settings = given(image_size=20, smallest_crop=0.28)
    assert settings.decoded_size == 25
    kept, streamed = (training_images(Path(tmp_path), paths, settings, memory) for memory in (7 * 25 * 25 * 3, 13124))
    assert isinstance(kept, KeptImages) and isinstance(streamed, StreamedImages)
    for first, second in zip(kept.batches(order, 2), streamed.batches(order, 2), strict=True):
        assert torch.equal(first, second) and first.is_contiguous(memory_format=torch.channels_last)
