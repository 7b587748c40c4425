"""The methods of docs/methods.md: their values on each data set, and their published figures."""

import csv

import pytest
import yaml
from snakemake.utils import update_config

from scegg_core.settings.methods import BUDGET, methods_of
from scegg_core.settings.resolve import Configuration, read_configuration
from scegg_core.settings.written import check_written
from tests.conftest import ROOT

METHODS = {
    "f-VAEGAN-D2": "f-vaegan-d2",
    "CADA-VAE": "cada-vae",
    "CE-GZSL": "ce-gzsl",
    "LisGAN": "lisgan",
    "FREE": "free",
}


def configured(name: str) -> Configuration:
    """config.yaml with the overlay of the data set laid over it, as Snakemake does: mappings are merged."""
    files = [ROOT / "config.yaml", ROOT / "resources/methods.yaml"]
    check_written(files)
    values, methods = (yaml.safe_load(file.read_text(encoding="utf-8")) for file in files)
    values["variants"] |= methods["variants"]
    overlay = ROOT / f"overlays/methods/{name}.yaml"
    if overlay.exists():
        check_written([overlay])
        for variant, stages in yaml.safe_load(overlay.read_text(encoding="utf-8"))["variants"].items():
            for stage, given in stages.items():
                own = values["variants"][variant]
                assert set(given) <= set(own[stage])  # it changes what is said, and says nothing new
                own[stage] |= given
    return read_configuration(values)


@pytest.mark.parametrize("name", ["cub", "sun", "awa2"])
def test_published_values_reach_the_runs_on_both_spaces(name):
    config = configured(name)
    place = ("cub", "sun", "awa2").index(name)
    for space in ("", "+sc-egg"):
        ce, lis, free = (config.eggn_of(name, method + space) for method in ("ce-gzsl", "lisgan", "free"))
        assert ce.learning_rate == ce.embedding_learning_rate == (1e-4, 5e-5, 1e-4)[place]
        assert ce.class_weight == ce.instance_weight == (1e-3, 1e-2, 1e-3)[place]
        assert (lis.soul_mean_weight, lis.soul_weight) == ((0.01, 1e-3), (0.3, 3e-5), (1e-3, 3e-5))[place]
        assert (free.center_margin, free.other_center) == ((200, "random"), (120, "random"), (50, "nearest"))[place]
        assert config.synthesis_of(name, "free" + space).per_class == (700, 300, 4600)[place]
        cada = config.eggn_of(name, "cada-vae" + space)
        assert (cada.learning_rate, cada.latent_size, cada.kl_weight) == (1.5e-4, 64, 0.25)
        assert config.classifier_of(name, "cada-vae" + space).epochs == (23, 21, 29)[place]
        d2 = config.eggn_of(name, "f-vaegan-d2" + space)
        assert (d2.learning_rate, d2.adversarial_weight) == ((1e-4, 10), (1e-3, 1), (1e-5, 10))[place]
        assert d2.epochs == (200, 200, 120)[place]  # as docs/methods.md says; TF-VAEGAN's are 300, 400 and 120


#: Passes through the training images, images of a step and of a classifier's step, features made of an unseen class, on CUB,
#: SUN and AWA2: CE-GZSL's issues 2, 15 and 19, LisGAN's lines gzsl_*, FREE's run_*.py (501, 601 and 401 epochs of two passes),
#: CADA-VAE's single_experiment.py.
COMMAND_LINES = {
    "ce-gzsl": [(450, 2048, 100, 100), (1000, 1024, 100, 100), (130, 4096, 2400, 2400)],
    "lisgan": [(56, 64, 600, 300), (40, 64, 800, 400), (30, 64, 3600, 1800)],
    "free": [(1002, 64, 700, 700), (1202, 512, 300, 300), (802, 64, 4600, 4600)],
    "cada-vae": [(100, 50, 32, 400)] * 3,
}


