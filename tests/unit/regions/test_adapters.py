"""Adapters: every classification family of torchvision gives a map of regions in its place, as its own head sees it."""

import os

import pytest
import torch
from torch import Tensor, nn

from scegg_core.errors import InputError
from scegg_core.regions import adapters
from scegg_core.regions.adapters import PatchMap, adapter_of, feature_extractor
from scegg_core.regions.backbone import Backbone, build_backbone, map_size
from scegg_core.regions.vision import import_torchvision
from scegg_core.regions.weights import IMAGENET, Normalization, normalization
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.using.truths import size_of_map
from tests.unit.regions.conftest import LARGEST

import_torchvision()
from torchvision import models  # noqa: E402

NETWORKS = models.list_models(module=models)
#: Rows of the map at 224 and 448 pixels, by the first letters of a network's name; 7 and 14 for all others.
ROWS = {
    "alexnet": (6, 13),
    "googlenet": (7, 14),
    "inception_v3": (5, 12),
    "squeezenet": (13, 27),
    "vit_b_16": (14, 28),
    "vit_l_16": (14, 28),
    "vit_h_14": (16, 32),
}
#: Channels where the layer after the map does not tell them.
CHANNELS = {"alexnet": 256, "vgg": 512, "mobilenet_v3_small": 576, "mobilenet_v3_large": 960}


#: The smallest network of each family, and the smallest sensible images for it, in pixels.
SMALLEST = {
    "alexnet": 128,
    "convnext_tiny": 128,
    "densenet121": 128,
    "efficientnet_b0": 160,
    "googlenet": 128,
    "inception_v3": 203,
    "maxvit_t": 224,
    "mnasnet0_5": 128,
    "mobilenet_v2": 128,
    "mobilenet_v3_small": 128,
    "regnet_y_400mf": 128,
    "resnet18": 128,
    "shufflenet_v2_x0_5": 128,
    "squeezenet1_1": 96,
    "swin_t": 128,
    "swin_v2_t": 128,
    "vgg11": 128,
    "vit_b_32": 128,
}
#: All networks take minutes, so they are for the long mode.
EACH = NETWORKS if "SCEGG_CASES" in os.environ else list(SMALLEST)


def of(table: dict, network: str, other):
    """The entry of the network's family."""
    return next((found for start, found in table.items() if network.startswith(start)), other)


def taken_by_head(network: nn.Module) -> int:
    """The channels that torchvision's own head takes."""
    last = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)][-1]
    return last.in_features if isinstance(last, nn.Linear) else last.in_channels


@pytest.mark.filterwarnings("ignore:The default weight initialization")
@pytest.mark.parametrize("network", EACH)
@pytest.mark.slow
def test_every_network_of_torchvision_gives_the_map_that_is_declared(network, without_start):
    sized = adapter_of(network).step(network) > 1
    features = feature_extractor(network)
    channels = of(CHANNELS, network, None) or taken_by_head(without_start[-1])
    for size, rows in zip((224, 448), of(ROWS, network, (7, 14)), strict=True):
        features = feature_extractor(network, image_size=size) if sized and size > 224 else features
        found = map_size(Backbone(features.eval()).to("meta"), size)
        assert (found.channels, found.height, found.width) == (channels, rows, rows)


def test_every_family_of_torchvision_has_an_adapter():
    assert {models.get_model_builder(network).__module__.rpartition(".")[2] for network in NETWORKS} == set(
        adapters.ADAPTERS
    )


