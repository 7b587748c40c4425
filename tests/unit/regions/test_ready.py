"""Ready features as shards: what comes out of them is what was in the file, and what follows them is told apart."""

import pickle
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from scegg_core.artifacts.files import Provenance
from scegg_core.data.index import index_dataset
from scegg_core.data.tables import AttributeVectors
from scegg_core.errors import InputError
from scegg_core.regions.batches import region_batches
from scegg_core.regions.ready import map_of_ready, read_shard
from scegg_core.regions.store import RegionStore, shard_rows
from scegg_core.report.figures import attention
from scegg_core.scen.embed import embed_images
from scegg_core.settings.base import parse_section
from scegg_core.settings.plan import Plan
from scegg_core.settings.resolve import read_configuration
from scegg_core.settings.scen import ScenSettings
from scegg_core.using.check import check_dataset
from scegg_core.using.model import Model
from scegg_core.using.run_folder import from_ready_features, read_origin
from scegg_core.words.vectors import embed_attributes
from tests.unit import ready_case as case

CPU = torch.device("cpu")
WRITERS = {"xlsa17": case.write_xlsa17, "dazle": case.write_dazle, "arrays": case.write_arrays}


def shards_of(settings, folder, count: int = 3) -> RegionStore:
    paths = [folder / f"part-{number}.parquet" for number in range(count)]
    for number, path in enumerate(paths):
        rows = shard_rows(case.IMAGES, count, number)
        read_shard(settings.features, case.IMAGES, rows, path, Provenance("read_features", {"kind": "any"}))
    return RegionStore(paths)


@pytest.mark.parametrize("kind", ["xlsa17", "arrays"])
def test_pooled_features_go_through_shards_and_pooling_bit_for_bit(tmp_path, kind, capsys):
    store = shards_of(case.settings_of(WRITERS[kind](tmp_path), kind), tmp_path)
    assert store.dtype == np.float32 and store.size.regions == 1
    pooled = embed_images(store, np.arange(case.IMAGES), None, CPU).features.numpy()
    assert np.array_equal(pooled, case.pooled()) and not np.array_equal(pooled, pooled.astype(np.float16))
    assert "part-0: 4 images in " in capsys.readouterr().err


def test_region_maps_go_into_shards_as_those_of_a_backbone(tmp_path):
    store = shards_of(case.settings_of(case.write_dazle(tmp_path), "dazle"), tmp_path)
    images, regions = map(np.concatenate, zip(*store.scan(), strict=True))
    assert store.dtype == np.float16 and (store.size.height, store.size.width) == (2, 3)
    assert images.tolist() == list(range(case.IMAGES))
    assert np.array_equal(regions.transpose(0, 2, 1).reshape(12, case.CHANNELS, 2, 3), case.maps())


def test_features_of_other_images_than_are_indexed(tmp_path):
    settings = case.settings_of(case.write_arrays(tmp_path), "arrays")
    with pytest.raises(InputError, match="holds features of 12 images, but 13 are indexed"):
        read_shard(settings.features, 13, range(2), tmp_path / "part.parquet", Provenance("read_features"))
    assert not (tmp_path / "part.parquet").exists()


def test_scen_does_not_train_on_pooled_features(tmp_path):
    store = shards_of(case.settings_of(case.write_arrays(tmp_path), "arrays"), tmp_path)
    with pytest.raises(InputError, match="features are one vector an image, but SCEN needs region maps"):
        region_batches(store, np.arange(3), np.zeros(3, int), 2, 0, 1.0, False, CPU)


def test_no_new_picture_can_be_predicted(tmp_path):
    shards_of(case.settings_of(case.write_arrays(tmp_path), "arrays"), tmp_path, 1)
    files = SimpleNamespace(regions=(tmp_path / "part-0.parquet",), results=tmp_path / "birds")
    with pytest.raises(InputError, match="birds was made from ready features, so no backbone is known"):
        read_origin(files)
    assert from_ready_features(files)
    with pytest.raises(InputError, match="birds/seed0 was made from ready features"):
        Model.require_backbone(SimpleNamespace(backbone=None, name="birds/seed0"))


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("with_scen", [False, True])
def test_the_check(tmp_path, kind, with_scen):
    settings = case.settings_of(WRITERS[kind](tmp_path / "own"), kind)
    plan = Plan(scen=(ScenSettings(),) * with_scen, validation=True)
    report = check_dataset(settings, "ready", plan, results=tmp_path / "results")
    assert report.images == (6, 3, 3) and (report.seen, report.unseen) == (3, 1)
    assert not report.to_fetch
    pooled = [
        text for text in report.problems if "holds one vector an image, but rows with SCEN need region maps" in text
    ]
    if not with_scen or kind == "dazle":
        assert report.ready
    else:
        assert len(pooled) == 1 and str(tmp_path / "own") in pooled[0]


