"""The check for people: what it counts, what it finds, how it ends."""

from dataclasses import replace

import numpy as np
import pytest
from cub_case import make_cub

from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.settings.backbone import BackboneSettings
from scegg_core.settings.downloads import Download
from scegg_core.using.check import check_dataset, render


@pytest.fixture
def settings(tmp_path):
    np.save(tmp_path / "words.npy", np.eye(3, dtype=np.float32))
    vectors = AttributeVectorSettings(source="matrix", path=str(tmp_path / "words.npy"), names="cub", dimensions=3)
    backbone = BackboneSettings(weights=str(tmp_path / "weights.pt"))
    (tmp_path / "weights.pt").touch()
    return replace(make_cub(tmp_path / "data"), attribute_vectors=vectors, backbone=backbone, shards=4, seeds=(0, 1))


def check(settings, tmp_path, **more):
    return check_dataset(settings, "birds", regions=49, channels=1000, results=tmp_path / "results", **more)


def test_a_data_set_in_order_is_ready(settings, tmp_path):
    report = check(settings, tmp_path)
    assert report.ready
    assert (report.seen, report.unseen, report.images) == (3, 1, (9, 3, 4))
    assert (report.attributes, report.bound) == (3, 2)
    assert report.disk == 16 * 49 * 1000 * 2 + 2 * 16 * 1000 * 4
    assert report.memory == 2 * 16 * 1000 * 4 + 4 * 49 * 1000 * 2
    lines = render(replace(report, disk_free=5 * 10**9)).splitlines()
    assert lines == [
        "birds",
        "  classes     4 (3 seen, 1 unseen)",
        "  images      16 (9 trainval, 3 test seen, 4 test unseen)",
        "  attributes  3 (2 bound to a part)",
        "  disk        1.7 MB for regions and features; 5.0 GB are free",
        "  memory      about 0.5 MB besides the libraries and the networks",
        "ready",
    ]


def test_all_that_is_wrong_is_listed(settings, tmp_path):
    (tmp_path / "data/CUB_200_2011/images/001.Crow/x_0.jpg").unlink()
    (tmp_path / "words.npy").unlink()
    (tmp_path / "weights.pt").unlink()
    report = check(settings, tmp_path)
    assert not report.ready
    assert render(report).splitlines()[-4:] == [
        "to mend:",
        "  1. 1 of 16 images cannot be used: CUB_200_2011/images/001.Crow/x_0.jpg is missing; "
        "replace them, or set images.on_bad_image to skip.",
        f"  2. attribute_vectors.path {tmp_path / 'words.npy'} is missing; "
        "the source matrix reads a .npy of attributes × dimensions.",
        f"  3. the weight file backbone.weights {tmp_path / 'weights.pt'} is missing; "
        "put it there or correct the setting.",
    ]


def test_captions_are_read_but_not_trained_on(settings, tmp_path):
    (tmp_path / "captions.txt").write_text("a bird with a hooked bill and blue wings\nit is small\n")
    captions = replace(settings, attribute_vectors=AttributeVectorSettings(source="captions", names="cub"))
    report = check(captions, tmp_path, captions=tmp_path / "captions.txt")
    assert report.ready
    assert report.unknown_words == ("color", "shape", "size", "wing")
    assert "words without a vector: color, shape, size, wing" in render(report)


def test_what_a_run_will_fetch_is_named(settings, tmp_path):
    file = str(tmp_path / "glove.zip")
    vectors = AttributeVectorSettings(path=file, names="cub")
    download = Download(url="http://127.0.0.1:9/glove.zip", file=file)
    report = check(replace(settings, attribute_vectors=vectors), tmp_path, downloads=(download,))
    assert report.ready
    assert report.to_fetch == (f"{file} from http://127.0.0.1:9/glove.zip",)


def test_what_cannot_be_read_before_it_is_fetched_is_said_so(settings, tmp_path):
    file = str(tmp_path / "images.tgz")
    download = Download(url="http://127.0.0.1:9/images.tgz", file=file, unpack_to=str(tmp_path / "none"))
    backbone = BackboneSettings(network="resnet18", weights="IMAGENET1K_V1")
    report = check(replace(settings, backbone=backbone), tmp_path, downloads=(download,))
    assert report.problems == (f"nothing can be checked before {file} is there; a run fetches it.",)
    assert report.to_fetch == (
        f"{file} from http://127.0.0.1:9/images.tgz",
        "the weights IMAGENET1K_V1 of resnet18 from torchvision",
    )
    assert render(replace(report, disk_free=5 * 10**9)).splitlines() == [
        "birds",
        "  disk        5.0 GB are free; what a run takes is known once the data can be read",
        f"  to fetch    {file} from http://127.0.0.1:9/images.tgz",
        "  to fetch    the weights IMAGENET1K_V1 of resnet18 from torchvision",
        "to mend:",
        f"  1. nothing can be checked before {file} is there; a run fetches it.",
    ]


def test_several_files_are_there_and_fetched_as_them(settings, tmp_path):
    files = [str(tmp_path / name) for name in ("images.tgz", "splits.zip")]
    downloads = tuple(Download(url=file, file=file, unpack_to=str(tmp_path / "none")) for file in files)
    report = check(settings, tmp_path, downloads=downloads)
    assert report.problems == (
        f"nothing can be checked before {files[0]} and {files[1]} are there; a run fetches them.",
    )


def test_too_little_room_is_found(settings, tmp_path):
    report = check_dataset(settings, "birds", regions=10**6, channels=10**7, results=tmp_path)
    assert report.problems[0].startswith("the run takes 320")


def test_a_missing_folder_does_not_hide_the_rest(settings, tmp_path):
    report = check(replace(settings, folder=str(tmp_path / "nowhere")), tmp_path)
    assert report.images == (0, 0, 0)
    assert len(report.problems) == 1
    assert report.problems[0].startswith(
        f"the folder {tmp_path}/nowhere/CUB_200_2011/images is missing: unpack CUB_200"
    )
