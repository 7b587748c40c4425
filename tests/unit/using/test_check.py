"""The check for people: what it counts, what it finds, how it ends."""

from dataclasses import replace

import numpy as np
import pytest
import yaml
from cub_case import make_cub, write_image

from scegg_core.data.copies import said_of_copies
from scegg_core.data.index import load_index
from scegg_core.data.tables import DatasetIndex
from scegg_core.data.validation import class_split
from scegg_core.errors import InputError
from scegg_core.regions.backbone import FeatureMap
from scegg_core.settings.attention import SheetSettings
from scegg_core.settings.attribute_vectors import AttributeVectorSettings
from scegg_core.settings.aviary import AviarySettings
from scegg_core.settings.backbone import BackboneSettings, FinetuneSettings
from scegg_core.settings.base import parse_section
from scegg_core.settings.datasets import DatasetSettings
from scegg_core.settings.downloads import Download
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.plan import Plan, plan_of
from scegg_core.settings.resolve import read_configuration
from scegg_core.settings.run import RunSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.using.backbone_costs import TrainingCost
from scegg_core.using.check import CheckReport, check_dataset, render
from scegg_core.using.truths import size_of_map, truths
from tests.conftest import ROOT

ON_MAPS = Plan(scen=(ScenSettings(),))


@pytest.fixture
def settings(tmp_path):
    np.save(tmp_path / "words.npy", np.eye(3, dtype=np.float32))
    vectors = AttributeVectorSettings(source="matrix", path=str(tmp_path / "words.npy"), names="cub", dimensions=3)
    backbone = BackboneSettings(weights=str(tmp_path / "weights.pt"))
    (tmp_path / "weights.pt").touch()
    return replace(make_cub(tmp_path / "data"), attribute_vectors=vectors, backbone=backbone, shards=4, seeds=(0, 1))


def check(settings, tmp_path, **more):
    more = {"plan": Plan(), "map_of": lambda backbone: FeatureMap(1000, 7, 7), **more}
    return check_dataset(settings, "birds", results=tmp_path / "results", **more)


def test_a_data_set_in_order_is_ready(settings, tmp_path):
    report = check(settings, tmp_path)
    assert report.ready
    assert (report.seen, report.unseen, report.images) == (3, 1, (9, 3, 4))
    assert (report.attributes, report.bound) == (3, 2)
    assert report.disk == 16 * 49 * 1000 * 2 + 2 * 16 * 1000 * 4
    assert report.memory == 2 * 16 * 1000 * 4 + 4 * 49 * 1000 * 2
    assert report.copies  # the pictures of this data set differ in nothing
    lines = render(replace(report, disk_free=5 * 10**9, copies=None)).splitlines()
    assert lines == [
        "birds",
        "  classes     4 (3 seen, 1 unseen)",
        "  images      16 (9 trainval, 3 test seen, 4 test unseen)",
        "  attributes  3 (2 bound to a part)",
        "  disk        1.7 MB for regions, features and generators; 5.0 GB are free",
        "  memory      about 0.5 MB besides the libraries and the networks",
        "ready",
    ]


def test_a_picture_in_training_and_test_is_noted(tmp_path):
    for name, color in (("a/0", 1), ("a/1", 2), ("a/2", 3), ("b/0", 4), ("b/1", 3), ("b/2", 4)):
        write_image(tmp_path / f"images/{name}.png", color=(color, 0, 0))
    index = DatasetIndex(
        classes=("a", "b"), seen=np.array([True, False]), percent=np.eye(2, dtype=np.float32), attributes=("x", "y"),
        words=("x", "y"), parts=("", ""), paths=tuple(f"images/{c}/{n}.png" for c in "ab" for n in range(3)),
        labels=np.array([0, 0, 0, 1, 1, 1]), split=("trainval",) * 3 + ("test_unseen",) * 3, rows=np.arange(6),
    )  # fmt: skip
    said = "images/a/2.png and images/b/1.png are the same picture, but in training and test, or in two classes"
    assert said_of_copies(index, tmp_path) == said
    assert f"  note        {said}" in render(CheckReport("birds", copies=said)).splitlines()
    (tmp_path / "images/b/1.png").unlink()
    assert said_of_copies(index, tmp_path) is None


def test_all_that_is_wrong_is_listed(settings, tmp_path):
    (tmp_path / "data/CUB_200_2011/images/001.Crow/x_0.jpg").unlink()
    (tmp_path / "words.npy").unlink()
    (tmp_path / "weights.pt").unlink()
    report = check(settings, tmp_path, map_of=size_of_map, plan=ON_MAPS)
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


