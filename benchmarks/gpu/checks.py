"""Whether a device computes what the CPU computes: every stage's training, extraction, the classifier, a resumed run.

Trainings run in float64, where both agree to many digits: an error in what is computed cannot hide behind rounding.
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.gpu.record import Figure
from benchmarks.gpu.runner import Run, attempt
from benchmarks.shapes import QUICK
from benchmarks.steps import make_inputs
from scegg_core.eggn.data import SeenFeatures
from scegg_core.eggn.draws import Batch, Draws, ImageDraw
from scegg_core.eggn.guidance import guide_by
from scegg_core.eggn.train import EggnTrainer, start_eggn
from scegg_core.regions.batches import ResidentBatches
from scegg_core.scen.scaling import MinMaxScaler
from scegg_core.scen.train import ScenTrainer, start_scen
from scegg_core.settings.classifier import ClassifierSettings
from scegg_core.settings.eggn import EggnSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.linear import linear_of, train_classifier

SHAPE = QUICK[0]
CPU = torch.device("cpu")
GRAPHS = "stage 3 with CUDA graphs and without, weights and terms"
TRAINED = 1e-7  # weights move by 1e-4 a step, so an error in a step's gradients is a thousand times as large


@dataclass(frozen=True)
class Check:
    """What should be the same, how far it may differ, and the function of a device that returns how far it does."""

    name: str
    tolerance: float
    difference: Callable[[torch.device], float]


def agreement(run: Run) -> Iterator[Figure]:
    """Yield the largest difference of every training check."""
    yield from _figures(CHECKS)


def picture_agreement(run: Run) -> Iterator[Figure]:
    """Yield the largest difference of every check that needs pictures."""
    from benchmarks.gpu.picture_checks import PICTURE_CHECKS

    yield from _figures(PICTURE_CHECKS)


def _figures(checks: tuple[Check, ...]) -> Iterator[Figure]:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    for check in checks:
        measure = lambda check=check: check.difference(device)  # noqa: E731
        yield attempt(f"{check.name} ({device.type})", "", measure, goal=check.tolerance, less=True)


def largest(found: list[Tensor], wanted: list[Tensor]) -> float:
    """Return the largest difference of numbers of tensors in the same places."""
    pairs = zip(found, wanted, strict=True)
    return max(float((one.detach().cpu().double() - other.detach().cpu().double()).abs().max()) for one, other in pairs)


def scen_trainer(
    device: torch.device, checkpoint: Checkpoint | None = None, kept_on: torch.device | None = None, **settings
) -> ScenTrainer:
    """Return a trainer of both stages on tiny made-up data, in float64; regions are `kept_on` a device, None: `device`."""
    given, inputs = ScenSettings(**{"stage1_epochs": 2, "stage2_epochs": 2, **settings}), make_inputs(SHAPE, CPU)
    model = start_scen(inputs.words, inputs.vectors, SHAPE.channels, given, seed=0).double().to(device)
    batches = ResidentBatches(inputs.regions.to(kept_on or device), inputs.labels.numpy(), SHAPE.batch // 2, seed=0)
    return ScenTrainer(model, batches, inputs.seen, given, checkpoint)


def eggn_trainer(device: torch.device, checkpoint: Checkpoint | None = None, **settings) -> EggnTrainer:
    """Return a trainer of stage 3 on tiny made-up data, guided, in float64."""
    given = EggnSettings(**{"hidden_width": SHAPE.width, "batch_size": SHAPE.batch, **settings})
    inputs, draw = make_inputs(SHAPE, CPU), torch.Generator().manual_seed(1)
    random = lambda *size: torch.rand(*size, generator=draw, dtype=torch.float64).to(device)  # noqa: E731
    features, vectors = random(len(inputs.labels), SHAPE.channels), inputs.vectors.double()
    data = SeenFeatures(features, inputs.labels, vectors, inputs.seen).to(device)
    classify = linear_of(random(SHAPE.classes, SHAPE.channels), random(SHAPE.classes))
    guide = guide_by(classify, MinMaxScaler(random(SHAPE.channels), random(SHAPE.channels)), given)
    model = start_eggn(SHAPE.channels, SHAPE.attributes, given, seed=0).double().to(device)
    return EggnTrainer(model, data, guide, given, seed=0, checkpoint=checkpoint)


class DrawnOnTheHost(Draws):
    """Draws whose numbers are the same whatever the device: a device's own generator gives others."""

    def __init__(self, trainer: EggnTrainer):
        """Takes the place of the trainer's draws."""
        super().__init__(trainer.draws.data, trainer.settings, trainer.model.latent, torch.Generator().manual_seed(0))
        self.host_rows = ImageDraw(self.data.labels.cpu(), balanced=False)
        self.on_host = {"dtype": self.like["dtype"], "generator": self.random}
        trainer.draws = trainer.generator.draws = self

    def images(self, batches: int) -> Batch:
        """Return `batches` batches of training images as one."""
        rows = self.host_rows.rows(batches, self.batch_size, self.random).to(self.like["device"])
        labels = self.data.labels[rows]
        return Batch(self.data.features[rows], self.data.vectors[labels], labels)

    def normal(self, count: int) -> Tensor:
        """Return standard normal numbers (count, latent)."""
        return torch.randn(count, self.latent, **self.on_host).to(self.like["device"])

    def uniform(self, *shape: int) -> Tensor:
        """Return numbers between 0 and 1 of the given shape."""
        return torch.rand(*shape, **self.on_host).to(self.like["device"])

    def unseen(self, count: int) -> Tensor:
        """Return the labels (count,) of unseen classes."""
        rows = torch.randint(len(self.unseen_classes), (count,), generator=self.random)
        return self.unseen_classes[rows.to(self.like["device"])]


