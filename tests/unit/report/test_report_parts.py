"""Between artifacts and figures: part locations, chosen images, attention read from shards, tables of runs, pages."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from scegg_core.artifacts.files import Provenance, read_table
from scegg_core.classify.predictions import Predictions, write_predictions
from scegg_core.data.parts import read_part_locations
from scegg_core.data.tables import DatasetIndex
from scegg_core.errors import InputError
from scegg_core.evaluate import pointing
from scegg_core.evaluate.pointing import score_attention
from scegg_core.regions.backbone import FeatureMap
from scegg_core.regions.store import RegionStore, write_shard
from scegg_core.report import rows as tabulate
from scegg_core.report import typeset
from scegg_core.report.classes import class_rows
from scegg_core.report.figures.attention import attention_sheets, chosen_images
from scegg_core.report.figures.confusion import confusion_picture, shown_classes
from scegg_core.report.figures.curves import read_curves, write_curves
from scegg_core.report.figures.tradeoff import trade_offs
from scegg_core.report.results import RunResult
from scegg_core.report.runs import VariantRuns, read_runs
from scegg_core.scen.attention import attend
from scegg_core.scen.model import SCEN
from scegg_core.settings.attention import SheetSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.settings.tables import RunNames
from scegg_core.training.curve import Curve
from tests.conftest import ROOT

CLASSES = ("001.Crow", "002.Gull", "003.Wren")
GRID = (3, 4)


@pytest.fixture
def index() -> DatasetIndex:
    paths = tuple(f"CUB_200_2011/images/{CLASSES[n % 3]}/{n:02d}.jpg" for n in range(12))
    unseen = ["test_unseen" if n % 3 == 2 else "trainval" if n < 6 else "test_seen" for n in range(12)]
    return DatasetIndex(
        classes=CLASSES,
        seen=np.array([True, True, False]),
        percent=np.array([[90, 0, 10], [10, 80, 5], [60, 70, 9]], np.float32),
        attributes=("has_bill_shape::hooked", "has_wing_color::red", "has_size::small"),
        words=("a", "b", "c"),
        parts=("beak", "wing", ""),
        paths=paths,
        labels=np.arange(12, dtype=np.int32) % 3,
        split=tuple(unseen),
        rows=np.arange(12, dtype=np.int32),
    )


@pytest.fixture
def folder(tmp_path, index):
    """Files in CUB's layout: the beak at (5, 5), the left wing at (35, 25), the right one never visible."""
    from PIL import Image

    root = tmp_path / "CUB_200_2011"
    (root / "parts").mkdir(parents=True)
    names = [path.split("/", 2)[2] for path in index.paths]
    (root / "images.txt").write_text("".join(f"{n} {name}\n" for n, name in enumerate(names, start=1)))
    (root / "parts/parts.txt").write_text("1 beak\n2 left wing\n3 right wing\n")
    locations = [f"{n} 1 5.0 5.0 1\n{n} 2 35.0 25.0 1\n{n} 3 0.0 0.0 0\n" for n in range(1, 13)]
    (root / "parts/part_locs.txt").write_text("".join(locations))
    for path in index.paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), "teal").save(tmp_path / path)
    return tmp_path


@pytest.fixture
def scen() -> SCEN:
    torch.manual_seed(0)
    return SCEN(torch.randn(3, 4), torch.randn(3, 3), 6, ScenSettings()).eval()


@pytest.fixture
def store(tmp_path) -> RegionStore:
    paths = [tmp_path / "part-0.parquet", tmp_path / "part-1.parquet"]
    values = np.random.default_rng(0).normal(size=(12, GRID[0] * GRID[1], 6)).astype(np.float16)
    for path, rows in zip(paths, (np.arange(5), np.arange(5, 12)), strict=True):
        with write_shard(path, FeatureMap(6, *GRID), Provenance("test")) as writer:
            writer.add(rows, values[rows])
    return RegionStore(paths)


def sheets(**values) -> SheetSettings:
    given = {"count": 2, "seed": 0, "images": (), "attributes": 2, "overview_attributes": 1, "resize": "squash"}
    return SheetSettings(**{**given, **values})


def test_part_locations_follow_the_paths_asked_for(folder, index):
    found = read_part_locations(folder, index.paths[::-1][:2])
    assert found.names == ("beak", "left wing", "right wing")
    assert found.positions[:, :2].tolist() == [[[5, 5], [35, 25]]] * 2
    assert np.isnan(found.positions[:, 2]).all()
    assert read_part_locations(folder / "elsewhere", index.paths) is None


