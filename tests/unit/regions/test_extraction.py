"""From image files to shards: order, overlap, too little memory, decoders; the checks on CUDA are those of benchmarks/gpu."""

import io
import threading
from dataclasses import replace
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from scegg_core.artifacts.files import Provenance, read_description
from scegg_core.errors import InputError
from scegg_core.regions import extraction, store
from scegg_core.regions.backbone import build_backbone, random_features
from scegg_core.regions.batches import load_rows
from scegg_core.regions.decoding import (
    Encoded,
    GpuDecoder,
    PillowDecoder,
    load_image,
    load_images,
    loaded_batches,
    make_decoder,
)
from scegg_core.regions.extraction import Rate, _forward, batch_size_on, extract_shard, fitting_batch, region_features
from scegg_core.regions.store import RegionStore, one_ahead, shard_rows
from scegg_core.settings.backbone import BackboneSettings
from tests.conftest import PATIENCE

CPU = torch.device("cpu")


def settings(**values) -> BackboneSettings:
    given = {"network": "resnet18", "features_up_to": "layer1", "weights": "random", "image_size": 32, "batch_size": 4}
    return BackboneSettings(**given | values)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory) -> list:
    """Eleven smooth JPEG pictures of different sizes, no two alike."""
    folder = tmp_path_factory.mktemp("pictures")
    rng = np.random.default_rng(0)
    paths = [folder / f"{number:02d}.jpg" for number in range(11)]
    for number, path in enumerate(paths):
        small = Image.fromarray(rng.integers(0, 256, (5, 5, 3), dtype=np.uint8))
        small.resize((60 + 7 * number, 90 - 3 * number), Image.Resampling.BICUBIC).save(path, quality=95)
    return paths


def test_a_shard_holds_each_images_features_under_its_row(pictures, tmp_path):
    given = settings()
    backbone = build_backbone(given, None)
    extract_shard(backbone, pictures, range(20, 31), given, CPU, tmp_path / "part.parquet", Provenance("regions"))
    store = RegionStore([tmp_path / "part.parquet"])
    images, found = map(np.concatenate, zip(*store.scan(), strict=True))
    assert images.tolist() == list(range(20, 31))
    for path, features in zip(pictures, found, strict=True):
        alone = torch.from_numpy(np.array(load_image(path, given))).permute(2, 0, 1)[None]
        np.testing.assert_allclose(features, backbone(alone)[0].numpy(), atol=5e-3)


def test_more_shards_than_images_leave_some_empty(pictures, tmp_path, capsys):
    backbone, shards = build_backbone(settings(), None), [tmp_path / f"part-{shard}.parquet" for shard in range(5)]
    for shard, path in enumerate(shards):
        rows = shard_rows(2, len(shards), shard)
        extract_shard(backbone, [pictures[row] for row in rows], rows, settings(), CPU, path, Provenance("regions"))
    assert "part-0: no images" in capsys.readouterr().err
    found = RegionStore(shards)
    assert [group.path.name for group in found.groups] == ["part-2.parquet", "part-4.parquet"]
    assert found.positions(np.array([1, 0])).tolist() == [1, 0]
    expected = np.concatenate(list(region_features(backbone, pictures[:2], settings(batch_size=1), CPU)))
    assert np.array_equal(load_rows(found, np.array([1, 0])), expected[::-1])


def test_a_shard_says_how_its_images_were_normalized(pictures, tmp_path):
    given = settings(network="googlenet", features_up_to="maxpool1")
    torch.save(random_features(given).state_dict(), tmp_path / "w.pth")
    given = replace(given, weights=str(tmp_path / "w.pth"))
    backbone = build_backbone(given, given.weights)
    extract_shard(backbone, pictures[:1], range(1), given, CPU, tmp_path / "part.parquet", Provenance("regions"))
    extra = read_description(tmp_path / "part.parquet", "regions")["extra"]
    assert (extra["mean"], extra["std"]) == ([0.5] * 3, [0.5] * 3)