@pytest.mark.slow
@pytest.mark.usefixtures("quick_start")
@pytest.mark.parametrize("network", SMALLEST)
def test_a_corner_of_a_picture_changes_the_regions_of_that_corner_most(network):
    size = SMALLEST[network]
    backbone = build_backbone(BackboneSettings(network=network, weights="random", image_size=size), None)
    rows = map_size(backbone, size).height
    assert rows > 1
    picture = torch.randint(0, 256, (1, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    part, half = size // 4, (rows + 1) // 2
    right, below = picture.clone(), picture.clone()
    right[:, :, :part, -part:] = 255 - right[:, :, :part, -part:]
    below[:, :, -part:, :part] = 255 - below[:, :, -part:, :part]
    with torch.inference_mode():
        found = backbone(torch.cat([picture, right, below]))
    change = (found[1:] - found[0]).square().sum(dim=2).unflatten(1, (rows, rows))  # (2, rows, columns)
    quarters = [
        part.mean(dim=(1, 2))
        for side in (change[:, :half], change[:, -half:])
        for part in (side[..., :half], side[..., -half:])
    ]
    assert torch.stack(quarters).argmax(dim=0).tolist() == [1, 2]


def head_input(network: str, whole: nn.Module, images: Tensor) -> Tensor:
    """What torchvision's own network gives to its head: a map, or the mean over it."""
    layer = {"maxvit_t": "classifier", "vit_b_32": "heads", "vgg11": "avgpool", "convnext_tiny": "avgpool"}.get(network)
    linear = [part for part in whole.modules() if isinstance(part, nn.Linear)][-1]
    taken = []
    (whole.get_submodule(layer) if layer else linear).register_forward_pre_hook(lambda _, given: taken.append(given[0]))
    if network == "vit_b_32":  # the head sees the class token alone
        whole.encoder.register_forward_hook(lambda _, given, made: taken.append(made[:, 1:].mean(dim=1)))
    with torch.inference_mode():
        whole(images)
    return taken[0].flatten(2).mean(dim=2) if taken[0].ndim == 4 else taken[0]


OWN_HEAD = [network for network in SMALLEST if network not in ("alexnet", "mobilenet_v3_small", "squeezenet1_1")]


@pytest.mark.slow
@pytest.mark.usefixtures("quick_start")
@pytest.mark.parametrize("network", OWN_HEAD)
def test_the_map_is_what_torchvisions_own_head_takes(network, tmp_path):
    size = SMALLEST[network]
    given = BackboneSettings(network=network, weights=str(tmp_path / "w.pth.tar"), image_size=size)
    torch.manual_seed(0)
    options = adapter_of(network).options(size)
    whole = models.get_model(network, **options, **({"transform_input": True} if "aux_logits" in options else {}))
    state = {name: value for name, value in whole.state_dict().items() if value.numel() <= LARGEST}
    torch.save({"state_dict": {f"module.{name}": value for name, value in state.items()}}, given.weights)
    images = torch.randint(0, 256, (2, 3, size, size), dtype=torch.uint8)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (IMAGENET.mean, IMAGENET.std))
    expected = head_input(network, whole.eval(), (images / 255 - mean) / std)
    with torch.inference_mode():
        found = build_backbone(given, given.weights)(images).mean(dim=1)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.slow
def test_position_embeddings_are_interpolated_as_torchvision_does_it(without_start, tmp_path):
    large, small = feature_extractor("vit_b_32", image_size=256), feature_extractor("vit_b_32", image_size=128)
    state = {name: torch.rand(value.shape) for name, value in large.state_dict().items()}
    found = small.resized(state)["encoder.pos_embedding"]
    expected = nn.functional.interpolate(
        state["encoder.pos_embedding"][:, 1:].transpose(1, 2).unflatten(2, (8, 8)),
        4,
        mode="bicubic",
        align_corners=True,
    )
    assert torch.equal(found[:, 0], state["encoder.pos_embedding"][:, 0])
    assert torch.allclose(found[:, 1:], expected.flatten(2).transpose(1, 2))
    assert large.resized(state).keys() == state.keys()
    assert torch.equal(large.resized(state)["encoder.pos_embedding"], state["encoder.pos_embedding"])


@pytest.mark.parametrize(
    "positions", [torch.rand(1, 3, 768), torch.rand(2, 17, 768), torch.rand(17), torch.rand(1, 1, 768)]
)
def test_positions_that_are_no_square_are_left_to_be_found(positions, without_start):
    state = {"encoder.pos_embedding": positions}
    assert feature_extractor("vit_b_32").resized(state)["encoder.pos_embedding"] is positions


@pytest.mark.parametrize(
    ("network", "size", "said"),
    [
        (
            "vit_b_16",
            230,
            "a multiple of 16 pixels, not 230: set backbone.image_size (and finetune.image_size, where it is ",
        ),
        ("vit_b_16", 230, "where it is set) to 224 or 240."),
        ("vit_h_14", 224 + 7, "to 224 or 238."),
        ("maxvit_t", 100, "maxvit_t takes images whose size is a multiple of 224 pixels, not 100: "),
        ("maxvit_t", 100, "where it is set) to 224."),
    ],
)
def test_a_size_that_a_network_cannot_take_is_refused(network, size, said):
    with pytest.raises(InputError) as error:
        size_of_map(BackboneSettings(network=network, weights="random", image_size=size))
    assert said in str(error.value)


@pytest.mark.parametrize("network", [name for name in NETWORKS if name.startswith("vit_")])
def test_the_patch_of_a_vision_transformer_is_told_by_its_name(network):
    with torch.device("meta"):
        assert feature_extractor(network).patch_size == adapter_of(network).step(network)


def test_a_network_without_an_adapter_is_refused(monkeypatch):
    monkeypatch.delitem(adapters.ADAPTERS, "swin_transformer")
    with pytest.raises(InputError) as error:
        size_of_map(BackboneSettings(network="swin_t", weights="random", image_size=64))
    assert str(error.value) == (
        "backbone.network 'swin_t' has no feature map to take regions from; choose one of docs/backbones.md."
    )


@pytest.mark.parametrize(
    ("network", "up_to", "size"), [("swin_t", "5", (384, 4, 4)), ("densenet121", "norm5", (1024, 2, 2))]
)
def test_a_network_whose_layers_are_a_row_can_be_cut(network, up_to, size, without_start):
    found = map_size(Backbone(feature_extractor(network, up_to).eval()).to("meta"), 64)
    assert (found.channels, found.height, found.width) == size


def test_a_vision_transformer_cannot_be_cut(without_start):
    with pytest.raises(InputError) as error:
        feature_extractor("vit_b_32", "encoder")
    assert str(error.value) == (
        "backbone.features_up_to is 'encoder', but vit_b_32 can only be taken whole; set it to null."
    )


HALF = Normalization((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))


@pytest.mark.parametrize(
    ("network", "weights", "expected"),
    [
        ("resnet18", "IMAGENET1K_V1", IMAGENET),
        ("efficientnet_v2_l", "IMAGENET1K_V1", HALF),
        ("vgg16", "IMAGENET1K_FEATURES", Normalization((0.48235, 0.45882, 0.40784), (1 / 255,) * 3)),
        ("efficientnet_v2_l", "some/file.pth", IMAGENET),
        ("efficientnet_v2_l", "here/efficientnet_v2_l-59c71312.pth", HALF),
        ("inception_v3", "IMAGENET1K_V1", HALF),
        ("googlenet", "some/file.pth", HALF),
        ("googlenet", "random", IMAGENET),
        ("inception_v3", "train", IMAGENET),
    ],
)
def test_images_are_normalized_as_the_weights_expect(network, weights, expected):
    assert normalization(BackboneSettings(network=network, weights=weights)) == expected


def test_names_of_torchvisions_older_files_are_those_of_today():
    densenet, vit = adapter_of("densenet121"), adapter_of("vit_b_16")
    block = "features.denseblock1.denselayer2."
    assert densenet.name_today(f"{block}norm.1.running_mean") == f"{block}norm1.running_mean"
    assert densenet.name_today(f"{block}conv2.weight") == f"{block}conv2.weight"
    layer = "encoder.layers.encoder_layer_0.mlp."
    assert vit.name_today(f"{layer}linear_2.bias") == f"{layer}3.bias"


def test_a_vision_transformer_is_its_patches():
    torch.manual_seed(0)
    whole = models.VisionTransformer(32, 8, num_layers=2, num_heads=2, hidden_dim=6, mlp_dim=4).eval()
    features, layer = PatchMap(whole).eval(), []
    whole.encoder.register_forward_hook(lambda module, taken, made: layer.append(made))
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        found = features(images)
        whole(images)
    assert found.shape == (2, 6, 4, 4)
    assert torch.equal(found[1, :, 2, 3], layer[0][1, 1 + 2 * 4 + 3])