def test_a_broken_line_of_part_locations_is_named(folder, index):
    file = folder / "CUB_200_2011/parts/part_locs.txt"
    file.write_text("1 1 5.0 5.0 1\n1 2 x 4 1\n")
    with pytest.raises(InputError, match="part_locs.txt line 2 is '1 2 x 4 1'"):
        read_part_locations(folder, index.paths)
    file.write_text("1 9 5.0 5.0 1\n")
    with pytest.raises(InputError, match="line 1"):
        read_part_locations(folder, index.paths)
    with pytest.raises(InputError, match="does not list the image CUB_200_2011/images/x.jpg"):
        read_part_locations(folder, ["CUB_200_2011/images/x.jpg"])


def test_attention_of_some_images_is_that_of_the_model(store, scen, index):
    wanted = np.array([1, 4, 5, 11])
    batches = list(attend(store, scen, index, wanted, batch=1))
    assert [int(batch.positions[0]) for batch in batches] == [1, 4, 5, 11]
    everything = torch.from_numpy(np.concatenate([store.read(group) for group in store.groups]))
    local, _ = scen(everything[wanted])
    for batch, attention, semantic in zip(batches, local.attention, local.semantic, strict=True):
        assert batch.maps.shape == (1, 3, *GRID)
        assert np.allclose(batch.maps[0].reshape(3, -1), attention.detach().numpy().T, atol=1e-6)
        assert np.allclose(batch.scores[0], semantic.detach().numpy(), atol=1e-5)
        assert batch.whole.shape == (1, *GRID)


def test_a_validation_split_finds_its_images_by_their_rows(store, scen, index):
    part = replace(index, rows=index.rows[6:], paths=index.paths[6:], labels=index.labels[6:], split=index.split[6:])
    (batch,) = attend(store, scen, part, np.array([0, 5]))
    (same,) = (b for b in attend(store, scen, index, np.array([6, 11])))
    assert batch.positions.tolist() == [0, 5]
    assert np.array_equal(batch.maps, same.maps)


def test_named_images_come_first_and_random_ones_fill_up(index):
    chosen = chosen_images(index, sheets(images=("003.Wren/02.jpg",), count=3))
    assert chosen[0] == 2
    assert len(set(chosen.tolist())) == 3
    assert all(index.split[place] != "trainval" for place in chosen)
    with pytest.raises(InputError, match="attention.count is 90"):
        chosen_images(index, sheets(count=90))


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("crow.jpg",), "'crow.jpg', which fits no image; write its path below the data set's folder, such as {first}."),
        (("data/birds/{third}",), "'data/birds/{third}', which fits no image; write its path below the data set's folder, such as {third}."),
        (("003.Wren/02.jpg", "{third}"), "'003.Wren/02.jpg' and '{third}', which are one image; keep one."),
    ],
)  # fmt: skip
def test_names_of_images_that_fit_none_or_one_twice(index, names, said):
    known = {"first": index.paths[0], "third": index.paths[2]}
    with pytest.raises(InputError) as error:
        chosen_images(index, sheets(images=tuple(name.format(**known) for name in names), count=3))
    assert str(error.value) == f"config: attention.images names {said.format(**known)}"


def test_a_name_that_fits_several_images(index):
    twice = replace(index, paths=(*index.paths[:3], "b/" + index.paths[2], *index.paths[4:]))
    with pytest.raises(InputError) as error:
        chosen_images(twice, sheets(images=(Path(index.paths[2]).name,), count=3))
    assert "which fits 2 images; write more of the path, such as " in str(error.value)


def test_sheets_say_what_they_show(folder, index, store, scen):
    first, second = attention_sheets(index, store, scen, folder, sheets(images=("003.Wren/02.jpg",)))
    assert first.title == "Wren (unseen)"
    assert first.image.shape == (30, 40, 3)
    assert len(first.maps) == len(second.maps) == 2
    assert first.maps[0].score >= first.maps[1].score
    (square, _) = attention_sheets(index, store, scen, folder, sheets(resize="crop"))
    assert square.image.shape == (30, 30, 3)


def test_pointing_score_of_a_data_set(folder, index, store, scen):
    table = score_attention(index, store, scen, folder, "squash")
    assert list(table["attribute"]) == [pointing.ALL, pointing.PRESENT, *index.attributes[:2]]
    assert list(table["images"]) == [8, 8, 8, 8]  # 4 of the unseen class, 4 seen ones for testing
    assert table["chance"].to_numpy() == pytest.approx([8.33] * 4)  # one region of twelve; one wing is hidden
    assert (table["pointing"] - table["mean_map"]).to_numpy() == pytest.approx(table["above_mean_map"], abs=0.011)


