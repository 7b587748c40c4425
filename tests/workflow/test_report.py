"""Tables, pictures and the report of the reduced aviary."""

import json
import re
import subprocess
import sys

import pandas as pd
import pytest

from tests.workflow.conftest import TINY, Workflow, copy_run, rules_in

pytestmark = pytest.mark.slow

TABLES = ("table", "ablation", "paired", "seeds", "per_class", "tsne", "attention")
PICTURES = (
    *("tsne.png", "tradeoff.png", "attention/01.png", "attention/02.png", "attention/overview.png"),
    *("variants/sc-egg/confusion.png", "variants/sc-egg/curves.png", "variants/baseline/curves.png"),
)


@pytest.fixture(scope="module")
def results(finished):
    return finished.folder / "results" / "aviary"


@pytest.fixture
def copy(finished, tmp_path) -> Workflow:
    """The finished run, to be changed."""
    (tmp_path / "work").mkdir()
    return copy_run(finished, tmp_path / "work")


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_there(results, name):
    data = (results / name).read_bytes()
    assert data.startswith(b"\x89PNG") and len(data) > 5000


def test_the_page_has_every_section_and_what_the_artifacts_hold(results):
    page = (results / "page.html").read_text()
    sections = ["run", "results", "tradeoff", "spaces", "attention", "confusion", "classes", "training", "describe"]
    assert re.findall(r'<section id="(\w+)">', page) == sections
    data = json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page).group(1))
    labels = pd.read_parquet(results / "test_labels.parquet")
    assert data["pictures"]["labels"] == labels["label"].tolist() and None not in data["pictures"]["thumbnails"]
    assert data["description"]["semantics"]["shape"] == [
        len(labels),
        len(pd.read_parquet(results / "attributes.parquet")),
    ]
    points = pd.read_csv(results / "tsne_points.csv", keep_default_na=False)
    assert [len(space["x"]) for space in data["spaces"]] == points.groupby("space", sort=False).size().tolist()
    assert {row for space in data["spaces"] for row in space["pictures"]} > {-1}
    assert len(data["trade_offs"]) == len(pd.read_csv(results / "table.csv"))


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_there_as_csv_and_as_a_page(results, name):
    assert len(pd.read_csv(results / f"{name}.csv")) >= 1
    page = (results / f"{name}.html").read_text()
    assert page.startswith("<!doctype html>") and "<td" in page


def test_table_is_there_in_markdown_and_latex(results):
    for stem in ("table", "ablation"):
        assert "demonstration, no benchmark" in (results / f"{stem}.md").read_text()
        assert r"\bottomrule" in (results / f"{stem}.tex").read_text()


def test_ablation_names_what_the_table_leaves_out(results):
    assert list(pd.read_csv(results / "ablation.csv")["variant"]) == ["baseline", "sc-egg"]
    assert "Missing: wo-scr has no results yet." in (results / "ablation.md").read_text()


def test_summary_says_what_every_row_is_made_with(finished):
    table = pd.read_csv(finished.folder / "results/summary.csv")
    learned, closed = ["SC-EGG", "TF-VAEGAN (baseline)", "LEN alone"], "ridge prototypes (closed form)"
    assert list(table["method"]) == [*learned, closed, "ESZSL (closed form)"]
    assert table[["backbone", "weights", "image_size", "selection", "seeds"]].notna().all(axis=None)


def test_curves_hold_all_stages_of_all_seeds(results):
    curves = pd.read_parquet(results / "variants/sc-egg/curves.parquet")
    assert set(curves["seed"]) == {0, 1}
    assert set(curves["stage"]) == {"1", "2", "3"}
    assert {"wasserstein", "penalty", "L_LCE"} <= set(curves["term"])
    assert set(pd.read_parquet(results / "variants/len/curves.parquet")["stage"]) == {"1", "2"}


def test_classes_of_both_tasks_are_counted(results):
    table = pd.read_csv(results / "per_class.csv")
    assert set(table["variant"]) == {"sc-egg", "baseline", "len", "prototype", "eszsl"}
    assert (table.groupby(["variant", "task"]).size().unstack()["CZSL"] == 3).all()


def test_pointing_is_scored_against_chance_and_the_mean_map(results):
    table = pd.read_csv(results / "attention.csv")
    assert table["attribute"][0] == "all part-bound attributes"
    assert table[["pointing", "chance", "mean_map", "correlation"]].notna().all(axis=None)


def test_a_missing_variant_is_named_and_nothing_is_trained(copy, tmp_path):
    overlay = tmp_path / "missing.yaml"
    overlay.write_text("tables: {missing: name}\ndatasets: {aviary: {variants: [sc-egg, baseline, len, wo-egs]}}\n")
    done = copy.run(overlays=(TINY, overlay))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tabulate" in rules_in(done.stderr)
    assert not [rule for rule in rules_in(done.stderr) if rule.startswith("train_")]
    assert "Missing: wo-egs has no results yet." in (copy.folder / "results/aviary/table.md").read_text()
    assert "wo-egs has no results yet" in (copy.folder / "results/aviary/table.html").read_text()
    assert len(pd.read_csv(copy.folder / "results/aviary/table.csv")) == 3


def test_the_picture_of_spaces_misses_rows_alone(copy, tmp_path):
    overlay = tmp_path / "rows.yaml"
    overlay.write_text("tables: {missing: name}\ndatasets: {aviary: {variants: [baseline]}}\n")
    done = copy.run("results/aviary/tsne.csv", overlays=(TINY, overlay))
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(pd.read_csv(copy.folder / "results/aviary/tsne.csv")["space"]) == ["TF-VAEGAN (baseline)"]
    assert "Missing" not in (copy.folder / "results/aviary/tsne.html").read_text()
    (copy.folder / "results/aviary/variants/sc-egg/seed0/synthetic_unseen.parquet").unlink()
    overlay.write_text("tables: {missing: name}\ndatasets: {aviary: {variants: [baseline, sc-egg]}}\n")
    assert copy.run("results/aviary/tsne.csv", overlays=(TINY, overlay)).returncode == 0
    assert (
        "Missing: sc-egg is not drawn, it has no features yet."
        in (copy.folder / "results/aviary/tsne.html").read_text()
    )


def test_report_holds_everything_and_loads_nothing(copy):
    command = [sys.executable, "-m", "snakemake", "--snakefile", copy.project / "Snakefile", "--directory", copy.folder]
    command += ["--cores", "1", "--configfile", TINY, "--report", copy.folder / "report.html"]
    command += ["--report-stylesheet", copy.project / "report/style.css"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    page = (copy.folder / "report.html").read_text()
    for name in (*PICTURES, *(f"{table}.html" for table in TABLES), *(f"{table}.csv" for table in TABLES)):
        assert f'"results/aviary/{name}"' in page, name
    first = re.search(r'<script id="workflow-desc">(.*?)</script>', page, re.DOTALL).group(1)
    assert "<td>SC-EGG</td>" in first and 'href=\\"results/aviary/page.html\\"' in first
    assert "results['results/aviary/table.html'].data_uri" in first
    assert "the paper's Fig. 4" in page.replace("&#x27;", "'").replace("&#8217;", "'").replace("’", "'")
    assert not re.search(r"""<(script|link|img)[^>]+(src|href)=["']https?:""", page)
