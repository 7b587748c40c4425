"""Backbones: any torchvision network, its last feature map, and weight files that fit or are refused."""

import pickle

import pytest
import torch
from safetensors.torch import save_file

from scegg_core.errors import InputError
from scegg_core.regions.adapters import feature_extractor
from scegg_core.regions.backbone import (
    Backbone,
    _map_of_blank,
    _smallest_size,
    build_backbone,
    map_size,
    random_features,
)
from scegg_core.regions.vision import import_torchvision
from scegg_core.regions.weights import load_weights, weights_url
from scegg_core.settings.backbone import BackboneSettings

import_torchvision()
from torchvision import models  # noqa: E402


def settings(**values) -> BackboneSettings:
    """A small random network unless said otherwise."""
    return BackboneSettings(**{"network": "resnet18", "weights": "random", "image_size": 64} | values)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("network", "channels", "grid"),
    [
        ("resnet18", 512, 2),
        ("resnet50", 2048, 2),
        ("resnet101", 2048, 2),
        ("mobilenet_v2", 1280, 2),
        ("shufflenet_v2_x0_5", 1024, 2),
    ],
)
def test_size_of_the_last_map_is_read(network, channels, grid):
    size = map_size(build_backbone(settings(network=network), None), 64)
    assert (size.channels, size.height, size.width, size.regions) == (channels, grid, grid, grid * grid)


@pytest.mark.slow
@pytest.mark.parametrize("network", ["resnet18", "mobilenet_v2", "regnet_y_400mf"])
def test_features_are_those_of_the_whole_network(network):
    torch.manual_seed(0)
    whole = models.get_model(network, weights=None).eval()
    features = feature_extractor(network).eval()
    features.load_state_dict(
        {
            k.removeprefix("features."): v
            for k, v in whole.state_dict().items()
            if k.removeprefix("features.") in features.state_dict()
        }
    )
    images = torch.rand(2, 3, 64, 64)
    last = []
    pool = whole.features if network == "mobilenet_v2" else whole.avgpool
    hook = pool.register_forward_hook(
        lambda _m, given, out: last.append(out if network == "mobilenet_v2" else given[0])
    )
    with torch.no_grad():
        whole(images)
        torch.testing.assert_close(features(images), last[0])
    hook.remove()


def test_448_pixels_give_196_regions():
    assert map_size(build_backbone(settings(), None), 448).regions == 196


@pytest.mark.parametrize("prefix", ["", "features."])
def test_weight_file_of_features_or_of_the_whole_network(tmp_path, prefix):
    given = settings(network="mobilenet_v2")
    network = feature_extractor("mobilenet_v2")
    torch.save({prefix + name: value for name, value in network.state_dict().items()}, tmp_path / "weights.pt")
    loaded = build_backbone(given, tmp_path / "weights.pt")
    images = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
    scaled = (images.float() / 255 - torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)) / torch.tensor(
        [0.229, 0.224, 0.225]
    ).view(3, 1, 1)
    with torch.no_grad():
        expected = network.eval()(scaled).flatten(2).transpose(1, 2)
        torch.testing.assert_close(loaded(images), expected, rtol=1e-4, atol=1e-5)


def test_weights_of_another_network_are_refused(tmp_path):
    torch.save(feature_extractor("resnet50").state_dict(), tmp_path / "weights.pt")
    with pytest.raises(
        InputError, match=r"weights\.pt is of another network than resnet18, which has no 'layer1\.0\.conv3"
    ):
        build_backbone(settings(), tmp_path / "weights.pt")


@pytest.mark.usefixtures("without_start")
def test_missing_weight_is_named(tmp_path):
    torch.save({"other": torch.zeros(1)}, tmp_path / "weights.pt")
    with pytest.raises(
        InputError,
        match=r"weights\.pt does not hold weights of resnet18: 'conv1\.weight' and 99 more are not in it, but 'other'; save",
    ):
        build_backbone(settings(), tmp_path / "weights.pt")


