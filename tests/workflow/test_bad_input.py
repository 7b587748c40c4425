"""Bad input gets one sentence that names file and value, before any job starts or from the first that meets it."""

import re
import subprocess

import pytest

from tests.workflow.conftest import ROOT, TINY, Workflow, copy_project


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Workflow:
    """A project in which nothing has run."""
    base = tmp_path_factory.mktemp("fresh")
    workflow = Workflow(copy_project(base / "project"), base / "work")
    workflow.folder.mkdir()
    return workflow


KNOWN = "known: aviary, awa2, cub, sun."
TABLE = "results/aviary/table.csv"


@pytest.mark.parametrize(
    ("overlay", "target", "sentence"),
    [
        ("eggn: {epocs: 3}", TABLE, "config: eggn.epocs is not a known setting (did you mean epochs?)."),
        (
            "datasets: {aviary: {backbone: {network: resnet19}}}",
            TABLE,
            "config: datasets.aviary.backbone.network is 'resnet19', which torchvision does not have; did you mean resnet18",
        ),
        (
            "variants: {x: {space: nowhere}}",
            "results/aviary/variants/x/seed0/metrics.json",
            "config: spaces has no 'nowhere'; ",
        ),
        ("tuning: {}", "results/aviary/tuning.csv", "config: section tuning has no grid, so nothing can be compared"),
        (
            "run: {}",
            "results/aviary/variants/f-vaegan/confusion.png",
            "config: datasets.aviary.variants has no 'f-vaegan'; add it.",
        ),
        ("run: {}", "results/aviary/variants/eszsl/curves.png", "variant 'eszsl' of aviary has no training curves."),
        *(
            (
                "tables: {missing: name}",
                f"results/aviary/{picture}",
                f"{name} has no run yet, and tables.missing is 'name'",
            )
            for picture, name in (
                ("variants/sc-egg/confusion.png", "confusion of sc-egg on aviary"),
                ("tsne.png", "t-SNE of aviary"),
                ("attention.csv", "attention of aviary"),
                ("attention/overview.png", "attention of aviary"),
            )
        ),
        ("run: {}", "check_birds", f"config: datasets has no 'birds'; {KNOWN}"),
        ("run: {}", "results/birds/table.csv", f"config: datasets has no 'birds'; {KNOWN}"),
        (
            "run: {}",
            "results/aviary/tabel.csv",
            "no rule makes results/aviary/tabel.csv; did you mean results/aviary/table.csv?",
        ),
        (
            "run: {}",
            "results/aviary/variants/len/seed00/metrics.json",
            "no rule makes results/aviary/variants/len/seed00/metrics.json; did you mean "
            "results/<dataset>/variants/<variant>/seed<seed>/metrics.json?",
        ),
        ("run: {}", "tabel.csv", "no rule makes tabel.csv; did you mean results/<dataset>/table.csv?"),
        (
            "run: {}",
            str(TINY),
            f"no rule makes {TINY}; results are files such as results/<data set>/table.csv.",
        ),
        (
            "extensions: {mine: nope.csv}",
            "results/aviary/variants/sc-egg/seed0/extended/mine/metrics.json",
            "config: extensions.mine is nope.csv, and there is no such file; put it there.",
        ),
        ("run: {}", "zzz", "no rule makes zzz; results are files such as results/<data set>/table.csv."),
        (
            "run: {}",
            "tabulate",
            "tabulate is a rule that makes files such as results/<dataset>/table.csv; name the file",
        ),
        ("run: {}", "--forcerun=tabulat", "no rule makes tabulat; did you mean tabulate?"),
        ("run: {}", "results/aviary/variants/nothing/seed0/metrics.json", "config: variants has no 'nothing'; known: "),
        (
            "datasets: {aviary: {backbone: {weights: no/such/file.pt}}}",
            TABLE,
            "config: datasets.aviary.backbone.weights is 'no/such/file.pt', but there is no such file.",
        ),
        (
            "datasets: {aviary: {backbone: {weights: train, seeds: own}}}",
            "results/aviary/exchange/backbone/res101.mat",
            "config: datasets.aviary.backbone.seeds is own, so each seed has regions of its own, and there are no features "
            "of backbone of all seeds; set it to shared, or take those of one seed (exchange/sc-egg/seed0).",
        ),
        (
            "datasets: {aviary: {backbone: {weights: train, seeds: own}}}",
            "results/aviary/spaces/backbone/features.parquet",
            "config: datasets.aviary.backbone.seeds is own, so each seed has regions of its own, and there are no features "
            "of backbone of all seeds; set it to shared, or take those of one seed (spaces/backbone/seed0/features.parquet).",
        ),
        (
            "datasets: {aviary: {backbone: {weights: train, seeds: own}}}",
            "results/aviary/regions/part-0000.parquet",
            "config: datasets.aviary.backbone.seeds is own, so each seed has regions of its own, and there are no regions "
            "of all seeds; set it to shared, or take those of one seed (backbones/seed0/regions).",
        ),
        (
            "datasets: {aviary: {shards: 1}}",
            "results/aviary/regions/part-0005.parquet",
            "config: datasets.aviary.shards is 1, so there is no part-0005.parquet; the last is part-0000.parquet.",
        ),
        (
            "datasets: {mine: {features: {path: x.npz, kind: arrays}, variants: [baseline]}}",
            "results/mine/regions/part-1.parquet",
            "config: datasets.mine.shards is 8, so there is no part-1.parquet; the last is part-0007.parquet.",
        ),
        (
            "datasets: {mine: {format: cub, folder: $NOT_SET_ANYWHERE/x}}",
            TABLE,
            "the environment variable in '$NOT_SET_ANYWHERE/x' is not set",
        ),
    ],
)
def test_before_any_job(fresh, tmp_path, overlay, target, sentence):
    file = tmp_path / "overlay.yaml"
    file.write_text(overlay + "\n")
    done = fresh.run(target, overlays=(TINY, file))
    assert done.returncode == 1
    assert f"SC-EGG: {sentence}" in done.stderr or sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (fresh.folder / "results").exists()


