"""The spread over backbones: its data sets, its tables with known answers, and how often its intervals cover."""

import json
from dataclasses import asdict

import numpy as np
import pytest
from table_case import run

from benchmarks.demo_spread import Study, configured, report, tables
from benchmarks.reference_runs import ReferenceRun
from benchmarks.results_page import part
from benchmarks.spread import BETWEEN_SEEDS, _measured, leads, spread_differences, spread_table
from scegg_core.artifacts.files import file_digest
from scegg_core.errors import InputError
from scegg_core.report.results import RunResult
from tests.conftest import ROOT

METRICS = 5  # Acc, U, S, H, AUSUC


def made(variant: str, seed: int, backbone: int, h: float, noise: float = 0.0) -> RunResult:
    """A run whose H on the resamples of the images is `h` + `noise` and `h` - `noise` in turn."""
    resampled = h + noise * np.where(np.arange(2000) % 2, 1, -1) * np.ones((METRICS, 1))
    return run(variant, seed, h, backbones=(f"b{backbone}",), resampled=resampled, acc=h, u=h, s=h, ausuc=h)


def two_backbones(noise: float = 0.0) -> list[list[RunResult]]:
    """SC-EGG is 0.5 and 0.7 in the mean, 0.2 apart on one and alike on the other; the baseline 0.1 below, seed by seed."""
    h = {0: 0.4, 1: 0.6, 2: 0.7, 3: 0.7}
    return [
        [made(*row) for seed in seeds for row in (("sc-egg", seed, place, h[seed], noise), ("baseline", seed, place, h[seed] - 0.1, noise))]
        for place, seeds in enumerate(((0, 1), (2, 3)))
    ]  # fmt: skip


def test_the_deviation_is_of_means_over_seeds_and_what_seeds_add_stands_beside():
    row = spread_table(two_backbones()).iloc[0]
    assert (row["variant"], row["seeds"], row["backbones"], row["differs"]) == ("sc-egg", 4, 2, "")
    assert (row["H"], row["H_std"]) == (60.0, round(20 / 2**0.5, 2))
    assert row[BETWEEN_SEEDS] == round((((20 / 2**0.5) ** 2 + 0) / 2) ** 0.5, 2)
    # of two backbones Student's t has one degree of freedom: 12.7 times the error of the mean, 10
    assert (row["h_low"], row["h_high"]) == (0.0, 100.0)


def test_images_alone_decide_where_backbones_agree():
    alike = [[made("sc-egg", seed, seed, 0.5, noise=0.02)] for seed in range(3)]
    row = spread_table(alike).iloc[0]
    assert (row["H"], row["H_std"], row["h_low"], row["h_high"]) == (50.0, 0.0, 48.0, 52.0)
    assert np.isnan(row[BETWEEN_SEEDS])


def test_differences_are_of_the_same_backbone_and_seed_and_a_lead_holds_where_the_interval_says_so():
    paired = spread_differences(two_backbones(noise=0.02))
    row = paired.iloc[0]
    assert (row["variant"], row["reference"], row["seeds"], row["backbones"]) == ("baseline", "sc-egg", 4, 2)
    assert (row["H"], row["H_std"], row["h_low"], row["h_high"], row["h_sign"]) == (-10.0, 0.0, -10.0, -10.0, 100.0)
    assert leads(paired) == [
        "sc-egg minus BASELINE in H: 10.0 (10.0 to 10.0), above 0 on 2 of 2 backbones: the lead holds."
    ]
    other = [[made("sc-egg", 0, 0, 0.5), made("len", 0, 0, 0.3)], [made("sc-egg", 1, 1, 0.5), made("len", 1, 1, 0.6)]]
    assert leads(spread_differences(other))[0].endswith("above 0 on 1 of 2 backbones: the lead does not hold.")


def test_kept_tables_come_back_as_they_were_printed(tmp_path):
    found, kept = two_backbones(noise=0.02), {}
    for name, table in tables(found, rounding=False).items():
        (tmp_path / name).write_bytes(table)
        kept[name] = file_digest(tmp_path / name)
    (tmp_path / "run.json").write_text(json.dumps(asdict(ReferenceRun("make", "0" * 40, "2026-11-28", kept))))
    printed = report(found, rounding=False).splitlines()
    for kind in ("table", "paired"):
        lines = part(tmp_path, kind).splitlines()
        assert len(lines) > 4 and all(line in printed for line in lines)