def test_whole_numbers_where_weights_belong_are_refused(tmp_path):
    state = feature_extractor("resnet18").state_dict()
    torch.save(state | {"conv1.weight": state["conv1.weight"].to(torch.int8)}, tmp_path / "weights.pt")
    with pytest.raises(
        InputError,
        match=r"weights\.pt does not fit resnet18: 'conv1\.weight' is torch\.int8, expected torch\.float32\.",
    ):
        build_backbone(settings(), tmp_path / "weights.pt")


class Malicious:
    """Runs code when it is unpickled."""

    def __reduce__(self):
        return (open, ("pwned", "w"))


def test_a_malicious_pickle_is_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "weights.pt").write_bytes(pickle.dumps(Malicious()))
    with pytest.raises(
        InputError, match=r"weights\.pt is refused: it is not a plain file of tensors \(Unsupported operand"
    ):
        build_backbone(settings(), tmp_path / "weights.pt")
    assert not (tmp_path / "pwned").exists()


def test_unknown_cut_is_refused():
    with pytest.raises(InputError, match="features_up_to is 'layer9'; resnet18 has conv1, bn1"):
        feature_extractor("resnet18", "layer9")


def test_random_start_is_fixed_and_leaves_global_state_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, second = random_features(settings()), random_features(settings())
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


@pytest.mark.parametrize(
    ("network", "size", "smallest"),
    [("alexnet", 33, 63), ("squeezenet1_1", 16, 17), ("convnext_tiny", 17, 32), ("vgg11", 31, 32)],
)
@pytest.mark.slow
def test_too_small_images_are_refused_with_the_smallest_size(network, size, smallest):
    with torch.device("meta"):  # no weights and no computing: the shapes tell
        features = feature_extractor(network)
    backbone = Backbone(features).to("meta").eval()
    assert _smallest_size(backbone) == smallest
    with pytest.raises(RuntimeError):
        _map_of_blank(backbone, size)
    assert _map_of_blank(backbone, smallest).numel() > 0


def test_the_sentence_on_too_small_images():
    backbone = Backbone(feature_extractor("squeezenet1_1").eval())
    with pytest.raises(InputError) as error:
        map_size(backbone, 16)
    assert str(error.value) == (
        "images of 16 × 16 pixels are too small for the network: raise backbone.image_size "
        "(and finetune.image_size, where it is set) to 17 or more."
    )
    assert map_size(backbone, 17).regions == 1


def test_weights_that_give_no_numbers_are_refused():
    backbone = build_backbone(settings(features_up_to="conv1"), None)
    next(backbone.parameters()).data[:] = float("nan")
    with pytest.raises(InputError, match=r"backbone\.weights give features that are not finite numbers; take other"):
        map_size(backbone, 32)


@pytest.mark.usefixtures("without_start")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([torch.zeros(2)], "holds a list, expected a dictionary of tensors by name (a state dict)."),
        (torch.zeros(2), "holds a Tensor, expected a dictionary"),
        ({1: torch.zeros(2)}, "holds a dict, expected a dictionary of tensors by name"),
        (
            {},
            "does not hold weights of resnet18: 'conv1.weight' is not in it; save the network's own state dict alone.",
        ),
        (
            {"state_dict": {"conv1.weight": 1}, "epoch": 3},
            "'conv1.weight' is not in it; save the network's own state dict alone.",
        ),
        ({"module.conv1.weight": torch.zeros(2)}, "weights.pt does not fit resnet18: size mismatch for conv1.weight"),
        ({"conv_1.weight": torch.zeros(2)}, "'conv1.weight' is not in it, but 'conv_1.weight'; save the"),
        (
            {
                "model": {"conv1.weight": torch.zeros(64, 3, 7, 7)},
                "model_ema": {"conv1.weight": torch.zeros(64, 3, 7, 7)},
            },
            "holds several weights of resnet18, under 'model.' and 'model_ema.'; save one of them alone.",
        ),
        (
            {"state_dict": {"model": {"a": {"conv1.weight": torch.zeros(64, 3, 7, 7)}}}},
            "'conv1.weight' is not in it; save",
        ),
        ({"conv1.weight": 3.0}, "'conv1.weight' is not in it; save"),
        (
            {"conv1.weight": torch.zeros(64, 3, 7, 7) * 1j},
            "holds 'conv1.weight' as torch.complex64 of shape (64, 3, 7, 7), which no network has",
        ),
        ({"conv1.weight": torch.zeros(2)}, "weights.pt does not fit resnet18: size mismatch for conv1.weight"),
    ],
)
def test_files_that_are_no_weights_of_the_network(tmp_path, content, said):
    torch.save(content, tmp_path / "weights.pt")
    with pytest.raises(InputError) as error:
        build_backbone(settings(features_up_to="conv1"), tmp_path / "weights.pt")
    assert said in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.usefixtures("without_start")