@pytest.mark.parametrize("size", [1, 3, 11, 50])
def test_the_batch_size_changes_nothing(pictures, size):
    backbone = build_backbone(settings(), None)
    usual = np.concatenate(list(region_features(backbone, pictures, settings(), CPU)))
    other = np.concatenate(list(region_features(backbone, pictures, settings(batch_size=size), CPU)))
    np.testing.assert_allclose(other, usual, atol=5e-3)


def test_the_network_gets_channels_last(pictures):
    class Watching(nn.Module):
        def forward(self, images):
            assert images.is_contiguous(memory_format=torch.channels_last)
            return images.float().flatten(2).transpose(1, 2)

    features = next(region_features(Watching(), pictures, settings(), CPU))
    np.testing.assert_array_equal(features[2].reshape(32, 32, 3), load_image(pictures[2], settings()))


@pytest.mark.parametrize("value", [1e5, float("nan")])
def test_features_that_half_precision_cannot_hold_are_refused(pictures, value):
    class Exploding(nn.Module):
        def forward(self, images):
            features = images.float().flatten(2).transpose(1, 2).clone()
            features[0, 5, 1] = value
            return features

    with pytest.raises(InputError, match="region features that are not finite in half precision"):
        next(region_features(Exploding(), pictures, settings(), CPU))


class Small(nn.Module):
    """A device with memory for three images."""

    most = 3

    def forward(self, images):
        if len(images) > self.most:
            raise torch.cuda.OutOfMemoryError("too many")
        return images.float() + 1


def test_the_next_forward_pass_is_launched_before_the_last_features_are_waited_for(pictures, monkeypatch):
    done, forward, arrived = [], _forward, extraction._Arriving.arrived
    monkeypatch.setattr(extraction, "_forward", lambda *given: (done.append("launched"), forward(*given))[1])
    monkeypatch.setattr(extraction._Arriving, "arrived", lambda own: (done.append("waited for"), arrived(own))[1])
    list(region_features(build_backbone(settings(), None), pictures, settings(), CPU))  # three batches
    assert done == ["launched", "launched", "waited for", "launched", "waited for", "waited for"]


def test_features_come_from_a_gpu_without_waiting_and_are_read_when_they_are_there(monkeypatch):
    done, ends = [], (torch.tensor(0.0), torch.tensor(1.0))
    stream = Mock(**{"record_event.return_value.synchronize": lambda: done.append("there")})
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: stream)
    features = Mock(device=torch.device("cuda"), **{"aminmax.return_value": ends})
    features.to.return_value.numpy = lambda: done.append("read")
    arriving = extraction._Arriving(features)
    features.to.assert_called_once_with("cpu", non_blocking=True)
    assert done == []
    arriving.arrived()
    assert done == ["there", "read"]


def test_too_large_a_batch_is_run_in_halves():
    images = torch.arange(11)[:, None]
    assert torch.equal(_forward(Small(), images, settings()), images + 1.0)


def test_too_little_memory_for_one_image_is_an_error():
    network = Small()
    network.most = 0
    with pytest.raises(torch.cuda.OutOfMemoryError):
        _forward(network, torch.zeros(4, 1), settings())


@pytest.mark.parametrize(
    ("free", "per_image", "expected"),
    [(0, 10, 1), (200, 10, 8), (319, 10, 8), (320, 10, 16), (10**12, 10, 512), (100, 0, 32)],
)
def test_batch_that_fits_is_a_power_of_two_in_half_the_memory(free, per_image, expected):
    assert fitting_batch(free, per_image) == expected


def test_on_a_cpu_the_batch_is_as_set_or_the_usual():
    assert batch_size_on(CPU, nn.Identity(), settings(batch_size=7)) == 7
    assert batch_size_on(CPU, nn.Identity(), settings(batch_size=None)) == 32