def scen_difference(device: torch.device, kept_on: torch.device | None = None) -> float:
    """Return how far SCEN's weights differ after both stages on `device` and on the CPU."""
    trainers = scen_trainer(device, kept_on=kept_on), scen_trainer(CPU)
    return largest(*([*trainer.run().model.state_dict().values()] for trainer in trainers))


def eggn_difference(device: torch.device) -> float:
    """Return how far stage 3's weights differ after iterations without and with feedback, of equal random numbers."""

    def trained(where: torch.device) -> list[Tensor]:
        trainer = eggn_trainer(where)
        DrawnOnTheHost(trainer)
        for step in range(6):
            trainer.iterate(feedback=step % 2 == 1)
        return [*trainer.model.parameters(), trainer.generator.penalty_weight]

    return largest(trained(device), trained(CPU))


def graph_difference(device: torch.device) -> float:
    """Return how far weights, loss terms and random numbers differ between iterations replayed as CUDA graphs and usual
    ones."""

    def trained(graphs: bool) -> list[Tensor]:
        trainer = eggn_trainer(device, cuda_graphs=graphs)
        terms = [trainer.iterate(feedback=step % 2 == 1) for step in range(14)]  # of each kind 3 as usual, 4 replayed
        if trainer.graphed and any(iteration.graph is None for iteration in trainer.iterations):
            raise ValueError("no graph was captured")
        values = [value for step in terms for _, value in sorted(step.items())]
        return [*trainer.model.parameters(), *values, trainer.random.get_state()]

    return largest(trained(True), trained(False))


def resumed_difference(device: torch.device, graphs: bool) -> float:
    """Return how far stage 3's weights differ between a training that was stopped and continued, and one that was not."""
    whole = eggn_trainer(device, cuda_graphs=graphs)
    whole.run(epochs=3)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        eggn_trainer(device, Checkpoint(path, "key", interval=0), cuda_graphs=graphs).run(
            epochs=1
        )  # saved before its end
        continued = eggn_trainer(device, Checkpoint(path, "key", interval=1e9), cuda_graphs=graphs)
        continued.run(epochs=3)
    return largest([*continued.model.parameters()], [*whole.model.parameters()])


def resumed_scen_difference(device: torch.device) -> float:
    """Return how far SCEN's weights differ between a training that was stopped in stage 2 and continued, and one that
    was not."""
    whole = scen_trainer(device).run()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "state"
        scen_trainer(
            device, Checkpoint(path, "key", interval=0)
        ).run()  # what it saved last is one step short of the end
        continued = scen_trainer(device, Checkpoint(path, "key", interval=1e9)).run()
    return largest([*continued.model.state_dict().values()], [*whole.model.state_dict().values()])


def classifier_difference(device: torch.device) -> float:
    """Return how far the final classifier's weights differ when trained on `device` and on the CPU."""
    inputs = torch.rand(60, 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    labels, classes, settings = torch.arange(60) % 5, torch.arange(5), ClassifierSettings(epochs=3, batch_size=16)

    def trained(where: torch.device) -> list[Tensor]:
        given = (tensor.to(where) for tensor in (inputs, labels, classes))
        return [*train_classifier(*given, settings, seed=0)[0].layer.parameters()]

    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # of the layer that it makes
    try:
        return largest(trained(device), trained(CPU))
    finally:
        torch.set_default_dtype(usual)


CHECKS = (
    Check("stages 1 and 2, weights", TRAINED, scen_difference),
    Check("the same from main memory", TRAINED, lambda device: scen_difference(device, kept_on=CPU)),
    Check("stage 3 without and with feedback, weights", TRAINED, eggn_difference),
    Check(GRAPHS, TRAINED, graph_difference),
    Check("stages 1 and 2 stopped and continued, weights", TRAINED, resumed_scen_difference),
    Check("stage 3 stopped and continued, weights", TRAINED, lambda device: resumed_difference(device, graphs=False)),
    Check("the same with CUDA graphs", TRAINED, lambda device: resumed_difference(device, graphs=True)),
    Check("final classifier, weights", TRAINED, classifier_difference),
)


def graphs_agree(run: Run) -> bool:
    """Return whether CUDA graphs gave what usual iterations give; False where the check of it has not run."""
    figures = [figure for outcome in run.record.outcomes for figure in outcome.figures]
    return any(figure.name.startswith(GRAPHS) and figure.reached for figure in figures)