@pytest.mark.parametrize("place", range(3), ids=["cub", "sun", "awa2"])
def test_trainings_are_as_long_and_batches_as_large_as_the_authors_say(place):
    name = ("cub", "sun", "awa2")[place]
    config = configured(name)
    for method, given in COMMAND_LINES.items():
        eggn, final = config.eggn_of(name, method), config.classifier_of(name, method)
        made = config.synthesis_of(name, method).per_class
        assert (2 * eggn.epochs, eggn.batch_size, final.batch_size, made) == given[place]


def test_the_page_gives_the_figures_that_the_project_has():
    page = (ROOT / "docs/methods.md").read_text(encoding="utf-8").splitlines()
    with (ROOT / "resources/published_table1.csv").open(encoding="utf-8") as file:
        printed = {(row["dataset"], row["method"]): row for row in csv.DictReader(file)}
    for method in METHODS.keys() - {"CADA-VAE"} | {"DAZLE"}:  # the printed table has no CADA-VAE
        (cells,) = (line.strip("| ").split(" | ")[1:] for line in page if line.startswith(f"| {method} |"))
        for name, cell in zip(("CUB", "SUN", "AWA2"), cells, strict=True):
            row = printed.get((name, method))
            if row:  # it stands beside ours in tables of results
                assert METHODS.get(method, "dazle") in row["variant"].split()
            shown = f"{row['acc'] or '–'}, {row['u']} / {row['s']} / {row['h']}" if row and row["h"] else "–"
            assert cell == shown


def test_every_method_has_a_heading_a_file_and_a_row_on_both_spaces():
    page = (ROOT / "docs/methods.md").read_text(encoding="utf-8")
    config = configured("cub")
    for method, word in METHODS.items():
        assert f"\n## {method}\n\n`{word}`; " in page
        assert (ROOT / f"scegg_core/eggn/generators/{word.replace('-', '_')}.py").exists()
        kinds = [config.space(config.variant(row).space).kind for row in (word, f"{word}+sc-egg")]
        assert kinds == ["backbone", "scen"]


def test_on_cub100_every_generator_has_the_same_budget_and_both_its_learning_rates_are_compared(monkeypatch):
    monkeypatch.setenv("SCEGG_REAL_DATA", str(ROOT))
    own = ("overlays/cub100.yaml", "overlays/methods/cub100.yaml", "overlays/methods/cub100_tuning.yaml")
    files = ("config.yaml", "resources/methods.yaml", *own)
    check_written([ROOT / name for name in files])
    values: dict = {}
    for name in files:
        update_config(values, yaml.safe_load((ROOT / name).read_text(encoding="utf-8")))
    config = read_configuration(values)
    rows = [name for name in config.dataset("cub100").variants if config.variant(name).predict_by == "generation"]
    assert set(rows) == set(METHODS.values()) | {"baseline", "sc-egg"}
    points = [point for tuned in config.tunings_of("cub100") for point in config.points_of(tuned)]
    generating = [point for point in points if config.variant(point).predict_by == "generation"]
    for name in (*rows, *generating):
        given = config.eggn_of("cub100", name)
        assert (given.epochs, given.batch_size) == (40, 64)
        assert given.embedding_learning_rate == 1e-4  # E's ReLUs die at the rate that G needs in this budget
        assert given.comparator_width == (512 if given.generator == "ce-gzsl" else 2048)
    assert len(generating) == 8 and all(len(config.seeds_of("cub100", name)) == 3 for name in rows)
    for row in set(rows) & {"lisgan", "cada-vae", "ce-gzsl", "free"}:  # the rate of a row is one of those compared
        rates = {config.eggn_of("cub100", point).learning_rate for point in config.points_of(row)}
        assert config.eggn_of("cub100", row).learning_rate in rates and len(rates) == 2
    spaces = [space for method in methods_of(config, "cub100") for space in method["variants"].values()]
    assert len(spaces) == 16 and not any(BUDGET in name for name in spaces)  # rows and spaces.csv share their runs
