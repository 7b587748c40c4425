"""The generated data set: complete in CUB's and xlsa17's layout, honest splits, the same bytes for the same seed."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError
from scipy.io import loadmat

from scegg_core.aviary import AviarySettings, generate_aviary
from scegg_core.aviary.anatomy import Pose, circle, smooth
from scegg_core.aviary.captions import write_captions
from scegg_core.aviary.cub_files import image_paths
from scegg_core.aviary.new_species import draw_new_species
from scegg_core.aviary.species import invent_species
from scegg_core.aviary.traits import PARTS, TRAITS, attribute_names, attribute_parts
from scegg_core.aviary.xlsa_files import write_xlsa_files
from scegg_core.errors import InputError
from tests.conftest import PATIENCE, ROOT

SMALL = AviarySettings(classes=8, unseen_classes=2, images_per_class=10, image_size=64, seed=3, captions=300)
IMAGES = SMALL.classes * SMALL.images_per_class
SMALLEST = AviarySettings(classes=4, unseen_classes=1, images_per_class=5, image_size=48, captions=100)


@pytest.fixture(scope="module")
def aviary(tmp_path_factory):
    folder = tmp_path_factory.mktemp("aviary")
    generate_aviary(SMALL, folder)
    return folder


@pytest.fixture(scope="module")
def splits(aviary):
    mat = loadmat(aviary / "xlsa17/data/AVIARY/att_splits.mat")
    return {name: mat[f"{name}_loc"].ravel() for name in ("trainval", "test_seen", "test_unseen")} | {"mat": mat}


@pytest.fixture(scope="module")
def labels(aviary):
    return loadmat(aviary / "xlsa17/data/AVIARY/res101.mat")["labels"].ravel()


def digests(folder):
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows(path, separator=" "):
    return [line.split(separator) for line in path.read_text().splitlines()]


def names(mat):
    return [str(cell[0]) for cell in mat["allclasses_names"].ravel()]


def test_every_file_of_the_layout_is_there(aviary):
    cub = aviary / "CUB_200_2011"
    counts = {
        "images.txt": IMAGES, "image_class_labels.txt": IMAGES, "classes.txt": 8, "train_test_split.txt": IMAGES,
        "bounding_boxes.txt": IMAGES, "parts/parts.txt": len(PARTS), "parts/part_locs.txt": IMAGES * len(PARTS),
        "attributes/class_attribute_labels_continuous.txt": 8,
    }  # fmt: skip
    assert {name: len(rows(cub / name)) for name in counts} == counts
    lists = {path.name for path in (aviary / "xlsa17/data/AVIARY").iterdir()}
    splits = {f"{kind}classes{number}.txt" for kind in ("train", "val") for number in (1, 2, 3)}
    others = {"att_splits.mat", "res101.mat", "allclasses.txt", "trainvalclasses.txt", "testclasses.txt"}
    assert lists == others | splits
    assert len(rows(aviary / "captions.txt")) == SMALL.captions


def test_images_listed_exist_and_have_the_size_asked_for(aviary):
    root = aviary / "CUB_200_2011" / "images"
    listed = [path for _, path in rows(aviary / "CUB_200_2011/images.txt")]
    assert sorted(listed) == sorted(str(path.relative_to(root)) for path in root.glob("*/*.jpg"))
    with Image.open(root / listed[0]) as image:
        assert (image.size, image.mode, image.format) == ((64, 64), "RGB", "JPEG")


def test_marker_tells_settings_and_counts(aviary, splits):
    marker = json.loads((aviary / "aviary.json").read_text())
    assert marker["settings"]["seed"] == 3
    assert marker["counts"]["images"] == IMAGES
    # 8 training and 2 test images of each of 6 seen classes, all 10 of 2 unseen ones
    expected = {"trainval": 48, "test_seen": 12, "test_unseen": 20}
    assert {key: marker["counts"][key] for key in expected} == expected
    assert {key: len(splits[key]) for key in expected} == expected


def test_splits_are_disjoint_complete_and_one_based(splits):
    together = np.concatenate([splits[name] for name in ("trainval", "test_seen", "test_unseen")])
    assert together.dtype == np.uint16
    assert sorted(together.tolist()) == list(range(1, IMAGES + 1))


def test_more_images_than_uint16_counts_keep_their_numbers(tmp_path):
    """Lists alone, of pictures that are not there; the numbers stay uint16 where they fit, as in xlsa17's files."""
    for images, kind in ((2**13 - 1, np.uint16), (2**13, np.uint32)):
        settings = AviarySettings(classes=8, unseen_classes=2, images_per_class=images)
        species = invent_species(settings)
        write_xlsa_files(tmp_path, species, image_paths(species, images), 0)
        mat = loadmat(tmp_path / "xlsa17/data/AVIARY/att_splits.mat")
        together = np.concatenate([mat[f"{name}_loc"].ravel() for name in ("trainval", "test_seen", "test_unseen")])
        assert together.dtype == kind
        assert np.array_equal(np.sort(together), np.arange(1, 8 * images + 1))


