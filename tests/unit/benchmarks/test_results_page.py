"""The page of results: it says what the kept tables say, and a run is kept only with what its own records tell of it."""

import csv
import json
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from table_case import run as table_run

from benchmarks.lineage import Job, busy_seconds
from benchmarks.reference_runs import FOLDER, ReferenceRun, keep, read_run
from benchmarks.results_page import PAGES, PART, filled, keep_run, part, shown_differences, spoken
from scegg_core.artifacts.files import file_digest
from scegg_core.errors import InputError
from scegg_core.report.spaces import Method, spaces_table
from scegg_core.workflow.digests import code_digests
from tests.conftest import ROOT

KEPT = sorted(path.parent for path in (ROOT / FOLDER).glob("*/run.json"))
TABLE = """dataset,variant,title,seeds,threads,H,H_std,h_low,h_high,differs
Birds,sc-egg,SC-EGG,3,1,55.25,1.5,52.0,58.5,
Birds,len,LEN alone,3,1,40.0,1.0,38.0,42.0,
Birds,prototype,ridge,1,1,60.0,,57.0,63.0,seeds 1
"""
PAIRED = """dataset,variant,title,reference,seeds,H,H_std,h_low,h_high,h_sign
Birds,len,LEN alone,sc-egg,3,-15.25,1.0,-18.0,-12.0,100.0
"""


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_page_and_tables_agree(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert filled(text, ROOT / FOLDER) == text, "run: make results-page"


def test_every_kept_run_is_on_the_page_with_what_made_it():
    shown = {(found[2], found[3]) for found in PART.finditer((ROOT / PAGES[0]).read_text(encoding="utf-8"))}
    kept = {(folder.name, Path(table).stem) for folder in KEPT for table in read_run(folder).tables}
    assert shown == kept | {(folder.name, "about") for folder in KEPT}


def test_every_mean_and_deviation_is_on_the_page():
    """Read without the code that writes the page."""
    lines = (ROOT / PAGES[0]).read_text(encoding="utf-8").splitlines()
    for folder in (folder for folder in KEPT if (folder / "table.csv").exists()):
        rows = list(csv.DictReader((folder / "table.csv").read_text(encoding="utf-8").splitlines()))
        assert rows
        for row in rows:
            cell = f"{float(row['H']):.2f}" + (f" ± {float(row['H_std']):.2f}" if row["H_std"] else "")
            assert any(row["title"] in line and cell in line for line in lines), (folder.name, row["variant"])


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A repository with one script, whose run made the two tables from a file that the user brought."""
    script, run = tmp_path / "workflow_scripts/tabulate.py", tmp_path / "results/birds"
    for path, text in (
        (script, "print()\n"),
        (run / "table.csv", TABLE),
        (run / "paired.csv", PAIRED),
        (run / "metrics.json", "{}"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (run / ".made").mkdir()
    digest = code_digests(script.parent, tmp_path, tmp_path / "memory.json")["tabulate"]
    inputs = {"table.csv": ["results/birds/metrics.json", "mine.csv"], "paired.csv": [], "metrics.json": []}
    for name, own in inputs.items():
        record = {"rule": "tabulate", "code": '  "../workflow_scripts/tabulate.py"\n', "log": [f"{name[0]}.log"]}
        record |= {"params": [repr(digest), "'settings'"], "input": own, "starttime": 1e9, "endtime": 1e9 + 60}
        content = {"record": record, "file": {"digest": file_digest(run / name)}}
        (run / ".made" / f"{name}.json").write_text(json.dumps(content))
    (tmp_path / ".gitignore").write_text("results\n.snakemake\nmemory.json\n")
    _git(tmp_path, "init", "--quiet")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "one")
    return tmp_path


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def test_a_run_is_kept_with_commit_day_and_times_of_its_own_records(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    run = keep_run("birds", Path("results/birds"), "make birds", "a machine")
    assert read_run(FOLDER / "birds") == run
    assert (run.commit, run.command, run.machine) == (_git(checkout, "rev-parse", "HEAD"), "make birds", "a machine")
    assert (run.finished, run.seconds, run.added_up) == ("2001-09-09", 60, 180)
    assert (FOLDER / "birds/table.csv").read_text() == TABLE
    lines = part(FOLDER / "birds", "table").splitlines()
    assert lines[2] == "| SC-EGG | 3 | **55.25 ± 1.50** | 52.0 to 58.5 |"
    assert lines[4] == "| ridge ‡ | 1 | 60.00 | 57.0 to 63.0 |"
    assert "| LEN alone | -15.25 ± 1.00 | -18.0 to -12.0 | 100.00 |" in part(FOLDER / "birds", "paired")
    assert "| finished | 9 September 2001 |" in part(FOLDER / "birds", "about")


def test_an_empty_table_of_differences_is_left_out(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    run = Path("results/birds")
    (run / "paired.csv").write_text("\n")
    record = run / ".made/paired.csv.json"
    content = json.loads(record.read_text())
    record.write_text(json.dumps(content | {"file": {"digest": file_digest(run / "paired.csv")}}))
    assert list(keep_run("birds", run, "make birds").tables) == ["table.csv"]
    assert not (FOLDER / "birds/paired.csv").exists()


def test_a_table_that_a_run_does_not_keep_is_not_shown(checkout, monkeypatch):
    """A run kept before under this name had differences: the new one, which has none, does not show those."""
    monkeypatch.chdir(checkout)
    keep_run("birds", Path("results/birds"), "make birds")
    assert "-15.25" in part(FOLDER / "birds", "paired")
    table = {"table.csv": TABLE.encode()}
    keep(FOLDER / "birds", table, [Path("results/birds/table.csv").resolve()], checkout.resolve(), "make birds")
    assert not (FOLDER / "birds/paired.csv").exists()
    (FOLDER / "birds/paired.csv").write_text(PAIRED)
    for kind in ("paired", "leads", "spaces"):
        with pytest.raises(InputError, match=r"birds keeps no (paired|spaces)\.csv; take its mark"):
            part(FOLDER / "birds", kind)


def test_a_table_of_methods_on_both_spaces_is_kept_alone(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    run = Path("results/birds")
    runs = [table_run(variant, h=h, resampled=np.full((5, 10), h)) for variant, h in (("a", 0.5), ("b", 0.6))]
    table = spaces_table(runs, [Method(title="FREE", variants={"backbone": "a", "sc-egg": "b"})])
    (run / "spaces.csv").write_text(table.to_csv(index=False))
    record = json.loads((run / ".made/paired.csv.json").read_text())
    changed = record | {"file": {"digest": file_digest(run / "spaces.csv")}}
    (run / ".made/spaces.csv.json").write_text(json.dumps(changed))
    assert list(keep_run("birds", run, "make birds").tables) == ["table.csv", "paired.csv", "spaces.csv"]
    (run / "table.csv").unlink()
    assert list(keep_run("spaces", run, "make birds").tables) == ["spaces.csv"]
    text = part(FOLDER / "spaces", "spaces")
    assert "| FREE | backbone |" in text and "| FREE | sc-egg | backbone | +" in text
    assert "of 1 methods, H is higher for 1 and lower for 0" in text


def test_what_does_not_fit_its_commit_or_its_records_is_not_kept(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    run, script = Path("results/birds"), Path("workflow_scripts/tabulate.py")
    script.write_text("print(1)\n")
    with pytest.raises(InputError, match=r"differs from its commit \(workflow_scripts/tabulate.py\); commit first"):
        keep_run("birds", run, "make birds")
    _git(checkout, "-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--all", "--message", "two")
    with pytest.raises(InputError, match=r"rule tabulate ran other code than that of this commit"):
        keep_run("birds", run, "make birds")
    (run / "table.csv").write_text(TABLE.replace("55.25", "65.25"))
    with pytest.raises(InputError, match=r"table.csv is not the file that was made"):
        keep_run("birds", run, "make birds")
    (run / ".made/table.csv.json").unlink()
    with pytest.raises(InputError, match=r"nothing says how .*table.csv was made"):
        keep_run("birds", run, "make birds")
    (run / "paired.csv").unlink()
    with pytest.raises(InputError, match=r"paired.csv is missing; run the command first"):
        keep_run("birds", run, "make birds")
    assert not FOLDER.exists()


def test_an_edited_number_or_record_is_refused(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    keep_run("birds", Path("results/birds"), "make birds")
    (FOLDER / "birds/table.csv").write_text(TABLE.replace("55.25", "65.25"))
    with pytest.raises(InputError, match=r"birds/table.csv is not the table that was kept"):
        filled("<!-- run: birds table -->\n<!-- run end -->")
    record = json.loads((FOLDER / "birds/run.json").read_text())
    others = ({"tables": None}, {"finished": "x"}, {"seconds": "12"}, {"more": 1})
    for text in ('{"command": "make birds"}', *(json.dumps(record | other) for other in others)):
        (FOLDER / "birds/run.json").write_text(text)
        with pytest.raises(InputError, match=r"run.json is no record of a run \(command, commit, "):
            filled("<!-- run: birds table -->\n<!-- run end -->")


MARKS = (
    "<!-- run: birds tables -->",
    "<!-- rnu: birds table -->",
    "<!-- Run: birds table -->",
    "<!-- run: birds table ->",
)


@pytest.mark.parametrize("end", ["<!-- run end -->", "<!-- run ned -->", "<!-- run end", ""])
@pytest.mark.parametrize("begin", [*MARKS, "<!-- run: birds table -->", ""])
def test_a_mark_that_begins_or_ends_no_part_is_refused_and_no_other_part_goes_with_it(begin, end):
    page = f"{begin}\nold numbers\n{end}\n"
    if "<!--" not in page:
        return
    if (begin, end) == ("<!-- run: birds table -->", "<!-- run end -->"):
        with pytest.raises(InputError, match="birds keeps no run; kept are "):
            filled(page)
        return
    with pytest.raises(InputError, match="begins or ends no part of the page"):
        filled(f"{page}\n<!-- run: aviary table -->\nnumbers\n<!-- run end -->\n", ROOT / FOLDER)


def test_leads_are_those_over_backbones_and_no_other_row_is_no_difference(checkout, monkeypatch):
    monkeypatch.chdir(checkout)
    keep_run("birds", Path("results/birds"), "make birds | tee log")
    assert r"| command | `make birds \| tee log` |" in part(FOLDER / "birds", "about")
    with pytest.raises(InputError, match=r"paired.csv is not over several backbones, so it says nothing of leads"):
        part(FOLDER / "birds", "leads")
    assert shown_differences(pd.DataFrame()) == "There is no other row to compare with.\n"


def test_old_tables_without_marks_are_not_ranked_and_say_what_they_lack(tmp_path):
    plain = "\n".join(",".join(line.split(",")[:7]) for line in TABLE.splitlines())
    (tmp_path / "table.csv").write_text(plain)
    record = ReferenceRun(
        "make", "0" * 40, "2026-11-27", {"table.csv": file_digest(tmp_path / "table.csv")}, remark="old"
    )
    (tmp_path / "run.json").write_text(json.dumps(record.__dict__))
    assert "**" not in part(tmp_path, "table") and "95 %" not in part(tmp_path, "table")
    assert part(tmp_path, "about").splitlines()[2:] == [
        "| command | `make` |", "| commit | `000000000000` |", "| finished | 27 November 2026 |", "| remark | old |",
    ]  # fmt: skip


def test_pauses_do_not_count_and_work_side_by_side_counts_once():
    jobs = [Job("a", "a", str(begin), begin, end, ()) for begin, end in ((0, 10), (5, 12), (6, 8), (100, 105))]
    assert busy_seconds(jobs) == 17
    assert [spoken(seconds) for seconds in (50, 1018, 5640)] == ["50 s", "17 min", "1 h 34 min"]
