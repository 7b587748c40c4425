"""Which backbones and regions a run needs: a split shares given ones, has its own of a tuned one, and so may each seed."""

import json

import pytest

from tests.workflow.conftest import ROOT, TINY, Workflow

FOLDERS = {
    "shared": ["results/aviary", "results/aviary/validation"],
    "own": [f"results/aviary{split}/backbones/seed{seed}" for split in ("", "/validation") for seed in (0, 1)],
}


@pytest.mark.parametrize("seeds", FOLDERS)
def test_each_level_and_seed_has_the_backbone_that_it_may_see(tmp_path, seeds):
    (tmp_path / "mine.pth").touch()
    backbone = {"weights": str(tmp_path / "mine.pth"), "finetune": {"epochs": 1}, "seeds": seeds}
    overlay = tmp_path / "tuned.yaml"
    overlay.write_text(json.dumps({"datasets": {"aviary": {"backbone": backbone, "variants": ["prototype", "len"]}}}))
    done = Workflow(ROOT, tmp_path).run("--dry-run", "results/aviary/table.csv", overlays=(TINY, overlay))
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout + done.stderr
    assert made(text, "backbone.safetensors") == {f"{folder}/backbone.safetensors" for folder in FOLDERS[seeds]}
    shards = {f"{folder}/regions/part-{shard:04d}.parquet" for folder in FOLDERS[seeds] for shard in (0, 1)}
    assert made(text, ".parquet", "/regions/") == shards
    pooled = made(text, "features.parquet", "/spaces/backbone/")
    rows = ("", "/validation") if seeds == "shared" else ()
    owned = [(split, seed) for split in ("", "/validation") for seed in (0, 1)] if seeds == "own" else []
    assert pooled == {f"results/aviary{split}/spaces/backbone/features.parquet" for split in rows} | {
        f"results/aviary{split}/spaces/backbone/seed{seed}/features.parquet" for split, seed in owned
    }


def made(text: str, end: str, within: str = "") -> set[str]:
    """The outputs of a dry run with this end and part."""
    outputs = [line.split("output: ")[1] for line in text.splitlines() if line.strip().startswith("output: ")]
    return {path for line in outputs for path in line.split(", ") if path.endswith(end) and within in path}