@pytest.mark.parametrize("content", [b"", b"text", b"PK\3\4", b"\x80\2."])
def test_files_that_torch_cannot_read(tmp_path, content):
    (tmp_path / "weights.pt").write_bytes(content)
    with pytest.raises(
        InputError, match=r"weights\.pt is refused: it is not a plain file of tensors \(.+\); save .+\.$"
    ):
        build_backbone(settings(features_up_to="conv1"), tmp_path / "weights.pt")


@pytest.mark.parametrize("weights", ["IMAGENET1K_V9"])
def test_a_misspelt_name_of_weights_is_refused(weights):
    with pytest.raises(InputError) as error:
        weights_url(settings(weights=weights))
    assert str(error.value) == (
        f"backbone.weights is {weights!r}; resnet18 has IMAGENET1K_V1, or give the path of a weight file, "
        "which ends in .pt, .pth, .tar, .bin, .ckpt or .safetensors."
    )


def in_module(state: dict) -> dict:
    return {f"module.{name}": value for name, value in state.items()}


WRAPPED = {
    "w.pth": lambda state: state,
    "w.pth.tar": lambda state: {"state_dict": in_module(state), "epoch": 3, "optimizer": {"state": {0: {"step": 1}}}},
    "w.bin": lambda state: {"model": {f"backbone.{name}": value for name, value in state.items()}},
    "W.PT": lambda state: {"state_dict": {f"model.encoder.{name}": value for name, value in state.items()}},
    "w.ckpt": lambda state: in_module(state) | {"module.head.weight": torch.full((2, 2), float("nan"))},
    "w.safetensors": in_module,
    "old.pth": lambda state: {name: value for name, value in state.items() if "num_batches" not in name},
}


@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.slow
def test_weight_files_as_people_have_them_are_read(tmp_path, name):
    given = settings(weights=str(tmp_path / name), features_up_to="layer1")
    assert given.local_weights
    assert given.fetched_to is None
    torch.manual_seed(1)
    whole = models.resnet18().eval()  # with a head, which is left out
    state = {key: value.clone() for key, value in whole.state_dict().items()}
    (save_file if name.endswith("safetensors") else torch.save)(WRAPPED[name](state), given.weights)
    features = feature_extractor("resnet18", "layer1")
    load_weights(features, given, tmp_path / name)
    found = features.state_dict()
    assert len(found) == 30
    assert all(torch.equal(value, state[key]) for key, value in found.items())


def zeros(network: str, **options) -> dict:
    """Weights of the whole network, all 0."""
    return {name: torch.zeros_like(value) for name, value in models.get_model(network, **options).state_dict().items()}