def test_parts_are_looked_for_where_the_upright_pictures_show_them(folder, index, store, scen):
    """Stored on their side, 40 × 30: they stand upright with 30 × 40, the beak at (25, 5), the wing at (5, 35)."""
    from PIL import Image

    exif = Image.Exif()
    exif[0x0112] = 6
    for path in index.paths:
        Image.new("RGB", (40, 30), "teal").save(folder / path, exif=exif)
    turned = score_attention(index, store, scen, folder, "crop")
    for path in index.paths:
        Image.new("RGB", (30, 40), "teal").save(folder / path)
    file = folder / "CUB_200_2011/parts/part_locs.txt"
    file.write_text(file.read_text().replace("5.0 5.0", "25.0 5.0").replace("35.0 25.0", "5.0 35.0"))
    assert turned.equals(score_attention(index, store, scen, folder, "crop"))


def test_without_part_locations_there_is_the_correlation_alone(tmp_path, index, store, scen):
    table = score_attention(index, store, scen, tmp_path / "none", "squash")
    assert list(table["attribute"]) == [pointing.ALL]
    assert np.isnan(table["pointing"][0]) and np.isfinite(table["correlation"][0])


def test_margin_by_hand():
    maps = np.zeros((4, 2, 3))
    maps[:, 0, 0] = 1.0  # points at region 0
    maps[:, 1, 1] = 1.5  # and so does the mean map at region 1
    regions = np.array([[0], [0], [0], [1]])
    found = pointing.point(maps, regions, np.array([[True], [False]]))
    row = pointing.pointing_table(found, ["a", "b"], ["beak", ""]).iloc[1]
    assert (row["pointing"], row["mean_map"], row["above_mean_map"]) == (75, 25, 50)
    assert row["margin"] == pytest.approx(98, abs=0.01)  # differences 1, 1, 1, -1: 1.96 · 1 / √4


def predictions(labels, predicted, classes=(0, 1, 2)) -> Predictions:
    scores = (np.array(classes) == np.array(predicted)[:, None]).astype(np.float32)
    return Predictions(np.arange(len(labels)), np.array(labels), scores, np.array(classes))


def test_classes_are_counted_over_seeds_but_images_once(index):
    runs = (predictions([0, 0, 2, 2], [0, 1, 2, 2]), predictions([0, 0, 2, 2], [0, 0, 2, 1]))
    table = class_rows(iter([VariantRuns("sc-egg", "SC-EGG", runs)]), index, "gzsl")
    assert table[["seeds", "images", "accuracy"]].to_numpy().tolist() == [[2, 2, 75.0], [2, 2, 75.0]]
    assert list(table["most_often_taken_for"]) == ["002.Gull", "002.Gull"]


def test_operating_points_are_the_predictions_as_they_are(index):
    runs = (predictions([0, 1, 2, 2], [0, 2, 2, 0]),)
    (curves,) = trade_offs(iter([VariantRuns("a", "A", runs)]), index)
    assert curves.points == ((0.5, 0.5),)
    assert len(curves.curves) == 1


def test_confusion_of_the_unseen_classes(index):
    runs = VariantRuns("a", "A", (predictions([2, 2], [2, 0]), predictions([2, 2], [2, 2])))
    figure = confusion_picture(runs, index, "gzsl")
    assert figure.axes[0].get_title() == "A, GZSL, 2 seeds pooled"
    assert figure.axes[0].images[0].get_array().tolist() == [[75.0, 25.0]]


def test_a_confusion_of_many_classes_shows_those_with_most_images(index):
    index, labels = replace(index, seen=np.array([True, False, False])), np.array([0, 0, 0, 1, 2, 2])
    shown, other = shown_classes(index, labels)
    assert (shown.tolist(), other) == ([1, 2], "any seen class")
    shown, other = shown_classes(index, labels, most=1)
    assert (shown.tolist(), other) == ([2], "any other class")


def test_stored_runs_are_read_one_by_one_in_their_order(index, tmp_path):
    paths = [str(tmp_path / f"{seed}.parquet") for seed in range(3)]
    for path, taken in zip(paths, (2, 0, 1), strict=True):
        write_predictions(Path(path), predictions([0, 2], [0, taken]), Provenance("predict"))
    names = RunNames(runs=(("a", 0), ("b", 0), ("a", 1)), titles={"a": "A", "b": "B"})
    first, second = read_runs(paths, names)
    assert (first.title, len(first.runs), second.title, len(second.runs)) == ("A", 2, "B", 1)
    assert [part.tolist() for part in first.pooled()] == [[0, 2, 0, 2], [0, 2, 0, 1]]
    assert second.runs[0].predicted.tolist() == [0, 0]


def test_curves_of_seeds_and_stages_make_one_table(tmp_path):
    made = Provenance("test")
    for name, stage in (("a", "1"), ("b", "1"), ("c", "3")):
        Curve([(stage, 1, "L", 0.5), (stage, 2, "L", 0.25)]).write(tmp_path / name, made)
    curves = read_curves([tmp_path / "a", tmp_path / "b", tmp_path / "c"], [0, 1, 0])
    write_curves(tmp_path / "curves.parquet", curves, made)
    found = read_table(tmp_path / "curves.parquet", "curves").to_pandas()
    assert list(found.columns) == ["seed", "stage", "epoch", "term", "value"]
    assert list(found["seed"]) == [0, 0, 1, 1, 0, 0]
    assert pd.read_parquet(tmp_path / "curves.parquet").equals(found)