def test_rows_on_backbone_features_need_no_words(settings, tmp_path):
    (tmp_path / "words.npy").unlink()
    assert check(settings, tmp_path).ready
    assert check(settings, tmp_path, plan=ON_MAPS).problems[0].startswith("attribute_vectors.path ")


def test_a_fault_of_several_steps_is_said_once(tmp_path):
    settings = parse_section(DatasetSettings, {"features": {"path": str(tmp_path / "a.npy"), "kind": "arrays"}}, "x")
    assert len(check(settings, tmp_path).problems) == 1


def test_captions_are_read_but_not_trained_on(settings, tmp_path):
    (tmp_path / "captions.txt").write_text("a bird with a hooked bill and blue wings\nit is small\n")
    captions = replace(settings, attribute_vectors=AttributeVectorSettings(source="captions", names="cub"))
    report = check(captions, tmp_path, captions=tmp_path / "captions.txt", plan=ON_MAPS)
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
    downloads = tuple(
        Download(url=f"http://127.0.0.1:9{file}", file=file, unpack_to=str(tmp_path / "none")) for file in files
    )
    report = check(settings, tmp_path, downloads=downloads)
    assert report.problems == (
        f"nothing can be checked before {files[0]} and {files[1]} are there; a run fetches them.",
    )


def test_too_little_room_is_found(settings, tmp_path):
    report = check(settings, tmp_path, map_of=lambda backbone: FeatureMap(10**7, 10**3, 10**3))
    assert report.problems[0].startswith("the run takes 320")


def test_a_missing_folder_does_not_hide_the_rest(settings, tmp_path):
    report = check(replace(settings, folder=str(tmp_path / "nowhere")), tmp_path)
    assert report.images == (0, 0, 0)
    assert len(report.problems) == 1
    assert report.problems[0].startswith(
        f"the folder {tmp_path}/nowhere/CUB_200_2011/images is missing: unpack CUB_200"
    )


SMALL = {"network": "resnet18", "features_up_to": "layer1", "image_size": 32}


@pytest.mark.parametrize(
    ("backbone", "said"),
    [
        ({"weights": "IMAGENET1K_V9"}, "backbone.weights is 'IMAGENET1K_V9'; resnet18 has IMAGENET1K_V1, or give the"),
        (
            {"weights": "random", "features_up_to": "layer9"},
            "backbone.features_up_to is 'layer9'; resnet18 has conv1, ",
        ),
        (
            {"weights": "train", "finetune": FinetuneSettings(batch_size=10)},
            "backbone.finetune.batch_size is 10, but there are only 9 training images; lower it.",
        ),
        (
            {"weights": "train", "finetune": FinetuneSettings(batch_size=4, cut_out=True)},
            "bounding_boxes.txt is missing; backbone.finetune.cut_out needs the boxes of CUB's layout.",
        ),
        ({"weights": "random", "decoder": "gpu"}, "backbone.decoder is 'gpu', but there is no CUDA device here; use"),
    ],
)
def test_a_backbone_that_a_run_could_not_use_is_found(settings, tmp_path, backbone, said):
    plan = Plan(run=RunSettings(device="cpu"))
    report = check(
        replace(settings, backbone=BackboneSettings(**{**SMALL, **backbone})), tmp_path, plan=plan, map_of=size_of_map
    )
    assert len(report.problems) == 1
    assert said in report.problems[0]


def test_the_costs_of_a_backbone_that_is_trained_here_are_told(settings, tmp_path):
    tuned = BackboneSettings(**SMALL, weights="train", finetune=FinetuneSettings(epochs=3, batch_size=4), seeds="own")
    plan = Plan(run=RunSettings(device="cpu"), extractions=(2, 2), validation=True)
    report = check(replace(settings, backbone=tuned), tmp_path, plan=plan)
    assert report.problems == ()
    split = len(class_split(load_index(settings), settings).in_split("trainval"))
    assert report.training.startswith(
        f"4 of the backbone, 2 of them for the validation split: {2 * 3 * (9 + split)} images in all epochs; about 0 min"
    )
    assert report.disk == 49 * 1000 * 2 * (2 * 16 + 2 * 9) + 2 * 16 * 1000 * 4
    assert TrainingCost((12, 8), (1, 1)).sentence().endswith("20 images in all epochs")
    assert (
        TrainingCost((1200, 0), (1, 0), 2.0)
        .sentence()
        .endswith("epochs; about 10 minutes on this machine alone, at 2 images a second")
    )


def test_a_data_set_that_is_yet_to_be_drawn_is_said_so(settings, tmp_path):
    awaited = replace(settings, folder="data/nowhere", generate=AviarySettings())
    assert check(awaited, tmp_path).problems == (
        "nothing can be checked before data/nowhere is drawn, as a run does first; make data/nowhere/aviary.json.",
    )