def test_unseen_classes_are_never_trained_on(aviary, splits, labels):
    listed = {name for [name] in rows(aviary / "xlsa17/data/AVIARY/testclasses.txt")}
    of_split = {key: {names(splits["mat"])[int(label) - 1] for label in labels[splits[key].astype(int) - 1]}
                for key in ("trainval", "test_seen", "test_unseen")}  # fmt: skip
    assert of_split["test_unseen"] == listed
    seen = {name for [name] in rows(aviary / "xlsa17/data/AVIARY/trainvalclasses.txt")}
    assert of_split["trainval"] == of_split["test_seen"] == seen
    assert not listed & of_split["trainval"]


def test_validation_lists_split_the_seen_classes(aviary):
    folder = aviary / "xlsa17/data/AVIARY"
    seen = sorted(rows(folder / "trainvalclasses.txt"))
    for number in (1, 2, 3):
        train, held_out = rows(folder / f"trainclasses{number}.txt"), rows(folder / f"valclasses{number}.txt")
        assert sorted(train + held_out) == seen
        assert len(held_out) == 2


def test_labels_are_rows_of_allclasses_names(aviary, splits, labels):
    files = [str(cell[0]) for cell in loadmat(aviary / "xlsa17/data/AVIARY/res101.mat")["image_files"].ravel()]
    folders = [file.split("/")[-2] for file in files]
    assert [names(splits["mat"])[int(label) - 1] for label in labels] == folders
    assert [name for [name] in rows(aviary / "xlsa17/data/AVIARY/allclasses.txt")] == names(splits["mat"])
    # a loader that took folder numbers for labels has to fail here
    assert [int(name[:3]) for name in names(splits["mat"])] != list(range(1, 9))
    assert not any(str(aviary) in file for file in files)


def test_class_vectors_are_percentages_with_unit_columns(aviary, splits):
    mat = splits["mat"]
    original = mat["original_att"]
    assert original.shape == (len(attribute_names()), 8)
    assert original.min() >= 0 and original.max() <= 100
    np.testing.assert_allclose(np.linalg.norm(mat["att"], axis=0), 1.0)
    np.testing.assert_allclose(mat["att"], original / np.linalg.norm(original, axis=0))
    text = np.loadtxt(aviary / "CUB_200_2011/attributes/class_attribute_labels_continuous.txt")
    order = [int(name[:3]) - 1 for name in names(mat)]
    np.testing.assert_allclose(text[order].T, original, atol=0.01)
    start = 0
    for trait in TRAITS:
        np.testing.assert_allclose(original[start : start + len(trait.values)].sum(axis=0), 100.0)
        start += len(trait.values)


def test_parts_lie_in_their_box_and_boxes_in_the_image(aviary):
    cub = aviary / "CUB_200_2011"
    boxes = np.loadtxt(cub / "bounding_boxes.txt")[:, 1:]
    assert (boxes[:, :2] >= 0).all() and (boxes[:, :2] + boxes[:, 2:] <= SMALL.image_size).all()
    parts = np.loadtxt(cub / "parts/part_locs.txt")
    shown = parts[parts[:, 4] == 1]
    assert len(shown) > 0.8 * len(parts)
    box = boxes[shown[:, 0].astype(int) - 1]
    assert (shown[:, 2:4] >= box[:, :2] - 0.01).all()
    assert (shown[:, 2:4] <= box[:, :2] + box[:, 2:] + 0.01).all()
    assert (parts[parts[:, 4] == 0, 2:4] == 0).all()


def test_attributes_are_named_as_in_cub_and_bound_to_parts(aviary):
    listed = [line.split(" ", 1)[1] for line in (aviary / "attributes.txt").read_text().splitlines()]
    assert listed == attribute_names() and len(set(listed)) == len(listed)
    assert all(re.fullmatch(r"has_[a-z_]+::[a-z]+", name) for name in listed)
    table = rows(aviary / "attribute_parts.csv", ",")
    assert table[0] == ["attribute_id", "part"]
    assert [part for _, part in table[1:]] == attribute_parts()
    assert set(attribute_parts()) == {*PARTS, ""}


def test_captions_hold_every_word_of_the_attribute_names(aviary):
    wanted = set(re.sub(r"_|::", " ", " ".join(attribute_names())).split()) - {"has"}
    assert wanted <= set((aviary / "captions.txt").read_text().split())
    for seed in range(100):  # the fewest that settings allow
        assert wanted <= set(" ".join(write_captions(100, seed)).split())


def test_the_demos_captions_stay_what_they_are():
    """The README's table depends on them."""
    text = "".join(f"{sentence}\n" for sentence in write_captions(6000, 0))
    assert (
        hashlib.sha256(text.encode()).hexdigest() == "e28c1125d2240234b309d155e22bb1f5f3049afefac8c46224dac2d82c3b1c0f"
    )


