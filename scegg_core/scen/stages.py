"""Training on batches of region features, stage by stage: what SCEN's stages and other networks of regions share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice

import torch
from torch import Tensor, nn

from scegg_core.data.tables import DatasetIndex
from scegg_core.regions.batches import ResidentBatches, StreamedBatches, on_device, region_batches
from scegg_core.regions.store import RegionStore
from scegg_core.settings.dazle import DazleSettings
from scegg_core.settings.scen import ScenSettings
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.device import apply_gradients
from scegg_core.training.progress import bar
from scegg_core.training.state import TrainingState

PART = 1 << 24  # numbers of region features that a step uses at a time


@dataclass(frozen=True)
class Stage:
    """One stage: its name, number of steps, learning rate and the parameters it updates.

    `attention` are those of the parameters whose rate is multiplied by `ScenSettings.attention_rate`.
    """

    name: str
    steps: int
    learning_rate: float
    parameters: list[nn.Parameter]
    attention: tuple[nn.Parameter, ...] = ()

    def groups(self, attention_rate: float) -> list[dict]:
        """Return the parameters as an optimizer's groups, each with its own learning rate."""
        slow = {id(weight) for weight in self.attention}
        rest = [weight for weight in self.parameters if id(weight) not in slow]
        return [
            {"params": rest, "lr": self.learning_rate},
            {"params": list(self.attention), "lr": self.learning_rate * attention_rate},
        ]


class StagedTrainer:
    """Trains a network on batches of region features; can be stopped and continued between any two steps."""

    name = "stage"  # before a stage's own in the progress bar

    def __init__(
        self,
        model: nn.Module,
        batches: ResidentBatches | StreamedBatches,
        stages: Sequence[Stage],
        optimizers: Sequence[torch.optim.Optimizer],
        checkpoint: Checkpoint | None = None,
    ):
        """`model` is already on the device that it is trained on; each of the `stages` has one of the `optimizers`."""
        self.model, self.batches, self.stages, self.optimizers = model, batches, stages, optimizers
        parts = {f"optimizer of stage {s.name}": o for s, o in zip(stages, optimizers, strict=True)}
        self.state = TrainingState({"model": model, **parts}, device_of(model), checkpoint)

    def losses(self, stage: Stage, regions: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the stage's loss on one batch and its terms by name, all of them means over images."""
        raise NotImplementedError

    def run_stage(self, stage: Stage, optimizer: torch.optim.Optimizer, begin: int) -> None:
        """Take the remaining steps of the stage; `begin` steps belong to the stages before it."""
        state, device = self.state, device_of(self.model)
        first = state.step - begin
        if first >= stage.steps:
            return
        with bar(stage.steps, f"{self.name} {stage.name}", initial=first) as progress:
            batches = on_device(self._batches_from(first, stage.steps), device)
            for step, (regions, labels) in enumerate(batches, first):
                state.add_step(self.step(stage, optimizer, regions, labels))
                progress.update()
                if (step + 1) % self.batches.steps == 0 or step + 1 == stage.steps:
                    names = len(state.terms[0])
                    state.end_epoch(stage.name, step // self.batches.steps + 1, begin)
                    progress.set_postfix({name: f"{value:.3g}" for *_, name, value in state.curve.points[-names:]})
                if step + 1 < stage.steps:
                    state.save_if_due()

    def step(
        self, stage: Stage, optimizer: torch.optim.Optimizer, regions: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        """Take one step of the stage on a batch of region features; return its terms by name.

        Every term is a mean over images, so a large batch is computed in parts whose gradients are added up: memory
        is needed for one part at a time.
        """
        total: list[Tensor | None] = [None] * len(stage.parameters)
        sums: dict[str, Tensor] = {}
        parts = -(-regions.numel() // PART)
        for part, part_labels in zip(regions.chunk(parts), labels.chunk(parts), strict=True):
            fraction = len(part_labels) / len(labels)
            loss, terms = self.losses(stage, part, part_labels)
            gradients = torch.autograd.grad(fraction * loss, stage.parameters, allow_unused=True)
            total = [new if old is None else old.add_(new) for old, new in zip(total, gradients, strict=True)]
            for name, value in terms.items():
                sums[name] = sums.get(name, 0) + fraction * value.detach()
        apply_gradients(optimizer, stage.parameters, total)
        return sums

    def _batches_from(self, first: int, steps: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the batches of the steps from `first` to the last, `steps` - 1."""
        epoch, start = divmod(first, self.batches.steps)
        epochs = (self.batches.epoch(number, start if number == epoch else 0) for number in count(epoch))
        return islice(chain.from_iterable(epochs), steps - first)


def training_batches(
    index: DatasetIndex,
    store: RegionStore,
    settings: ScenSettings | DazleSettings,
    seed: int,
    device: torch.device,
    section: str,
) -> ResidentBatches | StreamedBatches:
    """Return batches of the trainval images' regions and labels; `section` of the settings is named in errors."""
    training = index.in_split("trainval")
    return region_batches(
        store,
        index.rows[training],
        index.labels[training],
        settings.batch_size,
        seed,
        settings.memory_budget,
        settings.sampling == "class_balanced",
        device,
        section=section,
    )


def device_of(model: nn.Module) -> torch.device:
    """Return the device that the model lies on."""
    return next(model.parameters()).device