@pytest.mark.usefixtures("without_start")
@pytest.mark.parametrize(
    ("network", "deeper", "cut", "surplus"),
    [
        ("resnet18", "resnet34", None, "layer1.2.conv1.weight"),
        ("swin_t", "swin_s", None, "features.5.6.norm1.weight"),
        ("swin_t", "swin_s", "5", "features.5.6.norm1.weight"),
        ("convnext_tiny", "convnext_small", None, "features.5.9.layer_scale"),
        ("resnet18", "resnet34", "conv1", "layer1.2.conv1.weight"),
        ("swin_t", "swin_s", "3", "features.5.6.norm1.weight"),
        ("vgg13", "vgg16", "10", "features.14.weight"),
        ("densenet121", "densenet169", "denseblock2", "features.denseblock3.denselayer25.norm1.weight"),
    ],
)
def test_weights_of_a_deeper_network_are_refused(tmp_path, network, deeper, cut, surplus):
    """Also where only a part is used in which they are alike."""
    torch.save({"model": zeros(deeper)}, tmp_path / "w.pth")
    given = settings(network=network, features_up_to=cut)
    features = feature_extractor(network, cut)
    with pytest.raises(InputError) as error:
        load_weights(features, given, tmp_path / "w.pth")
    assert str(error.value) == (
        f"{tmp_path}/w.pth is of another network than {network}, which has no 'model.{surplus}'; set backbone.network to "
        "the one that the weights are of."
    )


@pytest.mark.usefixtures("without_start")
@pytest.mark.parametrize("network", ["resnet18", "swin_t", "maxvit_t", "googlenet", "regnet_y_400mf"])
def test_heads_counters_and_what_is_beside_the_network_are_left_out(tmp_path, network):
    features = feature_extractor(network)
    options = {"init_weights": False} if network == "googlenet" else {}  # its random start takes minutes
    more = {"projector.0.weight": 2, "fc.0.weight": 2, "aux3.conv.weight": 2, "total_ops": 1, "layer1.total_ops": 1}
    torch.save(zeros(network, **options) | {name: torch.zeros(size) for name, size in more.items()}, tmp_path / "w.pth")
    load_weights(features, settings(network=network, image_size=224), tmp_path / "w.pth")


@pytest.mark.usefixtures("without_start")
@pytest.mark.parametrize(("network", "size"), [("vit_b_32", 96), ("resnet18", 64)])
def test_a_network_that_is_there_twice_is_refused_at_any_size(tmp_path, network, size):
    state, given = zeros(network), settings(network=network, image_size=size)
    for content, shown in (
        ({"student": {"module": state}, "teacher": state, "epoch": 3}, "'student.module.' and 'teacher.'"),
        (state | {f"ema.{name}": value for name, value in state.items()}, "'' and 'ema.'"),
    ):
        torch.save(content, tmp_path / "w.pth")
        with pytest.raises(InputError) as error:
            load_weights(feature_extractor(network, None, size), given, tmp_path / "w.pth")
        assert str(error.value) == (
            f"{tmp_path}/w.pth holds several weights of {network}, under {shown}; save one of them alone."
        )


@pytest.mark.usefixtures("without_start")
def test_another_part_of_the_network_is_no_second_one(tmp_path):
    """VGG's classifier begins with a layer called as the first one of its features."""
    sizes = {
        "features.0.weight": (64, 3, 3, 3),
        "features.0.bias": 64,
        "classifier.0.weight": (4, 9),
        "classifier.0.bias": 4,
    }
    torch.save({name: torch.zeros(size) for name, size in sizes.items()}, tmp_path / "w.pth")
    load_weights(feature_extractor("vgg11", "0"), settings(network="vgg11", features_up_to="0"), tmp_path / "w.pth")


def test_missing_weights_are_named_with_the_nearest_names(tmp_path):
    state = in_module(feature_extractor("resnet18", "layer1").state_dict())
    state["module.layer1.1.conv2.weights"] = state.pop("module.layer1.1.conv2.weight")
    torch.save(state, tmp_path / "w.pth")
    with pytest.raises(InputError) as error:
        build_backbone(settings(features_up_to="layer1"), tmp_path / "w.pth")
    assert str(error.value) == (
        f"{tmp_path}/w.pth does not hold weights of resnet18: 'module.layer1.1.conv2.weight' is not in it, but "
        "'module.layer1.1.conv2.weights', 'module.layer1.1.conv1.weight'; save the network's own state dict alone."
    )