def test_intervals_over_backbones_cover_as_often_as_they_say():
    """Five backbones of three seeds: backbones move H by 2 points, seeds by 1, images all runs alike by 1."""
    draw, covered, tables = np.random.default_rng(0), 0, 250
    for _ in range(tables):
        images, backbones = 0.01 * draw.standard_normal(), 0.02 * draw.standard_normal(5)
        shifts = 0.01 * np.tile(draw.standard_normal(200), (METRICS, 1))
        found = []
        for place, backbone in enumerate(backbones):
            values = 0.5 + images + backbone + 0.01 * draw.standard_normal(3)
            found.append([
                run("sc-egg", 3 * place + seed, h, resampled=h + shifts, backbones=(str(place),))
                for seed, h in enumerate(values)
            ])  # fmt: skip
        row = _measured(found)
        covered += row["h_low"] <= 50 <= row["h_high"]
    assert 0.92 < covered / tables < 0.98


@pytest.fixture
def here(tmp_path, monkeypatch):
    (tmp_path / "config.yaml").write_text((ROOT / "config.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def test_each_backbone_is_a_data_set_with_seeds_of_its_own(here):
    study = Study("spread", 3, 2)
    config = configured(study)
    sets = [config.dataset(name) for name in study.datasets]
    assert [own.backbone.shared_seed for own in sets] == [0, 1, 2]
    assert [own.seeds for own in sets] == [(0, 1), (2, 3), (4, 5)]
    assert {(own.folder, own.eggn["epochs"], own.backbone.tuning.epochs) for own in sets} == {("data/aviary", 32, 12)}
    command = study.command(config, 2)
    assert command[:6] == ["snakemake", "--cores", "2", "--configfile", "results/spread.json", "--"]
    assert study.shown == "python -m benchmarks.demo_spread --backbones 3 --seeds 2"
    assert command[6:][-1] == "results/spread-2/variants/eszsl/seed4/metrics.json" and len(command[6:]) == 3 * 8


def test_rounding_is_one_backbone_whose_start_differs_in_last_digits(here):
    study = Study("rounding", 3, rounding=True)
    config = configured(study)
    sets = [config.dataset(name) for name in study.datasets]
    assert [own.backbone.tuning.start_noise for own in sets] == [0.0, 1e-7, 2e-7]
    assert {(own.backbone.shared_seed, own.backbone.tuning.epochs, own.variants) for own in sets} == {
        (0, 12, ("prototype",))
    }


def test_a_backbone_that_is_not_trained_here_has_no_spread(here, tmp_path):
    (tmp_path / "mine.yaml").write_text("datasets: {aviary: {backbone: {weights: random, finetune: null}}}")
    with pytest.raises(InputError, match="the backbone of aviary is not trained here, so there is one alone"):
        configured(Study("rounding", 2, rounding=True, overlays=("mine.yaml",)))


def test_a_backbone_for_each_seed_is_no_backbone_that_rounding_alone_changes(here, tmp_path):
    """Means over seeds with backbones of their own would pass for what rounding does."""
    (tmp_path / "mine.yaml").write_text("datasets: {aviary: {backbone: {seeds: own}}}")
    with pytest.raises(
        InputError, match="each seed of aviary trains its own backbone, where here all seeds of one share"
    ):
        configured(Study("rounding", 2, rounding=True, overlays=("mine.yaml",)))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("datasets: {aviary: {variants: [len]}}", "the variants of aviary lack sc-egg, to which differences are taken"),
        ("variants: {len: {seeds: [0]}}", "a variant has seeds of its own, which all backbones would share"),
        ("a: [", "mine.yaml is no readable YAML file"),
    ],
)
def test_overlays_that_cannot_be_are_refused(here, tmp_path, written, said):
    (tmp_path / "mine.yaml").write_text(written)
    with pytest.raises(InputError, match=said):
        configured(Study("spread", 2, overlays=("mine.yaml",)))
