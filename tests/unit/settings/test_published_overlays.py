"""The overlays of published rows: valid, with their sources and figures in docs/published.md, and fit for the real files."""

import re
from dataclasses import replace

import numpy as np
import pytest
from published_case import COUNTS, OVERLAYS, configured
from scipy.io import loadmat, savemat

from scegg_core.data.index import load_index
from scegg_core.report.published import find_published, read_published
from scegg_core.settings.written import check_written
from tests.conftest import ROOT

SETS = ("cub", "sun", "awa2")
#: Places that values come from: papers, and repositories by owner and name.
SOURCE = re.compile(r"(CVPR|ECCV|IJCAI) 20\d\d|[\w-]+/[\w-]+")


def test_there_is_one_for_every_row_and_data_set():
    rows = ("f-clswgan", "f-vaegan", "sc-egg", "tf-vaegan", "tf-vaegan-finetuned")
    assert [path.stem for path in OVERLAYS] == sorted(f"{row}_{name}" for row in rows for name in SETS)


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
@pytest.mark.slow
def test_it_is_valid_and_says_its_command_and_its_sources(overlay):
    check_written([overlay])
    own = configured(overlay).dataset(overlay.stem)
    assert own.features is not None
    head = [line[1:].strip() for line in overlay.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    command = (
        f"snakemake --cores 8 --configfile overlays/published/{overlay.stem}.yaml -- results/{overlay.stem}/table.csv"
    )
    assert head[-1] == command
    assert SOURCE.search(" ".join(head[:-1]))


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
def test_the_docs_give_the_figures_that_the_project_has(overlay):
    page = (ROOT / "docs/published.md").read_text(encoding="utf-8")
    (row,) = (line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith(f"| `{overlay.stem}` |"))
    own = configured(overlay).dataset(overlay.stem)
    figures = read_published(*(ROOT / f"resources/published_{name}.csv" for name in ("table1", "finetuned")))
    for variant in own.variants:  # so its table shows them beside each row
        printed = find_published(figures, own.published, variant)
        assert row[3:] == [str(figure) for figure in (printed.acc, printed.u, printed.s, printed.h)]
    name = overlay.stem.split("_")[1].upper()
    assert own.published == name + (", fine-tuned" if "finetuned" in overlay.stem else "")


@pytest.mark.parametrize("name", SETS)
@pytest.mark.slow
def test_published_values_reach_the_runs(name):
    """Where the values of a data set and of a variant both speak, those of the overlay stand."""
    lr = {"cub": (1e-4, 1e-4), "sun": (2e-4, 1e-3), "awa2": (1e-5, 1e-5)}[name]
    first = configured(ROOT / f"overlays/published/f-clswgan_{name}.yaml").eggn_of(f"f-clswgan_{name}", "f-clswgan")
    second = configured(ROOT / f"overlays/published/tf-vaegan_{name}.yaml").eggn_of(f"tf-vaegan_{name}", "tf-vaegan")
    assert (first.generator, first.learning_rate, first.classification_weight) == ("f-clswgan", lr[0], 0.01)
    assert (first.adversarial_weight, first.penalty_weight, first.adaptive_penalty) == (1.0, 10.0, False)
    assert (second.generator, second.learning_rate, second.decoder_loss) == ("tf-vaegan", lr[1], "weighted_l1")
    assert (second.freeze_decoder, second.critic_steps) == (name == "awa2", 5)


@pytest.mark.parametrize("name", SETS)
def test_the_real_splits_and_attributes_are_indexed_by_them(name, real_data, tmp_path):
    """The real files of the benchmark, with features of two channels in place of the 2048 that are not here."""
    overlay = f"tf-vaegan-finetuned_{name}"
    own = configured(ROOT / f"overlays/published/{overlay}.yaml").dataset(overlay)
    source, file = real_data / "xlsa17/data" / name.upper(), tmp_path / "res101_finetuned.mat"
    real = {key: value for key, value in loadmat(source / "res101.mat").items() if not key.startswith("__")}
    features = np.random.default_rng(0).random((2, len(real["labels"])), dtype=np.float32)
    savemat(file, {**real, "features": features})
    index = load_index(replace(own, features=replace(own.features, path=str(file)), splits=str(source)))
    classes, attributes, trainval = COUNTS[name]
    assert (len(index.classes), index.vectors.shape[1], len(index.in_split("trainval"))) == (
        classes,
        attributes,
        trainval,
    )