@pytest.mark.slow
def test_workers_end_whatever_the_job_does_at_sigterm(tmp_path):
    """A job has a handler of SIGTERM, which forked workers take over; the pool ends them by that signal."""
    script = f"""
import signal
from pathlib import Path
from scegg_core.aviary import AviarySettings, generate_aviary
signal.signal(signal.SIGTERM, lambda *_: None)
generate_aviary(AviarySettings(**{vars_of(SMALL)!r}), Path({str(tmp_path / "birds")!r}), workers=2)
"""
    with subprocess.Popen([sys.executable, "-c", script], cwd=ROOT, start_new_session=True) as process:
        try:
            assert process.wait(PATIENCE) == 0
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@pytest.mark.slow
def test_same_settings_give_the_same_bytes_whatever_the_number_of_workers(aviary, tmp_path):
    generate_aviary(SMALL, tmp_path, workers=2)
    assert digests(tmp_path) == digests(aviary)


@pytest.mark.slow
def test_another_seed_gives_another_aviary(aviary, tmp_path):
    generate_aviary(AviarySettings(**{**vars_of(SMALL), "seed": 4}), tmp_path)
    mine, other = digests(tmp_path), digests(aviary)
    changed = ("xlsa17/data/AVIARY/att_splits.mat", "captions.txt", "CUB_200_2011/bounding_boxes.txt")
    assert all(mine[name] != other[name] for name in changed)


def vars_of(settings):
    return {name: getattr(settings, name) for name in settings.__dataclass_fields__}


def test_an_aviary_that_fails_midway_leaves_the_earlier_one(tmp_path, monkeypatch):
    (tmp_path / "data").mkdir()
    (tmp_path / "data/aviary.json").write_text("{}")
    monkeypatch.setattr("scegg_core.aviary.generate.write_xlsa_files", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        generate_aviary(SMALLEST, tmp_path / "data")
    assert [path.name for path in tmp_path.rglob("*")] == ["data", "aviary.json"]


def test_an_aviary_spares_other_files(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match=r"holds other files \('thesis.tex'\), which would be lost; move them out"):
        generate_aviary(SMALL, tmp_path)


def test_an_aviary_takes_the_place_of_one_that_a_workflow_remembers(tmp_path):
    generate_aviary(SMALLEST, tmp_path)
    (tmp_path / ".made").mkdir()
    (tmp_path / ".made/aviary.json.json").write_text("{}")
    generate_aviary(SMALLEST, tmp_path)
    assert not (tmp_path / ".made").exists()


@pytest.mark.slow
def test_species_of_the_same_looks_have_folders_of_their_own(tmp_path):
    names = draw_new_species(tmp_path / "many", 200, 1, 48, 5)
    assert len(names) == len({name.casefold() for name in names}) == 200
    assert sorted(path.name for path in (tmp_path / "many/images").iterdir()) == sorted(names)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ((0, 1, 48, 5), "count is 0; it has to be from 1 to 996 species."),
        ((997, 1, 48, 5), "count is 997; it has to be from 1 to 996 species."),
        ((1, 10_000, 48, 5), "pictures is 10000; it has to be from 1 to 9999 of each species."),
        ((1, 1, 4000, 5), "config: image_size is 4000: should be less than or equal to 512."),
        ((1, 1, 48, -5), "config: seed is -5: should be greater than or equal to 0."),
    ],
)
def test_new_species_out_of_range(tmp_path, values, sentence):
    with pytest.raises(InputError, match=re.escape(sentence)):
        draw_new_species(tmp_path / "new", *values)
    assert list(tmp_path.iterdir()) == []


def test_new_species_need_a_folder_of_their_own(tmp_path):
    draw_new_species(tmp_path / "new", 1, 1, 48, 5)
    with pytest.raises(InputError, match="holds other files .*; name a new one"):
        draw_new_species(tmp_path / "new", 1, 1, 48, 5)


@pytest.mark.parametrize(
    "wrong", [{"classes": 8, "unseen_classes": 6}, {"images_per_class": 1}, {"image_size": 8}, {"colour": "red"}]
)
def test_settings_refuse(wrong):
    with pytest.raises(ValidationError):
        AviarySettings(**wrong)


def test_fewer_than_one_worker_is_refused(tmp_path):
    with pytest.raises(ValueError, match="workers must be at least 1, got 0"):
        generate_aviary(SMALL, tmp_path, workers=0)


def test_pose_mirrors_turns_scales_and_moves():
    quarter = Pose(scale=2.0, angle=np.pi / 2, mirrored=False, offset=(10.0, 0.0))
    np.testing.assert_allclose(quarter.to_pixels(np.array([[1.0, 0.0]])), [[10.0, 2.0]], atol=1e-12)
    mirrored = Pose(scale=2.0, angle=0.0, mirrored=True)
    np.testing.assert_allclose(mirrored.to_pixels(np.array([[1.0, 3.0]])), [[-2.0, 6.0]])


def test_smooth_curve_passes_through_its_points():
    square = np.array([(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)])
    np.testing.assert_allclose(smooth(square, 5)[::5], square)
    np.testing.assert_allclose(np.linalg.norm(circle(np.zeros(2), 2.0), axis=1), 2.0)