def result(variant: str, seed: int) -> RunResult:
    words = {"dataset": "Aviary", "title": variant, "backbone": "r", "weights": "w", "selection": "last"}
    return RunResult(variant=variant, seed=seed, image_size=96, acc=0.5, u=0.5, s=0.5, h=0.5, ausuc=0.5, **words)


def table_settings() -> tabulate.TableSettings:
    return tabulate.TableSettings(
        dataset="Aviary",
        published=None,
        generated=True,
        backbone="r",
        weights="w",
        image_size=96,
        backbone_state="frozen",
        titles={"sc-egg": "SC-EGG", "len": "LEN"},
        selection={"sc-egg": "last", "len": "last"},
        tuned={},
        runs=(("sc-egg", 0), ("sc-egg", 1), ("len", 0)),
        reference="sc-egg",
    )


def test_remarks_name_what_is_missing_by_each_variants_own_seeds():
    found = tabulate.remarks([result("sc-egg", 1)], table_settings())
    assert found[0].startswith("Aviary is a generated data set")
    assert found[1:] == ["Missing: sc-egg lacks seed 0.", "Missing: len has no results yet."]
    more = tabulate.ablation_remarks([result("sc-egg", 0), result("sc-egg", 1), result("len", 0)], table_settings())
    assert more[1] == "Missing: baseline has no results yet."
    assert len(more) == 6


def test_remarks_name_classes_that_no_test_image_shows_and_say_what_oracle_columns_are():
    runs = [replace(result("sc-egg", seed), without_images=("Wren", "Auk")) for seed in (0, 1)]
    runs.append(replace(result("len", 0), oracle={"Acc": 1.0, "U": 1.0, "S": 1.0, "H": 1.0}))
    assert tabulate.remarks(runs, table_settings())[1:] == [
        "Classes without test images do not count: Auk, Wren.",
        "Columns oracle: the best epoch on the test set, as released codes report; never the result.",
    ]


def test_a_page_needs_nothing_else_and_escapes():
    table = pd.DataFrame({"title": ["a<b", "c"], "H": [1.0, 2.0], "H_std": [0.5, 0.5]})
    page = typeset.to_page("R & S", table, ["x > y"])
    assert "<td>a&lt;b</td>" in page and "<h1>R &amp; S</h1>" in page and "<li>x &gt; y</li>" in page
    assert '<td class="number"><b>2.00<br><small>± 0.50</small></b></td>' in page
    assert "http" not in page and "src=" not in page
    assert "No results." in typeset.to_page("empty", pd.DataFrame())


@pytest.mark.slow
def test_the_code_of_tables_and_pictures_is_reached_by_no_training():
    from scegg_core.workflow.code import reachable

    def rooms(script: Path) -> set[str]:
        return {path.relative_to(ROOT / "scegg_core").parts[0] for path in reachable(script, ROOT)}

    for name in ("train_scen", "embed_images", "train_eggn", "synthesize", "train_classifier", "predict", "score"):
        assert "report" not in rooms(ROOT / f"workflow_scripts/{name}.py"), name
    for name in ("tabulate", "summarize", "count_classes", "plot_curves", "plot_tradeoff", "plot_confusion"):
        assert not {"scen", "eggn", "regions"} & rooms(ROOT / f"workflow_scripts/{name}.py"), name


def test_unknown_names_in_the_sections_of_pictures_are_refused():

    import yaml

    from scegg_core.settings.resolve import read_configuration

    values = yaml.safe_load((ROOT / "config.yaml").read_text())
    for section, sentence in (
        ({"tables": {"summary": ["moon"]}}, "datasets has no 'moon'"),
        ({"tsne": {"variants": ["len"]}}, "generates no features"),
        ({"attention": {"space": "backbone"}}, "has no SCEN"),
        ({"attention": {"count": 1, "images": {"cub": ["a", "b"]}}}, "names 2 images of cub"),
        ({"confusion": {"variants": ["x"]}}, "variants has no 'x'"),
    ):
        with pytest.raises(InputError, match=sentence):
            read_configuration({**values, **section})


@pytest.mark.slow
def test_scores_and_tables_are_made_without_torch():
    # importing torch takes longer than the work of these jobs, and there are a dozen of them in a table
    modules = "scegg_core.classify.predictions, scegg_core.report.rows, scegg_core.report.classes, scegg_core.report.figures.tradeoff"
    check = f"import sys, {modules}, scegg_core.report.figures.confusion; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0
