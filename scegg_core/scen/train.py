"""Training of SCEN: stage 1 with the cross-entropies (Eq. 16), stage 2 with semantic consistency (Eq. 17)."""

from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from scegg_core.data.tables import DatasetIndex
from scegg_core.regions.batches import ResidentBatches, StreamedBatches, region_batches
from scegg_core.regions.store import RegionStore
from scegg_core.scen import losses
from scegg_core.scen.compression import uprightness
from scegg_core.scen.model import SCEN, part_shares
from scegg_core.settings.scen import ScenSettings
from scegg_core.training.alarms import warn
from scegg_core.training.checkpoint import Checkpoint
from scegg_core.training.curve import Curve
from scegg_core.training.device import apply_gradients, seeded
from scegg_core.training.progress import bar
from scegg_core.training.state import TrainingState

ORIENTATION_STEPS = 16  # batches that say which way g points

PART = 1 << 24  # numbers of region features that a step computes on at a time


@dataclass(frozen=True)
class Stage:
    """One of the two stages: its name, number of steps, learning rate and the parameters it updates.

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


@dataclass(frozen=True)
class TrainedScen:
    """SCEN in evaluation mode and the losses it was trained with."""

    model: SCEN
    curve: Curve


class ScenTrainer:
    """Runs both stages over batches of region features; can be stopped and continued between any two steps."""

    def __init__(
        self,
        model: SCEN,
        batches: ResidentBatches | StreamedBatches,
        seen: Tensor,
        settings: ScenSettings,
        checkpoint: Checkpoint | None = None,
    ):
        """`seen` (classes,) bool; the model lies on its device already."""
        self.model, self.batches, self.settings = model, batches, settings
        self.seen = seen.to(device_of(model))
        self.classes = self.seen if settings.softmax_classes == "seen" else None
        self.stages = self._stages()
        self.optimizers = [make_optimizer(stage, settings) for stage in self.stages]
        parts = {f"optimizer of stage {s.name}": o for s, o in zip(self.stages, self.optimizers, strict=True)}
        self.state = TrainingState({"model": model, **parts}, self.seen.device, checkpoint)

    def run(self) -> TrainedScen:
        """Train to the end, from the checkpoint if there is one."""
        self.state.restore()
        begin = 0
        for stage, optimizer in zip(self.stages, self.optimizers, strict=True):
            if stage.name == "2" and self.state.step == begin and self.model.glob.by_mean:
                self._scale_features()
            self._run_stage(stage, optimizer, begin)
            begin += stage.steps
        self._orient()
        return TrainedScen(self.model.eval().requires_grad_(False), self.state.curve)

    @torch.no_grad()
    def _scale_features(self) -> None:
        """Fit the scale on which CLS_g sees g to the training images, stage 1 being over."""
        found = []
        for regions, _ in self.batches.scan():
            regions = self.model.prepare(regions.to(device_of(self.model)))
            found.append(self.model.glob(self.model.local.attention(regions), regions).feature)
        self.model.glob.scale_to(torch.cat(found))

    @torch.no_grad()
    def _orient(self) -> None:
        """Let g point the way of the mean of its regions.

        (SC, CLS_g) and (-SC, -CLS_g) are the same to Eqs. 6-8, so training ends at either; stage 3 is not indifferent:
        features after ReLU are mostly near 0, and so is an upright g scaled to [0, 1], an inverted one mostly near 1.
        """
        # ASSUME: g has the sign of its regions' mean; the paper says nothing of SC's sign.
        gen = self.model.glob
        if gen.by_mean:
            return
        agreement = torch.zeros((), device=device_of(self.model))
        for regions, _ in islice(self.batches.epoch(0), ORIENTATION_STEPS):
            regions = self.model.prepare(regions.to(agreement.device))
            feature = gen.compress(self.model.local.attention(regions), regions)
            agreement += uprightness(feature, regions)
        if agreement < 0:
            gen.turn_over()

    def _stages(self) -> tuple[Stage, Stage]:
        given, steps, gen = self.settings, self.batches.steps, self.model.glob
        everything = [weight for weight in self.model.parameters() if weight.requires_grad]
        second = gen.classify if given.stage2_updates == "classifier" else gen
        return (
            Stage(
                "1",
                given.stage1_steps or given.stage1_epochs * steps,
                given.learning_rate,
                everything,
                (self.model.local.attend,),
            ),
            Stage(
                "2",
                given.stage2_steps or given.stage2_epochs * steps,
                given.stage2_learning_rate or given.learning_rate,
                list(second.parameters()),
            ),
        )

    def _run_stage(self, stage: Stage, optimizer: torch.optim.Optimizer, begin: int) -> None:
        """Take what is left of the stage, before which there are `begin` steps."""
        state, device = self.state, device_of(self.model)
        first = state.step - begin
        if first >= stage.steps:
            return
        with bar(stage.steps, f"SCEN stage {stage.name}", initial=first) as progress:
            for step, (regions, labels) in self._batches_from(first, stage.steps):
                state.add_step(self.step(stage, optimizer, regions.to(device), labels.to(device)))
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

        Every term is a mean over images, so a large batch is computed in parts, and their gradients are added up: what
        the parts need of memory comes one after the other.
        """
        total: list[Tensor | None] = [None] * len(stage.parameters)
        sums: dict[str, Tensor] = {}
        parts = -(-regions.numel() // PART)
        for images, own in zip(regions.chunk(parts), labels.chunk(parts), strict=True):
            share = len(own) / len(labels)
            loss, terms = self.losses(stage, images, own)
            found = torch.autograd.grad(share * loss, stage.parameters, allow_unused=True)
            total = [new if old is None else old.add_(new) for old, new in zip(total, found, strict=True)]
            for name, value in terms.items():
                sums[name] = sums.get(name, 0) + share * value.detach()
        apply_gradients(optimizer, stage.parameters, total)
        return sums

    def losses(self, stage: Stage, regions: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the stage's loss on one batch and its terms by name."""
        return self._first_losses(regions, labels) if stage.name == "1" else self._second_losses(regions)

    def _first_losses(self, regions: Tensor, labels: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Eq. 16: L_LCE + lambda_g L_GCE."""
        given = self.settings
        local, whole = self.model(regions, first_stage=True)
        terms = {
            "L_LCE": losses.class_cross_entropy(local.scores, labels, self.classes),
            "L_GCE": losses.class_cross_entropy(whole.scores, labels, self.classes),
        }
        loss = given.local_weight * terms["L_LCE"] + given.global_weight * terms["L_GCE"]
        if given.calibration_weight:
            terms["L_cal"] = losses.self_calibration(local.scores, self.seen)
            loss = loss + given.calibration_weight * terms["L_cal"]
        return loss, terms

    def _second_losses(self, regions: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Eq. 17: L_SCR, LEN frozen."""
        with torch.no_grad():
            regions = self.model.prepare(regions)
            local = self.model.local(regions)
        whole = self.model.glob(local.attention, regions)
        loss = losses.semantic_consistency(local.scores, whole.scores)
        if self.settings.stage2_reduction == "mean":
            loss = loss / local.scores.shape[1]
        return loss, {"L_SCR": loss}

    def _batches_from(self, first: int, steps: int):
        """Yield (step, batch) from step `first` to the last."""
        step = first
        while step < steps:
            epoch, start = divmod(step, self.batches.steps)
            for batch in self.batches.epoch(epoch, start):
                if step == steps:
                    return
                yield step, batch
                step += 1


def start_scen(
    words: Tensor,
    class_vectors: Tensor,
    channels: int,
    settings: ScenSettings,
    seed: int,
    share: Tensor | None = None,
) -> SCEN:
    """Return an untrained SCEN whose start depends on `seed` alone; arguments are SCEN's."""
    with seeded(seed):
        return SCEN(words, class_vectors, channels, settings, share)


def make_optimizer(stage: Stage, settings: ScenSettings) -> torch.optim.Optimizer:
    """Return the optimizer of one stage."""
    groups = stage.groups(settings.attention_rate)
    if settings.optimizer == "adam":
        return torch.optim.Adam(groups, weight_decay=settings.weight_decay, fused=True)
    return torch.optim.RMSprop(groups, weight_decay=settings.weight_decay, momentum=settings.momentum)


def device_of(model: nn.Module) -> torch.device:
    """Return the device that the model lies on."""
    return next(model.parameters()).device


def train_scen(
    index: DatasetIndex,
    store: RegionStore,
    words: np.ndarray,
    settings: ScenSettings,
    seed: int,
    device: torch.device,
    checkpoint: Checkpoint | None = None,
) -> TrainedScen:
    """Return SCEN trained on the trainval images of `index`; `words` (attributes, size) are the attribute vectors."""
    training = index.in_split("trainval")
    batches = region_batches(
        store,
        index.rows[training],
        index.labels[training],
        settings.batch_size,
        seed,
        settings.memory_budget,
        settings.sampling == "class_balanced",
        device,
    )
    vectors = torch.from_numpy(index.vectors)
    share = part_shares(index.parts) if settings.attention_words == "part" else None
    model = start_scen(torch.tensor(words), vectors, store.size.channels, settings, seed, share).to(device)
    trained = ScenTrainer(model, batches, torch.from_numpy(index.seen), settings, checkpoint).run()
    warn(trained.curve.points)
    return trained