def test_all_unusable_images_are_named_and_no_shard_is_left(pictures, tmp_path):
    (tmp_path / "empty.jpg").touch()
    (tmp_path / "cut.jpg").write_bytes(pictures[0].read_bytes()[:300])
    paths = [pictures[0], tmp_path / "empty.jpg", *pictures, tmp_path / "cut.jpg", tmp_path / "gone.jpg"]
    backbone = build_backbone(settings(), None)
    with pytest.raises(InputError, match=r"^3 images cannot be read: .*empty\.jpg .*cut\.jpg .*gone\.jpg is missing"):
        extract_shard(backbone, paths, range(15), settings(), CPU, tmp_path / "part.parquet", Provenance("regions"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cut.jpg", "empty.jpg"]


def test_images_are_loaded_while_a_batch_is_in_use(pictures):
    loaded, enough = [], threading.Event()

    class Counting(PillowDecoder):
        def load(self, path):
            loaded.append(path)
            if len(loaded) > 8:
                enough.set()
            return super().load(path)

    batches = loaded_batches(pictures, Counting(settings(), CPU), size=4)
    next(batches)
    assert enough.wait(PATIENCE)  # the second batch is there and more, though nobody asked for it
    assert [len(batch) for batch in batches] == [4, 3]
    assert sorted(loaded) == pictures


def test_one_item_is_made_ahead_and_errors_pass():
    made, second = [], threading.Event()

    def items():
        for number in range(4):
            made.append(number)
            if number == 1:
                second.set()
            yield number
        raise ValueError("the end")

    ahead = one_ahead(items())
    assert next(ahead) == 0
    assert second.wait(PATIENCE)
    assert made == [0, 1]
    assert [next(ahead), next(ahead), next(ahead)] == [1, 2, 3]
    with pytest.raises(ValueError, match="the end"):
        next(ahead)
    assert list(one_ahead(iter([]))) == []


def test_rate_says_what_the_network_waited_for():
    sentence = Rate(images=1200, seconds=60.0, waited=3.0).sentence("part-0001")
    assert sentence == (
        "part-0001: 1,200 images in 60.0 s, 20.0 images/s; the network waited for images 5% of the time"
    )


def test_rate_is_in_the_log(pictures, tmp_path, capsys):
    backbone = build_backbone(settings(), None)
    extract_shard(backbone, pictures, range(11), settings(), CPU, tmp_path / "p.parquet", Provenance("regions"))
    assert "p: 11 images in " in capsys.readouterr().err


def by_pillow(files: list) -> list:
    """A decoder of JPEG bytes with the GPU decoder's interface."""
    images = [np.array(Image.open(io.BytesIO(file.numpy().tobytes())).convert("RGB")) for file in files]
    return [torch.from_numpy(image).permute(2, 0, 1) for image in images]


@pytest.mark.parametrize("resize", ["squash", "crop"])
def test_resizing_of_decoded_images_is_pillows(pictures, resize):
    given = settings(resize=resize)
    decoder = GpuDecoder(given, CPU, by_pillow)
    loaded = [decoder.load(path) for path in pictures]
    assert all(isinstance(item, Encoded) for item in loaded)
    difference = decoder.batch(loaded).int() - load_images(pictures, PillowDecoder(given, CPU)).int()
    # Pillow crops at fractions of a pixel, and rounds after each of its two passes
    assert difference.abs().max() <= (1 if resize == "squash" else 12)
    assert difference.float().mean().abs() < 0.5


def test_what_the_gpu_cannot_decode_goes_to_pillow_and_keeps_its_place(pictures, tmp_path):
    with Image.open(pictures[1]) as image:
        turned = Image.Exif()
        turned[0x0112] = 6
        image.save(tmp_path / "turned.jpg", exif=turned)
        image.convert("CMYK").save(tmp_path / "cmyk.jpg")
        image.save(tmp_path / "picture.png")
    others = [tmp_path / name for name in ("turned.jpg", "cmyk.jpg", "picture.png")]
    paths = [others[0], pictures[0], others[1], pictures[5], others[2]]
    decoder = GpuDecoder(settings(), CPU, by_pillow)
    loaded = [decoder.load(path) for path in paths]
    assert [isinstance(item, Encoded) for item in loaded] == [False, True, False, True, False]
    batch, expected = decoder.batch(loaded), load_images(paths, PillowDecoder(settings(), CPU))
    assert torch.equal(batch[[0, 2, 4]], expected[[0, 2, 4]])
    assert (batch[[1, 3]].int() - expected[[1, 3]].int()).abs().max() <= 1


def test_a_batch_that_the_gpu_fails_on_is_decoded_by_pillow(pictures):
    def failing(_files):
        raise RuntimeError("nvjpeg error")

    decoder = GpuDecoder(settings(), CPU, failing)
    assert torch.equal(
        decoder.batch([decoder.load(path) for path in pictures]), load_images(pictures, PillowDecoder(settings(), CPU))
    )


def test_the_first_error_of_the_gpus_decoder_is_said_once(pictures, capsys):
    errors = iter(["nvjpegCreate failed: 1", "another"])

    def failing(_files):
        raise RuntimeError(next(errors))

    decoder = GpuDecoder(settings(), CPU, failing)
    for path in pictures[:2]:
        decoder.batch([decoder.load(path)])
    said = capsys.readouterr().err
    assert said == "warning: the JPEG decoder of cpu failed (nvjpegCreate failed: 1); Pillow takes its place\n"


def test_too_little_memory_for_the_gpus_decoder_is_an_error(pictures):
    decoder = GpuDecoder(settings(), CPU, Mock(side_effect=torch.cuda.OutOfMemoryError("too many")))
    with pytest.raises(torch.cuda.OutOfMemoryError):
        decoder.batch([decoder.load(path) for path in pictures])


def test_the_gpus_work_is_done_before_its_decoder_writes(monkeypatch):
    from torchvision import io

    done, stream = [], Mock(synchronize=lambda: done.append("waited"))
    monkeypatch.setattr(torch.ops.image, "decode_jpegs_cuda", None, raising=False)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: stream)
    monkeypatch.setattr(io, "decode_jpeg", lambda *given: done.append("decoded"))
    make_decoder(settings(decoder="gpu"), torch.device("cuda")).decode([])
    assert done == ["waited", "decoded"]


def test_a_damaged_jpeg_is_named(pictures, tmp_path):
    damaged = bytearray(pictures[0].read_bytes())
    damaged[30:400] = bytes(370)
    (tmp_path / "damaged.jpg").write_bytes(damaged)
    decoder = GpuDecoder(settings(), CPU, by_pillow)
    found = decoder.load(tmp_path / "damaged.jpg")
    assert isinstance(found, str)
    assert "damaged.jpg" in found


def test_a_gpu_decoder_is_refused_where_there_is_none():
    with pytest.raises(InputError, match="'gpu', but there is no JPEG decoder of torchvision on cpu"):
        make_decoder(settings(decoder="gpu"), CPU)


def test_a_cut_jpeg_is_told_by_pillow_where_the_gpu_fills_it_with_gray(pictures, tmp_path):
    whole = pictures[3].read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2 + 200] + b"\xff\xd9")
    decoder = GpuDecoder(settings(), CPU, by_pillow)
    loaded = [decoder.load(path) for path in (pictures[0], tmp_path / "cut.jpg")]
    assert all(isinstance(item, Encoded) for item in loaded)
    with pytest.raises(InputError, match=r"cut\.jpg is damaged \(its coded data end before its last pixel\)"):
        decoder.batch(loaded)


@pytest.mark.parametrize("threads", [1, 3])
def test_as_many_threads_load_as_torch_computes_with_and_change_no_image(pictures, monkeypatch, threads):
    asked = []

    def watched(read, items, ahead, workers):
        asked.append(workers)
        return store.read_ahead(read, items, ahead, workers)

    monkeypatch.setattr("scegg_core.regions.decoding.read_ahead", watched)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    images = load_images(pictures, PillowDecoder(settings(), CPU))
    torch.set_num_threads(before)
    assert asked == [threads]
    alone = [np.array(load_image(path, settings())) for path in pictures]
    assert np.array_equal(images.permute(0, 2, 3, 1).numpy(), np.stack(alone))
