"""The whole workflow on a reduced aviary: what comes out, what a second run does, what an edit re-runs."""

import re

import pandas as pd
import pytest

from tests.reliability import kill
from tests.workflow.conftest import ROOT, TINY, Workflow, rules_in
from tests.workflow.edits import CLASSIFIER, EDITS, GENERATOR, SPACES, SYNTHESIS, undo

pytestmark = pytest.mark.slow
RUNS = "results/aviary/variants"


def test_table_has_a_row_per_variant(finished):
    table = pd.read_csv(finished.folder / "results/aviary/table.csv")
    assert list(table["variant"]) == ["sc-egg", "baseline", "len", "prototype", "eszsl"]
    assert list(table["seeds"]) == [2, 2, 2, 1, 1]
    for metric in ("Acc", "U", "S", "H"):
        assert table[metric].between(0, 100).all()
        assert table[f"{metric}_std"].notna().tolist() == [True, True, True, False, False]
    assert (table["backbone"] == "resnet18").all()
    assert (table["image_size"] == 64).all()


def test_the_readmes_picture_has_the_rules_of_the_demo(finished):
    drawn = set(re.findall(r"label=(\w+)", (ROOT / "docs/images/rulegraph.dot").read_text(encoding="utf-8")))
    assert drawn == finished.dry("--forceall", overlays=(ROOT / "config.yaml",)), "run: make rulegraph"


def test_pictures_are_there(finished):
    for name in ("tsne.png", "tsne.pdf"):
        assert (finished.folder / "results/aviary" / name).stat().st_size > 5000


def test_second_run_has_nothing_to_do(finished):
    done = finished.run()
    assert "Nothing to be done" in done.stdout + done.stderr
    assert f"    {finished.folder}/results/summary.csv" in done.stderr.splitlines()


def test_a_run_says_each_stage_in_a_line_and_last_where_the_results_lie(finished):
    lines = (finished.folder.parent / "said").read_text(encoding="utf-8").splitlines()
    count = int(re.fullmatch(r"SC-EGG: (\d+) jobs done in [\d:]+\.", next(x for x in lines if "jobs done" in x))[1])
    stages = [re.fullmatch(rf" *(\d+) of {count}  [\d:]+  (.+)", line) for line in lines]
    stages = {found[2]: int(found[1]) for found in stages if found}
    assert list(stages.values()) == list(range(1, count))  # the last names what was asked for, and makes nothing
    assert stages["aviary: index_dataset"] < stages["aviary, sc-egg, seed 1: train_eggn"] < stages["aviary: tabulate"]
    results = lines[lines.index(next(line for line in lines if "jobs done" in line)) + 1 :]
    assert all((finished.folder / line.split(",")[0].replace("/  ", "/").strip()).is_file() for line in results)
    assert any(line.startswith(f"    {finished.folder}/results/aviary/  ") for line in results)
    assert len(lines) < 2 * count


def test_every_artifact_is_readable_with_pandas_alone(finished):
    files = list((finished.folder / "results").rglob("*.parquet"))
    assert len(files) > 20
    for file in files:
        assert len(pd.read_parquet(file)) > 0


def test_no_artifact_names_this_machine(finished):
    for file in (finished.folder / "results").rglob("*"):
        if file.suffix in (".parquet", ".safetensors", ".json", ".csv", ".md"):
            content = file.read_bytes()
            assert str(finished.folder).encode() not in content
            assert str(finished.project).encode() not in content


def test_same_seed_gives_the_same_bytes(finished, tmp_path):
    """From nothing to the metrics, on pooled features. On those of SCEN all is made twice in test_kill.py and, as the rows
    without a generator, in test_selection_on_validation.py; that the same metrics give the same tables is seen in
    test_faults.py."""
    overlay = tmp_path / "one_seed.yaml"
    overlay.write_text("datasets: {aviary: {seeds: [0]}}\n")
    again = Workflow(finished.project, tmp_path / "again")
    again.folder.mkdir()
    metrics = f"{RUNS}/baseline/seed0/metrics.json"
    done = again.run(metrics, overlays=(TINY, overlay))
    assert done.returncode == 0, done.stderr
    made, before = kill.contents(again.folder), kill.contents(finished.folder)
    assert metrics in made
    for path, content in made.items():
        assert content == before[path], path


@pytest.mark.parametrize("edit", [edit for edit in EDITS if edit.rules], ids=lambda edit: edit.what)
def test_editing_a_definition_reruns_what_reaches_it(finished, edit):
    before = edit.make(finished.project)
    try:
        assert finished.dry() - {"all"} == edit.rules
    finally:
        undo(before)


def test_edits_that_change_no_result_rerun_nothing(finished):
    """All of them at once: docstrings, descriptions, what nothing uses, what is moved."""
    edits = [edit for edit in EDITS if not edit.rules]
    assert len(edits) == 4
    before = {}
    try:
        for edit in edits:
            before = edit.make(finished.project) | before
        assert finished.dry() == set()
    finally:
        undo(before)


@pytest.mark.parametrize(
    ("change", "rules"),
    [
        ("classifier: {epochs: 3}", CLASSIFIER),
        ("eggn: {epochs: 2}", GENERATOR),
        ("scen: {stage1_epochs: 2}", SPACES),
        ("synthesis: {per_class: 6}", SYNTHESIS),
        ("attribute_vectors: {epochs: 2}", SPACES | {"embed_attributes"}),
        ("attribute_vectors: {source: word2vec, path: config.yaml}", SPACES | {"embed_attributes"}),
    ],
)
def test_changing_a_setting_reruns_what_uses_it(finished, tmp_path, change, rules):
    overlay = tmp_path / "change.yaml"
    overlay.write_text(f"datasets: {{aviary: {{{change}}}}}\n")
    assert finished.dry(overlays=(TINY, overlay)) - {"all"} == rules


def test_settings_that_exchange_their_values_are_seen(finished, tmp_path):
    overlay = tmp_path / "change.yaml"
    overlay.write_text("datasets: {aviary: {shards: 1, threads: 2}}\n")  # 2 and 1 before
    assert "extract_regions" in finished.dry(overlays=(TINY, overlay))


def test_a_new_seed_runs_only_its_own_jobs(finished, tmp_path):
    overlay = tmp_path / "seed.yaml"
    overlay.write_text("datasets: {aviary: {seeds: [0, 1, 2]}}\n")
    done = finished.run("--dry-run", overlays=(TINY, overlay))
    text = done.stdout + done.stderr
    jobs = [line for line in text.splitlines() if line.strip().startswith("wildcards:") and "seed=" in line]
    assert jobs
    assert all("seed=2" in line for line in jobs)


def test_a_new_variant_runs_only_its_own_jobs(finished, tmp_path):
    overlay = tmp_path / "variant.yaml"
    overlay.write_text("datasets: {aviary: {variants: [sc-egg, baseline, len, f-vaegan]}}\n")
    done = finished.run("--dry-run", overlays=(TINY, overlay))
    text = done.stdout + done.stderr
    jobs = [line for line in text.splitlines() if line.strip().startswith("wildcards:") and "variant=" in line]
    assert jobs
    assert all("variant=f-vaegan" in line for line in jobs)
    assert not rules_in(text) & {"train_scen", "embed_images", "pool_images", "extract_regions"}


def test_tables_say_on_what_they_were_computed(finished):
    assert (
        "- Aviary was computed on cpu, 1 thread, deterministic."
        in (finished.folder / "results/aviary/table.md").read_text()
    )
    assert set(pd.read_csv(finished.folder / "results/aviary/seeds.csv")["computed"]) == {
        "cpu, 1 thread, deterministic"
    }