SHEETS = {"count": 7, "seed": 0, "attributes": 8, "overview_attributes": 4, "resize": "squash"}


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (
            Plan(sheets=SheetSettings(**{**SHEETS, "images": ("nowhere.jpg",)})),
            "config: attention.images names 'nowhere.jpg', which fits no image; write its path below the data set's folder, such as CUB_200_2011/images/001.Crow/x_0.jpg.",
        ),
        (
            Plan(sheets=SheetSettings(**{**SHEETS, "count": 8, "images": ()})),
            "config: attention.count is 8, but there are only 7 test images.",
        ),
        (
            Plan(scen=(ScenSettings(sampling="class_balanced", memory_budget=1e-5),)),
            "scen.sampling class_balanced needs all 0.000821 GiB of region features in memory, but scen.memory_budget is 1e-05 GiB; raise it, or set sampling: shuffled.",
        ),
        (
            Plan(eggn=(EggnSettings(hidden_width=65536, latent_size=65536),)),
            "of memory, but this machine has",
        ),
        (Plan(eggn=(EggnSettings(hidden_width=65536, snapshots=1_000_000, epochs=1_000_000),)), "the run takes "),
    ],
)
def test_what_the_rows_would_stop_at_later_is_found(settings, tmp_path, plan, said, monkeypatch):
    monkeypatch.setattr("scegg_core.using.check.memory_here", lambda: 10**10)
    found = check(settings, tmp_path, plan=plan).problems
    assert any(said in problem for problem in found), found


def test_results_that_cannot_be_written_are_found(settings, tmp_path, monkeypatch):
    monkeypatch.setattr("scegg_core.using.check.os.access", lambda place, mode: place != tmp_path / "results")
    (tmp_path / "results").mkdir()
    said = f"{tmp_path / 'results'} cannot be written; change its permissions, or work in another folder."
    assert check(settings, tmp_path).problems == (said,)


def test_a_validation_split_that_cannot_be_made_is_found_where_a_row_needs_it(settings, tmp_path):
    index = make_index(one_seen=True)
    assert list(map(said_by, truths(index, settings, FeatureMap(1, 1, 1), Plan()))) == [""] * 6
    found = [text for text in map(said_by, truths(index, settings, FeatureMap(1, 1, 1), Plan(validation=True))) if text]
    assert found == ["the data set has 1 seen class; a validation split needs at least 2."]
    index = make_index(one_seen=False)
    found = [text for text in map(said_by, truths(index, settings, FeatureMap(1, 1, 1), Plan(validation=True))) if text]
    assert found[0].startswith("no class that stays seen in the validation split has 2 training images, so S and H")


def make_index(one_seen: bool) -> DatasetIndex:
    """Three classes with one image each, of which one or two are seen, and another test image."""
    seen = np.array([True, not one_seen, False])
    return DatasetIndex(
        classes=("a", "b", "c"),
        seen=seen,
        percent=np.eye(3, dtype=np.float32),
        attributes=("x", "y", "z"),
        words=("x", "y", "z"),
        parts=("", "", ""),
        paths=("0.jpg", "1.jpg", "2.jpg"),
        labels=np.arange(3, dtype=np.int32),
        split=tuple("trainval" if own else "test_unseen" for own in seen),
        rows=np.arange(3, dtype=np.int32),
    )


def said_by(step) -> str:
    try:
        step()
    except InputError as error:
        return str(error)
    return ""


def test_the_plan_of_a_run_has_every_training_of_its_rows():
    config = read_configuration(yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8")))
    plan = parse_section(Plan, plan_of(config, "cub"))
    assert (len(plan.scen), len(plan.eggn)) == (5, 10)  # five seeds of sc-egg's SCEN, of sc-egg and baseline
    assert plan.validation and plan.sheets.count == 6 and plan.here
    values = {"cub": {"format": "cub", "folder": "x", "variants": ["baseline"], "seeds": [0]}}
    given = {"spaces": {"backbone": {"kind": "backbone"}, "sc-egg": {}}, "datasets": values}
    given |= {"variants": {"baseline": {"space": "backbone", "selection": "validation"}, "sc-egg": {}}}
    given |= {"tables": {"summary": ["cub"]}}
    plan = parse_section(Plan, plan_of(read_configuration(given), "cub", here=False))
    assert [own.snapshots for own in plan.eggn] == [0, 20]  # on the data set, and on its validation split
    assert plan.validation and not plan.scen and plan.sheets is None and not plan.here