def test_a_new_name_that_nothing_asks_for_is_named_and_the_run_goes_on(fresh, tmp_path):
    (tmp_path / "new.yaml").write_text("variants: {baselin: {eggn: {epochs: 3}}, mine: {space: backbone}}\n")
    said = "SC-EGG: config: no row and no target asks for variants.baselin; did you mean baseline?"
    for target, times in ((TABLE, 1), ("results/aviary/variants/baselin/seed0/metrics.json", 0)):
        done = fresh.run("--dry-run", target, overlays=(TINY, tmp_path / "new.yaml"))
        assert done.returncode == 0, done.stderr
        assert done.stderr.count("did you mean") == done.stderr.splitlines().count(said) == times


def test_a_report_of_runs_that_are_not_there_and_not_to_be_made_goes_on_without_them(fresh, tmp_path):
    overlay = tmp_path / "overlay.yaml"
    overlay.write_text(
        "tables: {missing: name}\ndatasets: {aviary: {variants: [sc-egg, baseline]}}\n", encoding="utf-8"
    )
    rules = fresh.dry("report_aviary", overlays=(TINY, overlay))
    assert rules == {
        *("report_aviary", "generate_aviary", "index_dataset", "tabulate", "count_classes", "plot_tradeoff"),
        "build_page",
    }


