"""Where a lead comes from or goes: python -m benchmarks.lead RUN [RUN ...].

RUN is the folder of a finished run on a validation split, results/<data set>/validation/variants/<variant>/seed<k>. Its
classes played as unseen are looked at step by step: what ridge regression knows in closed form of the features, of
Dec's hidden layer and of Dec's output; what a classifier reaches that is trained on real images of these classes (an
oracle, on half of them); what the run's own classifier reaches on synthetic ones; and how near synthetic class means
come to real ones.
"""

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from scegg_core.data.tables import DatasetIndex
from scegg_core.data.tasks import task_classes, task_images
from scegg_core.eggn.files import read_eggn, read_synthetic
from scegg_core.errors import InputError
from scegg_core.evaluate.closed_form import GRID, fit_prototypes
from scegg_core.evaluate.metrics import harmonic_mean, mean_class_accuracy, trade_off
from scegg_core.evaluate.scores import read_metrics
from scegg_core.scen.space import Space, read_space
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.training.linear import train_classifier
from scegg_core.using.run_files import RunFiles
from scegg_core.using.run_folder import find_run

ORACLE = ClassifierSettings(epochs=100, batch_size=64)
STEPS = ("ridge, features", "ridge, Dec's hidden layer", "ridge, Dec's output")


@dataclass(frozen=True)
class Lead:
    """What each step reaches: (CZSL, best H, AUSUC) in percent by step, the oracle's CZSL, and the cosine of means."""

    steps: dict[str, tuple[float, float, float]]
    oracle: float
    cosine: float


def follow(run: RunFiles) -> Lead:
    """Return what the steps of a run reach on its classes played as unseen."""
    space, (eggn, _), synthetic = read_space(run.space), read_eggn(run.weights.eggn), read_synthetic(run.synthetic)
    with torch.inference_mode():
        decoded = eggn.decoder(space.features)
    inputs = dict(zip(STEPS, (space.features, decoded.hidden, decoded.vector), strict=True))
    steps = {name: ridge(values.numpy(), space.index) for name, values in inputs.items()}
    found = read_metrics(run.folder / "metrics.json")
    steps["classifier on synthetic features"] = tuple(100 * value for value in (found.acc, found.h, found.ausuc))
    return Lead(steps, oracle(space), cosine_of_means(space, synthetic.features, synthetic.labels))


def ridge(features: np.ndarray, index: DatasetIndex) -> tuple[float, float, float]:
    """Return CZSL, best H and AUSUC of ridge prototypes in percent, of the strength with the best H."""
    images, czsl, unseen = task_images(index, "gzsl"), task_images(index, "czsl"), task_classes(index, "czsl")
    found, fitted, every = [], fit_prototypes(features, index), np.arange(len(index.labels))
    for strength in GRID:
        scores = np.concatenate([some for _, some in fitted(strength).scores(every)])
        curve = trade_off(index.labels[images], scores[images], index.seen)
        predicted = unseen[scores[np.ix_(czsl, unseen)].argmax(axis=1)]
        accuracy = mean_class_accuracy(index.labels[czsl], predicted, unseen)
        best = harmonic_mean(curve.seen[curve.best], curve.unseen[curve.best])
        found.append((100 * accuracy, 100 * float(best), 100 * curve.area))
    return max(found, key=lambda values: values[1])


def oracle(space: Space, seed: int = 0) -> float:
    """Return the CZSL in percent of a linear classifier of half of the unseen classes' images, on the other half."""
    index = space.index
    order = np.random.default_rng(seed).permutation(task_images(index, "czsl"))
    known, tested = np.array_split(order, 2)
    classes, labels = task_classes(index, "czsl"), torch.from_numpy(index.labels.astype(np.int64))
    trained, _ = train_classifier(
        space.features[known], labels[known], torch.from_numpy(classes), ORACLE, seed, "oracle"
    )
    predicted = classes[trained.scores(space.features[tested]).argmax(dim=1).numpy()]
    return 100 * mean_class_accuracy(index.labels[tested], predicted, classes)


def cosine_of_means(space: Space, synthetic: Tensor, labels: Tensor) -> float:
    """Return the mean cosine of real and synthetic means of the unseen classes, about their mean, channels standardized."""
    index = space.index
    spread = space.features[torch.from_numpy(index.in_split("trainval"))].std(dim=0).clamp_min(1e-6)
    images = task_images(index, "czsl")
    classes = [label for label in task_classes(index, "czsl") if (index.labels[images] == label).any()]
    real = (
        torch.stack([space.features[images[index.labels[images] == label]].mean(dim=0) for label in classes]) / spread
    )
    made = torch.stack([synthetic[labels == int(label)].mean(dim=0) for label in classes]) / spread
    return float(functional.cosine_similarity(real - real.mean(dim=0), made - made.mean(dim=0)).mean())


def table(names: list[str], leads: list[Lead]) -> str:
    """Return the steps as a markdown table with a column per run."""
    rows = [f"| CZSL, best H, AUSUC (percent) | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for step in leads[0].steps:
        cells = [", ".join(f"{value:.1f}" for value in lead.steps[step]) for lead in leads]
        rows.append(f"| {step} | {' | '.join(cells)} |")
    rows.append(
        f"| oracle: real images of these classes, CZSL | {' | '.join(f'{lead.oracle:.1f}' for lead in leads)} |"
    )
    rows.append(f"| cosine of real and synthetic means | {' | '.join(f'{lead.cosine:.2f}' for lead in leads)} |")
    return "\n".join(rows)


def main(arguments: list[str] | None = None) -> None:
    """Print the table of the runs on the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lead", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folders of runs on a validation split")
    try:
        runs = [find_run(folder) for folder in parser.parse_args(arguments).runs]
    except InputError as error:
        parser.error(str(error))
    print(table([run.name for run in runs], [follow(run) for run in runs]))


if __name__ == "__main__":
    main()
