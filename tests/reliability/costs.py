"""Measures what safety costs: python -m tests.reliability.costs [folder of a finished run]

The check of provenance over a whole run, and saving and loading the states of trainings of CUB's size.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import torch

from scegg_core.artifacts.files import input_digest, read_record, read_table, read_tensors
from scegg_core.artifacts.provenance import parse_description
from scegg_core.eggn.data import SeenFeatures
from scegg_core.eggn.train import EggnTrainer, start_eggn
from scegg_core.scen.train import start_scen
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.run import RunSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.training.checkpoint import Checkpoint

ROOT = Path(__file__).resolve().parents[2]
CHANNELS, ATTRIBUTES, CLASSES, WORDS = 2048, 312, 200, 300  # CUB with ResNet-101 and GloVe
TIMES = 7
PARSING = """
import time; start = time.process_time()
from pathlib import Path
from scegg_core.workflow.code import digests_of
root = Path({root!r})
digests_of(sorted((root / "workflow_scripts").glob("*.py")), root)
print(time.process_time() - start)
"""


def seconds(action) -> float:
    """Return the median wall time of `action` over TIMES calls."""
    taken = []
    for _ in range(TIMES):
        start = time.perf_counter()
        action()
        taken.append(time.perf_counter() - start)
    return median(taken)


def code_digests() -> float:
    """Return the CPU seconds that the digests of all rules' code add to a start of the workflow."""
    command = [sys.executable, "-c", PARSING.format(root=str(ROOT))]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT) for _ in range(TIMES)]
    return median(float(run.stdout) for run in runs)


def reading(folder: Path) -> tuple[int, float]:
    """Return how many artifacts a finished run has, and the seconds to check them all once, content included, and to
    take their digests."""
    files = [path for path in sorted((folder / "results").rglob("*")) if path.suffix in (".parquet", ".safetensors")]
    files = [path for path in files if path.parent.name != "regions" and path.name != "curves.parquet"]
    metrics = sorted((folder / "results").rglob("metrics.json"))

    def check() -> None:
        for path in files:
            kind = _kind(path)
            (read_table if path.suffix == ".parquet" else read_tensors)(path, kind)
            input_digest(path)
        for path in metrics:
            read_record(path, "metrics")

    return len(files) + len(metrics), seconds(check)


def _kind(path: Path) -> str:
    from scegg_core.artifacts.files import _description_text

    return parse_description(path, _description_text(path), None)["kind"]


def eggn_state() -> dict:
    """Return the state of a generator's training of CUB's size, the optimizers' included."""
    settings = EggnSettings(batch_size=4)
    data = SeenFeatures(
        torch.rand(64, CHANNELS), torch.arange(64) % 150, torch.rand(CLASSES, ATTRIBUTES), torch.arange(CLASSES) < 150
    )
    trainer = EggnTrainer(start_eggn(CHANNELS, ATTRIBUTES, settings, 0), data, None, settings, 0)
    trainer.iterate(True)
    return trainer.state.collect()


def scen_state() -> dict:
    """Return the state of a SCEN's training of CUB's size."""
    model = start_scen(torch.rand(ATTRIBUTES, WORDS), torch.rand(CLASSES, ATTRIBUTES), CHANNELS, ScenSettings(), 0)
    moments = {name: [value.detach().clone(), value.detach().clone()] for name, value in model.named_parameters()}
    return {"model": model.state_dict(), "optimizer": moments}


def saving(state: dict, folder: Path) -> tuple[float, float, float]:
    """Return a state's MB, and the seconds to save and to load it."""
    checkpoint = Checkpoint(folder / "x.state", "key")
    save, load = seconds(lambda: checkpoint.save(state)), seconds(checkpoint.load)
    size = checkpoint.path.stat().st_size / 1e6
    checkpoint.remove()
    return size, save, load


def main(folder: Path | None) -> None:
    """Print all figures."""
    print(f"code digests of all rules: {code_digests():.2f} s of CPU at each start")
    if folder is not None:
        count, taken = reading(folder)
        print(f"checking all {count} artifacts of {folder.name} but the regions: {taken:.2f} s")
    interval = RunSettings().checkpoint_interval
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for name, state in (("EGGN", eggn_state()), ("SCEN", scen_state())):
            size, save, load = saving(state, Path(place))
            print(
                f"{name} of CUB's size: state {size:.0f} MB, saved in {save:.2f} s "
                f"({save / interval:.1%} of the time at the default interval of {interval:.0f} s), loaded in {load:.2f} s"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None)