def test_a_result_by_its_whole_path_is_named_as_rules_make_it(fresh):
    whole = fresh.folder.resolve() / TABLE
    done = fresh.run(str(whole))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"SC-EGG: no rule makes {whole} by this path; write {TABLE}."


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            b"eggn:\n\tepochs: 3\n",
            "cannot be read as YAML in line 2 (found character that cannot start any token); correct it",
        ),
        ("variants: {} # \u00e9\n".encode("latin-1"), "is not UTF-8 in line 1; save it as UTF-8."),
        (b"eggn: &x {epochs: *x}\n", "has in line 1 a part that contains itself (by *); write it out."),
        (None, "cannot be read (No such file or directory); put the file there."),
    ],
    ids=["tab", "latin-1", "itself", "missing"],
)
def test_the_projects_own_config_that_cannot_be_read_is_one_sentence(tmp_path, content, said):
    workflow = Workflow(copy_project(tmp_path / "project"), tmp_path / "work")
    workflow.folder.mkdir()
    config = workflow.project / "config.yaml"
    config.unlink()
    if content is not None:
        config.write_bytes(content)
    done = workflow.run(TABLE)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"SC-EGG: config: {config} {said}")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("nope.yaml", "config: there is no nope.yaml (--configfile); correct its path."),
        (
            TABLE,
            f"config: {TABLE} stands behind --configfile, which takes every name up to --; write --configfile {TINY} -- ",
        ),
    ],
)
def test_what_is_no_overlay_is_said_before_snakemake_reads_it(fresh, name, said):
    done = fresh.run(TABLE, overlays=(TINY, name))
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"SC-EGG: {said}")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("eggn={learning_rate: 0,5}", "config: --config eggn has learning_rate: 0,5 in line 1, and a comma ends a value; write 0.5"),
        ("eggn={epochs: 3, epochs: 4}", "config: "),
        ("datasets={Aviary: {seeds: [0]}}", "config: datasets has aviary and Aviary, which differ in case alone and would be "
         "one folder on some disks; write aviary if you mean that one, or choose another name."),
    ],
    ids=["decimal comma", "twice", "case"],
)  # fmt: skip
def test_what_stands_behind_config_is_answered_in_one_sentence(fresh, given, said):
    done = fresh.run("--dry-run", f"--config={given}", TABLE)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"SC-EGG: {said}")
    assert "Traceback" not in done.stderr and "InputError" not in done.stderr


def test_extras_that_are_none_are_named():
    done = subprocess.run(["make", "-C", ROOT, "install", "EXTRAS=foo"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "EXTRAS names foo, but the extras are dev slurm timm." in done.stderr


def test_no_cores(fresh):
    done = fresh.run(TABLE, cores=0)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "SC-EGG: --cores has to be at least 1, got 0."


def test_missing_data_are_named_by_the_first_jobs_and_last_on_the_screen(fresh, tmp_path):
    file, sets = tmp_path / "overlay.yaml", ("mine", "yours")
    file.write_text(
        "datasets: {mine: {format: cub, folder: no/where, splits: no/where},"
        "yours: {format: folder, folder: no/here, unseen_classes: [a]}}\n"
    )
    done = fresh.run(*(f"results/{name}/classes.parquet" for name in sets), "--keep-going", overlays=(TINY, file))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    end = done.stderr.splitlines()[-5:]
    assert re.fullmatch(r"SC-EGG: 2 failed after [\d:]+; 0 of 2 jobs done, 0 left\. The same .+", end[0])
    assert {end[2], end[4]} == {f"    log: {fresh.folder}/logs/{name}/index_dataset.log" for name in sets}
    for sentence, log in (end[1:3], end[3:5]):
        assert sentence.startswith(f"index_dataset: the folder {'no/where' if 'mine' in log else 'no/here'}")
    assert not list((fresh.folder / "results").rglob("*.parquet"))


def test_a_damaged_artifact_is_made_again_and_nothing_is_made_of_it(fresh):
    made = fresh.run("results/aviary/attribute_vectors.parquet")
    assert made.returncode == 0, made.stderr
    files = [fresh.folder / "results/aviary" / name for name in ("attributes.parquet", "attribute_vectors.parquet")]
    before = [file.read_bytes() for file in files]
    content = bytearray(before[0])
    content[content.index(b"content") + 15] ^= 1  # within the digest that it holds
    files[0].write_bytes(bytes(content))
    files[1].unlink()
    done = fresh.run("results/aviary/attribute_vectors.parquet")
    assert done.returncode == 0, done.stderr
    assert [file.read_bytes() for file in files] == before
    (fresh.folder / "results/aviary/images.parquet").write_bytes(b"")  # of which minutes and memory are reckoned
    assert fresh.dry("results/aviary/regions/part-0000.parquet") >= {"index_dataset", "extract_regions"}
