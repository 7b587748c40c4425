"""Features given to other code come back as data sets of ready features: the same bits, and the same rows of the table."""

from pathlib import Path

import numpy as np
import pytest

from scegg_core.artifacts.files import matrix, read_table
from scegg_core.regions.store import RegionStore
from tests.workflow.conftest import TINY, Workflow, copy_run, rules_in

pytestmark = pytest.mark.slow

EXCHANGE = "results/aviary/exchange"
MAPS = f"{EXCHANGE}/feature_map_ResNet_18_AVIARY.hdf5"
#: What the aviary's own settings and TINY's are together, for stage 3.
SAME = """
    seeds: [0]
    threads: 1
    eggn: {hidden_width: 16, epochs: 1, batch_size: 16, learning_rate: 1.0e-3, feedback_learning_rate: 1.0e-4,
           decoder_learning_rate: 1.0e-3}
    synthesis: {per_class: 5}
    classifier: {epochs: 2, learning_rate: 5.0e-3}"""
OVERLAY = f"""
datasets:
  pooled:
    features: {{path: {EXCHANGE}/backbone/res101.mat, kind: xlsa17}}
    variants: [baseline, prototype, eszsl]
    shards: 3{SAME}
  g:
    features: {{path: {EXCHANGE}/sc-egg/seed0/res101.mat, kind: xlsa17}}
    shards: 1
    variants: [baseline]{SAME}
  maps:
    features: {{path: {MAPS}, kind: dazle}}
    shards: 1
    variants: [baseline]{SAME}
"""


@pytest.fixture(scope="module")
def returned(finished, tmp_path_factory) -> Workflow:
    """The finished run with its features given away and read in again."""
    flow = copy_run(finished, tmp_path_factory.mktemp("returned"))
    given = [f"{EXCHANGE}/backbone/res101.mat", f"{EXCHANGE}/sc-egg/seed0/att_splits.mat", MAPS]
    assert succeed(flow, (TINY,), *given) == {"exchange_pooled", "exchange_features", "exchange_maps"}
    overlay = flow.folder / "again.yaml"
    overlay.write_text(OVERLAY, encoding="utf-8")
    targets = [f"results/pooled/variants/{row}/seed0/metrics.json" for row in ("baseline", "prototype", "eszsl")]
    targets += [f"results/{run}/seed0/metrics.json" for run in ("g/variants/baseline", "aviary/variants/wo-egs")]
    succeed(flow, (TINY, overlay), *targets, "results/maps/spaces/backbone/features.parquet")
    return flow


def succeed(flow: Workflow, overlays: tuple, *targets: str) -> set[str]:
    """Run the workflow and return the rules that ran."""
    done = flow.run(*targets, overlays=overlays)
    assert done.returncode == 0, done.stdout + done.stderr
    return rules_in(done.stdout + done.stderr)


def assert_same_run(flow: Workflow, one: str, other: str) -> None:
    """Equal scores to the last bit, and so equal answers and figures."""
    runs = [flow.folder / "results" / run / "seed0" for run in (one, other)]
    for task in ("czsl", "gzsl"):
        tables = [read_table(run / f"predictions_{task}.parquet", "predictions") for run in runs]
        assert tables[0].drop_columns("scores").equals(tables[1].drop_columns("scores"))
        np.testing.assert_array_equal(*(matrix(table["scores"]) for table in tables))


@pytest.mark.parametrize("row", ["baseline", "prototype", "eszsl"])
def test_rows_on_pooled_features_that_came_back_are_the_same_to_the_last_bit(returned, row):
    assert_same_run(returned, f"aviary/variants/{row}", f"pooled/variants/{row}")


def test_a_generator_on_gs_features_that_came_back_is_the_one_without_guidance(returned):
    assert_same_run(returned, "aviary/variants/wo-egs", "g/variants/baseline")


@pytest.mark.parametrize(("space", "name"), [("spaces/backbone", "pooled"), ("spaces/sc-egg/seed0", "g")])
def test_scaling_what_came_back_gives_the_features_of_the_space(returned, space, name):
    own, again = features(returned, f"aviary/{space}"), features(returned, f"{name}/spaces/backbone")
    np.testing.assert_array_equal(own, again)


def test_the_validation_split_comes_back_with_its_features(returned):
    own, again = (features(returned, f"{name}/validation/spaces/backbone") for name in ("aviary", "pooled"))
    np.testing.assert_array_equal(own, again)


def test_region_maps_that_came_back_are_the_same_to_the_last_bit(returned):
    stores = []
    for name in ("aviary", "maps"):
        stores.append(RegionStore(sorted((returned.folder / "results" / name / "regions").glob("*.parquet"))))
    own, again = (np.concatenate([block for _, block in store.scan()]) for store in stores)
    assert stores[0].size == stores[1].size
    np.testing.assert_array_equal(own, again)


def test_maps_are_asked_for_by_the_name_that_other_code_knows(returned):
    done = returned.run("--dry-run", f"{EXCHANGE}/feature_map_resnet18_aviary.hdf5")
    assert f"ask for {MAPS}." in done.stderr
    assert done.returncode != 0


def test_all_of_it_stays_valid(returned):
    assert returned.dry(f"{EXCHANGE}/backbone/res101.mat", MAPS) == set()


def features(flow: Workflow, space: str) -> np.ndarray:
    path: Path = flow.folder / "results" / space / "features.parquet"
    return matrix(read_table(path, "features")["feature"])
