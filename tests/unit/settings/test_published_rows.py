"""Each overlay of published rows runs from the files that it names to its table; cut are epochs, widths and counts alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from published_case import OVERLAYS, configured, write_files
from small_run import CPU

from scegg_core.artifacts.files import Provenance
from scegg_core.data.index import index_dataset
from scegg_core.data.tables import DatasetIndex
from scegg_core.eggn.snapshots import keeping, read_snapshots
from scegg_core.eggn.train import train_eggn
from scegg_core.evaluate.epochs import score_snapshots
from scegg_core.evaluate.final import FinalSettings, run_final_steps
from scegg_core.evaluate.scores import write_metrics
from scegg_core.evaluate.selection import write_epochs
from scegg_core.regions.ready import read_shard
from scegg_core.regions.store import RegionStore
from scegg_core.report.published import read_published
from scegg_core.report.rows import TableSettings, run_results, with_oracle
from scegg_core.report.tables import result_table
from scegg_core.scen.embed import embed_images
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.space import Space
from scegg_core.scen.train import train_scen
from scegg_core.settings.base import parse_section
from scegg_core.settings.resolve import Configuration
from scegg_core.words.vectors import embed_attributes
from tests.conftest import ROOT

MADE, SEED = Provenance("test"), 0


@pytest.mark.parametrize("overlay", OVERLAYS, ids=lambda path: path.stem)
@pytest.mark.slow
def test_it_runs_from_its_files_to_its_table(overlay, tmp_path, monkeypatch):
    write_files(overlay, tmp_path)
    monkeypatch.chdir(tmp_path)
    config, name = configured(overlay), overlay.stem
    own = config.dataset(name)
    index = index_dataset(own)
    read_shard(own.features, len(index.paths), range(len(index.paths)), tmp_path / "part.parquet", MADE)
    for variant in own.variants:
        space = space_of(config, name, variant, index, RegionStore([tmp_path / "part.parquet"]))
        write_run(config, name, variant, space, tmp_path / variant)
    table = table_of(config, name, tmp_path)
    assert table["variant"].tolist() == list(own.variants) and set(table["dataset"]) == {own.title}
    reached = table[["Acc", "U", "S", "H", "oracle_Acc", "oracle_U", "oracle_S", "oracle_H"]].to_numpy()
    assert np.isfinite(reached).all() and (reached >= 0).all() and (reached <= 100).all()
    printed = table["published_H"].tolist() if "published_H" in table else []
    assert len(printed) == (len(own.variants) if own.published else 0) and np.isfinite(printed).all()


def space_of(config: Configuration, name: str, variant: str, index: DatasetIndex, store: RegionStore) -> Space:
    """The features of a row's space, scaled: pooled, or SCEN's."""
    space, scen = config.variant(variant).space, None
    if config.space(space).kind == "scen":
        words = embed_attributes(index.words, config.attribute_vectors_of(name)).vectors
        given = config.scen_of(name, space)
        steps = {"stage1_steps": given.stage1_steps and 2, "stage2_steps": given.stage2_steps and 2}
        short = replace(given, stage1_epochs=1, stage2_epochs=1, **steps)
        scen = train_scen(index, store, words, short, SEED, CPU).model
    embedded = embed_images(store, index.rows, scen, CPU)
    scaler = MinMaxScaler.fit(embedded.features[index.in_split("trainval")], config.dataset(name).feature_scaling)
    return Space(index, scaler.transform(embedded.features), scaler, scen)


def write_run(config: Configuration, name: str, variant: str, space: Space, folder: Path) -> None:
    """Train and score one run; write what its table reads."""
    given = replace(config.eggn_of(name, variant), epochs=1, hidden_width=16)
    with keeping(folder / "snapshots", given, MADE) as snapshots:
        eggn, _ = train_eggn(space, given, SEED, CPU, on_epoch=snapshots.take)
        snapshots.publish()
    synthesis = replace(config.synthesis_of(name, variant), per_class=2)
    final = FinalSettings(synthesis, replace(config.classifier_of(name, variant), epochs=1), SEED)
    write_metrics(folder / "metrics.json", run_final_steps(space, eggn, final, CPU).metrics, MADE)
    scores = score_snapshots(space, read_snapshots(folder / "snapshots"), final, CPU)
    write_epochs(folder / "epochs.parquet", scores, MADE)


def table_of(config: Configuration, name: str, folder: Path):
    """The table of one run of each row, the published figures beside it."""
    runs = [(variant, SEED) for variant in config.dataset(name).variants]
    settings = parse_section(TableSettings, {**config.table_part(name, {}), "runs": runs}, "table")
    results = run_results([folder / variant / "metrics.json" for variant, _ in runs], runs, settings)
    if config.tables.oracle:
        results = with_oracle(results, [folder / variant / "epochs.parquet" for variant, _ in runs], runs)
    figures = (ROOT / f"resources/published_{name}.csv" for name in ("table1", "finetuned"))
    return result_table(results, read_published(*figures))