def test_the_check_of_a_damaged_file(tmp_path):
    path = case.write_dazle(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    report = check_dataset(case.settings_of(path, "dazle"), "ready", Plan(), results=tmp_path / "results")
    assert f"{path} is no whole HDF5 file" in report.problems[0]


def test_dazles_word_vectors_are_the_attributes(tmp_path):
    settings = case.settings_of(case.write_dazle(tmp_path), "dazle")
    found = embed_attributes(index_dataset(settings).words, settings.vectors)
    assert isinstance(found, AttributeVectors) and np.array_equal(found.vectors, case.VECTORS.astype(np.float32))
    given = {"source": "matrix", "path": "own.npy"}
    own = case.settings_of(tmp_path / "feature_map.hdf5", "dazle", attribute_vectors=given)
    assert (own.vectors.source, own.vectors.path) == ("matrix", "own.npy")


@pytest.mark.parametrize("kind", ["dazle", "matrix"])
def test_a_row_of_zeros_in_dazles_own_files_is_taken_and_said(tmp_path, kind, caplog):
    """As in their vectors of SUN, where man-made has none; a matrix of one's own is refused."""
    vectors = case.VECTORS * [[1], [0], [1]]
    path = case.write_dazle(tmp_path, {"w2v_att": vectors if kind == "dazle" else None})
    (tmp_path / "SUN_attribute.pkl").write_bytes(pickle.dumps(vectors, 2))
    given = {"source": "matrix", "path": str(tmp_path / "SUN_attribute.pkl"), "dimensions": 4}
    settings = case.settings_of(path, "dazle", **({"attribute_vectors": given} if kind == "matrix" else {}))
    found = embed_attributes(index_dataset(settings).words, settings.vectors)
    assert np.array_equal(found.vectors, vectors) and found.unknown == ("", "attribute 1", "")
    assert "attribute 'attribute 1' has a vector of zeros alone" in caplog.text
    report = check_dataset(settings, "ready", Plan(scen=(ScenSettings(),)), results=tmp_path / "results")
    assert report.ready and report.unknown_words == ("attribute 1",)


@pytest.mark.parametrize(
    ("vectors", "sentence"),
    [
        (case.VECTORS[:2], "holds w2v_att of shape (2, 4), but there are 3 attributes; it needs a row for each."),
        (case.VECTORS * 0, "has no vector for attribute 'attribute 0'"),
        (case.VECTORS * [[1], [np.nan], [1]], "has no vector for attribute 'attribute 1'"),
        (None, "lacks 'w2v_att'"),
    ],
)
def test_word_vectors_that_cannot_be_used(tmp_path, vectors, sentence):
    settings = case.settings_of(case.write_dazle(tmp_path, {"w2v_att": vectors}), "dazle")
    with pytest.raises(InputError) as error:
        embed_attributes(index_dataset(settings).words, settings.vectors)
    assert sentence in str(error.value) and "feature_map.hdf5" in str(error.value)


def configuration(variants: list[str]) -> dict:
    spaces = {"sc-egg": {}, "backbone": {"kind": "backbone"}}
    rows = {"sc-egg": {}, "baseline": {"space": "backbone"}}
    features = {"path": "own/res101.mat", "kind": "xlsa17"}
    return {
        "spaces": spaces,
        "variants": rows,
        "tables": {"summary": ["own"], "reference": "baseline"},
        "tsne": {"variants": ["baseline"]},
        "confusion": {"variants": ["baseline"]},
        "datasets": {"own": {"features": features, "variants": variants}},
    }


def test_rows_with_scen_are_refused_when_the_configuration_is_read():
    with pytest.raises(InputError) as error:
        read_configuration(configuration(["baseline", "sc-egg"]))
    assert str(error.value) == (
        "config: datasets.own has the row 'sc-egg', which needs region maps, but features of kind xlsa17 are one vector an "
        "image; set its variants to others, such as [baseline]."
    )
    shown = read_configuration(configuration(["baseline"])).table_part("own", {})
    assert (shown["backbone"], shown["weights"], shown["image_size"]) == ("res101.mat", "ready features", None)


def test_the_kind_and_nothing_of_this_machine_is_recorded(tmp_path):
    settings = case.settings_of(case.write_xlsa17(tmp_path), "xlsa17")
    assert settings.index_part()["features"] == {"kind": "xlsa17"}
    assert str(tmp_path) not in str(settings.index_part())
    section = settings.index_part() | settings.places()
    assert parse_section(type(settings), section, "datasets.own").features == settings.features


def test_sheets_without_pictures_show_the_maps_alone(tmp_path):
    weights = np.array([[0.1, 0.2, 0.3], [0.3, 0.05, 0.05]])
    maps = (attention.AttributeMap("striped", 0.5, weights),)
    sheet = attention.AttentionSheet("zebra", None, weights, maps)
    figure = attention.draw_sheet(sheet)
    assert [axes.get_title() for axes in figure.axes[:3]][0] == "no picture: ready\nfeatures"
    drawn = figure.axes[0].images[0].get_array()
    assert drawn.min() == 255 and drawn.shape[1] * 2 == drawn.shape[0] * 3
    attention.draw_overview([sheet, replace(sheet, title="horse")])


def test_the_size_of_ready_features(tmp_path):
    size = map_of_ready(case.settings_of(case.write_dazle(tmp_path), "dazle").features)
    assert (size.channels, size.height, size.width) == (case.CHANNELS, 2, 3)
